"""Which catalog a label file means by a name: the shared sample catalogs, the demo, or a file."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

from retrieval.demo.make import make_demo
from retrieval.errors import CatalogError
from retrieval.loading import LoadedCatalog, load

SHARED = Path(__file__).parents[1].parent / "shared" / "data"

FILES = {
    "fashion": "catalog_fashion.csv.gz",
    "electronics": "catalog_electronics.jsonl.gz",
    "grocery": "catalog_grocery.csv.gz",
    "furniture_ikea": "catalog_furniture_ikea.csv.gz",
    "books": "catalog_books.csv.gz",
    "courses": "catalog_courses.csv.gz",
}


def _demo() -> LoadedCatalog:
    with tempfile.TemporaryDirectory() as folder:
        return load([make_demo(Path(folder))])


@lru_cache(maxsize=1)
def open_catalog(name: str, beside: Path | None = None) -> LoadedCatalog | None:
    """Return the catalog that labels call by a name; None when a sample catalog is not here.

    Args:
        beside: Folder of the label file, from which a path is read.

    Raises:
        CatalogError: If the name is neither known nor a file.
    """
    if name == "demo":
        return _demo()
    if name in FILES:
        path = SHARED / FILES[name]
        return load([path]) if path.exists() else None
    path = (beside or Path()) / name
    if not path.exists():
        known = ", ".join([*FILES, "demo"])
        raise CatalogError(f"no catalog {name!r}: expected one of {known}, or a file, not {path}")
    return load([path])
