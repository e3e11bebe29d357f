import pytest

from agent.plan import Act, Plan
from agent.state import Constraint, Likeness, Need, State
from agent.turn import Done, Relaxation, Slate, SlateItem
from finetune.simulator.reading import Misread, failed, misread, repeats, violations
from finetune.simulator.speech import Move
from finetune.simulator.users import Wish
from retrieval.catalog import Item

RED = Item("r", "red coat", fields={"colour": "Red", "price": 40.0})
BLUE = Item("b", "blue coat", fields={"colour": "Blue", "price": 60.0})
CATALOG = {"r": RED, "b": BLUE}

WANT = Wish("want", Constraint(facet="colour", values=("Red",)), "colour", "Red", decoy="Blue")
AVOID = Wish("avoid", Constraint(facet="colour", excluded=("Red",)), "colour", "Red")
BELOW = Wish("below", Constraint(facet="price", high=50.0), "price", "50")


def done(items=(), *constraints, like=None, relaxations=(), acts=("refine",)):
    need = Need(constraints=constraints, like=Likeness(item_id=like) if like else None)
    slate = [
        SlateItem(item_id=id, rank=rank, score=1.0, fields={})
        for rank, id in enumerate(items, start=1)
    ]
    return Done(
        turn_id="t", session_id="s", utterance="u", reply="r",
        slate=Slate(id="sl", items=tuple(slate)), state=State(need=need),
        plan=Plan(acts=tuple(Act(act=one) for one in acts)), relaxations=relaxations,
    )  # fmt: skip


def colour(**sides):
    return Constraint(facet="colour", **sides)


GIVEN_UP = Relaxation(dropped=colour(values=("Red",)), text="nothing red")


@pytest.mark.parametrize(
    ("move", "turn", "shown", "expected"),
    [
        (Move("want", (WANT,)), done("r", colour(values=("Red",))), [RED], None),
        (Move("want", (WANT,)), done("b", colour(excluded=("Red",))), [BLUE], "want"),
        (Move("want", (WANT,)), done("b"), [BLUE], "want"),
        (Move("want", (WANT,)), done(), [], "want"),
        (Move("want", (WANT,)), done("b", relaxations=(GIVEN_UP,)), [BLUE], None),
        (Move("want", (WANT,), decoy=True), done("b", colour(values=("Blue",))), [BLUE], None),
        (Move("want", (WANT,), decoy=True), done("r"), [RED], "want"),
        (Move("avoid", (AVOID,)), done("b", colour(excluded=("Red",))), [BLUE], None),
        (Move("avoid", (AVOID,)), done("r", colour(values=("Red",))), [RED], "avoid"),
        (Move("avoid", (AVOID,)), done("r"), [RED], "avoid"),
        (Move("avoid", (AVOID,)), done("b"), [BLUE], None),
        (Move("below", (BELOW,)), done("r", Constraint(facet="price", high=50.0)), [RED], None),
        (Move("below", (BELOW,)), done("b"), [BLUE], "below"),
        (Move("below", (BELOW,)), done("r", relaxations=(GIVEN_UP,)), [RED], "below"),
        (Move("like", rank=1, item_id="r"), done("b", like="r"), [BLUE], None),
        (Move("like", rank=1, item_id="r"), done("b", like="b"), [BLUE], "like"),
        (Move("cheaper", bound=50.0), done("r"), [RED], None),
        (Move("cheaper", bound=50.0), done("b"), [BLUE], "cheaper"),
        (Move("more"), done("b"), [BLUE], "more"),
        (Move("more"), done("r"), [RED], None),
        (Move("more"), done(acts=("more",)), [], None),
        (Move("more"), done(acts=("chitchat",)), [], "more"),
        (Move("repair", of="more"), done(acts=("chitchat",)), [], "more"),
        (Move("vague", text="warm"), done(), [], None),
    ],
)
def test_what_users_see_to_be_misread(move, turn, shown, expected):
    found = misread(move, turn, shown, before=["b"], price="price")
    assert (found.kind if found else None) == expected
    if found and move.wishes:
        assert found == Misread(expected, move.wishes[0])


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        (done("rb", colour(values=("Red",))), 1),
        (done("rb", colour(values=("Red", "Blue"))), 0),
        (done("rb", colour(excluded=("Red",)), Constraint(facet="price", high=50.0)), 2),
        (done("b", colour(values=("Red",)), relaxations=(GIVEN_UP,)), 0),
        (done("x"), 1),
        (done(), 0),
    ],
)
def test_violations_are_counted_by_item(turn, expected):
    assert violations(turn, CATALOG) == expected


def test_named_replacement_must_still_hold():
    wanted = Constraint(facet="price", high=30.0)
    instead = Constraint(facet="price", high=50.0)
    turn = done("rb", wanted, relaxations=(Relaxation(dropped=wanted, instead=instead, text=""),))
    assert violations(turn, CATALOG) == 1


def test_same_slate_again_is_a_repeat():
    assert repeats(Move("more"), ["r", "b"], ["r", "b"])
    assert not repeats(Move("more"), ["b", "r"], ["r", "b"])
    assert not repeats(Move("undo"), ["r", "b"], ["r", "b"])


def test_failures_are_said_or_empty():
    assert failed(done("b", relaxations=(GIVEN_UP,)))
    assert failed(done())
    assert not failed(done("b"))
