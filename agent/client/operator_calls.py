"""What can be asked by those who run a shop: catalog, people's data, pages, work, keys, models."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from agent.client.call import Call, Request, anything, given, new_key, part, reads
from agent.client.operator_values import (
    Adapters,
    ApiKey,
    Deleted,
    Handover,
    Job,
    MadeKey,
    PagesTaken,
    Ready,
    Source,
    Stored,
    WholeHandover,
)
from agent.client.values import Json

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

_NOT_READY = (503,)

Form = Literal["catalog", "stored"]
JobStatus = Literal["waiting", "running", "done", "dead"]
HandoverStatus = Literal["waiting", "delivered", "dead", "closed"]
Scope = Literal["chat", "feedback", "catalog", "admin"]


def upsert_items(rows: Sequence[Json], *, form: Form | None = None) -> Call[Stored]:
    """Add or replace items; bad rows are told, the others are stored.

    Args:
        form: "catalog" (the default): the columns of the catalog's file, or what `item` returns;
            "stored": exactly as the catalog keeps them.
    """
    body = {"items": list(rows)} | given(form=form)
    return Call(Request("POST", "/v1/items:upsert", body), reads(Stored))


def delete_items(ids: Sequence[str]) -> Call[int]:
    """Delete items; return how many were there."""
    return Call(Request("POST", "/v1/items:delete", {"ids": list(ids)}), reads(int, "deleted"))


def reindex(allow_delete: float | None = None) -> Call[Job]:
    """Have the catalog's file read again, and return the job that does it.

    Args:
        allow_delete: Share of the items that may be deleted since the file does not name them.
    """
    body = given(allow_delete=allow_delete)
    return Call(Request("POST", "/v1/catalog:reindex", body), reads(Job))


def delete_user(user: str) -> Call[Deleted]:
    """Delete everything that is stored of a user."""
    return Call(Request("DELETE", f"/v1/users/{part(user)}"), reads(Deleted))


def export_user(user: str) -> Call[dict[str, Any]]:
    """Return everything that is stored of a user."""
    return Call(Request("GET", f"/v1/users/{part(user)}/export"), reads(dict[str, Any]))


def knowledge() -> Call[tuple[Source, ...]]:
    """Return the shop's pages that answers are quoted from."""
    return Call(Request("GET", "/v1/knowledge"), reads(tuple[Source, ...], "sources"))


def add_knowledge(files: Mapping[str, str | bytes]) -> Call[PagesTaken]:
    """Add pages, in place of those of the same name.

    Args:
        files: What is in them, by name; the ending says what it is, e.g. "returns.md".
    """
    body = {"files": [_file(name, content) for name, content in files.items()]}
    return Call(Request("POST", "/v1/knowledge", body), reads(PagesTaken))


def _file(name: str, content: str | bytes) -> Json:
    if isinstance(content, str):
        return {"name": name, "text": content}
    return {"name": name, "base64": b64encode(content).decode()}


def delete_knowledge(source: str) -> Call[int]:
    """Remove a page; return how many passages it had."""
    return Call(Request("DELETE", f"/v1/knowledge/{part(source)}"), reads(int, "passages"))


def jobs(
    *, status: JobStatus | None = None, kind: str | None = None, limit: int | None = None
) -> Call[tuple[Job, ...]]:
    """Return the work in the background, newest first."""
    query = given(status=status, kind=kind, limit=limit)
    return Call(Request("GET", "/v1/jobs", query=query), reads(tuple[Job, ...], "jobs"))


def job(id: str) -> Call[Job]:
    """Return one job."""
    return Call(Request("GET", f"/v1/jobs/{part(id)}"), reads(Job))


def retry_job(id: str) -> Call[Job]:
    """Have a job that was given up tried again, or one that waits tried now."""
    return Call(Request("POST", f"/v1/jobs/{part(id)}:retry"), reads(Job))


