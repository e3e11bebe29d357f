"""Every error in one shape, {"error": {"type", "message", "hint"?}}, with the status it deserves.

What nobody foresaw is logged in full and told in one sentence: no internals leave the server.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import Scope

from agent.access.errors import (
    AccessError,
    BudgetSpent,
    Busy,
    KeyExpired,
    KeyMissing,
    KeyRevoked,
    KeyUnknown,
    OriginRefused,
    RateExceeded,
    ScopeMissing,
    TenantUnavailable,
    TimedOut,
    UnknownKey,
)
from agent.errors import (
    AdapterRefused,
    AgentError,
    Conflict,
    IdempotencyConflict,
    ModelError,
    NoSuchAdapter,
    StoreError,
    UnknownHandover,
    UnknownJob,
    UnknownSession,
    UnknownSlate,
    UserInputError,
)
from agent.knowledge.errors import UnknownSource
from agent.observability.request import note_error
from agent.server.methods import meant_by, methods_of
from retrieval.errors import CatalogError, FilterError, IndexError_, RetrievalError

log = logging.getLogger(__name__)


class ErrorBody(BaseModel):
    """What went wrong: a stable type, a sentence, and what to do where that helps."""

    type: str
    message: str
    hint: str | None = None


Shape = Callable[[int, ErrorBody], tuple[int, Mapping[str, Any]]]
"""Makes the status and JSON of an error, for paths whose clients expect others than ours."""


class ErrorAnswer(BaseModel):
    """The body of every answer that is not a success."""

    error: ErrorBody


class UnknownItem(AgentError):
    """The item id is not in the catalog."""


KINDS: tuple[tuple[type[Exception], int, str, str | None], ...] = (
    (KeyMissing, 401, "missing_key", "whoever runs the server makes keys: attune keys add"),
    (KeyUnknown, 401, "unknown_key", None),
    (KeyExpired, 401, "expired_key", None),
    (KeyRevoked, 401, "revoked_key", None),
    (ScopeMissing, 403, "missing_scope", "ask for a key with that scope"),
    (OriginRefused, 403, "origin_refused", None),
    (UnknownKey, 404, "no_such_key", None),
    (RateExceeded, 429, "rate_limited", "wait as long as Retry-After says"),
    (BudgetSpent, 429, "token_budget", "it begins anew at midnight UTC"),
    (Busy, 503, "busy", "send it again in a moment"),
    (TimedOut, 504, "timeout", "send it again"),
    (TenantUnavailable, 503, "catalog_unavailable", "try again; the log says why"),
    (UnknownSession, 404, "unknown_session", "POST /v1/sessions gives a new one"),
    (UnknownSlate, 404, "unknown_slate", "take slate_id from the answer to the turn"),
    (UnknownItem, 404, "unknown_item", None),
    (UnknownJob, 404, "unknown_job", None),
    (UnknownSource, 404, "unknown_source", None),
    (UnknownHandover, 404, "unknown_handover", None),
    (NoSuchAdapter, 404, "unknown_adapter", None),
    (AdapterRefused, 409, "adapter_refused", "what answered before goes on"),
    (UserInputError, 422, "invalid_input", None),
    (FilterError, 422, "invalid_filter", "the facets are those of the catalog"),
    (CatalogError, 422, "invalid_item", None),
    (IdempotencyConflict, 422, "idempotency_conflict", "send each request with a key of its own"),
    (Conflict, 409, "conflict", "GET the session and send the request again"),
    (StoreError, 503, "store_unavailable", "nothing acknowledged is lost; try again"),
    (ModelError, 503, "model_unavailable", "try again"),
    (IndexError_, 503, "index_unavailable", "try again"),
    (RetrievalError, 503, "retrieval_failed", None),
)
"""Error class, status, type and hint; the first class that fits counts."""

INTERNAL = ErrorBody(
    type="internal", message="something went wrong on our side", hint="it is logged; try again"
)


def _without_place(error: Exception) -> str:
    """Return what is wrong with the store, without its URL or path; the log has those."""
    return str(error).split(": ", 1)[-1]


def describe(error: Exception) -> tuple[int, ErrorBody]:
    """Return the status and body for an error."""
    for kind, status, name, hint in KINDS:
        if isinstance(error, kind):
            note_error(name)
            if kind is StoreError:
                log.error("%s: %s", name, error)
                return status, ErrorBody(type=name, message=_without_place(error), hint=hint)
            return status, ErrorBody(type=name, message=str(error), hint=hint)
    log.error("unhandled error in a request", exc_info=error)
    note_error(INTERNAL.type)
    return 500, INTERNAL


def answer(
    scope: Scope, status: int, body: ErrorBody, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return an error as a response, in the shape that the clients of its path expect."""
    note_error(body.type)
    shapes: Mapping[str, Shape] = scope["app"].state.shapes
    shape = next((one for path, one in shapes.items() if scope["path"].startswith(path)), _own)
    status, told = shape(status, body)
    return JSONResponse(told, status_code=status, headers=headers)


