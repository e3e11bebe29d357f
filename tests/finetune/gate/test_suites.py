"""What each suite measures of a contestant."""

from contextlib import ExitStack
from dataclasses import replace

import pytest

from agent.llm import ScriptedModel
from agent.llm_planner import LLMPlanner
from agent.planner import RulePlanner
from agent.reward import ImplicitReward, ScriptedScorer
from agent.reward_chooser import RewardChooser
from agent.voice import Voice
from finetune.contestant import Contestant
from finetune.gate.bench import Bench, once
from finetune.gate.faults import Rewarding, spoiled
from finetune.gate.metrics import Counts, Mean
from finetune.gate.spoiling import pairs
from finetune.gate.suite import NotMeasured, run
from finetune.gate.suites import (
    SUITES,
    behaviour,
    critiques,
    explanations,
    held,
    simulator,
    understanding,
)
from finetune.labels import parse_dialogue
from finetune.pairs.rows import write_made
from retrieval.catalog import primary
from tests.finetune.simulator.shop import RULES


def voiced(**stages):
    """Return the rules with other stages."""
    return Contestant(
        "own", lambda one: Voice("own", stages.pop("planner", RulePlanner(one.facets)), **stages)
    )


def value(readings, name):
    return readings[name].total / readings[name].n


def few(suite, n):
    return list(suite.units)[:n]


@pytest.mark.parametrize("name", ["critiques", "explanations", "simulator", "behaviour"])
def test_units_are_the_same_again(bench, name):
    units = SUITES[name](bench).units
    assert units == SUITES[name](bench).units
    assert len(set(units)) == len(units) > 9


def test_voice_is_made_once_for_a_catalog(retriever):
    made = []
    counted = once(Contestant("x", lambda one: made.append(one) or RULES.voice(one)))
    assert counted.voice(retriever) is counted.voice(retriever)
    assert made == [retriever]


def test_both_take_each_unit_in_turns():
    class Order:
        name = "behaviour"
        units = ("1", "2")

        def __init__(self):
            self.seen = []

        def examiner(self, contestant):
            def examine(unit):
                self.seen.append((contestant.name, unit))
                return {"behaviour.negation": Mean(float(contestant is RULES))}

            return examine

    suite, other = Order(), Contestant("other", RULES.voice)
    found = run(suite, RULES, other)
    assert suite.seen == [("other", "1"), ("rules", "1"), ("rules", "2"), ("other", "2")]
    assert found["behaviour.negation"].candidate.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert found["behaviour.negation"].baseline.tolist() == [[0.0, 1.0], [0.0, 1.0]]


def test_foreign_catalog_has_no_dialogues(bench, monkeypatch):
    monkeypatch.setattr(type(bench.main), "name", "a shop of one's own")
    with pytest.raises(NotMeasured, match='no labelled dialogue is over "a shop of one\'s own"'):
        understanding.make(bench)


def test_dialogue_without_its_items_is_left_out(bench):
    labelled = {"id": "d", "catalog": "demo", "turns": []}
    shown = {"slate": ["not-here"], "text": "x", "expect": {"acts": ["more"]}}
    assert understanding.catalog_of(parse_dialogue(labelled, ""), bench.catalogs) is bench.main
    lost = parse_dialogue({**labelled, "turns": [shown]}, "")
    assert understanding.catalog_of(lost, bench.catalogs) is None


def test_heldout_labels_are_never_read():
    assert not any("heldout" in name for name in understanding.SETS)


def test_critiques_are_answered(bench):
    suite = critiques.make(bench)
    examine = suite.examiner(RULES)
    found = [examine(unit) for unit in few(suite, 6)]
    assert sum(value(one, "critiques.change_accuracy") for one in found) > 4
    assert all(0 <= value(one, "critiques.keep_accuracy") <= 1 for one in found)


def test_templates_explain_truly(bench):
    suite = explanations.make(bench)
    found = suite.examiner(RULES)(suite.units[0])
    assert value(found, "explanations.statement_precision") == 1
    assert value(found, "explanations.words") > 3
    assert value(found, "explanations.refused") == 0


def test_long_winded_words_are_refused(bench):
    suite = explanations.make(bench)
    examine = suite.examiner(spoiled(RULES, "verbose"))
    found = [examine(unit) for unit in few(suite, 4)]
    assert all(value(one, "explanations.refused") == 1 for one in found)


