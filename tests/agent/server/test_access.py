"""Every route of the app, by whoever should not get in: no key, a bad one, another tenant's."""

import re

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from agent.access.keys import SCOPES
from agent.server.access import OPEN_PATHS, Rules, needs, scopes
from agent.server.app import create_app, create_service
from tests.agent.server.tenancy import OPERATOR, bearer, furnish, open_shop, serve

BODIES = {
    "POST /v1/sessions": {},
    "POST /v1/sessions/{session_id}/turns": {"text": "blue shirts"},
    "POST /v1/chat/completions": {
        "model": "attune", "messages": [{"role": "user", "content": "marmalade shirts"}]},
    "POST /v1/responses": {"input": "marmalade shirts"},
    "POST /v1/feedback": {"slate_id": "$slate_id", "item_id": "1", "kind": "click"},
    "POST /v1/recommendations": {"session_id": "$session_id"},
    "POST /v1/explanations": {"item_ids": ["$item_id"], "session_id": "$session_id"},
    "POST /v1/items:upsert": {"items": [{"id": "x", "title": "Own"}]},
    "POST /v1/items:delete": {"ids": ["$item_id"]},
    "POST /v1/keys": {"name": "new", "scopes": ["chat"]},
    "POST /v1/knowledge": {"files": [{"name": "returns.md", "text": "# Returns"}]},
    "POST /v1/adapters:promote": {"name": "house-shop"},
    "POST /v1/adapters:canary": {"name": "house-shop"},
}  # fmt: skip
"""What a route is sent; those that take no body, or can do without, are sent none."""

OWN = {"POST /v1/sessions": 201, "POST /v1/chat/completions": 200,
       "POST /v1/responses": 200, "GET /v1/jobs": 200,
       "POST /v1/catalog:reindex": 202, "POST /v1/items:upsert": 200,
       "POST /v1/items:delete": 200, "GET /v1/handovers": 200,
       "GET /v1/models": 200, "GET /v1/models/{id:path}": 404, "GET /v1/keys": 200,
       "POST /v1/keys": 201, "GET /metrics": 200, "GET /v1/facets": 200,
       "GET /v1/users/{user:path}/export": 200, "DELETE /v1/users/{user:path}": 200}  # fmt: skip
"""Routes that have an answer of the tenant's own, also to ids of another; to all others there is
nothing of that id, or they are not asked rightly."""


@pytest.fixture
def pair(tmp_path, shop):
    """Two tenants; b has things."""
    a, b = (open_shop(name, tmp_path, shop) for name in ("a", "b"))
    client = serve(a, b)
    furnish(b, client)
    yield a, b, client
    for one in (a, b):
        one.tenant.close()


def routes(client):
    """Return every route that takes a scope, with that scope."""
    found = {route: scope for route, scope in scopes(client.app).items() if scope}
    assert len(found) > 25
    return found


def send(client, route, things, headers=None):
    """Send what a route takes, with the ids of things in it."""
    method, path = route.split(" ", 1)
    for name, id in things.items():
        path = path.replace(f"{{{name}}}", id).replace(f"{{{name}:path}}", id)
    path = re.sub(r"\{[^}]*\}", things["item_id"], path)
    body = BODIES.get(route)
    if body is not None:
        body = {name: fill(value, things) for name, value in body.items()}
    return client.request(method, path, json=body, headers=headers)


def fill(value, things):
    if isinstance(value, list):
        return [fill(one, things) for one in value]
    return things[value[1:]] if isinstance(value, str) and value.startswith("$") else value


def test_every_body_is_sent(client):
    """Without a body that is taken, a route would refuse every tenant alike, and prove nothing."""
    paths = client.app.openapi()["paths"]
    needed = {
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method, route in methods.items()
        if route.get("requestBody", {}).get("required")
    }
    assert needed <= {re.sub(r":path}", "}", route) for route in BODIES}


def kind_of(response):
    error = response.json()["error"]
    return error.get("code") or error["type"]


def test_no_route_opens_without_a_key(pair):
    _, b, client = pair
    for route in routes(client):
        refused = send(client, route, b.things)
        assert refused.status_code == 401, route
        assert refused.headers["www-authenticate"] == 'Bearer realm="attune"'
        assert kind_of(refused) in ("missing_key", "invalid_api_key")


