"""Planners side by side: who planned, what it cost, how often it was right."""

import json
from dataclasses import replace

import pytest

from agent.errors import ModelUnavailable
from agent.llm import ScriptedModel
from agent.plan import Act, Plan
from agent.state import State
from finetune.act_turns import ActSet, ActTurn, catalog_of, expect
from finetune.labels import parse_dialogue
from finetune.planners import (
    Contender,
    Counted,
    Watch,
    act_figures,
    against,
    coarse_figures,
    contenders,
    measure_acts,
    measure_labels,
    plan_turn,
    route_of,
    score_turn,
)
from retrieval.catalog import Item
from retrieval.loading import Column

COLUMNS = [
    Column("type", "facet", "type", "categorical", "category", "type"),
    Column("colour", "facet", "colour", "categorical", "colour", "colour"),
]
ITEMS = [
    Item(str(i), f"Thing {i}", fields={"type": t, "colour": c})
    for i, (t, c) in enumerate(
        [("Lamps", "red"), ("Lamps", "blue"), ("Chairs", "red"), ("Chairs", "green")]
    )
]


@pytest.fixture(scope="module")
def parts():
    return catalog_of("things", ITEMS, COLUMNS)


def answer(*acts: dict) -> str:
    return json.dumps({"acts": list(acts)})


def turn(text: str, *acts, **fields) -> ActTurn:
    defaults = {"id": text, "catalog": "things", "kind": "a", "state": State(), "text": text,
                "readings": (expect(*acts),)}  # fmt: skip
    return ActTurn(**(defaults | fields))


class Slow(ScriptedModel):
    """Says that its answers took some seconds."""

    def __init__(self, model: ScriptedModel, seconds: float) -> None:
        super().__init__(lambda messages: model.complete(messages).text)
        self.seconds = seconds

    def complete(self, messages, **options):
        return replace(super().complete(messages, **options), seconds=self.seconds)


def plan_of(*names: str, **fields) -> Plan:
    return Plan(acts=tuple(Act(act=name) for name in names), **fields)


def test_without_model_rules_run_alone():
    assert [one.name for one in contenders(None)] == ["rules"]


def test_house_is_always_asked_and_both_only_in_doubt(parts):
    model = ScriptedModel(lambda _: answer({"act": "chitchat"}))
    rules, house, both = contenders(model, sure=[0.0])
    clear, unclear = turn("red lamps"), turn("hmm what would go with my curtains though")
    routes = {
        one.name: [route_of(plan_turn(said, parts, one.plan)) for said in (clear, unclear)]
        for one in (rules, house, both)
    }
    assert routes == {
        "rules": ["rules", "rules"], "house": ["llm", "llm"], "both": ["rules", "llm"]
    }  # fmt: skip
    assert (house.model.calls, both.model.calls) == (2, 1)


def test_unsure_model_falls_back_and_is_counted(parts):
    model = ScriptedModel(lambda _: answer({"act": "chitchat"}))
    both = contenders(model, sure=[0.5])[2]
    watch = Watch(both)
    plan_turn(turn("hmm what would go with my curtains"), parts, watch.plan)
    cost = watch.cost()
    assert cost["planned_by"] == {"fallback": 1.0}
    assert cost["fallbacks"] == {"the model was unsure": 1}
    assert cost["calls_per_turn"] == 1.0


def test_failing_model_is_a_fallback(parts):
    house = contenders(ScriptedModel([ModelUnavailable("gone")]), sure=[0.0])[1]
    watch = Watch(house)
    plan_turn(turn("red lamps"), parts, watch.plan)
    assert watch.cost()["fallbacks"] == {"gone": 1}


def test_second_try_counts_as_a_call(parts):
    house = contenders(ScriptedModel(["no plan", answer({"act": "more"})]), sure=[0.0])[1]
    watch = Watch(house)
    plan_turn(turn("red lamps"), parts, watch.plan)
    assert watch.cost()["calls_per_turn"] == 2.0


def test_same_question_is_answered_from_memory_at_its_cost(parts):
    model = ScriptedModel([answer({"act": "more"})])
    _, _, strict, lax = contenders(Slow(model, 3.0), sure=[0.9, 0.0])
    said = turn("hmm what would go with my curtains")
    costs = {}
    for one in (strict, lax):
        watch = Watch(one)
        plan_turn(said, parts, watch.plan)
        costs[one.name] = watch.cost()
    assert len(model.history) == 1
    assert {name: cost["planned_by"] for name, cost in costs.items()} == {
        "both, sure 0.9": {"fallback": 1.0}, "both, sure 0": {"llm": 1.0}
    }  # fmt: skip
    assert all(cost["calls_per_turn"] == 1.0 for cost in costs.values())
    assert costs["both, sure 0.9"]["p50_ms"] < 3000 <= costs["both, sure 0"]["p50_ms"]


def test_only_both_together_take_over_what_the_rules_placed(parts):
    model = ScriptedModel(lambda _: answer({"act": "recommend"}))
    said = turn("hmm what would go with my curtains, under 60")
    alone, together = (plan_turn(said, parts, one.plan) for one in contenders(model)[1:])
    assert not any(act.want for act in alone.acts)
    assert any(act.want for act in together.acts)
    assert len(model.history) == 1


def test_streams_are_counted_too():
    model = Counted(ScriptedModel(["one two"]))
    assert "".join(model.stream(())) == "one two"
    assert (model.calls, model.name) == (1, "scripted")


