"""The measuring of explanations: the oracle, the false claims, the checker, the report."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from agent.checking import Checker, check
from agent.explain_prompt import messages
from agent.explainer import LLMExplainer
from agent.facts import facts
from agent.llm import ScriptedModel
from agent.state import Constraint, Likeness, Need, Preference, State
from finetune.catalogs import open_catalog
from finetune.errors import FinetuneError
from finetune.explanations import dist_2, evaluate
from finetune.falsehoods import KINDS, falsehoods
from finetune.house.explaining import completion
from finetune.oracle import Oracle
from finetune.wishing import asked
from retrieval.catalog import Facet, Item

FACETS = (
    Facet("kind", "categorical", "kind", "category", values=(("Shirts", 2), ("Shoes", 1))),
    Facet("colour", "categorical", "colour", "colour",
          values=(("Blue", 1), ("Red", 1), ("Green", 1))),
    Facet("brand", "categorical", "brand", "brand", values=(("Alto", 2), ("Brisa", 1))),
    Facet("price", "numeric", "price", "price", unit="EUR"),
    Facet("rating", "numeric", "rating", "rating"),
    Facet("width_cm", "numeric", "width", unit="cm"),
    Facet("lined", "boolean", "lined", values=(("true", 1), ("false", 1))),
    Facet("stock", "boolean", "in stock", "availability", values=(("true", 2),)),
)  # fmt: skip
SHIRT = Item("1", "Alto shirt", "soft, for summer",
             {"kind": "Shirts", "colour": "Blue", "brand": "Alto", "price": 35.0, "rating": 4.5,
              "width_cm": 80.0, "lined": True, "stock": True}, "EUR")  # fmt: skip
_SHOES = {"kind": "Shoes", "colour": "Red", "brand": "Brisa", "price": 90.0}
SHOES = Item("2", "Brisa shoes", "formal", _SHOES, "EUR")
WANTED = State(need=Need(
    constraints=(
        Constraint(facet="colour", role="colour", values=("Blue",)),
        Constraint(facet="price", role="price", high=60.0),
        Constraint(facet="brand", role="brand", excluded=("Brisa",)),
        Constraint(facet="text", excluded=("formal",)),
    ),
    preferences=(Preference(text="soft"),),
))  # fmt: skip


def status(text: str, item: Item = SHIRT, wanted: State = WANTED, others=(SHOES,)) -> set[str]:
    known = {other.id: other for other in others}
    return {v.status for v in check(text, [item], wanted, FACETS, "EUR", others=known)}


@pytest.mark.parametrize(
    "text",
    [
        "Alto shirt is Blue, as you asked.",
        "It costs €35, €25 under your limit of €60.",
        "It's by Alto, not Brisa.",
        "It is rated 4.5 and 80 cm wide in width.",
        "It mentions 'soft' and does not mention 'formal'.",
        "It is in stock. Lined: yes.",
        "A soft shirt for summer.",
        "Alto shirt is cheaper than Brisa shoes.",
        "It is €55 cheaper than Brisa shoes.",
        "It comes in Blue instead of Red.",
    ],
)
def test_true_text_is_supported(text):
    assert status(text) == {"supported"}


@pytest.mark.parametrize(
    "text",
    [
        "Alto shirt is Green, as you asked.",
        "Alto shirt is not Blue.",
        "It is Blue, not the Green you asked for.",
        "It costs €36.",
        "It costs $35.",
        "It costs €35, over your limit of €60.",
        "It costs €35, under your limit of €50.",
        "It costs €35, €20 under your €60.",
        "It is by Brisa, as you asked.",
        "It is by Alto, which you ruled out.",
        "It is rated 4.9.",
        "It is 90 cm in width.",
        "It does not mention 'soft'.",
        "It mentions 'formal'.",
        "It is sold out.",
        "Lined: no.",
        "It is waterproof.",
        "It is the best shirt.",
        "It is dearer than Brisa shoes.",
        "It is €50 cheaper than Brisa shoes.",
        "It has the same colour Blue as Brisa shoes.",
        "The catalog doesn't say its colour.",
    ],
)
def test_false_text_is_not_supported(text):
    assert status(text) != {"supported"}


def test_broken_wish_told_as_kept_is_contradicted():
    assert status("It costs €90, over your €60.", SHOES, others=()) == {"supported"}
    assert status("It costs €90, which fits your budget.", SHOES, others=()) == {"contradicted"}
    assert status("It costs €90.", SHOES, others=()) == {"supported"}


def test_sentence_is_about_the_item_it_names():
    text = "Alto shirt is Blue. Brisa shoes are Red. They are by Brisa."
    found = check(text, [SHIRT, SHOES], State(), FACETS, "EUR")
    assert {verdict.status for verdict in found} == {"supported"}
    swapped = check("Alto shirt is Red. Brisa shoes are Blue.", [SHIRT, SHOES], State(), FACETS)
    assert [verdict.status for verdict in swapped] == ["contradicted"] * 2


def test_cheapest_is_judged_among_the_items():
    found = check("Alto shirt is the cheapest.", [SHIRT, SHOES], State(), FACETS, "EUR")
    assert [verdict.status for verdict in found] == ["supported"]
    found = check("Brisa shoes are the cheapest.", [SHIRT, SHOES], State(), FACETS, "EUR")
    assert [verdict.status for verdict in found] == ["contradicted"]


def test_verdicts_carry_evidence_or_a_reason():
    [verdict] = check("It is Blue, as you asked.", [SHIRT], WANTED, FACETS, "EUR")
    assert verdict.evidence[0].facet == "colour"
    [verdict] = check("It is waterproof.", [SHIRT], WANTED, FACETS, "EUR")
    assert (verdict.text, verdict.status) == ("waterproof", "unsupported")
    assert verdict.why


def test_claims_limit_what_may_be_said():
    [verdict] = check("It is Blue.", [SHIRT], WANTED, FACETS, "EUR", claims=[])
    assert verdict.status == "unsupported"


def test_text_without_items_is_refused():
    with pytest.raises(ValueError, match="expected one item or more"):
        check("It is Blue.", [], State(), FACETS)


def test_empty_text_states_nothing():
    assert Checker(FACETS).check(" \n ", [SHIRT], State()) == ()


def truth(text: str, item: Item = SHIRT) -> list[bool]:
    found = Oracle(FACETS).statements(text, item, WANTED, {})
    return [statement.true for statement in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Alto shirt: Blue, as asked (colour).", [True]),
        ("Alto shirt: Green, as asked (colour).", [False]),
        ("Alto shirt: €35, under your €60.", [True, True]),
        ("Alto shirt: €36, under your €60.", [False, True]),
        ("Alto shirt is Blue, which you ruled out.", [False]),
        ("Alto shirt, not Brisa, costs €35.", [True, True]),
        ("Alto shirt is nice.", []),
    ],
)
def test_oracle_reads_the_row(text, expected):
    assert truth(text) == expected


def test_oracle_refuses_broken_wishes_as_asked():
    assert truth("Brisa shoes: Blue, as asked (colour).", SHOES) == [False]
    assert truth("Brisa shoes: at most €60, as asked (price).", SHOES) == [False]


@pytest.fixture(scope="module")
def demo():
    return open_catalog("demo")


def test_wishes_meet_and_miss(demo):
    random = Random(4)
    found = [asked(demo.items, demo.facets, demo.currency, random) for _ in range(300)]
    said = [facts(one.reasons, one.item, one.state, demo.facets, demo.currency, one.others)
            for one in found]  # fmt: skip
    relations = {fact.relation for given in said for fact in given}
    assert relations >= {"met", "missed", "under", "over", "avoided", "unwanted", "mentions",
                         "lacks", "same", "instead", "nice", "plain"}  # fmt: skip


def test_every_kind_of_falsehood_is_made_and_caught(demo):
    random, checker = Random(5), Checker(demo.facets, demo.currency)
    seen: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    for _ in range(150):
        one = asked(demo.items, demo.facets, demo.currency, random)
        given = facts(one.reasons, one.item, one.state, demo.facets, demo.currency, one.others)
        for false in falsehoods(one, given, demo, random):
            found = checker.check(false.text, [false.item], one.state, others=one.others)
            seen[false.kind].append(any(v.status != "supported" for v in found))
    assert all(seen.values())
    caught = [one for kind in seen.values() for one in kind]
    assert sum(caught) / len(caught) >= 0.98


def test_report_has_figures_and_baselines(demo):
    report = evaluate({"demo": demo}, n=60, false_texts=120)
    assert report["ours"]["statement_precision"] >= 0.99
    assert report["ours"]["claims_per_explanation"] >= 2
    assert report["baselines"]["everything as asked"]["statement_precision"] < 0.9
    assert report["checker"]["false_claims_caught"] >= 0.97
    assert report["checker"]["true_claims_kept"] >= 0.97
    assert report["n"]["explanations"] == 60
    assert report["n"]["false_claims"] >= 120
    assert evaluate({"demo": demo}, n=10, false_texts=10) == evaluate(
        {"demo": demo}, n=10, false_texts=10
    )


def test_catalog_without_fields_is_named(demo):
    bare = replace(demo, items=(Item("1", "A thing"),), facets=())
    with pytest.raises(FinetuneError, match="nothing to explain in 'bare': no item has 2 fields"):
        evaluate({"bare": bare}, n=5)


class Liar(ScriptedModel):
    """Words facts as if every relation were the one before it."""

    def __init__(self) -> None:
        super().__init__(lambda _: "It has {F1}, as you asked. It is the best. It costs {F2}.")


def test_model_is_measured_checked_and_unchecked(demo):
    report = evaluate({"demo": demo}, n=30, false_texts=1, explainer=LLMExplainer(Liar()))
    assert report["ours"]["statement_precision"] >= 0.99
    assert {"template", "everything as asked", "model, unchecked"} == set(report["baselines"])
    assert report["sentences"]["dropped"] >= 30
    assert report["sentences"]["rewritten"] > 0
    assert report["config"] == {"writer": "model", "model": "scripted", "prompt": "explain@2"}


def test_likeness_names_the_other_item(demo):
    item, other = demo.items[0], demo.items[1]
    wanted = State(need=Need(like=Likeness(item_id=other.id, changed=("price",))))
    assert messages(facts((), item, wanted, demo.facets), "explain@1")[0]["content"] == "explain"


def test_dist_2_counts_distinct_pairs():
    assert dist_2(["a b c", "a b d"]) == 3 / 4
    assert dist_2([]) is None


def test_completion_of_no_facts_is_empty():
    assert completion((), Random(0)) == ""
