from dataclasses import replace

import pytest

from agent.state import Constraint
from finetune.simulator.mind import MOST_REPAIRS, Mind
from finetune.simulator.population import Population
from finetune.simulator.reading import Misread
from finetune.simulator.speech import Move
from finetune.simulator.users import Wish, draw_users


@pytest.fixture
def user(world):
    drawn = draw_users(world, Population(wishes=(2, 2), vague=0.0, changes=0.0), 80, 5)
    return next(one for one in drawn if len(one.wishes) == 3)


@pytest.fixture
def mind(user):
    return Mind.of(user, "price")


def test_wishes_are_told_bit_by_bit(mind, user):
    told = list(mind.first().wishes)
    move, kinds = Move("open"), []
    for _ in range(4):
        move = mind.next(move, None, [user.target], [(1, user.target)])
        told += move.wishes
        kinds.append(move.kind)
    assert told == list(user.wishes)
    assert kinds[-1] in ("more", "like")


def test_broken_wish_is_told_first(world, mind, user):
    mind.open = list(user.wishes[1:])
    first, last = mind.open
    broken = next(i for i in world.items if first.met(i) and not last.met(i))
    assert mind.next(Move("open"), None, [broken], [(1, broken)]).wishes == (last,)


def test_misread_is_repaired_at_once(mind, user):
    mind.first()
    wish = user.wishes[-1]
    move = mind.next(Move("want", (wish,)), Misread(wish.kind, wish), [], [])
    assert (move.kind, move.of, move.wishes) == ("repair", wish.kind, (wish,))


def test_repairs_are_given_up(mind, user):
    mind.first()
    last, wrong = Move("want", user.wishes[:1]), Misread("want", user.wishes[0])
    kinds = []
    for _ in range(MOST_REPAIRS + 1):
        last = mind.next(last, wrong, [], [])
        kinds.append(last.kind)
    assert kinds[:MOST_REPAIRS] == ["repair"] * MOST_REPAIRS
    assert kinds[-1] != "repair"
    assert user.wishes[0] not in mind.told


def test_lost_likeness_is_undone(mind, user):
    other = replace(user.target, id="other")
    last = Move("like", rank=1, item_id="gone")
    assert mind.next(last, Misread("like"), [other], []).kind == "undo"


def test_likeness_still_shown_is_said_again(mind, user):
    other = replace(user.target, id="other")
    last = Move("like", rank=1, item_id=user.target.id)
    move = mind.next(last, Misread("like"), [other, user.target], [])
    assert (move.kind, move.of, move.rank) == ("repair", "like", 2)


def test_changed_mind_follows_the_decoy(user):
    facet = Constraint(facet="colour", values=("Red",))
    wish = Wish("want", facet, "colour", "Red", decoy="Blue")
    mind = Mind.of(replace(user, wishes=(user.wishes[0], wish), wide=""), "price")
    mind.open = [wish]
    first = mind.first()
    assert first.decoy
    move = mind.next(first, None, [], [])
    assert (move.kind, move.wishes, move.decoy) == ("change", (wish,), False)


def test_dearer_slate_asks_for_cheaper(world, user):
    dear = max(world.items, key=lambda item: item.number("price"))
    cheap = min(world.items, key=lambda item: item.number("price"))
    found = set()
    for seed in range(12):
        mind = Mind.of(replace(user, name=f"u{seed}", target=cheap, wishes=()), "price")
        move = mind.next(Move("open"), None, [dear], [])
        found.add((move.kind, move.bound))
    assert ("cheaper", dear.number("price")) in found