@pytest.mark.parametrize(
    ("key", "kind"),
    [("expired", "expired_key"), ("revoked", "revoked_key"), ("altered", "unknown_key"),
     ("moved", "unknown_key"), ("nonsense", "unknown_key"), ("operator-key", "unknown_key")],
)  # fmt: skip
def test_no_route_opens_with_a_bad_key(pair, key, kind):
    a, b, client = pair
    good = b.keys["admin"]
    given = {
        **b.keys, "altered": good[:-1] + ("A" if good[-1] != "A" else "B"),
        # The row of b's key, asked of a: a tenant's key is only good there.
        "moved": good.replace("att_b_", "att_a_"), "nonsense": "att_b_x",
    }.get(key, key)  # fmt: skip
    for route in routes(client):
        refused = send(client, route, b.things, bearer(given))
        assert refused.status_code == 401, route
        assert kind_of(refused) in (kind, "invalid_api_key"), route
        assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    assert client.get(f"/v1/sessions/{b.things['session_id']}", headers=bearer(good)).is_success
    assert a.keyring.list()


def test_no_route_opens_without_its_scope(pair):
    _, b, client = pair
    for route, scope in routes(client).items():
        for other in set(SCOPES) - {scope, "admin"}:
            refused = send(client, route, b.things, bearer(b.keys[other]))
            assert refused.status_code == 403, (route, other)
            assert "missing_scope" in refused.text
            assert f'scope="{scope}"' in refused.headers["www-authenticate"]


def test_each_scope_opens_what_is_its(pair):
    _, b, client = pair
    for route, scope in routes(client).items():
        if not route.startswith("DELETE"):
            for key in (scope, "admin"):
                assert send(client, route, b.things, bearer(b.keys[key])).status_code not in (
                    401, 403), route  # fmt: skip


def test_no_route_shows_another_tenants_things(pair):
    a, b, client = pair
    for route in routes(client):
        answer = send(client, route, b.things, bearer(a.keys["admin"]))
        expected = {OWN[route]} if route in OWN else {404, 422}
        assert answer.status_code in expected, (route, answer.status_code, answer.text)
        shown = answer.text
        for id in (b.things["item_id"], b.things["session_id"], b.things["slate_id"],
                   b.things["job_id"], b.things["handover_id"], b.things["key_id"],
                   b.things["user"]):  # fmt: skip
            shown = shown.replace(repr(id), "")  # an error may repeat what it was asked for
        for told in ("Marmalade", b.things["said"], b.things["turn_id"], b.things["slate_id"]):
            assert told not in shown, route
    check_untouched(b, client)


def check_untouched(b, client):
    """What a tenant has is as it was."""
    admin, things = bearer(b.keys["admin"]), b.things
    session = client.get(f"/v1/sessions/{things['session_id']}", headers=admin).json()
    assert len(session["turns"]) == 2
    assert client.get(f"/v1/items/{things['item_id']}", headers=admin).status_code == 200
    assert len(b.store.feedback(things["session_id"])) == 1
    assert b.store.work.get("job-of-b").status == "waiting"
    assert not any(key.name == "new" for key in b.keyring.list())
    assert next(key for key in b.keyring.list() if key.id == things["key_id"]).revoked is None


def test_streamed_foreign_turn_is_404(pair):
    a, b, client = pair
    body = {"text": "blue", "stream": True}
    path = f"/v1/sessions/{b.things['session_id']}/turns"
    assert client.post(path, json=body, headers=bearer(a.keys["chat"])).status_code == 404


def test_operator_reaches_every_tenant_by_name(pair):
    _, b, client = pair
    path, operator = f"/v1/sessions/{b.things['session_id']}", bearer(OPERATOR)
    assert client.get(path, headers={**operator, "Attune-Tenant": "b"}).status_code == 200
    assert client.get(path, headers={**operator, "Attune-Tenant": "a"}).status_code == 404
    for named in ({}, {"Attune-Tenant": "c"}):
        refused = client.get(path, headers={**operator, **named})
        assert refused.status_code == 401
        assert "the header attune-tenant says for which one" in refused.text


def test_operator_is_shown_the_metrics_of_all(pair):
    a, b, client = pair
    client.get("/v1/models", headers=bearer(a.keys["chat"]))
    shown = client.get("/metrics", headers=bearer(OPERATOR)).text
    assert 'tenant="a"' in shown
    assert 'tenant="b"' in shown
    own = client.get("/metrics", headers=bearer(b.keys["admin"])).text
    assert 'tenant="b"' in own
    assert 'tenant="a"' not in own


def test_tenant_header_moves_no_other_key(pair):
    a, b, client = pair
    headers = {**bearer(a.keys["admin"]), "Attune-Tenant": "b"}
    path = f"/v1/sessions/{b.things['session_id']}"
    assert client.get(path, headers=headers).status_code == 404


def test_open_paths_tell_nothing_of_tenants(pair):
    _, b, client = pair
    for path in OPEN_PATHS:
        answer = client.get(path)
        assert answer.status_code == 200
        assert not any(thing in answer.text for thing in b.things.values() if thing != "user")


def test_paths_that_lead_nowhere_need_a_key(pair):
    a, _, client = pair
    assert client.get("/v1/nothing").status_code == 401
    assert client.get("/v1/nothing", headers=bearer(a.keys["chat"])).status_code == 404


