"""How the best passage stands beside the others."""

import numpy as np
import pytest

from agent.knowledge.features import chosen, standing

HERE, THERE = np.eye(2, dtype=np.float32)


@pytest.mark.parametrize(
    ("ranks", "pages", "expected"),
    [
        ([5.0], "a", 1),
        ([5.0, 4.0], "aa", 2),
        ([5.0, 4.0], "ab", 1),
        ([5.0, 4.5], "ab", 2),
        ([5.0, 3.0, 2.9], "aaa", 1),
    ],
)
def test_close_passages_are_quoted_together(ranks, pages, expected):
    assert chosen(ranks, pages) == expected


def test_what_says_the_same_is_no_rival():
    found = [{"best": 0.8}, {"best": 0.7}, {"best": 0.2}]
    ranks = [5.0, 4.0, 2.0]
    assert standing(ranks, found, [HERE, HERE, THERE], 1)["gap"] == pytest.approx(0.75)
    assert standing(ranks, found, [HERE, THERE, THERE], 1)["gap"] == pytest.approx(0.25)
    alone = standing(ranks, found, [HERE, HERE, HERE], 1)
    assert (alone["gap"], alone["stand"]) == (1.0, 0.8)
