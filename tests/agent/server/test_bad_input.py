"""What clients get wrong: each has its status, says what to do, and costs nothing."""

import pytest

from agent.server.limits import Limits
from tests.agent.server.tenancy import bearer, furnish, open_shop, serve

JSON = {"Content-Type": "application/json"}
MOST = 4096

CASES = {
    "no key": ("POST", "/v1/sessions", {"key": None}, 401, "missing_key"),
    "wrong key": ("POST", "/v1/sessions", {"key": "att_b_nope"}, 401, "unknown_key"),
    "expired key": ("POST", "/v1/sessions", {"key": "expired"}, 401, "expired_key"),
    "revoked key": ("POST", "/v1/sessions", {"key": "revoked"}, 401, "revoked_key"),
    "key of no such tenant": ("POST", "/v1/sessions", {"key": "elsewhere"}, 401, "unknown_key"),
    "foreign key": ("GET", "/v1/sessions/$session_id", {"key": "foreign"}, 404, "unknown_session"),
    "key of another scope": ("POST", "/v1/sessions", {"key": "catalog"}, 403, "missing_scope"),
    "oversized body": ("POST", "/v1/sessions/$session_id/turns", {"json": {"text": "x" * MOST}},
                       413, "body_too_large"),
    "oversized body in pieces": ("POST", "/v1/sessions/$session_id/turns", {"pieces": MOST + 1},
                                 413, "body_too_large"),
    "oversized text": ("POST", "/v1/sessions/$session_id/turns", {"json": {"text": "x" * 300}},
                       422, "invalid_input"),
    "invalid UTF-8": ("POST", "/v1/sessions/$session_id/turns",
                      {"content": b'{"text": "\xff\xfe"}'}, 400, None),
    "half a character": ("POST", "/v1/recommendations", {"content": rb'{"text": "\ud800"}'},
                         422, "invalid_input"),
    "no JSON": ("POST", "/v1/sessions/$session_id/turns", {"content": b"{text}"}, 400,
                "invalid_json"),
    "another type of body": ("POST", "/v1/sessions/$session_id/turns",
                             {"content": b"text=blue", "type": "application/x-www-form-urlencoded"},
                             415, "unsupported_media_type"),
    "no type of body": ("POST", "/v1/sessions/$session_id/turns",
                        {"content": b'{"text": "blue"}', "type": ""}, 415,
                        "unsupported_media_type"),
    "compressed body": ("POST", "/v1/sessions/$session_id/turns",
                        {"content": b"\x1f\x8b", "encoding": "gzip"}, 415,
                        "unsupported_media_type"),
    "byte of zero in a path": ("GET", "/v1/jobs/a%00b", {}, 404, "not_found"),
    "byte of zero in a query": ("GET", "/v1/jobs?kind=a%00b", {}, 400, "bad_request"),
    "slash at the end": ("POST", "/v1/sessions/", {}, 404, "not_found"),
    "deep JSON": ("POST", "/v1/sessions/$session_id/turns", {"content": b"[" * 2000}, 400, None),
    "negative k": ("POST", "/v1/recommendations", {"json": {"k": -1}}, 422, "invalid_request"),
    "k of zero": ("POST", "/v1/recommendations", {"json": {"k": 0}}, 422, "invalid_request"),
    "huge k": ("POST", "/v1/recommendations", {"json": {"k": 10**30}}, 422, "invalid_request"),
    "k that is no number": ("POST", "/v1/recommendations", {"json": {"k": "many"}}, 422,
                            "invalid_request"),
    "filter by no number": ("POST", "/v1/recommendations",
                            {"content": b'{"filter": {"facet": "price", "op": "lt", "value": '
                                        b'NaN}}'},
                            422, "invalid_filter"),
    "filter by a number of 400 digits": ("POST", "/v1/recommendations",
                                         {"json": {"filter": {"facet": "price", "op": "lte",
                                                              "value": 10**400}}},
                                         422, "invalid_filter"),
    "wish of infinity": ("POST", "/v1/explanations",
                         {"content": b'{"item_ids": ["1"], "wishes": [{"facet": "price", '
                                     b'"op": "gt", "value": -1e999}]}'},
                         422, "invalid_filter"),
    "press of a huge number": ("POST", "/v1/sessions/$session_id/turns",
                               {"json": {"text": "x", "press": {"act": "refine", "want": [
                                   {"facet": "price", "high": 1e300}]}}}, 422, "invalid_request"),
    "press of no number": ("POST", "/v1/sessions/$session_id/turns",
                           {"content": b'{"text": "x", "press": {"act": "refine", "want": '
                                       b'[{"facet": "price", "high": NaN}]}}'},
                           422, "invalid_request"),
    "unknown item": ("GET", "/v1/items/no-such", {}, 404, "unknown_item"),
    "unknown item explained": ("POST", "/v1/explanations",
                               {"json": {"item_ids": ["no-such"], "text": "blue"}}, 404,
                               "unknown_item"),
    "unknown item clicked": ("POST", "/v1/feedback",
                             {"json": {"slate_id": "$slate_id", "item_id": "no-such",
                                       "kind": "click"}}, 422, "invalid_input"),
    "unknown slate": ("POST", "/v1/feedback",
                      {"json": {"slate_id": "nope", "item_id": "1", "kind": "click"}}, 404,
                      "unknown_slate"),
    "replayed key, other body": ("POST", "/v1/sessions/$session_id/turns",
                                 {"json": {"text": "red"}, "once": "used"}, 422,
                                 "idempotency_conflict"),
    "replayed key, other feedback": ("POST", "/v1/feedback",
                                     {"json": {"slate_id": "$slate_id", "item_id": "1",
                                               "kind": "reject"}, "once": "used"}, 422,
                                     "idempotency_conflict"),
    "unknown model": ("POST", "/v1/chat/completions",
                      {"json": {"model": "gpt-99", "messages": [
                          {"role": "user", "content": "hi"}]}}, 404, "model_not_found"),
    "unknown method": ("PATCH", "/v1/sessions/$session_id", {}, 405, "method_not_allowed"),
    "unknown job": ("GET", "/v1/jobs/nope", {}, 404, "unknown_job"),
    "unknown API key": ("DELETE", "/v1/keys/nope", {}, 404, "no_such_key"),
}  # fmt: skip
"""Name: method, path, what is sent, status and type."""


