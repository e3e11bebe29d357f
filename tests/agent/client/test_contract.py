"""The client against /openapi.json: routes, what is sent, and what comes back."""

import inspect
import re

import pytest

from agent.client import AsyncAttuneClient, AttuneClient, Feedback, calls, values
from agent.server import create_app

FEEDBACK = Feedback(slate_id="l", kind="click", item_id="1")
CALLS = (
    calls.create_session("ann"),
    calls.session("s"),
    calls.delete_session("s"),
    calls.turn("s", "hi", {"customer": "c"}, None, stream=True),
    calls.feedback([FEEDBACK]),
    calls.recommend({}, "x", "s", 3),
    calls.explain(["1"], "x", [{}], "s", "de"),
    calls.item("1"),
    calls.upsert_items([{}]),
    calls.delete_items(["1"]),
    calls.delete_user("ann"),
    calls.export_user("ann"),
    calls.models(),
)
ANSWERS = {
    "TurnAnswer": values.Turn,
    "ShownItem": values.ShownItem,
    "ItemDetail": values.ItemDetail,
    "Explanation": values.Explanation,
    "EvidenceAnswer": values.Evidence,
    "SessionAnswer": values.Session,
    "Feed": values.Feed,
    "UpsertAnswer": values.Stored,
    "Rejected": values.Rejected,
    "DeletedUserAnswer": values.Deleted,
}


@pytest.fixture
def document(parts):
    return create_app(parts).openapi()


def _schema(document, name):
    schemas = document["components"]["schemas"]
    return schemas.get(name) or schemas[f"{name}-Output"]


def _path(document, call):
    for path, methods in document["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
        if re.fullmatch(pattern, call.path) and call.method.lower() in methods:
            return methods[call.method.lower()]
    return None


def _resolved(document, schema):
    found = [schema]
    for key in ("anyOf", "oneOf", "allOf"):
        found += [part for one in list(found) for part in one.get(key, ())]
    refs = [one["$ref"].rsplit("/", 1)[1] for one in found if "$ref" in one]
    return [document["components"]["schemas"][name] for name in refs]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.method} {call.path}")
def test_call_is_of_the_api(document, call):
    route = _path(document, call)
    assert route is not None
    if call.body is None:
        assert "requestBody" not in route or not route["requestBody"].get("required")
        return
    schema = route["requestBody"]["content"]["application/json"]["schema"]
    taken = {name for one in _resolved(document, schema) for name in one["properties"]}
    assert set(call.body) <= taken


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
