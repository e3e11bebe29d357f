"""Rates, budgets, time, turns at once, origins: what is refused, and that nothing else happens."""

import threading
from types import SimpleNamespace

import pytest

from agent.access.usage import Budget, usage
from agent.model_call import ModelCall
from agent.planner import RulePlanner
from agent.server import limits
from agent.server.limits import Capacity, Limits, TimeLimit
from tests.agent.server.tenancy import OPERATOR, bearer, open_shop, serve

SAID = {"text": "blue shirts"}


def error_of(response):
    return response.json()["error"]


class Slow(RulePlanner):
    """Plans as the rules do, when it is let."""

    def __init__(self):
        super().__init__()
        self.begun, self.go = threading.Event(), threading.Event()

    def plan(self, request):
        self.begun.set()
        assert self.go.wait(20)
        return super().plan(request)


def test_rate_of_a_key_is_its_own(tmp_path, shop):
    a = open_shop("a", tmp_path, shop, Limits(rate_key="2/hour"))
    client = serve(a)
    for left in (1, 0):
        answer = client.get("/v1/models", headers=bearer(a.keys["chat"]))
        assert (answer.status_code, f";r={left};" in answer.headers["ratelimit"]) == (200, True)
        assert answer.headers["ratelimit-policy"] == '"key-3600";q=2;w=3600'
    refused = client.get("/v1/models", headers=bearer(a.keys["chat"]))
    assert (refused.status_code, error_of(refused)["code"]) == (429, "rate_limit_exceeded")
    assert int(refused.headers["retry-after"]) > 0
    assert client.get("/v1/models", headers=bearer(a.keys["admin"])).status_code == 200
    operator = {**bearer(OPERATOR), "Attune-Tenant": "a"}
    assert all(client.get("/v1/keys", headers=operator).is_success for _ in range(4))
    a.tenant.close()


def test_rate_of_a_tenant_is_of_all_its_keys(tmp_path, shop):
    limits = Limits(rate_tenant="2/hour")
    a, b = (open_shop(name, tmp_path, shop, limits) for name in "ab")
    client = serve(a, b)
    statuses = [
        client.get("/v1/models", headers=bearer(a.keys[scope])).status_code
        for scope in ("chat", "admin", "chat")
    ]
    assert statuses == [200, 200, 429]
    assert client.get("/v1/models", headers=bearer(b.keys["chat"])).status_code == 200
    a.tenant.close()
    b.tenant.close()


def test_refused_requests_are_not_counted_as_theirs(tmp_path, shop):
    a = open_shop("a", tmp_path, shop, Limits(rate_tenant="1/hour"))
    client = serve(a)
    for _ in range(5):
        assert client.get("/v1/models", headers=bearer("att_a_nonsense")).status_code == 401
    assert client.get("/v1/models", headers=bearer(a.keys["chat"])).status_code == 200
    a.tenant.close()


@pytest.fixture
def spent(tmp_path, shop):
    """A tenant whose keys have one token a day, and one session."""
    a = open_shop("a", tmp_path, shop, Limits(tokens=Budget(key=1)))
    client = serve(a)
    client.headers.update(bearer(a.keys["chat"]))
    session = client.post("/v1/sessions").json()["id"]
    yield a, client, f"/v1/sessions/{session}/turns"
    a.tenant.close()


def test_budget_ends_turns_of_the_day(spent):
    a, client, path = spent
    first = client.post(path, json=SAID, headers={"Idempotency-Key": "1"})
    assert first.status_code == 200
    for body in (SAID, {**SAID, "stream": True}):
        refused = client.post(path, json=body)
        assert (refused.status_code, error_of(refused)["type"]) == (429, "token_budget")
        assert 1 <= int(refused.headers["retry-after"]) <= 86_400
    assert [one.turns for one in usage(a.store.database)] == [1]
    # What was paid for is answered again, and other routes are not turns.
    assert client.post(path, json=SAID, headers={"Idempotency-Key": "1"}).json() == first.json()
    assert client.get(path.removesuffix("/turns")).status_code == 200
    admin = bearer(a.keys["admin"])
    assert client.post(path, json=SAID, headers=admin).status_code == 200


def test_budget_counts_chat_completions_too(spent):
    a, client, path = spent
    body = {"model": "attune", "messages": [{"role": "user", "content": "blue shirts"}]}
    answer = client.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200
    assert usage(a.store.database)[0].tokens > 5
    refused = client.post(path, json=SAID)
    assert refused.status_code == 429
    other = {**body, "messages": [{"role": "user", "content": "red shoes"}]}
    refused = client.post("/v1/chat/completions", json=other)
    assert refused.status_code == 429


