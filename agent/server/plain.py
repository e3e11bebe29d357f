"""What HTTP leaves open and handlers need not know: HEAD, compressed bodies, bytes in a path."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.server.errors import ErrorBody, answer

_ZERO = b"%00"
"""No name has a byte of zero in it, and PostgreSQL can't be asked for one that has."""

_TYPES = {400: "bad_request", 404: "not_found", 415: "unsupported_media_type"}


class Plain:
    """Passes requests on in the one form that handlers take, or refuses them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on: a HEAD as the GET that it asks about."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        encoding = Headers(scope=scope).get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            await _refusal(scope, 415, f"a body in {encoding[:40]!r} is not taken",
                           "send it as it is, not compressed")(scope, receive, send)  # fmt: skip
        elif "\0" in scope["path"]:
            await _refusal(scope, 404, "nothing has a byte of zero in its name",
                           "leave it out")(scope, receive, send)  # fmt: skip
        elif _ZERO in scope["query_string"]:
            await _refusal(scope, 400, "there is a byte of zero in the query",
                           "leave it out")(scope, receive, send)  # fmt: skip
        elif scope["method"] == "HEAD":
            # Outside of this it stays a HEAD: for the server that frames the answer, and the log.
            asked = {**scope, "method": "GET"}
            try:
                await self.app(asked, receive, _without_body(send))
            finally:
                scope["route"] = asked.get("route")
        else:
            await self.app(scope, receive, send)


def _refusal(scope: Scope, status: int, message: str, hint: str) -> ASGIApp:
    return answer(scope, status, ErrorBody(type=_TYPES[status], message=message, hint=hint))


def _without_body(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return sent
