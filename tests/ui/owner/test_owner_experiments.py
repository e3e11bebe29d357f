"""Experiments as the owner sees them: which ran, and what people's choices say."""

from datetime import UTC, datetime, timedelta

import pytest

from agent.errors import AdapterRefused, NoSuchAdapter, UserInputError
from finetune.registry import Change
from ui.experiments import compared
from ui.owner import deciding
from ui.owner.experiments import one_before, overview, trials

BASE = "house"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def change(hour, action, adapter=None, **facts):
    time = NOON + timedelta(hours=hour)
    return Change(hour, time, "ann", action, adapter, None, None, "", facts)


def test_trials_are_read_from_the_history():
    half = {"a": 0.5, "base": 0.5}
    history = [
        change(0, "promote", "a"), change(1, "canary", "b", share=0.1),
        change(2, "canary", "b", share=0.3), change(3, "end"),
        change(4, "experiment", title="taste", arms=half, interleaved=False),
        change(5, "reshare", arms={"base": 0.2, "a": 0.8}), change(6, "rollback", live=None),
        change(7, "canary", "b", share=0.2),
    ]  # fmt: skip
    canary, taste, last = trials(history)
    assert canary.arms == {"a": 0.7, "b": 0.3}
    assert (canary.begun.hour, canary.since.hour, canary.ended.hour) == (13, 14, 15)
    assert (taste.title, taste.arms, taste.ended_by) == ("taste", {"a": 0.8, "base": 0.2},
                                                         "rollback")  # fmt: skip
    assert last.arms == {"base": 0.8, "b": 0.2}
    assert last.ended is None


def test_retiring_an_arm_ends_its_trial():
    begun = change(0, "canary", "b", share=0.1)
    assert trials([begun, change(1, "retire", "c")])[0].ended is None
    assert trials([begun, change(1, "retire", "b")])[0].ended_by == "retire"


def test_project_without_adapters_has_no_experiments(tmp_path, store):
    told = overview(tmp_path / "none", store, BASE)
    assert (told["running"], told["past"], told["adapters"]) == (None, [], [])


def test_experiment_is_read_as_the_command_reads_it(learned, store, put, shop_as):
    project, (live, other, _) = learned
    arms = {"base": 0.5, other: 0.5}
    deciding.begin(project / "adapters", "taste", arms, interleaved=False, force=True, why="try")
    now = datetime.now(UTC)
    old = shop_as(99, BASE, bought=True, begun=now - timedelta(days=2))
    put(old, *(shop_as(n, BASE, bought=n % 5 == 0, begun=now) for n in range(25)),
        *(shop_as(n, other, bought=n % 5 != 0, begun=now) for n in range(25)))  # fmt: skip
    running = overview(project / "adapters", store, BASE)["running"]
    assert (running["sessions"], running["title"]) == (50, "taste")
    base, tried = running["per_arm"]
    assert (base["voice"], base["people"], base["wins"]) == (BASE, 25, 5)
    assert tried["success"]["mean"] == pytest.approx(0.8)
    assert 0 <= base["success"]["low"] < 0.2 < base["success"]["high"]
    (both,) = running["comparisons"]
    sessions = [one for one in store.logged() if one.id != old.id]
    reading, _ = compared(sessions, BASE, other)
    assert both["test"]["difference"] == reading.difference == pytest.approx(0.6)
    assert (both["test"]["decision"], both["test"]["low"]) == (reading.decision, reading.low)
    assert live != other


def test_few_people_have_no_interval(learned, store, put, shop_as):
    project, (_, other, _) = learned
    deciding.canary(project / "adapters", other, 0.2, force=False, why="")
    now = datetime.now(UTC)
    live = learned[1][0]
    put(*(shop_as(n, name, bought=True, begun=now) for n in range(3) for name in (live, other)))
    running = overview(project / "adapters", store, BASE)["running"]
    assert running["kind"] == "canary"
    assert running["comparisons"][0]["test"]["low"] is None
    assert running["per_arm"][0]["reward"] == {"mean": 1.0, "low": None, "high": None, "n": 3}