def test_revoked_everywhere_within_seconds(tmp_path, shop, monkeypatch):
    from agent.access import keyring as module

    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    made = open_shop("a", tmp_path, shop)
    other = module.Keyring(made.store.database, "a")  # of another process
    key = next(key for key in made.keyring.list() if key.name == "chat")
    assert other.current()[key.id].revoked is None
    made.keyring.revoke(key.id)
    assert other.current()[key.id].revoked is None
    now[0] += module.FRESH_S
    assert other.current()[key.id].revoked is not None
    made.tenant.close()


def test_route_without_a_scope_is_refused(parts):
    app = create_app(parts)

    @app.get("/v1/forgotten")
    def forgotten() -> None: ...

    with pytest.raises(TypeError, match=r"'/v1/forgotten' states no scope"):
        scopes(app)


def test_needs_is_found_on_routers_and_routes(client):
    found = scopes(client.app)
    assert found["GET /v1/sessions/{session_id}"] == "chat"
    assert found["POST /v1/items:delete"] == "catalog"
    assert found["GET /health"] is None
    assert needs("chat").dependency.scope == "chat"


def test_only_known_routes_are_not_of_the_api(client):
    others = {
        route.path
        for route in iter_route_contexts(client.app.routes)
        if not isinstance(route.original_route, APIRoute)
    }
    # Those of the list see to keys and scopes themselves, or are open.
    assert others <= {"/openapi.json", "/mcp"}


def test_server_without_keys_is_open_until_one_is_stored(client, store, session):
    from agent.access.keyring import Keyring

    assert client.get(session).status_code == 200
    _, text = Keyring(store.database).add("first", ["chat"])
    client.app.state.tenants["default"].keys._read = None
    assert client.get(session).status_code == 401
    assert client.get(session, headers=bearer(text)).status_code == 200


def test_revoking_the_last_key_opens_nothing(client, store, session):
    from agent.access.keyring import Keyring

    keyring = Keyring(store.database)
    key, _ = keyring.add("first", ["chat"])
    keyring.revoke(key.id)
    client.app.state.tenants["default"].keys._read = None
    assert client.get(session).status_code == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:8000", 200), ("127.0.0.1", 200), ("[::1]:8000", 200), ("LOCALHOST", 200),
     ("evil.example", 401), ("localhost.evil.example:80", 401), ("", 401)],
)  # fmt: skip
def test_without_keys_only_this_machine_is_answered(client_of, host, status):
    client = client_of(rules=Rules(local_only=True))
    assert client.get("/v1/models", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(("auth", "status"), [("required", 401), ("open", 200), ("auto", 200)])
def test_auth_can_be_required_or_switched_off(client_of, auth, status):
    assert client_of(rules=Rules(auth=auth)).get("/v1/models").status_code == status


@pytest.mark.parametrize(
    "header", ["Basic abc", "Bearer", "bearer  ", "Token att_b_x", "att_b_x", "Bearer \xff"]
)
def test_other_authorization_is_no_key(pair, header):
    _, _, client = pair
    refused = client.get("/v1/models", headers={"Authorization": header.encode("latin-1")})
    assert refused.status_code == 401


def test_broken_tenant_does_not_take_others_along(tmp_path, shop):
    good, bad = (open_shop(name, tmp_path, shop) for name in ("good", "bad"))

    def broken():
        raise OSError("/secret/place")

    bad.tenant._make = broken
    client = serve(good, bad)
    refused = client.get("/v1/models", headers=bearer(bad.keys["chat"]))
    assert (refused.status_code, kind_of(refused)) == (503, "catalog_unavailable")
    assert "secret" not in refused.text
    assert client.get("/v1/models", headers=bearer(good.keys["chat"])).status_code == 200
    for one in (good, bad):
        one.tenant.close()


def test_tenants_are_opened_when_first_asked(tmp_path, shop):
    a, b = (open_shop(name, tmp_path, shop) for name in ("a", "b"))
    client = serve(a, b)
    client.get("/v1/models", headers=bearer("att_b_000000000000_" + "x" * 43))
    assert b.tenant.opened is None
    client.get("/v1/models", headers=bearer(b.keys["chat"]))
    assert a.tenant.opened is None
    assert b.tenant.opened is not None
    for one in (a, b):
        one.tenant.close()
    assert b.tenant.opened is None


def test_service_of_no_tenant_named_default_asks_for_keys(tmp_path, shop):
    a = open_shop("a", tmp_path, shop)
    app = create_service({"a": a.tenant})
    assert app.state.tenants == {"a": a.tenant}
    assert serve(a).get("/v1/models").status_code == 401
    a.tenant.close()
