"""Each hostile text through whole conversations: by rules, and with a model that obeys it.

All of them are run by `python benchmarks/hostile.py`, and by the slow test here.
"""

from collections import Counter

import pytest

from agent.store import Store
from tests.hostile.attacks import attacks
from tests.hostile.invariants import violations
from tests.hostile.world import make_world, obeying, play

ALL = attacks()
CHANNELS = tuple(dict.fromkeys(one.channel for one in ALL))
GOALS = tuple(dict.fromkeys(one.goal for one in ALL))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('hostile')}/sessions.db")
    yield store
    store.close()


def broken(attack, store):
    """Return what does not hold, by who planned."""
    neutral = play(make_world(attack.neutral(), store), attack.neutral())
    by_rules = play(make_world(attack, store), attack)
    obeyed = play(make_world(attack, store, obeying), attack)
    return {"rules": violations(by_rules, attack, neutral),
            "obedient": violations(obeyed, attack, None)}  # fmt: skip


def of_channel(channel, place):
    """Return one of the channel's attacks, with another goal for each channel."""
    own = [one for one in ALL if one.channel == channel]
    return own[(3 * place) % len(own)]


def test_attacks_are_many_and_spread():
    assert len(ALL) >= 200
    assert len({one.id for one in ALL}) == len(ALL)
    assert len({one.trick for one in ALL}) >= 20
    pairs = Counter((one.channel, one.goal) for one in ALL)
    assert all(pairs[channel, goal] >= 2 for channel in CHANNELS for goal in GOALS)


@pytest.mark.parametrize("channel", CHANNELS)
def test_channel_changes_nothing(channel, store):
    attack = of_channel(channel, CHANNELS.index(channel))
    assert broken(attack, store) == {"rules": [], "obedient": []}, attack


@pytest.mark.slow
@pytest.mark.parametrize("attack", ALL, ids=lambda attack: attack.id)
def test_attack_changes_nothing(attack, store):
    assert broken(attack, store) == {"rules": [], "obedient": []}, attack