def handovers(
    *, status: HandoverStatus | None = None, limit: int | None = None
) -> Call[tuple[Handover, ...]]:
    """Return the conversations that wait, or waited, for a person, newest first."""
    request = Request("GET", "/v1/handovers", query=given(status=status, limit=limit))
    return Call(request, reads(tuple[Handover, ...], "handovers"))


def handover(id: str) -> Call[WholeHandover]:
    """Return a hand-over with the conversation up to now."""
    return Call(Request("GET", f"/v1/handovers/{part(id)}"), reads(WholeHandover))


def close_handover(id: str) -> Call[Handover]:
    """Be done with a hand-over: from the next turn on the bot goes on alone."""
    return Call(Request("POST", f"/v1/handovers/{part(id)}:close"), reads(Handover))


def keys() -> Call[tuple[ApiKey, ...]]:
    """Return the API keys, oldest first, with what each used today."""
    return Call(Request("GET", "/v1/keys"), reads(tuple[ApiKey, ...], "keys"))


def add_key(name: str, scopes: Sequence[Scope], *, expires: str | None = None) -> Call[MadeKey]:
    """Make an API key; it is given this once.

    Args:
        expires: In how long, e.g. "12h", "90d", "2w"; never, if left out.
    """
    body = given(name=name, scopes=list(scopes), expires=expires)
    return Call(Request("POST", "/v1/keys", body, once=True), reads(MadeKey))


def revoke_key(id: str) -> Call[ApiKey]:
    """Take an API key back; it opens nothing any more within seconds."""
    return Call(Request("DELETE", f"/v1/keys/{part(id)}"), reads(ApiKey))


def adapters() -> Call[Adapters]:
    """Return which adapters of the model there are, and what answers."""
    return Call(Request("GET", "/v1/adapters"), reads(Adapters))


def promote_adapter(name: str, *, force: bool = False, why: str = "") -> Call[Adapters]:
    """Have an adapter that passed the gate answer everybody.

    Args:
        force: Whatever the gate says; it is recorded.
    """
    body = {"name": name, "force": force, "why": why}
    return Call(Request("POST", "/v1/adapters:promote", body, once=True), reads(Adapters))


def canary_adapter(
    name: str, *, share: float = 0.1, force: bool = False, why: str = ""
) -> Call[Adapters]:
    """Have an adapter that passed the gate answer a share of the sessions that begin.

    Args:
        force: Whatever the gate says; it is recorded.
    """
    body = {"name": name, "share": share, "force": force, "why": why}
    return Call(Request("POST", "/v1/adapters:canary", body, once=True), reads(Adapters))


def roll_back_adapter(*, why: str = "") -> Call[Adapters]:
    """Go back to what answered before, for everybody."""
    return Call(Request("POST", "/v1/adapters:rollback", {"why": why}, once=True), reads(Adapters))


def ready() -> Call[Ready]:
    """Return whether turns can be taken, and if not, why; it needs no key."""
    return Call(Request("GET", "/ready", fine=_NOT_READY), reads(Ready, fine=_NOT_READY))


def ask(method: str, path: str, body: Any = None) -> Call[Any]:
    """Ask a route that has no method of its own; return its JSON, None where it has none.

    Args:
        path: Of the route, with its query where it has one, e.g. "/v1/owner/catalog".
    """
    if method not in METHODS:
        raise ValueError(f"no method {method!r}; expected one of {', '.join(METHODS)}")
    safe = method in ("GET", "PUT", "DELETE")
    key = None if safe else new_key()
    return Call(Request(method, _route(path), body, key, once=not safe), anything)


def file(path: str, query: Mapping[str, str] | None = None) -> Request:
    """Return the request for a file, whatever is in it.

    Args:
        path: Of the route that gives it, e.g. "/v1/owner/catalog/never-shown.csv".
    """
    return Request("GET", _route(path), query=query or {})


def _route(path: str) -> str:
    inside = path.partition("?")[0].split("/")
    if not path.startswith("/") or "." in inside or ".." in inside:
        raise ValueError(f"expected the path of a route, from its first slash on, got {path!r}")
    return path
