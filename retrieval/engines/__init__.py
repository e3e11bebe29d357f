"""Engines behind the one `Index` contract: where items and vectors of a project are searched.

Modules of engines import their library inside; `open_index` picks the one a project names.
"""

from retrieval.engines.opening import ENGINES, Engine, open_index

__all__ = ["ENGINES", "Engine", "open_index"]
