from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from finetune.simulator.leaks import leaked
from finetune.simulator.mind import Mind
from finetune.simulator.population import Population
from finetune.simulator.speech import Move
from finetune.simulator.taste import Taste
from finetune.simulator.users import draw_users
from finetune.simulator.wording import by_phrases

PLAIN = Population(vague=0.6, changes=0.5)


@pytest.fixture(scope="module")
def users(world):
    return draw_users(world, PLAIN, 500, 1)


def test_same_seed_same_users(world, users):
    assert [one.target.id for one in draw_users(world, PLAIN, 20, 1)] == [
        one.target.id for one in users[:20]
    ]
    assert [one.wishes for one in draw_users(world, PLAIN, 20, 1)] == [
        one.wishes for one in users[:20]
    ]


def test_fewer_users_are_the_first(world, users):
    assert [one.target for one in draw_users(world, PLAIN, 5, 1)] == [u.target for u in users[:5]]


def test_wishes_hold_for_the_target(users):
    for user in users:
        assert all(wish.met(user.target) for wish in user.wishes)
        assert user.accepts(user.target)
        assert user.relevance(user.target) == 1.0


def test_every_kind_of_wish_occurs(users):
    kinds = Counter(wish.kind for user in users for wish in user.wishes)
    assert min(kinds[kind] for kind in ("want", "avoid", "below")) > 50
    assert any(user.vague for user in users)
    assert any(user.wide for user in users)
    assert any(wish.decoy for user in users for wish in user.wishes)


def test_broken_wish_is_never_taken(world, users):
    for user in users[:50]:
        for item in world.items:
            if item.id != user.target.id and user.accepts(item):
                assert all(wish.met(item) for wish in user.wishes)


def test_nobody_names_their_target(users):
    for user in users:
        for move in moves(user):
            for seed in range(3):
                text = by_phrases(move, user, (), Random(seed))
                assert not leaked(text, user.target), (text, user.target.title)


def moves(user):
    """Yield everything a user could come to say, wish by wish and all at once."""
    yield Mind.of(user, "price").first()
    yield Move("open", user.wishes[:2])
    for wish in user.wishes:
        yield Move(wish.kind, (wish,))
        yield Move("repair", (wish,), of=wish.kind)
        yield Move("like", (wish,), rank=2, item_id="x")
    for word in user.vague:
        yield Move("vague", text=word)


def test_taste_draws_the_targets(world):
    liked = {"colour": {"Red": 2.0, "Blue": -2.0}}
    drawn = draw_users(world, replace(PLAIN, taste=liked, sharpness=3.0), 100, 0)
    colours = Counter(one.target.fields.get("colour") for one in drawn)
    assert colours["Red"] > 5 * colours["Blue"]


def test_utility_adds_taste_and_likeness(world, users):
    user = next(one for one in users if one.further)
    same = replace(user, taste=Taste({}, {}, {}))
    assert same.utility(user.target) == PLAIN.alike
    other = next(i for i in world.items if i.fields.get("brand") != user.target.fields["brand"])
    assert same.utility(other) < PLAIN.alike


def test_slopes_rise_with_the_level(world):
    price = world.price
    taste = Taste({}, {price.name: 1.0}, {price.name: price.quantiles})
    dear = max(world.items, key=lambda item: item.number(price.name))
    cheap = min(world.items, key=lambda item: item.number(price.name))
    assert (taste.of(cheap), taste.of(dear)) == (0.0, 1.0)
