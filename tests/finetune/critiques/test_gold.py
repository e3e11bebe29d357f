from __future__ import annotations

from random import Random

import pytest

from finetune.critiques.format import Edits
from finetune.critiques.gold import Table, amount, holds, keep_score
from retrieval.catalog import Item
from tests.finetune.critiques.crockery import BY_ID, ITEMS, KEEP

M1 = BY_ID["m1"]


def satisfying(reference: str = "m1", **edits) -> set[str]:
    anchor = BY_ID[reference]
    return {i.id for i in ITEMS if i is not anchor and holds(Edits(**edits), i, anchor)}


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ({"change": {"colour": ("red",)}}, {"m2", "m5", "m6", "p2", "p5"}),
        ({"change": {"colour": ("RED",), "brand": ("cato",)}}, {"p5"}),
        ({"change": {"brand": ("Cato", "Birk")}, "negate": {"use": ("tea", )}},
         {"m5", "p3", "p4", "p5", "p6"}),
        ({"negate": {"colour": ("blue",)}},
         {"m2", "m3", "m5", "p2", "p3", "p5", "p6"}),
        ({"relative": {"price": "down"}}, {"m3", "m4", "p3"}),
        ({"relative": {"price": "up"}, "change": {"kind": ("mug",)}}, {"m2", "m5"}),
    ],
)  # fmt: skip
def test_edits_hold_as_read_off(edits, expected):
    assert satisfying(**edits) == expected


def test_missing_value_passes_only_negation():
    bare = Item("x", "bare")
    assert holds(Edits(negate={"colour": ("blue",)}), bare, M1)
    assert not holds(Edits(change={"colour": ("red",)}), bare, M1)
    assert not holds(Edits(relative={"price": "down"}), bare, M1)


@pytest.mark.parametrize(
    ("id", "score"), [("m1", 1.0), ("m4", 0.75), ("m3", 0.75), ("p1", 0.25), ("p5", 0.0)]
)
def test_keep_score_weighs_facets(id, score):
    assert keep_score(BY_ID[id], M1, KEEP) == pytest.approx(score)


def test_list_is_kept_in_part():
    two_coloured = BY_ID["m6"]
    assert keep_score(M1, two_coloured, {"colour": 1.0}) == pytest.approx(0.5)
    assert keep_score(two_coloured, M1, {"colour": 1.0}) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("value", "number"),
    [(3, 3.0), (2.5, 2.5), ("1970-01-02", 719164.0), ("1970-01-02T10:00", 719164.0)],
)
def test_dates_are_amounts_too(value, number):
    assert amount(value) == number


@pytest.mark.parametrize("value", [True, None, "soon", ("a",)])
def test_no_amount_is_nan(value):
    assert amount(value) != amount(value)


def random_edits(random: Random, anchor: Item) -> Edits:
    facets = random.sample(["kind", "colour", "brand", "use"], 2)
    values = [str(random.choice(random.choice(ITEMS).values(facet))) for facet in facets]
    relative = {"price": random.choice(("up", "down"))} if random.random() < 0.5 else {}
    change, negate = {facets[0]: (values[0],)}, {facets[1]: (values[1],)}
    kept = random.choice((change, {})), random.choice((negate, {}))
    return Edits(change=kept[0], negate=kept[1], relative=relative)


def test_table_agrees_with_definition():
    random, table = Random(0), Table(ITEMS, [*KEEP, "colour"], ["price"])
    for _ in range(300):
        anchor = random.choice(ITEMS)
        edits = random_edits(random, anchor)
        mask = table.satisfying(edits, anchor).tolist()
        assert mask == [i is not anchor and holds(edits, i, anchor) for i in ITEMS]
        scores = table.keep_scores(anchor, {**KEEP, "colour": 0.5})
        exact = [keep_score(i, anchor, {**KEEP, "colour": 0.5}) for i in ITEMS]
        assert scores.tolist() == pytest.approx(exact)