def test_watch_sees_only_its_own_turns(parts):
    house = contenders(ScriptedModel(lambda _: answer({"act": "more"})), sure=[0.0])[1]
    plan_turn(turn("red lamps"), parts, house.plan)
    watch = Watch(house)
    assert watch.cost() == {}
    plan_turn(turn("red lamps"), parts, watch.plan)
    cost = watch.cost()
    assert cost["calls_per_turn"] == 1.0
    assert 0 < cost["p50_ms"] <= cost["p95_ms"]


@pytest.mark.parametrize(
    ("acts", "right"), [(("recommend",), True), (("more",), True), (("chitchat",), False)]
)
def test_one_acceptable_reading_is_enough(acts, right):
    either = turn("x", readings=(expect("recommend"), expect("more")))
    assert score_turn(either, plan_of(*acts)).right is right


def test_facet_asked_about_is_scored_where_known():
    asked = turn("x", "detail", facet="price")
    named = Plan(acts=(Act(act="detail", facet="price"),))
    assert score_turn(asked, named).facet is True
    assert score_turn(asked, plan_of("detail")).facet is False
    assert score_turn(replace(asked, facet=""), named).facet is None


def test_figures_count_every_kind_of_a_turn():
    right = score_turn(
        turn("x", "more", kind="CON+OTH", classes=frozenset({"more"})), plan_of("more")
    )
    wrong = score_turn(turn("y", "detail", kind="OTH"), plan_of("more"))
    found = act_figures([right, wrong])
    assert found["act_accuracy"] == 0.5
    assert found["n"] == 2
    assert found["by_kind"] == {
        "CON": {"n": 1, "act_accuracy": 1.0}, "OTH": {"n": 2, "act_accuracy": 0.5}
    }  # fmt: skip
    assert found["coarse"]["exact"] == 1.0
    assert "facet_accuracy" not in found
    assert found["interval"] == (0.0, 1.0)


def test_turns_of_one_dialogue_are_drawn_together():
    right = [score_turn(turn("x", "more", id=f"a:{i}"), plan_of("more")) for i in range(50)]
    wrong = [score_turn(turn("y", "detail", id=f"b:{i}"), plan_of("more")) for i in range(50)]
    apart = [replace(s, turn=replace(s.turn, id=str(i))) for i, s in enumerate(right + wrong)]
    assert act_figures(right + wrong)["interval"] == (0.0, 1.0)
    low, high = act_figures(apart)["interval"]
    assert 0.35 < low < 0.5 < high < 0.65


def test_coarse_figures_by_class():
    more, question = frozenset({"more"}), frozenset({"question"})
    found = coarse_figures([(more, more), (question, more), (more | question, question)])
    assert found["exact"] == pytest.approx(1 / 3)
    assert found["f1"]["more"] == {"n": 2, "f1": pytest.approx(0.5)}
    assert found["f1"]["verdict"] == {"n": 0, "f1": None}


def test_against_counts_both_ways():
    assert against([True, True, False, False], [True, False, True, False]) == {
        "fixed": 1, "broken": 1
    }  # fmt: skip


def test_planners_are_measured_side_by_side(parts):
    model = ScriptedModel(lambda _: answer({"act": "detail"}))
    turns = (turn("red lamps", ("recommend", "refine")), turn("would it suit my hall", "detail"))
    found = measure_acts(contenders(model), ActSet("s", "a set", turns, {"things": parts}))
    assert found["house"]["act_accuracy"] == 0.5
    assert found["both"]["act_accuracy"] == 1.0
    assert found["both"]["against"]["house"] == {"fixed": 1, "broken": 0}
    assert found["both"]["planned_by"] == {"rules": 0.5, "llm": 0.5}


def test_several_confidences_are_compared_with_either_alone(parts):
    model = ScriptedModel(lambda _: answer({"act": "more"}))
    turns = (turn("would it suit my hall", "detail"),)
    act_set = ActSet("s", "a set", turns, {"things": parts})
    found = measure_acts(contenders(model, [0.9, 0.0]), act_set)
    assert found["both, sure 0"]["against"].keys() == {"rules", "house"}


def dialogue(catalog: str, *turns: dict):
    return parse_dialogue({"id": "d", "catalog": catalog, "turns": list(turns)}, "here")


LABELLED = (
    {"text": "red lamps", "expect": {
        "acts": [["recommend", "refine"]],
        "constraints": [{"facet": "type", "in": ["Lamps"]}, {"facet": "colour", "in": ["red"]}]}},
    {"text": "not red", "slate": ["0", "1"], "expect": {
        "acts": ["refine"],
        "constraints": [{"facet": "type", "in": ["Lamps"]},
                        {"facet": "colour", "not_in": ["red"]}]}},
)  # fmt: skip


def test_labelled_dialogues_are_replayed_with_each_planner(parts):
    silent = Contender("silent", lambda request: plan_of("chitchat", mentions=request.mentions))
    runners = (*contenders(None), silent)
    found = measure_labels(
        runners, [dialogue("things", *LABELLED), dialogue("absent", *LABELLED)],
        lambda name: parts if name == "things" else None,
    )  # fmt: skip
    assert (found["rules"]["n"], found["rules"]["state_exact"]) == (2, 1.0)
    assert found["silent"]["state_exact"] == 0.0
    assert found["silent"]["against"]["rules"] == {"fixed": 0, "broken": 2}
    assert found["rules"]["planned_by"] == {"rules": 1.0}
