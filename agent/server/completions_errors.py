"""Errors in OpenAI's shape: {"error": {"message", "type", "param", "code"}}."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from agent.server.errors import ErrorBody


class OpenAIErrorBody(BaseModel):
    """What went wrong, with the field it is about and a stable code."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIErrorAnswer(BaseModel):
    """The body of every answer of this route that is not a success."""

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

_PARAM = re.compile(r"([\w.]{1,80}): ")


def error_body(
    message: str, param: str | None, code: str | None, type: str = "invalid_request_error"
) -> dict[str, Any]:
    """Return the body of an error."""
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


def openai_shape(status: int, body: ErrorBody) -> Mapping[str, Any]:
    """Return an error of ours in OpenAI's shape; its type of ours becomes the code."""
    message = f"{body.message} ({body.hint})" if body.hint else body.message
    default = "server_error" if status >= 500 else "invalid_request_error"
    named = _PARAM.match(body.message) if body.type == "invalid_request" else None
    return error_body(
        message, named[1] if named else None, _CODES.get(body.type, body.type),
        _TYPES.get(status, default),
    )  # fmt: skip
