"""Who calls, and what for: the key of every request, its tenant, and the scopes of routes.

A router states its scope where it is made, or route by route:

    router = APIRouter(prefix="/v1/things", dependencies=[needs("chat")])

    @router.delete("/{id}", dependencies=[needs("catalog")])

and a handler's `here: Here` (`agent.server.context`) is the catalog, the store and all else of the
tenant whose key was sent, and of no other. `create_app` refuses a route that states no scope and
is not among `OPEN_PATHS`.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, FastAPI, Request, Security
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.security import HTTPBearer
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from agent.access.errors import KeyMissing, KeyUnknown, OriginRefused, ScopeMissing
from agent.access.keyring import Keyring
from agent.access.keys import DEFAULT_TENANT, ApiKey, Scope, check, claim_of
from agent.access.rates import Rate, Rates
from agent.server.context import Context, Tenant
from agent.server.errors import render
from agent.server.limits import Limits

OPEN_PATHS = frozenset({"/health", "/ready", "/openapi.json"})
"""What needs no key: nothing there is of a tenant."""

METRICS_PATH = "/metrics"
"""What is of all tenants together, for who runs the server."""

TENANT_HEADER = "attune-tenant"
"""Says which tenant the operator's key means, where several are served."""

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

OPERATOR, OPEN = "operator", "open"
"""In place of a key's id: of ATTUNE_ADMIN_KEY, and where no key is needed."""

Auth = Literal["auto", "required", "open"]
"""auto: keys are required once one is stored. A server that others can reach requires them."""