@pytest.fixture
def served(tmp_path, shop):
    limits = Limits(body_bytes=MOST, characters=200)
    a, b = (open_shop(name, tmp_path, shop, limits) for name in "ab")
    client = serve(a, b, limits=limits)
    furnish(b, client)
    used = {**bearer(b.keys["admin"]), "Idempotency-Key": "used"}
    path = f"/v1/sessions/{b.things['session_id']}/turns"
    assert client.post(path, json={"text": "blue shirts"}, headers=used).status_code == 200
    event = {"slate_id": b.things["slate_id"], "item_id": "1", "kind": "click"}
    assert client.post("/v1/feedback", json=event, headers=used).status_code == 201
    yield a, b, client
    a.tenant.close()
    b.tenant.close()


def all_of(made):
    """Return everything stored of a tenant's session."""
    id = made.things["session_id"]
    store = made.store
    keys = [(key.id, key.revoked) for key in made.keyring.list()]
    return store.load(id), store.turns(id), store.feedback(id), keys


def headers_of(sent, a, b):
    keys = {**b.keys, "foreign": a.keys["admin"],
            "elsewhere": b.keys["chat"].replace("att_b_", "att_c_")}  # fmt: skip
    key = sent.get("key", "admin")
    own = bearer(keys.get(key, key)) if key is not None else {}
    once = {"Idempotency-Key": sent["once"]} if "once" in sent else {}
    if "encoding" in sent:
        own["Content-Encoding"] = sent["encoding"]
    return {**own, **once, **({"Content-Type": sent["type"]} if "type" in sent else {})}


def filled(value, things):
    if isinstance(value, dict):
        return {name: filled(one, things) for name, one in value.items()}
    return things[value[1:]] if isinstance(value, str) and value.startswith("$") else value


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_told_and_costs_nothing(served, case):
    method, path, sent, status, kind = CASES[case]
    a, b, client = served
    before = all_of(b)
    headers = headers_of(sent, a, b)
    path = path.replace("$session_id", b.things["session_id"])
    body = {}
    if "pieces" in sent:
        body["content"] = (b"x" * 64 for _ in range(sent["pieces"] // 64 + 1))
    elif "content" in sent:
        headers, body["content"] = {**JSON, **headers}, sent["content"]
    elif "json" in sent:
        body["json"] = filled(sent["json"], b.things)
    answer = client.request(method, path, headers=headers, **body)
    assert answer.status_code == status, answer.text
    if status >= 400:
        error = answer.json()["error"]
        assert kind in (None, error["type"], error.get("code")), answer.text
        assert len(error["message"]) > 10
        assert "Traceback" not in answer.text
    assert all_of(b) == before


def test_refused_turn_leaves_the_session_usable(served):
    _, b, client = served
    admin = bearer(b.keys["admin"])
    path = f"/v1/sessions/{b.things['session_id']}/turns"
    client.post(path, content=b"\xff", headers={**JSON, **admin})
    assert client.post(path, json={"text": "red shoes"}, headers=admin).status_code == 200