class Asking(RulePlanner):
    """Plans as the rules do, and says that it asked a model."""

    def plan(self, request):
        with ModelCall("m", provider="test") as call:
            call.used(30, 10)
        return super().plan(request)


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/recommendations", {"text": "blue shirts"}),
     ("/v1/explanations", {"item_ids": ["1"], "text": "blue shirts"}),
     ("/v1/explanations", {"item_ids": ["1"], "text": "blue shirts", "stream": True})],
)  # fmt: skip
def test_budget_counts_models_beside_turns(client_of, store, path, body):
    client = client_of(parts={"planner": Asking()}, limits=Limits(tokens=Budget(tenant=50)))
    for spent in (40, 80):
        assert client.post(path, json=body).status_code == 200
        assert [(one.turns, one.tokens) for one in usage(store.database)] == [(0, spent)]
    refused = client.post(path, json=body)
    assert (refused.status_code, error_of(refused)["type"]) == (429, "token_budget")
    assert usage(store.database)[0].tokens == 80


def test_keys_show_what_was_used(spent):
    a, client, path = spent
    client.post(path, json=SAID)
    listed = client.get("/v1/keys", headers=bearer(a.keys["admin"])).json()["keys"]
    used = {key["name"]: (key["turns_today"], key["tokens_today"] > 3) for key in listed}
    assert used["chat"] == (1, True)
    assert used["feedback"] == (0, False)


def test_turn_out_of_time_leaves_nothing(client_of, store, monkeypatch):
    now = [0.0]

    class Late(RulePlanner):
        def plan(self, request):
            now[0] += 61
            return super().plan(request)

    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: now[0]))
    client = client_of(parts={"planner": Late()}, capacity=Capacity(request_s=60))
    session = client.post("/v1/sessions").json()["id"]
    late = client.post(f"/v1/sessions/{session}/turns", json=SAID)
    assert (late.status_code, error_of(late)["type"]) == (504, "timeout")
    assert "nothing of it is kept" in error_of(late)["message"]
    assert store.turns(session) == []
    assert client.get(f"/v1/sessions/{session}").json()["state"]["turn"] == 0


def test_streamed_turn_out_of_time_says_so(client_of, shop, store, events_of, monkeypatch):
    search, now = shop.search, [0.0]

    def slow(*args, **options):
        now[0] += 61
        return search(*args, **options)

    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: now[0]))
    client = client_of(capacity=Capacity(request_s=60))
    session = client.post("/v1/sessions").json()["id"]
    monkeypatch.setattr(shop, "search", slow, raising=False)
    body = client.post(f"/v1/sessions/{session}/turns", json={**SAID, "stream": True}).text
    events = events_of(body)
    assert events[0][0] == "understood"
    assert events[-1][0] == "error"
    assert events[-1][1]["error"]["type"] == "timeout"
    assert store.turns(session) == []


async def ran(seconds, grace_s, app):
    """Run a request through `TimeLimit`; return what was sent."""
    sent = []

    class App:
        state = type("State", (), {"shapes": {}})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "app": App, "path": "/", "method": "GET", "headers": []}
    await TimeLimit(app, seconds, grace_s)(scope, None, send)
    return sent


def test_handler_that_does_not_end_is_given_up():
    import asyncio

    left = []

    async def check():
        ended = asyncio.Event()

        async def stuck(scope, receive, send):
            scope["state"]["course"].leaving.append(lambda: left.append("left"))
            await ended.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})

        sent = await ran(0.01, 0.01, stuck)
        assert [one.get("status") for one in sent] == [504, None]
        assert b"may still come about" in sent[1]["body"]
        assert left == []  # it holds its place until it ends
        ended.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(sent) == 2
        assert left == ["left"]

    asyncio.run(check())


def test_answer_that_has_begun_goes_on():
    import asyncio

    async def slow(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.1)
        await send({"type": "http.response.body", "body": b"whole"})

    sent = asyncio.run(ran(0.01, 0.01, slow))
    assert [one.get("body") for one in sent] == [None, b"whole"]


def test_failure_of_a_handler_is_passed_on():
    import asyncio

    async def broken(scope, receive, send):
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        asyncio.run(ran(10, 10, broken))


def test_turns_above_the_places_are_told_to_come_back(client_of, store):
    slow = Slow()
    client = client_of(parts={"planner": slow}, capacity=Capacity(turns=1))
    sessions = [client.post("/v1/sessions").json()["id"] for _ in range(2)]
    answers = []

    def first():
        answers.append(client.post(f"/v1/sessions/{sessions[0]}/turns", json=SAID))

    with client:  # one event loop for all requests, as a server has
        thread = threading.Thread(target=first)
        thread.start()
        assert slow.begun.wait(20)
        busy = client.post(f"/v1/sessions/{sessions[1]}/turns", json=SAID)
        assert (busy.status_code, error_of(busy)["type"]) == (503, "busy")
        assert busy.headers["retry-after"] == "1"
        assert client.get(f"/v1/sessions/{sessions[0]}").status_code == 200
        slow.go.set()
        thread.join(20)
        assert answers[0].status_code == 200
        again = client.post(f"/v1/sessions/{sessions[1]}/turns", json=SAID)
        assert again.status_code == 200
    assert store.turns(sessions[1])[0].utterance == "blue shirts"


