"""More or less of what no number measures: orders of values, evidence in texts, honest words."""

import pytest

from agent.linking.degrees import DegreeLinker
from agent.linking.lexicon import build
from agent.linking.text import tokenize
from retrieval.catalog import Facet, Item

LEVEL = Facet(
    "level", "categorical", "level", None,
    values=(
        ("All Levels", 9), ("Beginner Level", 5), ("Intermediate Level", 4), ("Expert Level", 2),
    ),
)  # fmt: skip
SEASON = Facet("season", "categorical", "season", None, values=(("Summer", 5), ("Winter", 4)))
LEXICON = build((LEVEL, SEASON))


def degrees(text, *spoken_of, known=("soft", "warm", "compact")):
    tokens = tokenize(text)
    linker = DegreeLinker(LEXICON, lambda word: word in known)
    found = linker.find(tokens, [False] * len(tokens), lambda: list(spoken_of))
    return [(one.mention.kind, one.mention.values) for one in found]


def course(level):
    return Item("k", "A course", fields={"level": level})


@pytest.mark.parametrize(
    ("text", "level", "values"),
    [
        ("something easier", "Expert Level", ("Intermediate Level", "Beginner Level")),
        ("harder please", "Beginner Level", ("Intermediate Level", "Expert Level")),
        ("too advanced", "Intermediate Level", ("Beginner Level",)),
        ("easier", "Beginner Level", ("Beginner Level",)),
    ],
)
def test_values_in_an_order_are_more_or_less(text, level, values):
    assert degrees(text, course(level)) == [("value", values)]


def test_an_order_goes_by_all_that_is_compared():
    both = (course("Beginner Level"), course("Intermediate Level"))
    assert degrees("harder", *both) == [("value", ("Expert Level",))]


def test_outside_the_order_texts_are_evidence():
    found = degrees("harder", course("All Levels"), known=("advanced",))
    assert found == [("value", ("Expert Level",)), ("keyword", ("advanced",))]


@pytest.mark.parametrize(
    ("text", "word"),
    [("a softer one", "soft"), ("too bulky", "compact"), ("less bulky", "compact")],
)
def test_what_texts_mention_is_looked_for(text, word):
    assert degrees(text) == [("keyword", (word,))]


def test_a_value_that_is_evidence_is_a_guess_beside():
    assert degrees("warmer") == [("value", ("Winter",)), ("keyword", ("warm",))]


def test_what_nothing_says_cannot_be_gone_by():
    assert degrees("sweeter") == [("absent", ("degree",))]


def test_the_reader_is_told_how_it_was_read(mind):
    found = [m for m in mind.link("softer than the first one") if m.kind == "keyword"]
    assert [(m.values, m.note) for m in found] == [(("soft",), "not measured here; read as soft")]


def test_what_is_measured_is_compared(mind):
    assert [m.kind for m in mind.link("wider")] == ["relative"]
