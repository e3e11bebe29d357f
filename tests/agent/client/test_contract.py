"""The client against /openapi.json: routes, what is sent, and what comes back."""

import inspect
import re
from pathlib import Path

import pytest

from agent.client import (
    AsyncAttuneClient,
    AttuneClient,
    Feedback,
    Press,
    PressedWish,
    calls,
    operator_calls,
    operator_values,
    values,
)
from agent.client.errors import refused
from agent.server import create_app, errors
from agent.store import Store
from tests.agent.clothes import clothes_shop, parts_over, writable

PAGE = (Path(__file__).parents[3] / "docs/client.md").read_text(encoding="utf-8")
FEEDBACK = Feedback(slate_id="l", kind="click", item_id="1")
PRESS = Press(act="like", items=("7",), want=(PressedWish(facet="colour", values=("Blue",)),))
WANTED = {"text": "x", "wishes": [{}], "session_id": "s", "language": "de", "writer": "template"}
CALLS = {
    "create_session": calls.create_session("ann"),
    "open_session": calls.open_session("ann", "de"),
    "session": calls.session("s"),
    "delete_session": calls.delete_session("s"),
    "session_feedback": calls.session_feedback("s"),
    "suggestions": calls.suggestions("s", language="de"),
    "say": calls.say("s", "hi", press=PRESS, language="de", context={"customer": "c"}),
    "stream": calls.stream("s", "hi", press=PRESS, language="de", context={"customer": "c"}),
    "send_feedback": calls.send_feedback(FEEDBACK),
    "recommend": calls.recommend(filter={}, text="x", session_id="s", k=3, language="de"),
    "explain": calls.explain(["1"], **WANTED),
    "stream_explanations": calls.stream_explanations(["1"], **WANTED),
    "facets": calls.facets(language="de"),
    "item": calls.item("1"),
    "picture": calls.picture("images/1.svg"),
    "models": calls.models(),
    "model": calls.model("attune"),
    "upsert_items": operator_calls.upsert_items([{}], form="stored"),
    "delete_items": operator_calls.delete_items(["1"]),
    "reindex": operator_calls.reindex(0.5),
    "delete_user": operator_calls.delete_user("ann"),
    "export_user": operator_calls.export_user("ann"),
    "knowledge": operator_calls.knowledge(),
    "add_knowledge": operator_calls.add_knowledge({"a.md": "x", "b.pdf": b"x"}),
    "delete_knowledge": operator_calls.delete_knowledge("a.md"),
    "jobs": operator_calls.jobs(status="dead", kind="reindex", limit=3),
    "job": operator_calls.job("j"),
    "retry_job": operator_calls.retry_job("j"),
    "handovers": operator_calls.handovers(status="waiting", limit=3),
    "handover": operator_calls.handover("h"),
    "close_handover": operator_calls.close_handover("h"),
    "keys": operator_calls.keys(),
    "add_key": operator_calls.add_key("web", ["chat"], expires="90d"),
    "revoke_key": operator_calls.revoke_key("k"),
    "adapters": operator_calls.adapters(),
    "promote_adapter": operator_calls.promote_adapter("a", force=True, why="x"),
    "canary_adapter": operator_calls.canary_adapter("a", share=0.2, force=True, why="x"),
    "roll_back_adapter": operator_calls.roll_back_adapter(why="x"),
    "ready": operator_calls.ready(),
}
ANSWERS = {
    "TurnAnswer": values.Turn,
    "ShownItem": values.ShownItem,
    "ItemDetail": values.ItemDetail,
    "Explanation": values.Explanation,
    "Explanations": values.Explained,
    "EvidenceAnswer": values.Evidence,
    "SessionAnswer": values.Session,
    "NewSessionAnswer": values.NewSession,
    "Opening": values.Opening,
    "Suggestions": values.Suggestions,
    "Chip": values.Chip,
    "QuickReply": values.QuickReply,
    "Press": values.Press,
    "PressedWish": values.PressedWish,
    "Facets": values.Facets,
    "FacetAnswer": values.Facet,
    "ValueCount": values.ValueCount,
    "Feed": values.Feed,
    "UpsertAnswer": operator_values.Stored,
    "Rejected": operator_values.Rejected,
    "DeletedUserAnswer": operator_values.Deleted,
    "JobAnswer": operator_values.Job,
    "HandoverAnswer": operator_values.Handover,
    "WholeHandover": operator_values.WholeHandover,
    "TranscriptTurn": operator_values.TranscriptTurn,
    "SourceAnswer": operator_values.Source,
    "Taken": operator_values.PagesTaken,
    "KeyAnswer": operator_values.ApiKey,
    "MadeKey": operator_values.MadeKey,
    "AdaptersAnswer": operator_values.Adapters,
    "Ready": operator_values.Ready,
}


@pytest.fixture(scope="module")
def document():
    store = Store("sqlite://")
    yield create_app(parts_over(writable(clothes_shop()), store)).openapi()
    store.close()


def _schema(document, name):
    schemas = document["components"]["schemas"]
    return schemas.get(name) or schemas[f"{name}-Output"]


