"""Errors on OpenAI's paths, in its shape: {"error": {"message", "type", "param", "code"}}."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from agent.observability.request import note_error
from agent.server.asked import Refused
from agent.server.errors import ErrorBody


class OpenAIErrorBody(BaseModel):
    """What went wrong, with the field it is about and a stable code."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIErrorAnswer(BaseModel):
    """The body of every answer of OpenAI's routes that is not a success."""

    error: OpenAIErrorBody


_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
"""By status; others below 500 are invalid_request_error, from 500 on server_error."""

_CODES = {
    "unknown_key": "invalid_api_key",
    "missing_key": "invalid_api_key",
    "rate_limited": "rate_limit_exceeded",
    "token_budget": "insufficient_quota",
}
"""Where OpenAI has a name of its own for what is wrong."""

SERVED = "of OpenAI's API there are /v1/chat/completions, /v1/responses and /v1/models"

_PARAM = re.compile(r"([\w.]{1,80}): ")


def error_body(
    message: str, param: str | None, code: str | None, type: str = "invalid_request_error"
) -> dict[str, Any]:
    """Return the body of an error."""
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


async def on_refused(_: Request, error: Exception) -> JSONResponse:
    """Answer a request that asks for what is not offered."""
    assert isinstance(error, Refused)
    note_error(error.code or "refused")
    return JSONResponse(error_body(str(error), error.param, error.code), error.status)


def openai_shape(status: int, body: ErrorBody) -> tuple[int, Mapping[str, Any]]:
    """Return an error of ours in OpenAI's shape; its type of ours becomes the code.

    What is wrong with a request is a 400 there, whatever it is: that is what their clients catch.
    """
    hint = SERVED if body.type == "not_found" and "openapi" in (body.hint or "") else body.hint
    message = f"{body.message} ({hint})" if hint else body.message
    default = "server_error" if status >= 500 else "invalid_request_error"
    named = _PARAM.match(body.message) if body.type == "invalid_request" else None
    told = error_body(
        message, named[1] if named else None, _CODES.get(body.type, body.type),
        _TYPES.get(status, default),
    )  # fmt: skip
    return 400 if status == 422 else status, told
