import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from agent.observability.labels import OTHER, Bounded, fallback_of
from agent.plan import Act, Plan
from agent.server.access import Rules
from agent.server.app import create_service
from agent.server.metrics import Metrics, Snapshot
from agent.service.values import Handover, Quote, Service, ToolUse
from agent.state import Constraint, State
from agent.store_backlog import Backlog
from agent.telemetry import ModelUse
from agent.turn import Done, Relaxation, Slate, SlateItem
from tests.agent.server.tenancy import OPERATOR, bearer, open_shop

BLUE = Constraint(facet="colour", role="colour", values=("Blue",), label="blue", turn=1)


def _done(act="recommend", items=0, **values):
    shown = tuple(SlateItem(item_id=str(n), rank=n, score=1.0, fields={}) for n in range(items))
    plan = Plan(acts=(Act(act=act),), utterance="x", fallback=values.pop("fallback", ""))
    return Done(
        turn_id="t", session_id="s", utterance="x", reply="y",
        slate=Slate(id="l", items=shown), plan=plan, state=State(), **values,
    )  # fmt: skip


def _values(metrics, now=(), only=None):
    text = metrics.render(now, only).decode()
    families = text_string_to_metric_families(text)
    samples = [sample for family in families for sample in family.samples]
    return {
        (one.name.removeprefix("attune_"), *(one.labels[key] for key in sorted(one.labels))): (
            one.value
        )
        for one in samples
    }


def test_hits_and_empty_searches_are_told_apart():
    metrics = Metrics()
    for done in (_done(items=3), _done(items=2), _done(), _done("explain"), _done("answer")):
        metrics.turn(done)
    found = _values(metrics)
    assert found["searches_total", "hit", "default"] == 2
    assert found["searches_total", "empty", "default"] == 1
    assert found["turns_total", "rules", "default"] == 5


def test_relaxations_count_what_was_done():
    metrics = Metrics()
    wider = Relaxation(dropped=BLUE, instead=BLUE, text="navy")
    dropped = Relaxation(dropped=BLUE, text="no blue")
    metrics.turn(_done(relaxations=(wider, dropped, dropped)))
    found = _values(metrics)
    assert found["relaxations_total", "replaced", "default"] == 1
    assert found["relaxations_total", "dropped", "default"] == 2


def test_service_counts_pages_tools_and_people():
    metrics = Metrics()
    service = Service(
        quotes=(Quote(text="30 days", source="returns.md"),),
        unanswered=("and in space",),
        tools=(
            ToolUse(tool="order_status", status="done"),
            ToolUse(tool="what the client likes to call it", status="requested"),
        ),
        handover=Handover(id="h", reason="asked"),
    )
    metrics.turn(_done("answer", service=service))
    found = _values(metrics)
    assert found["knowledge_answers_total", "answered", "default"] == 1
    assert found["knowledge_answers_total", "refused", "default"] == 1
    assert found["tool_uses_total", "done", "default", "order_status"] == 1
    assert found["tool_uses_total", "requested", "default", "client"] == 1
    assert found["handovers_total", "asked", "default"] == 1


def test_stages_are_in_seconds():
    metrics = Metrics()
    metrics.turn(_done(timings={"link": 2.0, "plan": 48.0}))
    found = _values(metrics)
    assert found["stage_seconds_sum", "plan", "default"] == pytest.approx(0.048)
    assert found["turn_seconds_sum", "rules", "default"] == pytest.approx(0.05)


def test_model_calls_count_failures_too():
    metrics = Metrics()
    metrics.models(
        [ModelUse("qwen", 100, 20, 0.5), ModelUse("qwen", 7, 0, 3.0, "ModelUnavailable")]
    )
    found = _values(metrics)
    assert found["model_tokens_total", "input", "qwen", "default"] == 107
    assert found["model_tokens_total", "output", "qwen", "default"] == 20
    assert found["model_calls_total", "qwen", "ModelUnavailable", "default"] == 1


def test_tenants_see_their_own_only():
    ours = Metrics("shoes")
    theirs = ours.for_tenant("wine")
    ours.turn(_done(items=1))
    theirs.turn(_done(items=1))
    theirs.feedback("click")
    ours.request("/v1/x", "GET", 200, 0.1)
    now = [Snapshot("shoes", 1, Backlog({("handover", "dead"): 2}, 5.0)), Snapshot("wine", 9)]
    shown = ours.render(now, only="shoes").decode()
    assert "wine" not in shown
    assert 'attune_jobs{kind="handover",status="dead",tenant="shoes"} 2.0' in shown
    assert "attune_request_seconds" not in shown  # of all tenants together
    everything = ours.render(now).decode()
    assert 'attune_feedback_total{kind="click",tenant="wine"} 1.0' in everything
    assert 'attune_store_up{tenant="wine"} 0.0' in everything
    assert ours.for_tenant("wine") is theirs
    assert theirs.for_tenant("shoes") is ours


def test_names_follow_the_conventions():
    metrics = Metrics()
    text = metrics.render([Snapshot("default", 1, Backlog({}))]).decode()
    for family in text_string_to_metric_families(text):
        assert family.name.split("_")[0] in ("attune", "process", "python"), family.name
        assert family.documentation, family.name
        if family.type == "histogram":
            assert family.name.endswith("_seconds"), family.name
    assert "_created" not in text


def test_labels_stay_few():
    name = Bounded(2)
    assert [name(one) for one in "abcab"] == ["a", "b", OTHER, "a", "b"]


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("no answer within 3 s", "timeout"),
        ("no plan within the deadline", "timeout"),
        ("not asked after 3 failures; again in 12 s", "circuit_open"),
        ("the server answered HTTP 500: see the server's log", "http_error"),
        ("no connection to the server, or it broke off", "connection"),
        ("its answer was no plan (too long)", "bad_answer"),
        ("the model was unsure", "unsure"),
        ("the prompt has 9000 tokens: the model takes 4096", "too_long"),
        ("house is still loading", "loading"),
        ("anything else", "other"),
    ],
)
def test_fallbacks_are_of_few_kinds(reason, kind):
    assert fallback_of(reason) == kind


@pytest.fixture
def pair(tmp_path, shop):
    """Two tenants behind one server with a key for scraping; each has had a session."""
    shops = [open_shop(name, tmp_path, shop) for name in ("a", "b")]
    rules = Rules(auth="required", operator_key=OPERATOR, metrics_key="scrape-me")
    app = create_service({one.name: one.tenant for one in shops}, rules=rules)
    client = TestClient(app, raise_server_exceptions=False)
    for one in shops:
        client.post("/v1/sessions", headers=bearer(one.keys["chat"]))
    yield *shops, client
    for one in shops:
        one.tenant.close()


def test_scraping_key_shows_every_tenant_and_nothing_else(pair):
    *_, client = pair
    for key in ("scrape-me", OPERATOR):
        shown = client.get("/metrics", headers=bearer(key))
        assert shown.status_code == 200
        assert 'tenant="a"' in shown.text
        assert 'tenant="b"' in shown.text
    for path in ("/v1/models", "/v1/sessions/x", "/v1/jobs", "/metrics/"):
        assert client.get(path, headers=bearer("scrape-me")).status_code == 401


def test_admin_key_shows_its_tenant_only(pair):
    a, _, client = pair
    shown = client.get("/metrics", headers=bearer(a.keys["admin"])).text
    assert 'attune_store_up{tenant="a"} 1.0' in shown
    assert 'tenant="b"' not in shown
    assert client.get("/metrics", headers=bearer(a.keys["chat"])).status_code == 403
    assert client.get("/metrics").status_code == 401
