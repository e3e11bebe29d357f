"""The scripted model of benchmarks/frameworks.py is as sensible as it says, for all."""

import json

import pytest
from starlette.testclient import TestClient

from benchmarks import frameworks
from benchmarks.framework_run import model
from benchmarks.framework_run.script import locate, talks

TOOLS = [{"type": "function", "function": {"name": "search_catalog"}}]


@pytest.fixture
def fresh(monkeypatch):
    """The model's server, quick and with nothing counted."""
    for name in ("FIXED_S",):
        monkeypatch.setattr(model, name, 0.0)
    for name in ("PROMPT_PER_S", "WRITTEN_PER_S"):
        monkeypatch.setattr(model, name, 1e9)
    model.COUNTS.clear()
    model.SEEN.clear()
    return TestClient(model.app)


def user(text):
    return {"role": "user", "content": text}


def test_every_turn_is_found_by_its_words():
    known = talks()
    assert len(known) == 27
    for talk in known:
        said = [turn.text for turn in talk.turns]
        for place in range(len(said)):
            found = locate("\n".join(said[: place + 1]), known)
            assert found is not None
            assert found.text == said[place]
    assert locate("never said", known) is None


def test_searches_carry_the_wishes():
    first = talks()[0].turns[0]
    assert first.text == "a dress for a summer wedding, not black, up to 100 euros"
    assert first.search["filters"] == [{"facet": "price", "op": "lte", "value": 100}]
    assert "Dresses" in first.search["query"]
    assert talks()[0].turns[4].search is None, "whether it is in stock needs no search"


def test_agents_search_then_answer():
    text = talks()[0].turns[0].text
    called = model.answer_to({"messages": [user(text)], "tools": TOOLS})
    (call,) = called["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == talks()[0].turns[0].search
    found = json.dumps([{"id": "1", "title": "Dress Iris", "price": 59.0}])
    told = model.answer_to(
        {"messages": [user(text), called, {"role": "tool", "content": found}], "tools": TOOLS}
    )
    assert "1. Dress" in told["content"]
    assert "59.0 euros" in told["content"]


def test_attune_gets_a_plan():
    asked = {"messages": [user('… "V1 colour=Blue" "N2 60"')], "response_format": {"type": "x"}}
    plan = json.loads(model.answer_to(asked)["content"])
    assert plan == {"acts": [{"act": "recommend", "want": ["V1", "N2"]}]}


def test_questions_are_reworded():
    said = talks()[0].turns[0]
    answer = model.answer_to({"messages": [user(f"{said.text}\nStandalone question:")]})
    assert answer["content"] == said.search["query"]


def test_calls_and_tokens_are_counted(fresh):
    body = {"model": "a", "messages": [user("hello there")]}
    usage = fresh.post("/v1/chat/completions", json=body).json()["usage"]
    fresh.post("/v1/chat/completions", json=body)
    counts = fresh.get("/counts").json()["a"]
    assert counts["calls"] == 2
    assert counts["prompt_tokens"] == 2 * usage["prompt_tokens"]
    assert counts["cached_tokens"] == usage["prompt_tokens"], "the second time it is all cached"
    assert counts["completion_tokens"] == 2 * usage["completion_tokens"] > 0


class _Scripted:
    def __init__(self, name, order):
        self.name, self.order = name, order

    def hold(self, block):
        self.order.append(self.name)
        return [0.5] * sum(len(talk.turns) for talk in block)


def test_blocks_alternate_in_another_order():
    order: list[str] = []
    contestants = {name: _Scripted(name, order) for name in "ab"}
    measured = frameworks.measure(contestants, talks()[:4], at_once=2)
    assert order == ["a", "b", "b", "a"]
    assert len(measured["a"]["seconds"]) == sum(len(talk.turns) for talk in talks()[:4])


def test_figures_are_per_turn():
    counts = {"calls": 3, "prompt_tokens": 100, "cached_tokens": 60, "completion_tokens": 20}
    row = frameworks.row({"seconds": [1.0, 3.0], "wall": 2.0}, counts)
    assert (row["calls_per_turn"], row["tokens_per_turn"], row["not_cached"]) == (1.5, 60, 20)
    assert (row["turns_per_s"], row["p50_s"], row["written"]) == (1.0, 2.0, 10)
    assert "1.5" in frameworks.table({"attune": row})
