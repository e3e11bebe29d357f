"""Chips: every wish has one, and its press takes back that wish and no other."""

import pytest

from agent.chips import chips
from agent.desk import Extras
from agent.dialogue import respond
from agent.state import Need
from tests.agent.talking import say


@pytest.fixture
def session(parts):
    return parts.store.create_session()


def chips_of(parts, done):
    retriever = parts.retriever

    def title(id):
        return retriever.get_many([id])[0].title

    return chips(done.state.need, retriever.facets, retriever.currency, title)


def pressed(parts, session, one, text="pressed"):
    *_, done = respond(parts, session, text, Extras(press=one.press))
    return done


def labels(parts, done):
    return [chip.label for chip in chips_of(parts, done)]


def test_each_wish_is_a_chip(parts, session):
    done = say(parts, session, "black or white shoes under 100, not leather", "cheapest first")
    assert [(chip.kind, chip.facet) for chip in chips_of(parts, done)] == [
        ("want", "colour"),
        ("want", "kind"),
        ("bound", "price"),
        ("avoid", "material"),
        ("order", "price"),
    ]
    assert "under €100" in labels(parts, done)
    assert "not Leather" in labels(parts, done)


@pytest.mark.parametrize("place", range(5))
def test_chip_takes_back_itself_alone(parts, session, place):
    done = say(parts, session, "black or white shoes under 100, not leather", "cheapest first")
    before = chips_of(parts, done)
    after = chips_of(parts, pressed(parts, session, before[place]))
    assert [one.label for one in after] == [one.label for n, one in enumerate(before) if n != place]


def test_all_chips_taken_back_leave_nothing(parts, session):
    done = say(parts, session, "black shoes under 100, not leather")
    while left := chips_of(parts, done):
        done = pressed(parts, session, left[0])
    assert done.state.need == Need()


def test_likeness_and_hidden_are_chips(parts, session):
    first = say(parts, session, "shoes").slate.items[0]
    done = say(parts, session, "like the first one but brown", "hide the first one")
    by_kind = {chip.kind: chip for chip in chips_of(parts, done)}
    assert first.fields["title"][:20] in by_kind["like"].label
    assert by_kind["hidden"].label == "1 hidden"
    done = pressed(parts, session, by_kind["hidden"])
    assert done.state.need.rejected == ()
    assert done.state.need.like is not None
    assert pressed(parts, session, by_kind["like"]).state.need.like is None


def test_excluded_values_are_single_chips(parts, session):
    done = say(parts, session, "shoes, not black and not brown")
    avoided = [chip for chip in chips_of(parts, done) if chip.kind == "avoid"]
    assert len(avoided) > 1
    left = pressed(parts, session, avoided[0]).state.need.constraint("colour").excluded
    assert len(left) == len(avoided) - 1
