"""Training rows for the wording of explanations."""

from __future__ import annotations

import re
from random import Random

import pytest

from agent.facts import BROKEN, Fact
from agent.placeholders import names
from finetune.house.explaining import Pattern, completion, rows, wording
from retrieval.errors import CatalogError

ROWS = list(rows(1, 200))


def told(content: str) -> dict[str, str]:
    head, *lines = content.split("\n")
    assert head == "explain"
    return {line.split()[0]: line.split()[1] for line in lines}


@pytest.mark.parametrize("index", range(0, 200, 10))
def test_completion_tells_every_fact_once(index):
    [message], said = ROWS[index]
    given = told(message["content"])
    places = [name for name in names(said) if name.startswith("F")]
    assert sorted(places) == sorted(given)
    assert not re.search(r"\d", re.sub(r"\{[TFWG]\d*\}", "", said))


def test_wish_and_gap_belong_to_given_facts():
    for [message], said in ROWS:
        numbers = {name[1:] for name in names(said) if name != "T"}
        assert numbers <= {name[1:] for name in told(message["content"])}


def test_prompts_are_short():
    assert max(len(message["content"].split()) for [message], _ in ROWS) <= 20


def test_same_seed_gives_same_rows():
    assert list(rows(1, 5)) == ROWS[:5]
    assert list(rows(2, 5)) != ROWS[:5]


def test_wording_is_diverse():
    assert len({said for _, said in ROWS}) > 190
    counted = wording()
    patterns = (*counted.clauses, *counted.sentences, *counted.direct)
    assert len(patterns) + sum(map(len, counted.forms.values())) >= 250


def test_every_slot_and_relation_can_be_told():
    known = wording()
    slots = {slot for slot, _ in known.forms}
    for slot in slots:
        assert {form for own, form in known.forms if own == slot} == {"p", "n", "v"}
    for relation in ("met", "limit", "unwanted", "lacks", "nice", "instead", "dearer", "unknown"):
        fact = Fact(3, relation, "other", "the genre Fantasy", wish="Horror")
        said = completion([fact], Random(0))
        assert "{F3}" in said


def test_pattern_takes_facts_in_order():
    pattern = Pattern(((frozenset({"met"}), frozenset({"colour"})), (BROKEN, frozenset())), "x")
    colour, price = Fact(1, "met", "colour", "Blue"), Fact(2, "over", "price", "€9")
    assert pattern.fits([colour, price])
    assert not pattern.fits([price, colour])
    assert not pattern.fits([colour])


def test_missing_catalog_is_named():
    with pytest.raises(CatalogError, match="no catalog"):
        next(rows(0, 1, "grocery2"))
