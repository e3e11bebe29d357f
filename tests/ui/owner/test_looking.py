"""What the owner sees of conversations, the catalog and learning."""

import json

import pytest

from agent.dialogue import Parts, respond
from agent.errors import UnknownSession, UserInputError
from agent.linking import Linker
from agent.llm import ScriptedModel
from agent.llm_planner import LLMPlanner
from agent.planner import RulePlanner
from agent.store import Store
from tests.agent.shop import open_shop
from ui.owner.catalog import health, rejects
from ui.owner.learning import adapters, feedback, gate_report, rounds
from ui.owner.looking import inspected, sessions


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shop")


@pytest.fixture(scope="module")
def catalog(folder):
    with open_shop(folder) as shop:
        yield shop


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/sessions.db")
    yield store
    store.close()


@pytest.fixture
def parts(catalog, store):
    return Parts(store, catalog, Linker.build(catalog), RulePlanner(catalog.facets))


def say(parts, *texts):
    session = parts.store.create_session("ann")
    for text in texts:
        *_, _ = respond(parts, session, text)
    return session


def test_latest_conversation_comes_first(parts, store):
    first, second = say(parts, "shirts"), say(parts, "black shoes")
    *_, _ = respond(parts, first, "under 30")
    listed = sessions(store)
    assert [one["id"] for one in listed] == [first, second]
    assert [(one["turns"], one["begun"]) for one in listed] == [(2, "shirts"), (1, "black shoes")]
    assert len(sessions(store, limit=1)) == 1


def test_turn_is_taken_apart(parts, store, catalog):
    session = say(parts, "black shoes under 130", "not Adidas")
    turn = inspected(store, catalog, session, 2)
    assert turn["utterance"] == "not Adidas"
    assert "under €130" in turn["before"]
    assert set(turn["after"]) - set(turn["before"]) == {"not Adidas"}
    assert [one["text"] for one in turn["mentions"]] == ["Adidas"]
    assert "Adidas" in json.dumps(turn["filter"])
    assert [one["id"] for one in turn["candidates"]] == [one["id"] for one in turn["shown"]]
    assert all("score" in one for one in turn["candidates"])
    assert turn["timings"]["plan"] >= 0
    assert turn["prompt"] == []
    json.dumps(turn)


def test_prompt_is_what_the_model_was_shown(parts, store, catalog):
    asked = []

    def answer(messages):
        asked.append([dict(one) for one in messages])
        return '{"acts":[{"act":"recommend","want":["V1"]}]}'

    planner = LLMPlanner(ScriptedModel(answer), RulePlanner(), fast_path=False)
    parts = Parts(store, catalog, parts.linker, planner)
    session = say(parts, "black things I could wear")
    turn = inspected(store, catalog, session, 1)
    assert turn["planner"] == "llm"
    assert turn["prompt"] == asked[0]


def test_turn_that_is_not_there(parts, store, catalog):
    session = say(parts, "shoes")
    with pytest.raises(UserInputError, match="turns 1 to 1, not 2"):
        inspected(store, catalog, session, 2)
    with pytest.raises(UnknownSession):
        inspected(store, catalog, "nope", 1)


def test_catalog_tells_what_was_never_shown(parts, store, catalog, folder):
    before = health(catalog, store, folder)
    assert before["never_shown"] == before["items"]
    say(parts, "black shoes")
    after = health(catalog, store, folder)
    assert 0 < after["never_shown"] < before["items"]
    by_name = {one["facet"]: one for one in after["facets"]}
    assert 0 < by_name["colour"]["coverage"] <= 1
    assert set(after["lacking"]) == {"price", "picture", "description"}
    json.dumps(after)


def test_rejects_are_listed(tmp_path):
    assert list(rejects(tmp_path)) == []
    (tmp_path / "rejects.csv").write_text("row,column,reason\n3,price,not a number\n")
    assert list(rejects(tmp_path)) == [{"row": "3", "column": "price", "reason": "not a number"}]


def test_feedback_is_counted(parts, store):
    say(parts, "shoes")
    assert feedback(store)["sessions"] == 1


def test_project_without_learning_has_none(tmp_path):
    assert adapters(tmp_path / "none") == {"live": None, "adapters": [], "history": []}
    assert rounds(tmp_path) == []


def test_rounds_are_newest_first(tmp_path):
    for n in (1, 2):
        folder = tmp_path / f"round-000{n}"
        folder.mkdir()
        (folder / "round.json").write_text(json.dumps({"number": n, "ending": "refused"}))
    (tmp_path / "round-0003").mkdir()
    (tmp_path / "round-0003" / "round.json").write_text("{")
    assert [one["number"] for one in rounds(tmp_path)] == ["round-0003", 2, 1]


def test_gate_report_puts_both_beside_each_other(tmp_path):
    path = tmp_path / "report.json"
    stored = {"verdict": "promote", "reasons": ["better"], "ours": {"held": 0.8},
              "baselines": {"base": {"held": 0.5}}}  # fmt: skip
    path.write_text(json.dumps(stored))
    report = gate_report(path)
    assert report["metrics"] == [{"metric": "held", "adapter": 0.8, "before": 0.5}]
    path.write_text("[]")
    assert gate_report(path) is None
    assert gate_report(tmp_path / "none.json") is None
