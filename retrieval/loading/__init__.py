"""Read catalogs: any file or query in, items, facets, the mapping and the rejects out."""

from retrieval.loading.describe import describe, write_rejects
from retrieval.loading.facets import infer_facets
from retrieval.loading.mapping import Column, Derived, Mapping
from retrieval.loading.reading import load
from retrieval.loading.records import LoadedCatalog, Reject
from retrieval.loading.rows import item_from_row

__all__ = [
    "Column", "Derived", "LoadedCatalog", "Mapping", "Reject", "describe", "infer_facets",
    "item_from_row", "load", "write_rejects",
]  # fmt: skip
