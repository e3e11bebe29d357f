"""What can go wrong when Attune is asked over HTTP. No error shows the API key.

AttuneError
├── NotReached            no answer came: no connection, or it broke
│   └── TooSlow           no answer came within `timeout`
├── NotUnderstood         an answer came that is none of Attune's
└── Refused               Attune answered with an error
    ├── Invalid           the request is wrong (400, 405, 413, 422)
    ├── NotAllowed        the key is for something else (403)
    │   └── NotLoggedIn   no key, or none that is good any more (401)
    ├── NotFound          nothing has that id or name, or not any more (404)
    ├── Conflicted        something else came first (409)
    ├── Limited           too many requests, or the day's tokens are used up (429)
    └── Unavailable       a fault of the server, or it is too busy (5xx)
        └── TimedOut      the server gave up, since it took too long (504)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
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


class TooSlow(NotReached):
    """No answer came in the time that was given."""


class NotUnderstood(AttuneError):
    """The answer is none of Attune's: another server, or a proxy's page.

    Args:
        status: Of HTTP, where the answer had one that matters.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Refused(AttuneError):
    """An error that Attune answered with.

    Args:
        message: What is wrong; `str` of the error has the hint too.
        status: Of HTTP; 200 where the error came in the middle of a stream.
        type: A stable name, listed in docs/api.md; empty where something between answered.
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
        self.message, self.status, self.type, self.hint = message, status, type, hint
        self.retry_after, self.request_id = retry_after, request_id

    def __reduce__(self) -> tuple[Any, ...]:
        """Say how to make it again in another process: what has a name is not among `args`."""
        made = partial(
            type(self), self.message, status=self.status, type=self.type, hint=self.hint,
            retry_after=self.retry_after, request_id=self.request_id,
        )  # fmt: skip
        return made, ()


class Invalid(Refused):
    """The request is wrong as it is."""


class NotAllowed(Refused):
    """The key is for something else."""


class NotLoggedIn(NotAllowed):
    """No key was sent, or one that is not, or no longer, good."""


class NotFound(Refused):
    """Nothing has that id or name, or not any more."""


class Conflicted(Refused):
    """Something else came first, or an id is in use."""


class Limited(Refused):
    """Too much was asked for in a time."""


class Unavailable(Refused):
    """The server cannot answer now."""


class TimedOut(Unavailable):
    """The server did not get done in the time it has for an answer."""


PROXIES = frozenset({502, 503, 504})
"""What a proxy or a balancer answers by itself where the server behind it does not."""

_KINDS: Mapping[int, type[Refused]] = {
    401: NotLoggedIn, 403: NotAllowed, 404: NotFound, 409: Conflicted, 429: Limited, 504: TimedOut,
}  # fmt: skip

_IN_STREAMS: Mapping[str, type[Refused]] = {
    **dict.fromkeys(("missing_key", "unknown_key", "expired_key", "revoked_key"), NotLoggedIn),
    **dict.fromkeys(("missing_scope", "origin_refused"), NotAllowed),
    **dict.fromkeys(
        ("no_such_key", "unknown_session", "unknown_slate", "unknown_item", "unknown_job",
         "unknown_source", "unknown_handover", "unknown_adapter"), NotFound,
    ),
    **dict.fromkeys(("adapter_refused", "conflict"), Conflicted),
    **dict.fromkeys(
        ("invalid_input", "invalid_filter", "invalid_item", "idempotency_conflict"), Invalid
    ),
    **dict.fromkeys(("rate_limited", "token_budget"), Limited),
    "timeout": TimedOut,
}  # fmt: skip
"""By type, since a stream that has begun has status 200; all others are the server's fault."""


def refused(
    status: int, body: Any, headers: Mapping[str, str] | None = None
) -> Refused | NotUnderstood:
    """Return the error that an answer, or an event of a stream (status 200), tells of."""
    told = body.get("error") if isinstance(body, dict) else None
    sent = headers or {}
    if not isinstance(told, dict) or "message" not in told:
        if status not in PROXIES:
            said = f"status {status} without an error of Attune's; check the address"
            return NotUnderstood(said, status)
        told = {"message": f"status {status}, from what is between: no answer from the server"}
    # On OpenAI's paths what is called a type elsewhere is the code.
    type_ = str(told.get("code") or told.get("type", ""))
    if status == 200:
        kind = _IN_STREAMS.get(type_, Unavailable)
    else:
        kind = _KINDS.get(status, Unavailable if status >= 500 else Invalid)
    return kind(
        str(told["message"]), status=status, type=type_, hint=told.get("hint"),
        retry_after=seconds(sent.get("retry-after")), request_id=sent.get("x-request-id"),
    )  # fmt: skip


def seconds(text: str | None) -> float | None:
    """Return the seconds of a Retry-After header; None where it names none."""
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:  # a date
        return None