def _routes(document):
    return {(method.upper(), path): route for path, methods in document["paths"].items()
            for method, route in methods.items()}  # fmt: skip


def _asked(document, request):
    """Return the route that a request is for: of several, the one with most of it written out."""

    def fits(path):
        return re.fullmatch(re.sub(r"\\{\w+\\}", ".+", re.escape(path)), request.path)

    found = [(m, path) for m, path in _routes(document) if m == request.method and fits(path)]
    return max(found, key=lambda one: len(re.sub(r"{\w+}", "", one[1])), default=None)


def _resolved(document, schema):
    found = [schema]
    for key in ("anyOf", "oneOf", "allOf"):
        found += [part for one in list(found) for part in one.get(key, ())]
    refs = [one["$ref"].rsplit("/", 1)[1] for one in found if "$ref" in one]
    return [document["components"]["schemas"][name] for name in refs]


@pytest.mark.parametrize("name", CALLS)
def test_call_is_of_the_api(document, name):
    request = CALLS[name].request
    asked = _asked(document, request)
    assert asked is not None
    route = _routes(document)[asked]
    taken = {one["name"] for one in route.get("parameters", ()) if one["in"] == "query"}
    assert set(request.query) == taken
    headers = {one["name"] for one in route.get("parameters", ()) if one["in"] == "header"}
    assert (request.key is not None) == ("Idempotency-Key" in headers)
    if request.body is None:
        assert "requestBody" not in route or not route["requestBody"].get("required")
        return
    schema = route["requestBody"]["content"]["application/json"]["schema"]
    fields = {name for one in _resolved(document, schema) for name in one["properties"]}
    assert set(request.body) <= fields


OTHERWISE = {
    ("POST", "/v1/sessions"): {"language"},  # sent as Accept-Language, which may name several
    ("POST", "/v1/feedback"): set(Feedback.model_fields),  # one event alone; a list is sent
}


def test_every_field_can_be_sent(document):
    sent = {}
    for call in CALLS.values():
        sent.setdefault(_asked(document, call.request), set()).update(call.request.body or ())
    for asked, ours in sent.items():
        body = _routes(document)[asked].get("requestBody")
        schema = body["content"]["application/json"]["schema"] if body else {}
        fields = {name for one in _resolved(document, schema) for name in one["properties"]}
        assert fields - OTHERWISE.get(asked, set()) == ours, asked


def test_every_call_is_looked_at():
    own = {
        name
        for module in (calls, operator_calls)
        for name, found in vars(module).items()
        if inspect.isfunction(found) and found.__module__ == module.__name__ and name[0] != "_"
    }
    assert own - {"ask", "file"} == set(CALLS)
    assert own - {"file"} <= set(vars(AttuneClient))


def test_every_route_has_a_method_or_a_reason(document):
    absent = set(re.findall(r"^\| `([A-Z]+) (/\S+)` \| \S", PAGE, re.M))
    covered = {_asked(document, call.request) for call in CALLS.values()}
    assert set(_routes(document)) - covered == absent


def test_methods_of_the_page_are_those_there_are():
    table = PAGE.partition("## All methods")[2].partition("Without a method")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert named == {name for name in vars(AttuneClient) if name[0] != "_"} - {"close"}


@pytest.mark.parametrize(("status", "kind"), [(one[1], one[2]) for one in errors.KINDS])
def test_error_is_the_same_in_a_stream(status, kind):
    body = {"error": {"type": kind, "message": "x"}}
    assert type(refused(status, body)) is type(refused(200, body))


def test_events_of_feedback_are_of_the_api(document):
    assert set(Feedback.model_fields) == set(_schema(document, "FeedbackEvent")["properties"])
    kinds = _schema(document, "FeedbackEvent")["properties"]["kind"]["enum"]
    assert set(kinds) == set(values.FeedbackKind.__args__)


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_have_the_fields(document, name):
    kind, schema = ANSWERS[name], _schema(document, name)
    assert set(kind.model_fields) == set(schema["properties"])
    needed = {name for name, field in kind.model_fields.items() if field.is_required()}
    assert needed <= set(schema["required"])


def test_both_clients_have_the_same_methods():
    def public(kind):
        return {
            name: [(p.name, p.default) for p in inspect.signature(method).parameters.values()]
            for name, method in vars(kind).items()
            if inspect.isfunction(method) and not name.startswith("_")
        }

    assert public(AttuneClient) == public(AsyncAttuneClient)
    assert all(getattr(AttuneClient, name).__doc__ for name in public(AttuneClient))


def test_methods_tell_what_they_take_and_return():
    told = inspect.signature(AttuneClient.jobs)
    assert list(told.parameters) == ["self", "status", "kind", "limit"]
    assert told.return_annotation == "tuple[Job, ...]"
    streamed = inspect.signature(AsyncAttuneClient.stream).return_annotation
    assert streamed == "AbstractAsyncContextManager[AsyncIterator[Event]]"
    assert inspect.iscoroutinefunction(AsyncAttuneClient.jobs)