def test_turns_stand_in_line_and_tell_so(client_of, store):
    slow = Slow()
    client = client_of(parts={"planner": slow}, capacity=Capacity(at_once=1))
    sessions = [client.post("/v1/sessions").json()["id"] for _ in range(3)]
    answers = {}

    def turn(session):
        answers[session] = client.post(f"/v1/sessions/{session}/turns", json=SAID)

    with client:
        threads = [threading.Thread(target=turn, args=(session,)) for session in sessions]
        threads[0].start()
        assert slow.begun.wait(20)
        for thread in threads[1:]:
            thread.start()
        while "attune_turns_waiting 2.0" not in client.get("/metrics").text:
            assert not answers
        # Whatever is no turn does not stand in line.
        assert client.get(f"/v1/sessions/{sessions[0]}").status_code == 200
        slow.go.set()
        for thread in threads:
            thread.join(20)
    assert [answers[session].status_code for session in sessions] == [200] * 3
    queues = [store.turns(session)[0].timings["queue"] for session in sessions]
    assert queues[0] < queues[1]
    assert queues[0] < queues[2]
    assert 'attune_stage_seconds_count{stage="queue"' in client.get("/metrics").text


def test_line_that_does_not_move_refuses(client_of):
    slow = Slow()
    client = client_of(parts={"planner": slow}, capacity=Capacity(at_once=1, wait_s=0.05))
    sessions = [client.post("/v1/sessions").json()["id"] for _ in range(2)]
    with client:
        path = "/v1/sessions/{}/turns".format
        thread = threading.Thread(target=client.post, args=(path(sessions[0]),), kwargs={
            "json": SAID})  # fmt: skip
        thread.start()
        assert slow.begun.wait(20)
        busy = client.post(path(sessions[1]), json=SAID)
        assert (busy.status_code, error_of(busy)["type"]) == (503, "busy")
        assert int(busy.headers["retry-after"]) >= 1
        slow.go.set()
        thread.join(20)
        assert client.post(path(sessions[1]), json=SAID).status_code == 200


@pytest.mark.parametrize("body", [{"text": ""}, {"text": 5}, {"text": "x", "stream": True}])
def test_place_is_given_back_however_a_turn_ends(client_of, body):
    client = client_of(capacity=Capacity(turns=1))
    session = client.post("/v1/sessions").json()["id"]
    with client:
        for _ in range(3):
            client.post(f"/v1/sessions/{session}/turns", json=body)
            client.post("/v1/sessions/nope/turns", json=body)
        assert client.post(f"/v1/sessions/{session}/turns", json=SAID).status_code == 200


PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
}


@pytest.fixture
def pages(tmp_path, shop):
    a = open_shop("a", tmp_path, shop, Limits(origins=("https://a.example",)))
    b = open_shop("b", tmp_path, shop)
    yield a, b, serve(a, b)
    a.tenant.close()
    b.tenant.close()


def test_allowed_pages_may_call(pages):
    a, _, client = pages
    origin = {"Origin": "https://a.example"}
    asked = client.options("/v1/sessions", headers={**origin, **PREFLIGHT})
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (
        200, "https://a.example",
    )  # fmt: skip
    assert "idempotency-key" in asked.headers["access-control-allow-headers"]
    answer = client.post("/v1/sessions", headers={**origin, **bearer(a.keys["chat"])})
    assert answer.status_code == 201
    assert answer.headers["access-control-allow-origin"] == "https://a.example"
    assert "Retry-After" in answer.headers["access-control-expose-headers"]
    refused = client.post("/v1/sessions", headers=origin)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (
        401, "https://a.example",
    )  # fmt: skip


def test_other_pages_may_not(pages):
    a, b, client = pages
    evil = {"Origin": "https://evil.example"}
    asked = client.options("/v1/sessions", headers={**evil, **PREFLIGHT})
    assert "access-control-allow-origin" not in asked.headers
    answer = client.post("/v1/sessions", headers={**evil, **bearer(a.keys["chat"])})
    assert "access-control-allow-origin" not in answer.headers
    # A page of a may not use a key of b, although a's keys are answered there.
    crossed = {"Origin": "https://a.example", **bearer(b.keys["chat"])}
    refused = client.post("/v1/sessions", headers=crossed)
    assert (refused.status_code, error_of(refused)["type"]) == (403, "origin_refused")


def test_without_origins_no_page_may(client):
    answer = client.get("/v1/models", headers={"Origin": "https://a.example"})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_wrong_rates_are_refused_at_once():
    with pytest.raises(Exception, match="is no rate"):
        Limits(rate_key="often")
