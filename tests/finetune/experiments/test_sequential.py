"""Sequential tests: looking often does not fool them, effects are found, bad input is told."""

from __future__ import annotations

import math

import numpy as np
import pytest

from finetune.errors import DataError
from finetune.experiments.sequential import (
    LEAST,
    Arms,
    first_decision,
    half_width,
    read,
    users_needed,
)


def stream(users: int, effect: float, seed: int) -> list[tuple[bool, float]]:
    chance = np.random.default_rng(seed)
    tried = chance.random(users) < 0.5
    outcome = (chance.random(users) < 0.5 + effect * tried).astype(float)
    return list(zip(tried.tolist(), outcome.tolist(), strict=True))


def test_peeking_keeps_the_error_rate() -> None:
    wrong = sum(first_decision(stream(800, 0.0, seed), every=20) is not None for seed in range(200))
    assert wrong <= 200 * 0.05 + 2 * math.sqrt(200 * 0.05 * 0.95)


def test_looking_often_fools_a_plain_test() -> None:
    """The same streams, judged at each look by an interval of one look."""
    wrong = 0
    for seed in range(200):
        users = stream(800, 0.0, seed)
        for seen in range(40, 801, 20):
            arms = [[y for tried, y in users[:seen] if tried is arm] for arm in (False, True)]
            means, spread = [np.mean(arm) for arm in arms], sum(np.var(a) / len(a) for a in arms)
            if abs(means[1] - means[0]) > 1.96 * math.sqrt(spread):
                wrong += 1
                break
    assert wrong > 30


def test_effects_are_found_with_their_sign() -> None:
    better = [first_decision(stream(2000, 0.2, seed), every=50) for seed in range(20)]
    worse = [first_decision(stream(2000, -0.2, seed), every=50) for seed in range(20)]
    assert sum(one is not None and one.decision == "better" for one in better) >= 19
    assert sum(one is not None and one.decision == "worse" for one in worse) >= 19


def test_nothing_is_said_of_a_few() -> None:
    reading = read(Arms((0.0,) * (LEAST - 1), (1.0,) * LEAST))
    assert reading.decision == "undecided"
    assert math.isinf(reading.high)


def test_width_is_least_near_its_aim() -> None:
    relative = {
        aim: half_width(400, 1 / 400, aim=aim) for aim in (50, 400, 4000)
    }  # variance of a mean of 400
    assert min(relative, key=lambda aim: relative[aim]) == 400
    assert relative[400] > 1.96 / 20


def test_users_needed_fall_with_the_effect() -> None:
    few, many = users_needed(0.2, 0.5), users_needed(0.1, 0.5)
    assert few < many
    assert half_width(many, 4 * 0.25 / many, aim=many) == pytest.approx(0.1, rel=0.01)
    with pytest.raises(DataError, match="would not show"):
        users_needed(1e-6, 1.0)


@pytest.mark.parametrize(
    ("arms", "told"),
    [
        (Arms((), (1.0,)), "nobody is in the control arm"),
        (Arms((1.0,), ()), "nobody is in the trial arm"),
        (Arms((1.0,), (math.nan,)), "trial arm is no number"),
    ],
)
def test_bad_arms_are_told(arms: Arms, told: str) -> None:
    with pytest.raises(DataError, match=told):
        read(arms)
