"""The methods that a path takes, of all its routes together, for the header Allow of a 405.

Starlette names those of the first route that fits; here a path has a route per method.
"""

from __future__ import annotations

import re

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path


def methods_of(app: FastAPI, path: str) -> str:
    """Return the methods that a path takes, as the header spells them."""
    found: dict[str, set[str]] = {}
    for route in iter_route_contexts(app.routes):
        if route.path and route.methods and compile_path(route.path)[0].match(path):
            found.setdefault(route.path, set()).update(route.methods)
    # "/jobs/{id}:retry" fits "/jobs/{id}" too; the one that says more of the path counts.
    closest = max(found, key=lambda one: len(re.sub(r"\{.*?\}", "", one)), default="")
    return ", ".join(sorted(found.get(closest, ())))
