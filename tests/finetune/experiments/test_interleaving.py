"""Team-draft interleaving: fair when rankings are equal, quick to see the better one."""

from __future__ import annotations

import numpy as np
import pytest

from finetune.experiments.interleaving import Interleaved, compare, team_draft, winner

A = tuple("abcdefgh")
B = tuple("hgfedcba")


def test_teams_pick_in_turn_from_their_tops() -> None:
    slate = team_draft(A, B, 6, seed=1)
    assert len(set(slate.items)) == 6
    for pair in range(0, 6, 2):
        assert set(slate.teams[pair : pair + 2]) == {"A", "B"}
    assert slate.items[slate.teams.index("A")] == "a"
    assert slate.items[slate.teams.index("B")] == "h"


def test_same_seed_gives_same_slate() -> None:
    assert team_draft(A, B, 5, seed=7) == team_draft(A, B, 5, seed=7)
    assert len({team_draft(A, B, 5, seed=seed).teams for seed in range(20)}) > 1


@pytest.mark.parametrize(
    ("a", "b", "items"),
    [((), (), ()), (("x",), (), ("x",)), ((), ("x", "y"), ("x", "y")), (("x",), ("x",), ("x",))],
)
def test_short_rankings_give_short_slates(
    a: tuple[str, ...], b: tuple[str, ...], items: tuple[str, ...]
) -> None:
    assert team_draft(a, b, 5, seed=0).items == items


@pytest.mark.parametrize(
    ("chosen", "team"), [(["x"], "A"), (["y"], "B"), (["x", "y"], None), ([], None), (["?"], None)]
)
def test_choices_count_for_who_picked(chosen: list[str], team: str | None) -> None:
    assert winner(Interleaved(("x", "y"), ("A", "B")), chosen) == team


def clicks(a: tuple[str, ...], b: tuple[str, ...], slates: int, seed: int) -> list[str | None]:
    """People like early letters and look less at lower ranks."""
    chance, won = np.random.default_rng(seed), []
    for number in range(slates):
        slate = team_draft(a, b, 5, seed=1000 * seed + number)
        chosen = [
            id
            for rank, id in enumerate(slate.items)
            if chance.random() < 0.9**rank * (0.8 - 0.1 * A.index(id))
        ]
        won.append(winner(slate, chosen[:1]))
    return won


def test_better_ranking_wins_soon() -> None:
    found = [compare(clicks(A, B, 150, seed)) for seed in range(20)]  # type: ignore[arg-type]
    assert sum(one.decided == "A" for one in found) >= 18
    assert all(one.low < one.preference < one.high < 0.5 for one in found)


def test_equal_rankings_are_seldom_told_apart() -> None:
    found = [compare(clicks(A, A, 150, seed)) for seed in range(60)]  # type: ignore[arg-type]
    assert sum(one.decided is not None for one in found) <= 3 + 3


def test_no_slates_decide_nothing() -> None:
    nothing = compare([])
    assert (nothing.preference, nothing.evidence, nothing.decided) == (0.5, pytest.approx(1), None)
    assert (nothing.low, nothing.high) == (0.0, 1.0)


def test_ties_are_counted_apart() -> None:
    seen = compare(["A", None, "B", "B"])
    assert (seen.wins_a, seen.wins_b, seen.ties) == (1, 2, 1)
