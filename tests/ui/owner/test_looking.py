"""What the owner sees of conversations, the catalog and learning."""

import csv
import json
from pathlib import Path

import pytest

from agent.dialogue import Parts, respond
from agent.errors import ModelUnavailable, UnknownSession, UserInputError
from agent.feedback import FeedbackEvent
from agent.llm import ScriptedModel
from agent.llm_planner import LLMPlanner
from agent.planner import RulePlanner
from tests.agent.shop import open_shop
from tests.ui.owner.conftest import say
from ui.owner.catalog import csv_line, health, never_shown, rejects
from ui.owner.learning import Figures, adapters, gate_report, rounds
from ui.owner.looking import conversation, inspected, sessions


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shop")


@pytest.fixture(scope="module")
def catalog(folder):
    with open_shop(folder) as shop:
        yield shop


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
    assert [one["shown"] for one in turn["candidates"]] == [one["rank"] for one in turn["shown"]]
    assert all(one["parts"] for one in turn["candidates"])
    assert turn["matched"] == len(turn["shown"])
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


def test_conversation_is_told_turn_by_turn(parts, store):
    session = say(parts, "black shoes under 130", "not Adidas")
    told = conversation(store, session)
    assert [one["utterance"] for one in told["turns"]] == ["black shoes under 130", "not Adidas"]
    assert [one["number"] for one in told["turns"]] == [1, 2]
    assert all(one["reply"] and one["time"] for one in told["turns"])


def tell(store, session, kind, value=None):
    slate = store.turns(session)[0].slate
    event = FeedbackEvent(slate_id=slate.id, item_id=slate.items[0].item_id, kind=kind, value=value)
    store.add_feedback(event)


def test_conversations_with_a_thumb_down_are_found(parts, store):
    bad, good, hidden = (say(parts, "black shoes") for _ in range(3))
    tell(store, bad, "rating", 1)
    tell(store, good, "rating", 5)
    tell(store, hidden, "reject")
    assert {one["id"] for one in sessions(store, only="thumbs_down")} == {bad, hidden}
    assert {one["id"]: one["flags"] for one in sessions(store)}[bad] == ["thumbs_down"]
    assert conversation(store, bad)["turns"][0]["flags"] == ["thumbs_down"]


def test_conversations_where_nothing_was_found_are_found(parts, store):
    say(parts, "black shoes")
    empty = say(parts, "shoes", "under 1")
    assert [one["id"] for one in sessions(store, only="nothing")] == [empty]
    assert conversation(store, empty)["turns"][1]["flags"] == ["nothing"]


def test_conversations_with_a_fallback_are_found(parts, store, catalog):
    def fail(messages):
        raise ModelUnavailable("no answer within 3 s")

    planner = LLMPlanner(ScriptedModel(fail), RulePlanner(), fast_path=False)
    say(parts, "shirts")
    fell = say(Parts(store, catalog, parts.linker, planner), "black things I could wear")
    assert [one["id"] for one in sessions(store, only="fallback")] == [fell]
    turn = inspected(store, catalog, fell, 1)
    assert (turn["planner"], turn["flags"]) == ("rules", ["fallback"])
    assert turn["fallback"]


def test_unknown_filter_is_refused(store):
    with pytest.raises(UserInputError, match="expected one of all, thumbs_down"):
        sessions(store, only="everything")


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


def test_every_item_never_shown_is_given_as_csv(parts, store, catalog):
    say(parts, "black shoes")
    rows = list(csv.DictReader("".join(never_shown(catalog, store)).splitlines()))
    health_of = health(catalog, store, Path("none"))
    assert len(rows) == health_of["never_shown"]
    assert {"id", "title", "price"} <= rows[0].keys()


def test_csv_cells_are_no_formulas():
    assert csv_line(["=1+1", "plain"]).strip() == "'=1+1,plain"


def test_what_was_asked_in_vain_is_counted(parts, store, catalog):
    say(parts, "zorbly shoes", "under 1")
    told = health(catalog, store, Path("none"))["asked_in_vain"]
    assert told["turns"] == 2
    assert [(one["word"], one["turns"], one["number"]) for one in told["words"]] == [
        ("zorbly", 1, 1)
    ]
    assert [(one["said"], one["number"]) for one in told["nothing"]] == [("under 1", 2)]
    assert "1" in told["given_up"][0]["wish"]


def test_rejects_are_listed(tmp_path):
    assert list(rejects(tmp_path)) == []
    (tmp_path / "rejects.csv").write_text("row,column,reason\n3,price,not a number\n")
    assert list(rejects(tmp_path)) == [{"row": "3", "column": "price", "reason": "not a number"}]


def test_feedback_is_counted(parts, store):
    say(parts, "shoes")
    assert Figures().of(store)["sessions"] == 1


def test_project_without_learning_has_none(tmp_path):
    assert adapters(tmp_path / "none") == {
        "live": None, "trial": None, "version": 0, "adapters": [], "history": []
    }  # fmt: skip
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
    (row,) = report["metrics"]
    assert (row["metric"], row["adapter"], row["before"], row["low"]) == ("held", 0.8, 0.5, None)
    stored["metrics"] = {"held": {"interval": [0.1, 0.5], "improved": True}}
    path.write_text(json.dumps(stored))
    (row,) = gate_report(path)["metrics"]
    assert (row["low"], row["high"], row["improved"]) == (0.1, 0.5, True)
    path.write_text("[]")
    assert gate_report(path) is None
    assert gate_report(tmp_path / "none.json") is None