_THREADS = 4
"""For reading keys and opening catalogs; apart from those that turns run in, so that turns under
way keep no key waiting."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How requests are let in.

    Args:
        operator_key: Opens everything of every tenant (ATTUNE_ADMIN_KEY).
        metrics_key: Opens /metrics, of all tenants, and nothing else (ATTUNE_METRICS_KEY).
        local_only: Without keys, answer only those who call this machine by a name of its own: a
            page of the web, or a proxy, calls it by another.
    """

    auth: Auth = "auto"
    operator_key: str | None = field(default=None, repr=False)
    metrics_key: str | None = field(default=None, repr=False)
    local_only: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request.

    Args:
        id: Of the key, or `OPERATOR` or `OPEN`.
        key: What is stored of it; the operator's is not stored.
    """

    tenant: str
    id: str
    key: ApiKey | None = None

    @property
    def proven(self) -> bool:
        """Whether a key was shown; what changes keys and adapters takes one even where others do
        not need any."""
        return self.id != OPEN

    def allows(self, scope: Scope) -> bool:
        """Return whether the caller may do something."""
        return self.key is None or self.key.allows(scope)


_BEARER = HTTPBearer(
    auto_error=False, scheme_name="key", description="`Authorization: Bearer att_…`"
)


class Needs:
    """A dependency that lets in who may do something."""

    def __init__(self, scope: Scope) -> None:
        self.scope: Scope = scope

    async def __call__(self, request: Request, _: Annotated[Any, Security(_BEARER)]) -> None:
        """Refuse a caller without the scope."""
        caller = caller_of(request)
        if not caller.allows(self.scope):
            asked = f'Bearer realm="attune", error="insufficient_scope", scope="{self.scope}"'
            raise ScopeMissing(
                f"the key {caller.id} is not for this: it takes the scope {self.scope!r}",
                {"WWW-Authenticate": asked},
            )


def needs(scope: Scope) -> Any:
    """Return what a router lists under `dependencies` to say which scope it takes."""
    return Depends(Needs(scope))


def caller_of(request: Request) -> Caller:
    """Return who sent a request."""
    caller = request.state.caller
    assert isinstance(caller, Caller)
    return caller


async def _who(request: Request) -> Caller:
    return caller_of(request)  # not in a thread, as FastAPI would call a plain function


Who = Annotated[Caller, Depends(_who)]


class Access:
    """Finds out who calls before anything of a request is read, and refuses whom nobody knows."""

    def __init__(
        self, app: ASGIApp, tenants: Mapping[str, Tenant], rules: Rules, rates: Rates
    ) -> None:
        self.app = app
        self._tenants = tenants
        self._rules = rules
        self._rates = rates
        self._origins = {origin for tenant in tenants.values() for origin in tenant.origins}
        self._threads = CapacityLimiter(_THREADS)

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Pass the request on with its caller and the context of the caller's tenant."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self.app(scope, receive, send)
            return
        try:
            headers = Headers(scope=scope)
            caller = await self._caller(headers, scope["path"])
            tenant = self._tenants[caller.tenant]
            self._check_origin(headers, tenant)
            context = await self._context(tenant)
            told = await self._count(caller, context.limits)
        except Exception as error:  # this is outside of what answers errors of handlers
            await render(scope, error)(scope, receive, send)
            return
        scope.setdefault("state", {}).update(caller=caller, context=context)
        await self.app(scope, receive, _with_headers(send, told) if told else send)

    async def _caller(self, headers: Headers, path: str) -> Caller:
        given, rules = _bearer(headers), self._rules
        if path == METRICS_PATH and any(
            _same(given, own) for own in (rules.metrics_key, rules.operator_key)
        ):
            # Of all tenants; one that can be opened stands for them.
            opened = [name for name, tenant in self._tenants.items() if tenant.opened]
            return Caller((opened or list(self._tenants))[0], OPERATOR)
        if _same(given, rules.operator_key):
            return Caller(self._chosen(headers), OPERATOR)
        if await self._is_open():
            self._refuse_strangers(headers)
            return Caller(DEFAULT_TENANT, OPEN)
        if not given:
            raise KeyMissing("a key is needed, as the header Authorization: Bearer att_…")
        claim = claim_of(given)
        tenant = self._tenants.get(claim.tenant) if claim else None
        keys = await self._keys(tenant.keys) if tenant else {}
        key = check(keys.get(claim.id) if claim else None, given, datetime.now(UTC))
        return Caller(tenant.name if tenant else "", key.id, key)

    async def _is_open(self) -> bool:
        """Return whether callers need no key. One that was revoked still closes the door."""
        if self._rules.auth != "auto":
            return self._rules.auth == "open"
        return not await self._keys(self._tenants[DEFAULT_TENANT].keys)

    def _refuse_strangers(self, headers: Headers) -> None:
        host = headers.get("host", "").lower()
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if self._rules.local_only and name not in LOCAL_NAMES:
            raise KeyMissing(
                f"without keys only this machine is answered, and this was sent to {name[:100]!r}; "
                "make a key with `attune keys add`, or set ATTUNE_AUTH=open"
            )

    def _chosen(self, headers: Headers) -> str:
        """Return which tenant the operator means."""
        named = headers.get(TENANT_HEADER)
        if named is None and len(self._tenants) == 1:
            return next(iter(self._tenants))
        if named is None or named not in self._tenants:
            raise KeyUnknown(
                f"the operator's key is for several tenants; the header {TENANT_HEADER} says for "
                f"which one, got {(named or '')[:40]!r}; there are {', '.join(self._tenants)}"
            )
        return named

    def _check_origin(self, headers: Headers, tenant: Tenant) -> None:
        """Refuse a page of another tenant: its browser was told that it may call, for some key."""
        origin = headers.get("origin")
        if origin is None or not ({origin, "*"} & self._origins):
            return
        own = origin.partition("://")[2] == headers.get("host")
        if not own and not {origin, "*"} & {*tenant.origins}:
            raise OriginRefused(f"pages of {origin[:100]!r} may not use this key")

    async def _count(self, caller: Caller, limits: Limits) -> dict[str, str]:
        """Count the request; return headers that say how many are left."""
        # The operator is never kept out: a flood is what keys are revoked for.
        if caller.id == OPERATOR or not (limits.rate_key or limits.rate_tenant):
            return {}
        asked = (
            ("key", limits.rate_key, f"{caller.tenant}/{caller.id}"),
            ("tenant", limits.rate_tenant, caller.tenant),
        )
        rates = [Rate(whose, limit, sender) for whose, limit, sender in asked if limit]
        if not self._rates.waits:
            return self._rates.count(rates)
        return await to_thread.run_sync(self._rates.count, rates, limiter=self._threads)

    async def _keys(self, keys: Keyring) -> Mapping[str, ApiKey]:
        if keys.is_fresh:
            return keys.current()
        return await to_thread.run_sync(keys.current, limiter=self._threads)

    async def _context(self, tenant: Tenant) -> Context:
        if tenant.opened is not None:
            return tenant.opened
        return await to_thread.run_sync(tenant.open, limiter=self._threads)


def _with_headers(send: Send, told: Mapping[str, str]) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(told)
        await send(message)

    return sent


def _same(given: str | None, own: str | None) -> bool:
    return bool(given and own and hmac.compare_digest(given.encode(), own.encode()))


def _bearer(headers: Headers) -> str | None:
    scheme, _, given = headers.get("authorization", "").strip().partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def scope_of(dependencies: list[Any]) -> Scope | None:
    """Return the scope that the dependencies of a route ask for."""
    found = [one.dependency.scope for one in dependencies if isinstance(one.dependency, Needs)]
    return found[0] if found else None


def scopes(app: FastAPI) -> dict[str, Scope | None]:
    """Return which scope each route takes, as "METHOD /path"; None for the open ones.

    Raises:
        TypeError: If a route states none and is not open, so that nobody forgets it.
    """
    found: dict[str, Scope | None] = {}
    for route in iter_route_contexts(app.routes):
        if not isinstance(route.original_route, APIRoute):
            continue
        scope = scope_of(route.dependencies)
        if scope is None and route.path not in OPEN_PATHS:
            raise TypeError(f"the route {route.path!r} states no scope; add needs(…) to its "
                            "dependencies, see agent/server/access.py")  # fmt: skip
        found |= {f"{method} {route.path}": scope for method in sorted(route.methods or ())}
    return found
