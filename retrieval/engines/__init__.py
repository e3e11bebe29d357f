"""Engines behind the one `Index` contract: where items and vectors of a project are searched.

Modules of engines import their library inside; `open_index` picks the one a project names.
"""

from retrieval.engines.opening import (
    EMBEDDED,
    ENGINES,
    Place,
    Target,
    check_engine,
    default_engine,
    open_index,
    without_password,
)

__all__ = [
    "EMBEDDED",
    "ENGINES",
    "Place",
    "Target",
    "check_engine",
    "default_engine",
    "open_index",
    "without_password",
]
