"""Items, facets, filters, encoders and indexes: what a catalog is and how it is searched."""

from retrieval.catalog import Facet, FieldValue, Item
from retrieval.filters import And, Compare, Filter, Not, Or

__all__ = ["And", "Compare", "Facet", "FieldValue", "Filter", "Item", "Not", "Or"]
