from __future__ import annotations

import pytest

from agent.linking import Linker
from agent.planner import RulePlanner
from finetune.critiques.gold import holds
from finetune.critiques.report import check_cases, evaluate, make_cases
from finetune.critiques.scoring import METRICS, score
from finetune.critiques.systems import Baselines, Dialogue, PlanGiven, constraints
from finetune.errors import LabelError
from retrieval.encoder import HashingEncoder
from retrieval.filters import And, matches
from retrieval.loading import Column, LoadedCatalog, Mapping
from retrieval.retriever import Retriever
from tests.finetune.critiques.crockery import BY_ID, FACETS, ITEMS

COLUMNS = (
    Column("id", "id"),
    Column("title", "title"),
    Column("price", "price", "price", "numeric", "price"),
    *(Column(f.name, "facet", f.name, f.kind, f.role) for f in FACETS[1:]),
)


@pytest.fixture(scope="module")
def retriever(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crockery")
    loaded = LoadedCatalog(
        name="crockery", items=ITEMS, facets=FACETS, mapping=Mapping(COLUMNS), rejects=(),
        currency=None,
    )  # fmt: skip
    Retriever.build(loaded, folder, encoder=HashingEncoder(64))
    with Retriever.open(folder, HashingEncoder(64), write=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def made(retriever):
    return make_cases(retriever, 60, 0)


@pytest.fixture(scope="module")
def report(retriever, made):
    header, cases = made
    linker, planner = Linker.build(retriever), RulePlanner(retriever.facets)
    return evaluate(retriever, linker, planner, header, cases, config={"planner": "rules"})


def test_report_has_every_system_and_metric(report):
    assert report["n"] == 60
    for own in (report["ours"], report["ours_plan_given"], *report["baselines"].values()):
        assert set(own) == set(METRICS)
    assert set(report["baselines"]) == set(report["keep_at_equal_change"])


def test_given_plans_are_never_violated(report):
    given = report["ours_plan_given"]
    assert (given["violation_rate"], given["change_accuracy"]) == (0.0, 1.0)
    assert given["keep_accuracy@1"] >= 0.95


def test_whole_dialogue_understands_critiques(report):
    assert report["ours"]["change_accuracy"] >= 0.95


def test_searching_for_text_violates(report):
    for name in ("BM25", "MiniLM"):
        assert report["baselines"][name]["violation_rate"] > 0.5


def test_constraints_say_what_edits_say(retriever, made):
    for case in made[1]:
        wanted = And(tuple(one.filter() for one in constraints(case, retriever)))
        anchor = BY_ID[case.reference]
        others = [item for item in ITEMS if item is not anchor]
        assert [matches(wanted, i) for i in others] == [holds(case, i, anchor) for i in others]


def test_ignoring_negation_is_a_violation(retriever, made):
    given = PlanGiven(retriever)
    negated = [case for case in made[1] if case.kind == "negate"]
    deaf = [case.model_copy(update={"negate": {}}) for case in negated]
    scores = [score(c, given(d), BY_ID).figures for c, d in zip(negated, deaf, strict=True)]
    assert sum(one["violation_rate"] for one in scores) >= 0.8 * len(scores)


def test_no_system_returns_the_reference(retriever, made):
    systems = [PlanGiven(retriever), *Baselines(retriever).all().values()]
    for case in made[1][:20]:
        for system in systems:
            answer = system(case)
            assert case.reference not in answer
            assert len(answer) <= 5


def test_dialogue_starts_from_the_reference(retriever, made):
    dialogue = Dialogue.over(retriever, Linker.build(retriever), RulePlanner(retriever.facets))
    case = made[1][0]
    state = dialogue.turn(case).state
    assert state.need.like is not None
    assert state.need.like.item_id == case.reference
    assert dialogue(case) == dialogue(case)


def test_cases_of_other_items_are_refused(retriever, made):
    header, cases = made
    check_cases(header, cases, retriever)
    other = header.model_copy(update={"hash": "0"})
    with pytest.raises(LabelError, match="differ from the 12 of 'crockery'"):
        check_cases(other, cases, retriever)
    foreign = [cases[0].model_copy(update={"reference": "m99"})]
    with pytest.raises(LabelError, match="item 'm99' is not in 'crockery'"):
        check_cases(header, foreign, retriever)