def test_simulated_users_shop(bench):
    suite = simulator.make(bench)
    examine = suite.examiner(RULES)
    found = [examine(unit) for unit in few(suite, 6)]
    assert all(value(one, "simulator.violations") == 0 for one in found)
    assert sum(value(one, "simulator.success") for one in found) >= 3


def test_refused_value_is_obeyed(bench):
    suite = behaviour.make(bench)
    units = [unit for unit, turn in suite.turns.items() if turn.value][:8]
    obeying, ignoring = suite.examiner(RULES), suite.examiner(spoiled(RULES, "ignores negation"))
    assert all(value(obeying(unit), "behaviour.negation") == 1 for unit in units)
    assert sum(value(ignoring(unit), "behaviour.negation") for unit in units) == 0


def test_half_the_turns_refuse_something(bench):
    turns = list(behaviour.make(bench).turns.values())
    refusing = [turn for turn in turns if turn.value]
    assert len(turns) / 3 < len(refusing) <= len(turns) / 2
    assert all(turn.value in turn.text for turn in refusing)


def test_broken_answers_are_counted(bench):
    suite = behaviour.make(bench)
    units = few(suite, 12)
    for contestant, least, most in ((RULES, 0, 0), (spoiled(RULES, "broken json"), 1, 12)):
        examine = suite.examiner(contestant)
        invalid = sum(value(examine(unit), "behaviour.invalid") for unit in units)
        assert least <= invalid <= most


def test_unsure_model_is_a_fallback_but_valid(bench, retriever):
    answer = '{"acts":[{"act":"more"}]}'
    rules = RulePlanner(retriever.facets)
    unsure = LLMPlanner(ScriptedModel(lambda messages: answer), rules, sure=0.9, fast_path=False)
    suite = behaviour.make(bench)
    found = suite.examiner(voiced(planner=unsure))(suite.units[0])
    assert value(found, "behaviour.fallback") == 1
    assert value(found, "behaviour.invalid") == 0


def test_first_rank_is_seen_most(bench):
    suite = behaviour.make(bench)
    unit = next(unit for unit, turn in suite.turns.items() if not turn.value)
    found = suite.examiner(RULES)(unit)["behaviour.top_brand"]
    assert isinstance(found, Counts)
    assert sum(found.by.values()) <= 1 + 0.631 + 0.5 + 0.431 + 0.387 + 1e-3
    assert max(found.by.values()) >= 1


def test_loved_brand_pulls(bench, catalog):
    brand = primary(catalog.retriever.facets, "brand")
    loved = brand.values[0][0]
    loving = voiced(chooser=Rewarding(lambda item: 30.0 * (loved in item.values(brand.name))))
    both = run(behaviour.make(bench), loving, RULES)["behaviour.brand_pull"]
    ours, theirs = (side.sum(axis=0) for side in (both.candidate, both.baseline))
    assert ours.max() / ours.sum() > theirs.max() / theirs.sum() + 0.1


@pytest.fixture
def with_pairs(catalog, tmp_path):
    write_made(tmp_path / "held.jsonl", pairs("good", catalog, n=30))
    with ExitStack() as stack:
        yield Bench((catalog,), pairs=tmp_path, small=True, stack=stack)


def test_untaught_voice_prefers_nothing(with_pairs):
    suite = held.make(with_pairs)
    examine = suite.examiner(RULES)
    assert {value(examine(unit), "held.preferred") for unit in suite.units} == {0.5}


def test_taught_voice_prefers_what_was_chosen(with_pairs):
    suite = held.make(with_pairs)
    chosen = {pair.chosen for group in suite.groups.values() for pair in group}
    tuned = ScriptedScorer(lambda messages, answer: float(answer in chosen))
    base = ScriptedScorer(lambda messages, answer: 0.0)
    taught = voiced(chooser=RewardChooser(ImplicitReward(tuned, base)))
    found = [suite.examiner(taught)(unit) for unit in suite.units]
    assert sum(one["held.preferred"].total for one in found) > 0.8 * len(found)


def test_pairs_of_a_user_are_one_unit(with_pairs):
    rows = [replace(pair, user="ann") for pair in pairs("good", with_pairs.main, n=12)]
    write_made(with_pairs.pairs / "held.jsonl", rows)
    suite = held.make(with_pairs)
    assert suite.units == ("ann",)
    assert suite.examiner(RULES)("ann")["held.preferred"].n == len(rows)


@pytest.mark.parametrize("given", [None, "empty"])
def test_no_pairs_is_said(bench, tmp_path, given):
    with pytest.raises(NotMeasured, match="pair"):
        held.make(replace(bench, pairs=tmp_path if given else None))