def _own(status: int, body: ErrorBody) -> tuple[int, Mapping[str, Any]]:
    return status, {"error": body.model_dump(exclude_none=True)}


def render(scope: Scope, error: Exception) -> JSONResponse:
    """Return the response to an error, wherever on the way to a handler it came up."""
    status, body = describe(error)
    headers = error.headers if isinstance(error, AccessError) else {}
    if status == 401:
        said = "" if isinstance(error, KeyMissing) else ', error="invalid_token"'
        headers = {"WWW-Authenticate": f'Bearer realm="attune"{said}', **headers}
    return answer(scope, status, body, headers)


_FORMS = re.compile(r"body|event|batch|str|int|float|bool|constrained-\w+|\w+\[.*\]")
"""What tells apart the forms that a field may have: the client sent no such names."""


def _where(error: dict[str, Any]) -> str:
    named = (str(part) for part in error["loc"])
    return ".".join(part for part in named if not _FORMS.fullmatch(part)) or "body"


def _invalid(errors: Sequence[dict[str, Any]], media_type: str) -> tuple[int, ErrorBody]:
    first = errors[0]
    if first["type"] == "json_invalid":
        reason = first.get("ctx", {}).get("error", "not JSON")
        said = f"the body is not JSON: {reason} at character {first['loc'][-1]}"
        return 400, ErrorBody(type="invalid_json", message=said, hint="send one JSON object")
    said = "; ".join(
        f"{_where(one)}: {one['msg'].removeprefix('Value error, ')}" for one in errors[:5]
    )
    if first["loc"] == ("body",) and isinstance(first.get("input"), bytes):
        given = f"of type {media_type[:80]!r}" if media_type else "without a type"
        said = f"a body {given} is not taken"
        hint = 'send the header "Content-Type: application/json"'
        return 415, ErrorBody(type="unsupported_media_type", message=said, hint=hint)
    return 422, ErrorBody(type="invalid_request", message=said, hint="see /openapi.json")


async def _on_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    media_type = request.headers.get("content-type", "")
    return answer(request.scope, *_invalid(error.errors(), media_type))


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    hint = "the routes are listed in /openapi.json" if status in (404, 405) else None
    if status == 404 and (meant := meant_by(request.app, request.url.path)):
        hint = f"there is {meant}"
    name = "body_too_large" if status == 413 else status.phrase.lower().replace(" ", "_")
    body = ErrorBody(type=name, message=f"{request.method} {request.url.path}: {error.detail}")
    headers = dict(error.headers or {})
    if status == 405:
        headers["Allow"] = methods_of(request.app, request.url.path)
    return answer(request.scope, status, body.model_copy(update={"hint": hint}), headers)


async def _on_error(request: Request, error: Exception) -> JSONResponse:
    return render(request.scope, error)


def install(app: FastAPI, shapes: Mapping[str, Shape]) -> None:
    """Make an app answer every error in the one shape.

    Args:
        shapes: Other shapes, by how the path begins that answers in them.
    """
    app.state.shapes = dict(shapes)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    for kind in (AgentError, RetrievalError, Exception):
        app.add_exception_handler(kind, _on_error)
