import pytest

from agent.plan import Act
from agent.turn import Relaxation
from finetune.pairs.atoms import Atom
from finetune.pairs.repairs import Repair, repairs, said_outright
from finetune.pairs.rows import Dropped
from tests.agent import shop

WANT = Act(act="refine", want=("V1",))
DRESSES = {"shows": ("d1", "d2", "d3")}
RED = {"shows": ("d1",)}
NOT_RED = {Atom("avoid", "colour", "Red"), Atom("avoid", "colour", "Maroon")}


def found(talk, catalog):
    """Return the repairs of a session, and the reasons for none."""
    every = list(repairs(talk.session, catalog))
    return [r for r in every if isinstance(r, Repair)], [
        r.reason for r in every if isinstance(r, Dropped)
    ]


CORRECTED = [
    ("anything but red", WANT, "no, I meant not red", {"polarity", "reading"}, True),
    ("anything but red", WANT, "not red", {"polarity", "reading"}, False),
    ("red is out", WANT, "without red please", {"polarity", "reading"}, False),
    ("steer clear of red", Act(act="refine", want=("V1", "U1")), "no, not red",
     {"polarity", "reading"}, False),
    ("nothing but red", Act(act="refine", avoid=("V1",)), "I said red", {"polarity"}, True),
    ("red would suit me", Act(act="chitchat"), "red please", {"reading"}, False),
    ("preferably red", WANT, "I meant ideally red", {"strength"}, True),
    ("red is fine, any colour is", WANT, "I never said red", {"lifted"}, True),
]  # fmt: skip


@pytest.mark.parametrize(("said", "act", "then", "sorts", "outright"), CORRECTED)
def test_corrected_turn_is_recognised(talk, catalog, said, act, then, sorts, outright):
    one = talk().says("dresses", **DRESSES).says(said, act, **RED).says(then, shows=("d2", "d3"))
    (repair,), _ = found(one, catalog)
    assert repair.turn.utterance == said
    assert (set(repair.sorts), repair.outright) == (sorts, outright)


CHANGED = [
    ("in red", WANT, "actually make it green"),
    ("in red", WANT, "green instead"),
    ("in red", WANT, "how about green"),
    ("in red", WANT, "sorry, I meant green"),
    ("in red", WANT, "no, not red"),
    ("in red", WANT, "any colour"),
    ("not red", Act(act="refine", avoid=("V1",)), "red is ok"),
    ("not red", Act(act="refine", avoid=("V1",)), "show me red ones"),
    ("not red", Act(act="refine", avoid=("V1",)), "on second thought, red"),
    ("in red or maroon", Act(act="refine", want=("V1", "V2")), "only maroon"),
    ("under 60", Act(act="refine", want=("N1",)), "under 80"),
    ("under 60", Act(act="refine", want=("N1",)), "the price doesn't matter"),
    ("in red", WANT, "cheaper"),
    ("in red", WANT, "what about novels"),
    ("in red", WANT, "start over"),
    ("in red", WANT, "thanks"),
    ("in red", WANT, "undo"),
]


@pytest.mark.parametrize(("said", "act", "then"), CHANGED)
def test_changed_mind_is_no_correction(talk, catalog, said, act, then):
    one = talk().says("dresses", **DRESSES).says(said, act, **RED).says(then, shows=("d2", "d3"))
    assert found(one, catalog)[0] == []


@pytest.mark.parametrize(
    ("kind", "value", "spared"),
    [("click", None, True), ("purchase", None, True), ("rating", 5, True), ("dwell", 60, True),
     ("reject", None, False), ("rating", 1, False), ("dwell", 2, False)],
)  # fmt: skip
def test_slate_that_was_liked_is_no_misreading(talk, catalog, kind, value, spared):
    one = talk().says("dresses", **DRESSES).says("anything but red", WANT, **RED)
    one.does(kind, "d1", value).says("no, I meant not red", shows=("d2", "d3"))
    assert (found(one, catalog)[0] == []) is spared


def test_taking_it_in_words_is_liking(talk, catalog):
    one = talk().says("dresses", **DRESSES).says("anything but red", WANT, **RED)
    one.says("I'll take the first one")
    assert found(one, catalog)[0] == []


def test_only_the_next_turn_corrects(talk, catalog):
    one = talk().says("dresses", **DRESSES).says("anything but red", WANT, **RED)
    one.says("cheaper please", **RED).says("no, I meant not red", shows=("d2", "d3"))
    assert [r.turn.utterance for r in found(one, catalog)[0]] == []