def test_nobody_yet_is_said(learned, store):
    project, (live, other, _) = learned
    deciding.canary(project / "adapters", other, 0.2, force=False, why="")
    running = overview(project / "adapters", store, BASE)["running"]
    (both,) = running["comparisons"]
    assert both["test"] is None
    assert f"no session was answered by {live!r}" in both["waiting"]


def test_interleaved_slates_are_counted(learned, store, put, shop_as):
    project, (_, other, _) = learned
    arms = {"base": 0.5, other: 0.5}
    deciding.begin(project / "adapters", "mix", arms, interleaved=True, force=True, why="")
    now = datetime.now(UTC)
    policy = f"interleave:AB+{other}"
    put(*(shop_as(n, BASE, bought=True, begun=now, policy=policy) for n in range(8)))
    (both,) = overview(project / "adapters", store, BASE)["running"]["comparisons"]
    assert (both["interleaved"]["wins_a"], both["interleaved"]["wins_b"]) == (0, 8)
    assert both["interleaved"]["decided"] == "B"
    assert both["test"] is None


def test_shares_change_and_people_stay(learned):
    project, (_, other, _) = learned
    folder = project / "adapters"
    deciding.begin(folder, "t", {"base": 0.5, other: 0.5}, interleaved=False, force=True, why="")
    with deciding.opened(folder) as registry:
        before = registry.routes()
    deciding.reshare(folder, {other: 0.9, "base": 0.1}, why="well so far")
    with deciding.opened(folder) as registry:
        after = registry.routes()
        assert registry.history()[-1].facts["arms"] == {other: 0.9, "base": 0.1}
    people = [f"person {n}" for n in range(400)]
    moved = [(before.assign(one), after.assign(one)) for one in people]
    assert (other, None) not in moved
    assert 0.05 < sum(arm is None for _, arm in moved) / len(people) < 0.15


@pytest.mark.parametrize(
    ("arms", "why"),
    [({"base": 0.5, "other": 0.4}, "add up"), ({"live": 0.5, "other": 0.5}, "end it to compare")],
)
def test_shares_that_do_not_fit_are_refused(learned, arms, why):
    project, (live, other, _) = learned
    folder = project / "adapters"
    deciding.begin(folder, "t", {"base": 0.5, other: 0.5}, interleaved=False, force=True, why="")
    named = {{"live": live, "other": other}.get(name, name): n for name, n in arms.items()}
    with pytest.raises(AdapterRefused, match=why):
        deciding.reshare(folder, named, why="")


def test_share_cannot_change_without_an_experiment(learned):
    project, (_, other, _) = learned
    with pytest.raises(AdapterRefused, match="no experiment is under way"):
        deciding.reshare(project / "adapters", {"base": 0.4, other: 0.6}, why="")


def test_interleaved_slates_have_one_share(learned):
    project, (_, other, _) = learned
    folder, arms = project / "adapters", {"base": 0.5, other: 0.5}
    deciding.begin(folder, "mix", arms, interleaved=True, force=True, why="")
    with pytest.raises(AdapterRefused, match="half of every interleaved slate"):
        deciding.reshare(folder, arms, why="")


def test_decisions_say_what_is_not_allowed(learned, tmp_path):
    project, (_, _, refused) = learned
    with pytest.raises(NoSuchAdapter, match="'nobody'"):
        deciding.promote(project / "adapters", "nobody", force=False, why="")
    with pytest.raises(AdapterRefused, match="the gate refused it"):
        deciding.promote(project / "adapters", refused, force=False, why="")
    with pytest.raises(AdapterRefused, match="no adapters yet"):
        deciding.rollback(tmp_path / "empty", why="")
    assert not (tmp_path / "empty").exists()


def test_past_experiment_is_read_again(learned, store):
    project, (_, other, _) = learned
    folder = project / "adapters"
    deciding.canary(folder, other, 0.2, force=False, why="")
    deciding.end(folder, why="enough")
    told = overview(folder, store, BASE)
    assert (told["running"], told["past"][0]["ended_by"]) == (None, "end")
    again = one_before(folder, store, BASE, told["past"][0]["begun"])
    assert again["per_arm"][1]["people"] == 0
    with pytest.raises(UserInputError, match="no experiment began"):
        one_before(folder, store, BASE, "yesterday")
