import json

import pytest

from agent.errors import ModelUnavailable
from agent.explainer import LLMExplainer
from agent.llm import ScriptedModel


def explain(client, **body):
    response = client.post("/v1/explanations", json=body)
    assert response.status_code == 200, response.text
    return response.json()["items"]


def test_text_is_explained_by_fields(client):
    [seven, one] = explain(client, item_ids=["7", "1"], text="blue shirts under 60")
    assert (seven["id"], one["id"]) == ("7", "1")
    facets = {evidence["facet"]: evidence["value"] for evidence in one["evidence"]}
    assert facets["colour"] == "Blue"
    assert facets["price"] == 35.0
    assert {evidence["reason"] for evidence in one["evidence"]} == set(range(len(one["reasons"])))


def test_broken_wish_is_named(client):
    [item] = explain(client, item_ids=["9"], text="shoes under 60")
    assert "90" in item["reasons"][0]
    assert "60" in item["reasons"][0]


def test_session_wishes_are_explained(client, say, session):
    say("blue shirts")
    id = session.rsplit("/", 1)[1]
    [item] = explain(client, item_ids=["5"], session_id=id)
    wishes = [e["wish"] for e in item["evidence"] if e["kind"] == "constraint"]
    assert wishes == ["Blue", "Shirts"]
    assert client.get(session).json()["state"]["turn"] == 1


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"item_ids": ["nope", "1"], "text": "blue"}, 404, "not in the catalog: 'nope'"),
        ({"item_ids": ["1"]}, 422, "give session_id, or text"),
        ({"item_ids": ["1"], "wishes": []}, 422, "give session_id, or text"),
        ({"item_ids": ["1"], "wishes": " "}, 422, "the text is empty"),
        (
            {"item_ids": ["1"], "wishes": [{"facet": "taste", "op": "eq", "value": "x"}]},
            422,
            "no facet 'taste'",
        ),
        ({"item_ids": ["1"], "wishes": [{"facet": "price"}]}, 422, "facet, op, value"),
        ({"item_ids": ["1"] * 101, "text": "blue"}, 422, "at most 100"),
        ({"item_ids": ["1"], "text": "blue", "writer": "model"}, 422, "no language model words"),
        ({"item_ids": ["1"], "text": "blue", "language": "English"}, 422, "language"),
        ({"item_ids": ["a", "b", "1"], "text": "blue"}, 404, "'a', 'b'"),
        ({"item_ids": [f"x{n}" for n in range(30)], "text": "blue"}, 404, "and 10 more"),
        ({"item_ids": ["1"], "session_id": "nope"}, 404, "no session 'nope'"),
        ({"item_ids": [], "text": "blue"}, 422, "item_ids"),
        ({"item_ids": ["1"], "text": "  "}, 422, "the text is empty"),
        ({"text": "blue"}, 422, "item_ids: Field required"),
    ],
)
def test_wrong_questions_are_refused(client, body, status, said):
    response = client.post("/v1/explanations", json=body)
    assert response.status_code == status
    assert said in response.json()["error"]["message"]


BLUE = [
    {"facet": "colour", "op": "eq", "value": "Blue"},
    {"facet": "price", "op": "lt", "value": 40},
]


def events_of(response):
    blocks = [block.split("\n") for block in response.text.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
            for name, data in blocks]  # fmt: skip


@pytest.mark.parametrize("wishes", ["something blue under 40", BLUE])
def test_wishes_are_text_or_comparisons(client, wishes):
    [item] = explain(client, item_ids=["2"], wishes=wishes)
    assert "not the Blue you asked for" in item["explanation"]
    assert "€36, under your €40" in item["reasons"]
    assert item["written"]["writer"] == "template"


def test_comparisons_add_to_the_session(client, say, session):
    say("shirts")
    id = session.rsplit("/", 1)[1]
    [item] = explain(client, item_ids=["1"], session_id=id, wishes=BLUE)
    wishes = {e["facet"] for e in item["evidence"] if e["kind"] == "constraint"}
    assert wishes == {"type", "colour", "price"}


def test_stream_sends_items_before_words(client):
    body = {"item_ids": ["1", "2"], "wishes": BLUE, "stream": True}
    found = events_of(client.post("/v1/explanations", json=body))
    assert [name for name, _ in found] == ["item", "text", "item", "text", "done"]
    assert found[0][1]["reasons"]
    assert found[1][1]["item_id"] == "1"
    texts = [data["delta"] for name, data in found if name == "text"]
    assert texts == [item["explanation"] for item in found[-1][1]["items"]]


ANSWER = "{T} is in {F1}, as you asked. It costs {F2}, under your {W2}."


def test_model_words_where_the_server_has_one(client_of):
    model = ScriptedModel([ANSWER, ANSWER])
    client = client_of(parts={"explainer": LLMExplainer(model)})
    [item] = explain(client, item_ids=["1"], wishes=BLUE, writer="model")
    assert item["explanation"].startswith("Alto men blue cotton shirt ")
    assert item["written"]["writer"] == "model"
    assert item["written"]["kept"] + item["written"]["rewritten"] == 2
    body = {"item_ids": ["1"], "wishes": BLUE, "stream": True}
    found = events_of(client.post("/v1/explanations", json=body))
    words = "".join(data["delta"] for name, data in found if name == "text")
    assert words == found[-1][1]["items"][0]["explanation"] == item["explanation"]


def test_template_on_request_asks_no_model(client_of):
    model = ScriptedModel([])
    client = client_of(parts={"explainer": LLMExplainer(model)})
    [item] = explain(client, item_ids=["1"], wishes=BLUE, writer="template")
    assert item["written"]["writer"] == "template"
    assert model.history == []


def test_dead_model_leaves_the_template(client_of):
    model = ScriptedModel([ModelUnavailable("gone")])
    client = client_of(parts={"explainer": LLMExplainer(model)})
    [item] = explain(client, item_ids=["1"], wishes=BLUE)
    assert item["explanation"].startswith("Alto men blue cotton shirt: ")
    assert item["written"]["fallback"] == "gone"