def test_what_is_new_in_the_correction_is_left_out(talk, catalog):
    one = talk().says("dresses", **DRESSES).says("anything but red", WANT, **RED)
    one.says("I meant not red, and under 60", shows=("d3",))
    (repair,), _ = found(one, catalog)
    assert repair.meant == {Atom("want", "kind", "Dresses")} | NOT_RED


def test_value_named_instead_does_not_hide_the_correction(talk, catalog):
    one = talk().says("dresses", **DRESSES).says("anything but red", WANT, **RED)
    one.says("I said not red, green please", shows=("d3",))
    (repair,), _ = found(one, catalog)
    assert repair.meant == {Atom("want", "kind", "Dresses")} | NOT_RED


def test_words_that_turn_a_value_round_are_no_wish(talk, catalog):
    act = Act(act="refine", want=("V1", "U1"))
    one = talk().says("dresses", **DRESSES).says("red gives me a headache", act, **RED)
    one.says("I meant no red", shows=("d2", "d3"))
    (repair,), _ = found(one, catalog)
    assert Atom("soft", "text", "headache") in repair.made
    assert repair.meant == {Atom("want", "kind", "Dresses")} | NOT_RED


def test_undone_and_said_again_is_a_correction(talk, catalog):
    one = talk().says("dresses", **DRESSES).says("red gives me a headache", WANT, **RED)
    one.says("undo", **DRESSES).says("without red please", shows=("d2", "d3"))
    (repair,), _ = found(one, catalog)
    assert repair.turn.number == 2
    assert repair.meant >= NOT_RED


def test_undone_alone_says_why_nothing_is_learned(talk, catalog):
    one = talk().says("dresses", **DRESSES).says("in red", WANT, **RED).says("undo", **DRESSES)
    assert found(one, catalog)[1] == ["undone, and not said what was meant"]


def test_critique_of_the_slate_corrects_too(talk, catalog):
    one = talk().says("dresses", **DRESSES).says("anything but red", WANT, **RED)
    one.does("critique", None, "I said not red")
    (repair,), _ = found(one, catalog)
    assert repair.events == ("session-1-e1",)
    assert repair.meant >= NOT_RED


@pytest.mark.parametrize(
    ("critique", "repaired"),
    [("too expensive", False), ("boring", False), ("not red", True), ("green please", False)],
)
def test_critique_must_be_about_what_was_said(talk, catalog, critique, repaired):
    one = talk().says("dresses", **DRESSES).says("anything but red", WANT, **RED)
    one.does("critique", None, critique)
    assert bool(found(one, catalog)[0]) is repaired


def test_wish_that_was_thrown_out_comes_back(talk, catalog):
    one = talk().says("t-shirts in blue", shows=("t1",)).says("white as well", WANT, shows=("t3",))
    one.says("blue or white", shows=("t1", "t3"))
    (repair,), _ = found(one, catalog)
    assert repair.sorts == {"kept"}
    assert repair.meant >= {Atom("want", "colour", "Blue"), Atom("want", "colour", "White")}


def test_wish_let_go_for_want_of_items_is_no_correction(talk, catalog):
    gone = Relaxation(dropped=shop.wish("colour", "Red"), text="nothing red")
    one = talk().says("laptops", shows=("l1", "l2"))
    one.says("not necessarily red", WANT, shows=("l1",), relaxations=(gone,))
    one.says("any colour is fine", shows=("l1", "l2"))
    assert found(one, catalog)[1] == ["could be a wish let go: little or nothing was found"]


def test_act_without_mentions_is_meant_outright(talk, catalog):
    one = talk().says("dresses", **DRESSES).says("keep them coming", Act(act="chitchat"))
    one.says("I meant show me more", shows=("d1",))
    (repair,), _ = found(one, catalog)
    assert repair.acts == (Act(act="more"),)
    again = talk().says("dresses", **DRESSES).says("keep them coming", Act(act="chitchat"))
    assert found(again.says("show me more", shows=("d1",)), catalog)[0] == []


def test_reference_is_corrected_outright(talk, catalog):
    one = talk().says("dresses", **DRESSES)
    one.says("same vibe as the second one", Act(act="chitchat"))
    one.says("I meant something like the second one", shows=("d1",))
    (repair,), _ = found(one, catalog)
    assert Atom("like", "", "d2") in repair.meant


@pytest.mark.parametrize(
    ("text", "outright"),
    [("No, I meant blue", True), ("I said not red", True), ("that's not what I asked for", True),
     ("You got that wrong", True), ("I didn't want red", True), ("the other way round", True),
     ("not red", False), ("no", False), ("blue instead", False)],
)  # fmt: skip
def test_misreading_is_said_outright(text, outright):
    assert said_outright(text) is outright
