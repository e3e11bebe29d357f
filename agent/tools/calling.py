"""Calls of webhook tools: signed, within a deadline, never elsewhere, and never believed blindly.

What comes back is data: JSON of a known size that fits its schema, with texts cleaned and cut.
Nothing is retried here; what changes something carries a key by which the shop can tell a repeat.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

import httpx

from agent import background
from agent.breaker import Breaker, CircuitOpen
from agent.errors import AgentError
from agent.telemetry import outgoing_headers, span
from agent.tools.schemas import misfit
from agent.tools.signing import signed
from agent.tools.spec import Said, Tool
from agent.utterance import strip_control

MAX_RESPONSE = 64 * 1024
MAX_TEXT = 500
MAX_MEMBERS = 40
DEEPEST = 5
HOPS = 2
_MOVED = frozenset({301, 302, 303, 307, 308})


class ToolFailed(AgentError):
    """A tool gave no usable answer; says why to an operator, without what it was called with.

    Args:
        sent: Whether the shop may have got the call all the same.
    """

    def __init__(self, reason: str, *, sent: bool = True) -> None:
        self.sent = sent
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Server:
    """How the tools of one file are called.

    Args:
        secret: Signs the calls.
        authorization: Value of the header of that name.
        timeout_s: For a call as a whole.
    """

    secret: str = field(default="", repr=False)
    authorization: str = field(default="", repr=False)
    timeout_s: float = 3.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool answered.

    Args:
        said: The description of such answers.
    """

    status: int
    body: Any
    said: Said


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: Mapping[str, str]
    body: str


class Caller:
    """Calls tools. Shared between threads; each file's server has a circuit breaker of its own.

    Args:
        servers: By the name of the file; a file without one is called unsigned.
        transport: Instead of the network, for tests.
    """

    def __init__(
        self,
        servers: Mapping[str, Server] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._servers = dict(servers or {})
        self._transport = transport
        self._breakers: dict[str, Breaker] = {}

    def call(self, tool: Tool, arguments: Mapping[str, Any], key: str) -> Answer:
        """Call a tool.

        Args:
            key: The same for the same call, also when it is sent again; another for every other.

        Raises:
            ToolFailed: If it does not answer in time, or not as its file says.
        """
        server = self._servers.get(tool.source, Server())
        facts = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool.name}
        with span(f"execute_tool {tool.name}", facts, "client"):
            return self._call(tool, _request(tool, arguments, key, server), server)

    def _call(self, tool: Tool, request: _Request, server: Server) -> Answer:
        breaker = self._breakers.setdefault(tool.source, Breaker())
        try:
            with breaker.guard():
                client = client_for(tool.base, server.timeout_s, self._transport)
                status, data = background.call(
                    self._send(client, request, tool.base), server.timeout_s
                )
                if status >= 500:
                    raise ToolFailed(f"HTTP {status}")
        except TimeoutError as error:
            raise ToolFailed(f"no answer within {server.timeout_s:g} s") from error
        except httpx.HTTPError as error:
            sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            raise ToolFailed(f"cannot be reached ({type(error).__name__})", sent=sent) from error
        except CircuitOpen as error:
            raise ToolFailed(str(error), sent=False) from error
        return _answer(tool, status, data)

    async def _send(
        self, client: httpx.AsyncClient, request: _Request, base: str
    ) -> tuple[int, bytes]:
        """Send a request; redirects are followed within the host, where nothing changes."""
        async with client:
            url = request.url
            for _ in range(HOPS + 1):
                status, where, data = await _receive(client, request, url)
                if status not in _MOVED:
                    return status, data
                url = urljoin(url, where)
                if request.method != "GET" or _origin(url) != _origin(base):
                    raise ToolFailed(f"HTTP {status}: redirects are followed for GET, on one host")
            raise ToolFailed(f"redirected more than {HOPS} times")


@cache
def _tls() -> ssl.SSLContext:
    """Return what servers are checked by; reading the certificates takes a while."""
    return httpx.create_ssl_context()


