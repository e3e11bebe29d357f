"""The door of the owner's pages: a password, a cookie that ends, and a way out.

Nothing below /owner is served without it, Gradio's own paths included. The cookie holds only when
it ends, signed with a key made of the password: it outlives the server, and another password ends
it. Gradio's own login forgets everybody when the server is started anew, and says nothing when it
has ended while a page is open.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import deque
from collections.abc import Callable
from importlib.resources import files
from urllib.parse import parse_qs, urlencode

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.web.markup import escape
from ui.web.owner.telling import owners_words
from ui.web.shop import path_of
from ui.web.words import DEFAULT, Words, languages

PATH = "/owner"
LOGIN, LOGOUT = f"{PATH}/login", f"{PATH}/logout"
COOKIE = "attune-owner"
LASTS_S = 12 * 3_600
GUESSES = 10
"""Wrong passwords in a minute, from anywhere, after which everybody waits for the rest of it."""
_MINUTE = 60.0
_MOST_BODY = 10_000


def home(language: str) -> str:
    """Return where the owner's pages are in a language."""
    return f"{PATH}{path_of(language)}"


class Door:
    """Knows who is let in.

    Args:
        clock: Tells the time in seconds.
    """

    def __init__(self, password: str, clock: Callable[[], float] = time.time) -> None:
        self._password = password.encode()
        self._key = hashlib.pbkdf2_hmac("sha256", self._password, b"attune-owner-cookie", 50_000)
        self._clock = clock
        self._wrong: deque[float] = deque(maxlen=GUESSES)

    def opens(self, password: str) -> bool:
        """Return whether it is the password; a wrong one is remembered for a minute."""
        right = hmac.compare_digest(password.encode("utf-8", "replace"), self._password)
        if not right:
            self._wrong.append(self._clock())
        return right

    @property
    def shut(self) -> bool:
        """Whether there were too many wrong passwords lately."""
        full = len(self._wrong) == GUESSES
        return full and self._clock() - self._wrong[0] < _MINUTE

    def pass_now(self) -> str:
        """Return a cookie that is good from now on."""
        ends = str(int(self._clock()) + LASTS_S)
        return f"{ends}.{self._signature(ends)}"

    def knows(self, cookie: str | None) -> bool:
        """Return whether a cookie is ours and has not ended."""
        ends, _, signature = (cookie or "").partition(".")
        if not ends.isdecimal() or len(ends) > 12:
            return False
        genuine = hmac.compare_digest(signature.encode(), self._signature(ends).encode())
        return genuine and self._clock() < int(ends)

    def _signature(self, ends: str) -> str:
        return hmac.new(self._key, ends.encode(), hashlib.sha256).hexdigest()


class Guard:
    """Lets nobody below /owner who has not come through the door."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self.app = app
        self.door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or say that a login is needed."""
        if scope["type"] not in ("http", "websocket") or not _inside(scope["path"]):
            await self.app(scope, receive, send)
            return
        request = Request({**scope, "type": "http"})
        if self.door.knows(request.cookies.get(COOKIE)):
            await self.app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        await _turned_away(request)(scope, receive, send)


def _inside(path: str) -> bool:
    """Return whether a path is behind the door; the door itself is not."""
    return path != LOGIN and (path == PATH or path.startswith(f"{PATH}/"))


def _turned_away(request: Request) -> Response:
    """Return the way to the login to a browser that opens a page, else that it has ended."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(_door_to(asked), 303)
    return _refused(words_at(asked)("login.ended"), 401)


def words_at(path: str) -> Words:
    """Return the words of the language that a path of the owner's pages is in."""
    there = [one for one in languages() if one != DEFAULT and path.startswith(home(one))]
    return owners_words(there[0] if there else DEFAULT)


def _door_to(path: str) -> str:
    """Return the address of the door before a page."""
    there = _within(path)
    return LOGIN if there == f"{PATH}/" else f"{LOGIN}?{urlencode({'to': there})}"


def _within(path: str) -> str:
    """Return a path of the owner's pages as it is; their beginning instead of anything else."""
    odd = "\\" in path or "/." in path or not path.isprintable()
    return path if path.startswith(f"{PATH}/") and not odd else f"{PATH}/"


def _to(request: Request) -> str:
    """Return where whoever comes through the door wants to go."""
    return _within(request.query_params.get("to", ""))


def add_login(app: FastAPI, password: str) -> Door:
    """Put the door before the owner's pages of an app; mount them after."""
    door = Door(password)
    app.add_middleware(Guard, door=door)

    @app.get(LOGIN, include_in_schema=False)
    def shown(request: Request) -> Response:
        if door.knows(request.cookies.get(COOKIE)):
            return RedirectResponse(_to(request), 303)
        return _page(request)

    @app.post(LOGIN, include_in_schema=False)
    async def taken(request: Request) -> Response:
        body = (await request.body())[:_MOST_BODY].decode("utf-8", "replace")
        given = parse_qs(body).get("password", [""])[0]
        plain = "text/html" in request.headers.get("accept", "")
        words = words_at(_to(request))
        if door.shut:
            return _said(request, words("login.wait"), 429)
        if not door.opens(given):
            return _said(request, words("login.wrong"), 401)
        done: Response = RedirectResponse(_to(request), 303) if plain else Response(status_code=204)
        done.set_cookie(
            COOKIE, door.pass_now(), max_age=LASTS_S, path=PATH, httponly=True, samesite="strict",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        return done

    @app.post(LOGOUT, include_in_schema=False)
    def left(request: Request) -> Response:
        gone = RedirectResponse(_door_to(_to(request)), 303)
        gone.delete_cookie(COOKIE, path=PATH)
        return gone

    return door


def _said(request: Request, words: str, status: int) -> Response:
    """Return what is wrong: as a page to a browser that left its page, else as JSON."""
    if "text/html" in request.headers.get("accept", ""):
        return _page(request, words, status)
    return _refused(words, status)


def _refused(words: str, status: int) -> Response:
    return JSONResponse({"error": {"type": "login", "message": words}}, status)


def _asset(name: str) -> str:
    return (files("ui.web") / "assets" / name).read_text("utf-8")


def _page(request: Request, trouble: str = "", status: int = 200) -> Response:
    """Return the page that asks for the password."""
    there = _to(request)
    words = words_at(there)
    put = {
        name: words(f"login.{name}")
        for name in ("title", "heading", "says", "password", "go", "shop", "server")
    }
    put |= {"lang": words.language, "trouble": trouble, "to": there, "door": _door_to(there),
            "shop_at": path_of(words.language)}  # fmt: skip
    whole = _asset("owner-login.html")
    for name, value in put.items():
        whole = whole.replace(f"{{{{{name}}}}}", escape(value))
    return HTMLResponse(whole, status, headers={
        "cache-control": "no-store", "x-frame-options": "DENY", "referrer-policy": "same-origin",
    })  # fmt: skip
