"""Where utterances are cut, what is left of them, and that nothing of a wish is lost."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.plan import Mention
from agent.service.clauses import split, without
from agent.service.topics import has_wishes, is_guess, settle
from tests.agent.service.labelled import labelled

CUT = [
    ("is this returnable, and do you have it in black?",
     ["is this returnable", "do you have it in black?"]),
    ("hi, where's my order A-1234?", ["hi", "where's my order A-1234?"]),
    ("blue shirts, and what's your return policy", ["blue shirts", "what's your return policy"]),
    ("is it returnable?do you have it in black?",
     ["is it returnable?", "do you have it in black?"]),
    ("black shoes size no. 5 and a bag", ["black shoes size no. 5 and a bag"]),
    ("show me red, blue and green shirts", ["show me red, blue and green shirts"]),
    ("can I pay with paypal or klarna", ["can I pay with paypal or klarna"]),
    ("yes please, and show me more", ["yes please", "show me more"]),
    ("under 49.99 please. Do you deliver?", ["under 49.99 please.", "Do you deliver?"]),
    ("I want red shoes\nhow long does delivery take",
     ["I want red shoes", "how long does delivery take"]),
    ("so?", ["so?"]),
    ("?!", ["?!"]),
    ("", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "clauses"), CUT)
def test_utterance_is_cut_into_clauses(text, clauses):
    assert [clause.text for clause in split(text)] == clauses


def test_taken_clause_leaves_places_as_they_were():
    text = "is this returnable, and do you have it in black?"
    first, second = split(text)
    rest = without(text, [first])
    assert len(rest) == len(text)
    assert rest.strip() == "do you have it in black?"
    assert rest.index("black") == text.index("black")
    assert without(text, [second]).strip() == "is this returnable"
    assert without(text, [first, second]) == ""


@given(st.text(alphabet="ab ,.?!;\n and do you is it", max_size=80))
def test_clauses_are_exact_parts_in_order(text):
    clauses = split(text)
    assert all(text[clause.begin : clause.end] == clause.text for clause in clauses)
    assert all(clause.start <= clause.begin < clause.end for clause in clauses)
    assert all(a.end <= b.start for a, b in itertools.pairwise(clauses))
    covered = "".join(text[clause.start : clause.end] for clause in clauses)
    assert [c for c in covered if c.isalnum()] == [c for c in text if c.isalnum()]


@given(st.text(max_size=60))
def test_whatever_is_typed_is_cut(text):
    for clause in split(text):
        assert len(without(text, [clause])) in (0, len(text))


def test_many_clauses_are_cut_in_time():
    clauses = split("is it red? and do you have it, " * 600)
    assert len(clauses) == 40


@pytest.mark.parametrize(
    ("topics", "settled"),
    [
        (["told", "items"], ["items", "items"]),
        (["told", "shop"], ["told", "shop"]),
        (["told", "helpless"], ["told", "shop"]),
        (["helpless"], ["items"]),
        (["courtesy", "tool"], ["courtesy", "tool"]),
        (["courtesy", "shop", "items"], ["items", "shop", "items"]),
        (["courtesy"], ["items"]),
    ],
)
def test_unclear_clauses_go_with_their_neighbours(topics, settled):
    assert list(settle(topics)) == settled


def mention(kind, text, score=1.0, facet="price"):
    return Mention(id="X1", kind=kind, start=0, end=1, text=text, facet=facet, score=score)


def test_guesses_are_no_wishes():
    assert has_wishes([mention("value", "blue")])
    assert not has_wishes([mention("number", "1234", 0.4)])
    assert is_guess(mention("value", "talk", 0.75))
    assert not has_wishes([mention("order", "order")])
    assert not has_wishes([mention("number", "3", facet=None)])


@pytest.mark.parametrize("name", ["clauses_dev", "clauses_heldout", "clauses_final"])
def test_no_wish_of_the_sets_is_lost(talk, tools_of, desk_of, name):
    """With scripted pages, in the shop of clothes; benchmarks/desk.py has the real ones."""
    from agent.desk import DeskRequest
    from agent.service.visit import Visit
    from agent.state import State

    desk = desk_of({"handover": {}}, tools=tools_of())
    lost = []
    for row in labelled(name):
        visit = Visit(DeskRequest("s", row.text, row.text, State()), State().desk)
        for clause, about in desk.sort(visit, split(row.text)):
            wishes = [part for part in row.parts if part.label == "i"
                      and clause.begin < part.end and part.start < clause.end]  # fmt: skip
            if wishes and about not in ("items", "courtesy"):
                lost.append((about, row.text))
    assert lost == []
