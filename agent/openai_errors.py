"""What a failed call to an OpenAI-compatible server means, in words without what was sent.

Servers echo messages and keys in their error bodies, so of those only the status code and figures
are told.
"""

from __future__ import annotations

import re

import openai
from pydantic import ValidationError

from agent.errors import ContextOverflow, ModelError, ModelUnavailable

_REFUSED = {400, 415, 422, 501}
"""Status codes by which servers say that they do not take a `response_format`."""

_ALLOWED = re.compile(r"maximum context length is (\d{1,9}) tokens", re.IGNORECASE)
_GIVEN = re.compile(
    r"(?:contains|resulted in) (?:at least )?(\d{1,9}) (?:input )?tokens", re.IGNORECASE
)

_HINTS = {
    401: "check the API key",
    403: "check the API key",
    404: "check the model name and the base URL, which usually ends in /v1",
    429: "too many requests",
}


def refused(error: openai.APIStatusError) -> bool:
    """Return whether the server may take the request in another form."""
    return error.status_code in _REFUSED and overflow_of(error) is None


def overflow_of(error: openai.APIStatusError) -> ContextOverflow | None:
    """Return that the messages are too long, if that is what vLLM or OpenAI say; only figures."""
    allowed = _ALLOWED.search(error.message)
    given = _GIVEN.search(error.message)
    if allowed is None:
        return None
    return ContextOverflow(int(given[1]) if given else None, int(allowed[1]))


def unavailable(error: Exception, deadline_s: float) -> ModelError:
    """Return what a planner is told of a call that failed; nothing that was sent or answered."""
    match error:
        case ModelError():
            return error
        case TimeoutError() | openai.APITimeoutError():
            return ModelUnavailable(f"no answer within {deadline_s:.3g} s")
        case openai.APIStatusError():
            if overflow := overflow_of(error):
                return overflow
            hint = _HINTS.get(error.status_code, "see the server's log")
            return ModelUnavailable(f"the server answered HTTP {error.status_code}: {hint}")
        case openai.APIConnectionError():
            return ModelUnavailable("no connection to the server, or it broke off")
        case ValidationError() | ValueError():
            return ModelUnavailable("the server's answer is not a chat completion")
    return ModelUnavailable(f"the call failed with {type(error).__name__}")
