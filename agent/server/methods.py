"""What paths there are: the methods that one takes, and which one was meant.

For the header Allow of a 405 Starlette names the methods of the first route that fits; here a path
has a route per method.
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
    taken = found.get(closest, set())
    return ", ".join(sorted(taken | {"HEAD"} if "GET" in taken else taken))


def meant_by(app: FastAPI, path: str) -> str | None:
    """Return the path that was meant by one that leads nowhere, as far as that can be told."""
    plain = re.sub("/{2,}", "/", path).rstrip("/")
    for meant in (plain, f"/v1{plain}", plain.removeprefix("/v1")):
        if meant != path and methods_of(app, meant):
            return meant
    return None
