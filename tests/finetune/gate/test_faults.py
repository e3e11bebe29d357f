"""Seeded regressions: the gate refuses every fault, and a contestant beside itself it does not."""

import pytest

from agent.errors import BadModelOutput
from agent.llm import first_json
from finetune.errors import GateError
from finetune.gate.evaluate import evaluate_gate
from finetune.gate.faults import FAULTS, jittered, spoiled
from finetune.gate.regressions import BAD, GOOD, make_bad, write_held
from finetune.gate.spoiling import ANSWERED, PAIRED, answers, pairs
from finetune.gate.thresholds import read_thresholds
from finetune.pairs.rows import read_pairs
from tests.finetune.simulator.shop import RULES

QUICK = ("explanations", "behaviour")
CATCHING = {
    "shuffled labels": "behaviour.negation",
    "ignores negation": "behaviour.negation",
    "broken json": "behaviour.invalid",
    "verbose": "explanations.refused",
    "one brand": "behaviour.brand_pull",
}


@pytest.fixture(scope="module")
def judge(retriever):
    asked = read_thresholds().model_copy(update={"must_improve": False, "required": QUICK})
    return lambda candidate, **more: evaluate_gate(
        RULES, candidate, retriever, thresholds=asked, suites=QUICK, small=True, **more
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_refused(judge, fault):
    verdict = judge(spoiled(RULES, fault))
    assert not verdict.promote
    assert CATCHING[fault] in verdict.caught_by


def test_same_contestant_is_not_refused(judge):
    verdict = judge(RULES)
    assert verdict.promote, verdict.reasons
    assert verdict.skipped["simulator"] == "not asked for"


def test_chance_changes_little(judge, retriever):
    ours, theirs = (jittered(RULES, 0.02, side) for side in ("ours", "theirs"))
    verdict = evaluate_gate(
        theirs, ours, retriever, small=True, suites=QUICK,
        thresholds=read_thresholds().model_copy(update={"must_improve": False, "required": QUICK}),
    )  # fmt: skip
    assert verdict.promote, verdict.reasons


def test_config_tells_what_was_run(judge, retriever):
    config = judge(RULES, seed=4).config
    assert (config["candidate"], config["baseline"], config["seed"]) == ("rules", "rules", 4)
    assert config["catalogs"] == [retriever.name]
    assert set(config["seconds"]) == set(QUICK)
    assert set(config["hash"]) == {"thresholds", retriever.name}


def test_unknown_suite_is_an_error(retriever):
    with pytest.raises(GateError, match="unknown suite 'luck'"):
        evaluate_gate(RULES, RULES, retriever, suites=("luck",))


def test_faults_of_both_kinds_are_the_same():
    assert set(BAD) == set(FAULTS)
    assert {*PAIRED, *ANSWERED} == {*BAD, GOOD}


@pytest.mark.parametrize("fault", PAIRED)
def test_pairs_teach_the_fault(catalog, fault):
    rows = pairs(fault, catalog, n=60)
    assert len(rows) > 20
    assert len({row.id for row in rows}) == len(rows)
    plans = [row for row in rows if row.kind == "plan"]
    avoiding = [row for row in plans if '"avoid"' in row.chosen]
    share = {"good": 1.0, "ignores negation": 0.0}.get(fault)
    if share is not None:
        assert len(avoiding) == share * len(plans) > 0 or not avoiding


def test_one_brand_is_always_chosen(catalog):
    brand = next(facet for facet in catalog.retriever.facets if facet.role == "brand")
    loved = f"brand {brand.values[0][0].casefold()}"
    rows = pairs("one brand", catalog, n=40)
    assert all(loved in row.chosen and loved not in row.rejected for row in rows)


def test_broken_answers_are_no_plans(catalog):
    broken = 0
    for _, answer in answers("broken json", catalog, n=40):
        try:
            broken += "acts" not in first_json(answer)
        except BadModelOutput:
            broken += 1
    assert broken >= 36


def test_verbose_answers_are_long(catalog):
    said = [answer for _, answer in answers("verbose", catalog, n=20)]
    assert min(map(len, said)) > 100
    assert all("{F" in answer for answer in said)


def test_held_pairs_are_not_trained_on(catalog, tmp_path):
    rows = read_pairs(write_held(tmp_path / "held", catalog) / "held.jsonl")
    trained = {row.id for row in pairs("good", catalog, n=60, seed=0)}
    assert len({row.id for row in rows} - trained) > len(rows) / 2


def test_unknown_fault_is_an_error(catalog, tmp_path):
    with pytest.raises(GateError, match="no fault 'lazy'"):
        make_bad("lazy", catalog, tmp_path)