def client_for(
    base: str, timeout_s: float, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """Return a client for one call; no proxy leads to this machine, and no certificate."""
    local = urlsplit(base).scheme == "http"
    return httpx.AsyncClient(
        timeout=timeout_s, follow_redirects=False, trust_env=not local, transport=transport,
        verify=False if local else _tls(),
    )  # fmt: skip


async def _receive(
    client: httpx.AsyncClient, request: _Request, url: str
) -> tuple[int, str, bytes]:
    content = request.body.encode() if request.body else None
    async with client.stream(
        request.method, url, headers=dict(request.headers), content=content
    ) as response:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise ToolFailed("the answer is compressed, which was not asked for")
        data = bytearray()
        async for chunk in response.aiter_raw():
            data += chunk
            if len(data) > MAX_RESPONSE:
                raise ToolFailed(f"the answer has more than {MAX_RESPONSE:,} bytes")
        return response.status_code, response.headers.get("location", ""), bytes(data)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _request(tool: Tool, arguments: Mapping[str, Any], key: str, server: Server) -> _Request:
    """Return the request of a call: each argument in its place, signed."""
    path, query, headers, body = tool.path, [], {}, {}
    for argument in tool.arguments:
        if argument.name not in arguments:
            continue
        value = arguments[argument.name]
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if argument.place == "path":
            if text.strip(".") == "":
                raise ToolFailed(f"{argument.name} cannot stand in a path", sent=False)
            path = path.replace(f"{{{argument.name}}}", quote(text, safe=""))
        elif argument.place == "query":
            query.append((argument.name, text))
        elif argument.place == "header":
            headers[argument.name] = quote(text, safe=" ,;:@/+-_.=")
        else:
            body[argument.name] = value
    target = f"{path}?{urlencode(query)}" if query else path
    payload = json.dumps(body, ensure_ascii=False, separators=(",", ":")) if body else ""
    headers |= {"accept": "application/json", "accept-encoding": "identity", **outgoing_headers()}
    if payload:
        headers["content-type"] = "application/json"
    if tool.changes:
        headers["idempotency-key"] = key
    if server.authorization:
        headers["authorization"] = server.authorization
    url = tool.base + target
    if server.secret:
        parts = urlsplit(url)
        bare = f"{tool.method} {parts.path}{'?' + parts.query if parts.query else ''}"
        headers |= signed(server.secret, key, payload or bare)
    return _Request(tool.method, url, headers, payload)


def _answer(tool: Tool, status: int, data: bytes) -> Answer:
    """Return an answer as its file describes it."""
    said = tool.answers.get(str(status)) or tool.answers.get(f"{status // 100}XX")
    if said is None and (status < 300 or "default" in tool.answers):
        said = tool.answers.get("default") or (tool.answers.get("200") if status < 300 else None)
    if said is None:
        raise ToolFailed(f"HTTP {status}", sent=status < 400)
    if not data and said.schema is None:
        return Answer(status, {}, said)
    try:
        body = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ToolFailed(f"HTTP {status}: the answer is no JSON") from error
    wrong = misfit(body, said.schema) if said.schema is not None else ""
    if wrong:
        raise ToolFailed(f"HTTP {status}: {wrong} of its schema")
    return Answer(status, cleaned(body), said)


def cleaned(value: Any, depth: int = 0) -> Any:
    """Return a value without control characters, its texts, lists and objects cut to a size."""
    if isinstance(value, str):
        text = strip_control(value)
        return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
    if isinstance(value, dict | list) and depth >= DEEPEST:
        return None
    if isinstance(value, dict):
        some = list(value.items())[:MAX_MEMBERS]
        return {strip_control(str(k))[:80]: cleaned(v, depth + 1) for k, v in some}
    if isinstance(value, list):
        return [cleaned(one, depth + 1) for one in value[:MAX_MEMBERS]]
    if isinstance(value, int) and abs(value) > 2**53:
        return str(value)[:MAX_TEXT]
    return value
