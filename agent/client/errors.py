"""What can go wrong when Attune is asked over HTTP.

AttuneError
├── NotReached        no answer came: no connection, it broke, or it took too long
├── NotUnderstood     an answer came that is none of Attune's
└── Refused           Attune answered with an error
    ├── Invalid       the request is wrong (400, 413, 422)
    ├── NotAllowed    no key, a wrong one, or one for something else (401, 403)
    ├── NotFound      nothing has that id or name (404)
    ├── Conflicted    something else came first (409)
    ├── Limited       too many requests, or the day's tokens are used up (429)
    └── Unavailable   a fault of the server, or it is too busy (5xx)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class AttuneError(Exception):
    """Anything that goes wrong with a request."""


class NotReached(AttuneError):
    """No answer came; where a turn was asked for, it may have been taken all the same.

    Args:
        idempotency_key: Ask again under it, and what was done already is not done twice.
    """

    def __init__(self, message: str, idempotency_key: str | None = None) -> None:
        super().__init__(message)
        self.idempotency_key = idempotency_key


class NotUnderstood(AttuneError):
    """The answer is none of Attune's: another server, or a proxy's page."""


class Refused(AttuneError):
    """An error that Attune answered with.

    Args:
        status: Of HTTP; 200 where the error came in the middle of a stream.
        type: A stable name, listed in docs/api.md.
        hint: What to do about it, where the server has a word on that.
        retry_after: Seconds until it makes sense to ask again, where that is known.
        request_id: What the server's log has of the request.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        type: str,
        hint: str | None = None,
        retry_after: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(f"{message} ({hint})" if hint else message)
        self.status, self.type, self.hint = status, type, hint
        self.retry_after, self.request_id = retry_after, request_id


class Invalid(Refused):
    """The request is wrong as it is."""


class NotAllowed(Refused):
    """The key is missing, wrong, or for something else."""


class NotFound(Refused):
    """Nothing has that id or name."""


class Conflicted(Refused):
    """Something else came first, or an id is in use."""


class Limited(Refused):
    """Too much was asked for in a time."""


class Unavailable(Refused):
    """The server cannot answer now."""


_KINDS: Mapping[int, type[Refused]] = {
    401: NotAllowed, 403: NotAllowed, 404: NotFound, 409: Conflicted, 429: Limited,
}  # fmt: skip


def refused(
    status: int, body: Any, headers: Mapping[str, str] | None = None
) -> Refused | NotUnderstood:
    """Return the error that an answer tells of."""
    told = body.get("error") if isinstance(body, dict) else None
    if not isinstance(told, dict) or "message" not in told:
        return NotUnderstood(f"status {status} without an error of Attune's; check the address")
    kind = Unavailable if status >= 500 else _KINDS.get(status, Invalid)
    sent = headers or {}
    return kind(
        str(told["message"]), status=status, type=str(told.get("type", "")),
        hint=told.get("hint"), retry_after=seconds(sent.get("retry-after")),
        request_id=sent.get("x-request-id"),
    )  # fmt: skip


def seconds(text: str | None) -> float | None:
    """Return the seconds of a Retry-After header; None where it names none."""
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:  # a date
        return None
