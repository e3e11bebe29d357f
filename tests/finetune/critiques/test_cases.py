from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from finetune.critiques.cases import CaseMaker
from finetune.critiques.facets import choose
from finetune.critiques.format import KINDS
from finetune.critiques.gold import holds, keep_score
from finetune.critiques.phrasing import Speaker, directions, speakable
from finetune.errors import FinetuneError
from retrieval.catalog import Facet, Item
from tests.finetune.critiques.crockery import BY_ID, FACETS, ITEMS


@pytest.fixture(scope="module")
def cases():
    return CaseMaker(ITEMS, FACETS, "crockery").cases(200, seed=1)


def test_every_kind_comes_up(cases):
    counts = Counter(case.kind for case in cases)
    assert len(cases) == 200
    assert set(counts) == set(KINDS)
    assert min(counts.values()) >= 20


def test_gold_is_what_brute_force_finds(cases):
    for case in cases:
        anchor = BY_ID[case.reference]
        scores = {
            item.id: keep_score(item, anchor, case.keep)
            for item in ITEMS
            if item is not anchor and holds(case, item, anchor)
        }
        best = sorted(scores.values(), reverse=True)
        assert case.satisfying == len(scores)
        assert case.best == pytest.approx(best[:5], abs=1e-6)
        assert set(case.gold) == {id for id, score in scores.items() if score >= best[0] - 0.05}


def test_reference_never_satisfies_its_critique(cases):
    assert not any(holds(case, BY_ID[case.reference], BY_ID[case.reference]) for case in cases)


def test_kept_facets_are_those_not_edited(cases):
    for case in cases:
        own = {name for name in ("kind", "colour", "brand", "use") if name not in case.facets}
        assert set(case.keep) == own
        assert case.keep["kind"] == 2.0


def test_text_names_what_is_asked(cases):
    for case in cases:
        asked = [v for values in (*case.change.values(), *case.negate.values()) for v in values]
        assert all(value.casefold() in case.text.casefold() for value in asked)


def test_seed_decides_everything(cases):
    maker = CaseMaker(ITEMS, FACETS, "crockery")
    assert maker.cases(200, seed=1) == cases
    assert maker.cases(50, seed=2) != cases[:50]


def test_trivial_edits_are_not_asked():
    # Of each kind one item is blue and eleven are red: "not blue" changes nothing among its like.
    items = [
        Item(
            f"{kind}{n}", kind, fields={"kind": kind, "colour": "red" if n else "blue", "use": "x"}
        )
        for kind in ("mug", "plate", "bowl", "jug")
        for n in range(12)
    ]
    made = CaseMaker(items, [FACETS[1], FACETS[2], FACETS[4]], "sets").cases(60, seed=0)
    assert {case.negate["colour"] for case in made if case.negate} == {("red",)}


@pytest.mark.parametrize(
    "facets",
    [(), FACETS[:1], FACETS[1:2], (Facet("note", "categorical", "note", coverage=0.01),)],
    ids=["none", "only price", "only category", "hardly filled"],
)
def test_catalog_without_facets_is_refused(facets):
    with pytest.raises(FinetuneError, match="no critique can be made over 'bare'"):
        CaseMaker(ITEMS, facets, "bare")


def test_lone_items_are_refused():
    with pytest.raises(FinetuneError, match="no critique of these 3 items"):
        CaseMaker([BY_ID["m1"]] * 3, FACETS[:4], "one").cases(3, seed=0)


def test_identifiers_are_not_kept():
    names = tuple((f"model {n}", 1) for n in range(12))
    chosen = choose((*FACETS, Facet("model", "categorical", "model", values=names)), 12, "crockery")
    assert list(chosen.weights) == ["kind", "brand", "colour", "use"]


def test_value_spelled_two_ways_is_not_asked_for():
    brands = Facet("brand", "categorical", "brand", "brand", values=(
        ("Pond's", 9), ("Ponds", 9), ("Arno", 9), ("ARNO", 9), ("Birk", 9), ("Cato", 2),
        ("Dell", 3), ("Oak's Mill", 4), ("Oak Mills", 4),
    ))  # fmt: skip
    chosen = choose((FACETS[1], brands), 50, "crockery")
    assert set(chosen.values["brand"]) == {"arno", "birk", "dell"}


def test_language_codes_are_not_said():
    codes = (("eng", 9), ("en-US", 9), ("German", 9), ("French", 9))
    tongue = Facet("tongue", "categorical", "tongue", "language", values=codes)
    chosen = choose((FACETS[1], tongue), 50, "crockery")
    assert set(chosen.values["tongue"]) == {"german", "french"}


@pytest.mark.parametrize(
    ("value", "said"),
    [("Navy Blue", True), ("IKEA of Sweden", True), ("USB-C", True), ("NA", False),
     ("Not supported", False), ("Only", False), ("0 - 40", False), ("a b c d", False),
     ("x" * 40, False)],
)  # fmt: skip
def test_only_names_are_said(value, said):
    assert speakable(value) is said


@pytest.mark.parametrize(
    ("facet", "sides"),
    [
        (Facet("price", "numeric", "price", "price"), ("up", "down")),
        (Facet("rating", "numeric", "rating", "rating"), ("up",)),
        (Facet("width_cm", "numeric", "width cm"), ("up", "down")),
        (Facet("old_price", "numeric", "old price"), ()),
        (Facet("tdp", "numeric", "thermal design power"), ()),
    ],
)
def test_directions_are_those_with_words(facet, sides):
    assert directions(facet) == sides


def test_one_amount_for_each_way_to_say_it():
    rivals = tuple(
        Facet(name, "numeric", name, role, coverage=coverage)
        for name, role, coverage in (
            ("views", "popularity", 0.5), ("sales", "popularity", 0.9), ("hours", None, 1.0),
            ("length", None, 1.0), ("weight", None, 0.05),
        )
    )  # fmt: skip
    chosen = choose((*FACETS, *rivals), 12, "crockery")
    assert [facet.name for facet in chosen.numbers] == ["hours", "price", "sales"]


def test_shared_value_is_said_with_its_facet():
    shade = Facet("ink", "categorical", "ink colour", values=(("blue", 4), ("gold", 4)))
    speaker, random = Speaker((*FACETS, shade)), Random(0)
    edits = CaseMaker(ITEMS, FACETS, "crockery").cases(1, seed=0)[0]
    asked = edits.model_copy(update={"change": {"ink": ("blue",)}, "negate": {}, "relative": {}})
    assert all("ink colour" in speaker.say(asked, random) for _ in range(30))
