from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from finetune.simulator.behaviour import Deed, browsing, critique, events, looked_at, taking
from finetune.simulator.population import Population
from finetune.simulator.speech import Move
from finetune.simulator.users import draw_users


@pytest.fixture(scope="module")
def users(world):
    return draw_users(world, Population(examine=1.0), 400, 2)


def test_looking_falls_with_the_rank(world, users):
    seen = Counter(rank for user in users for rank, _ in looked_at(user, world.items[:5], 1))
    shares = [seen[rank] / len(users) for rank in range(1, 6)]
    for rank, share in enumerate(shares, start=1):
        assert share == pytest.approx(1 / rank, abs=0.08)


def test_clicks_fall_with_the_rank(world, users):
    clicks = Counter()
    for user in users:
        slate = [user.target] * 5
        for rank, item in looked_at(user, slate, 1):
            kinds = [deed.kind for deed in browsing(user, [(rank, item)], 1)]
            clicks[rank] += "click" in kinds
    assert clicks[1] > 1.5 * clicks[2] > 1.5 * clicks[5] > 0


def test_looking_does_not_depend_on_items(world, users):
    one, other = world.items[:5], world.items[5:10]
    ranks = [[rank for rank, _ in looked_at(users[0], slate, 3)] for slate in (one, other)]
    assert ranks[0] == ranks[1]


def test_irrelevant_items_are_never_clicked(world, users):
    for user in (one for one in users if all(wish.kind == "want" for wish in one.wishes)):
        other = next(i for i in world.items if not any(wish.met(i) for wish in user.wishes))
        assert all(deed.kind == "reject" for deed in browsing(user, [(1, other)], 1))


def test_taking_selects_and_rates(world, users):
    deeds = [taking(user, user.target, 4.6, 1) for user in users[:50]]
    assert all([deed.kind for deed in own][:2] == ["click", "select"] for own in deeds)
    assert {own[-1].value for own in deeds} == {5.0}
    bought = [deed.value for own in deeds for deed in own if deed.kind == "purchase"]
    assert 10 < len(bought) < 40


def test_critique_is_of_the_breaking_item(world, users):
    user = next(one for one in users if any(w.kind == "avoid" for w in one.wishes))
    wish = next(w for w in user.wishes if w.kind == "avoid")
    broken = next(item for item in world.items if not wish.met(item))
    move = Move("avoid", (wish,))
    found = [critique(user, [(1, user.target), (2, broken)], move, f"not {i}") for i in range(60)]
    made = [own[0] for own in found if own]
    assert 5 < len(made) < 40
    assert {(deed.kind, deed.item_id) for deed in made} == {("critique", broken.id)}
    assert critique(user, [(1, user.target)], move, "not 1") == []


def test_times_rise_and_have_passed():
    begun = datetime.now(UTC)
    made = events([Deed("click", "7"), Deed("select", "7"), Deed("rating", "7", 4.0)], "s", True)
    times = [event.time for event in made]
    assert times == sorted(set(times))
    assert times[-1] <= datetime.now(UTC)
    assert (begun - times[0]).total_seconds() < 0.001


def test_refused_consent_is_on_every_event():
    made = events([Deed("click", "7"), Deed("select", "7")], "s", False)
    assert [event.consent for event in made] == [False, False]


def test_eta_nought_looks_at_all(world, users):
    user = replace(users[0], population=Population(examine=0.0))
    assert len(looked_at(user, world.items[:5], 1)) == 5
