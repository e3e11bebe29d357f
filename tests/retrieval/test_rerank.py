from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.catalog import Facet, Item
from retrieval.filters import matches
from retrieval.rerank import (
    availability_filter,
    available,
    diversify,
    near_number,
    overlap,
    quality,
)

RATING = Facet("rating", "numeric", "rating", "rating", low=1.0, high=5.0,
               quantiles=(2.0, 3.0, 4.0, 4.5, 5.0))  # fmt: skip
REVIEWS = Facet("reviews", "numeric", "reviews", "popularity", low=0.0, high=1000.0,
                quantiles=(0.0, 5.0, 20.0, 100.0, 500.0))  # fmt: skip


def item(**fields) -> Item:
    return Item("1", "thing", "", fields)


def same(left: str, right: str) -> float:
    return float(left[0] == right[0])


@pytest.mark.parametrize(
    ("ranked", "expected"),
    [
        ([("a1", 1.0), ("a2", 0.95), ("b1", 0.9)], ["a1", "b1"]),
        ([("a1", 1.0), ("a2", 0.95), ("b1", 0.5)], ["a1", "a2"]),
        ([("a1", 1.0)], ["a1"]),
        ([], []),
    ],
    ids=["near equals give way", "clear relevance stays", "too few", "none"],
)
def test_diversify_trades_only_near_equals(ranked, expected):
    assert diversify(ranked, same, 2, slack=0.2) == expected


@given(
    scores=st.lists(st.floats(0, 1), max_size=20),
    k=st.integers(0, 10),
    slack=st.floats(0, 1),
)
def test_diversify_keeps_things_once(scores, k, slack):
    ranked = [(f"{'ab'[i % 2]}{i}", s) for i, s in enumerate(sorted(scores, reverse=True))]
    chosen = diversify(ranked, same, k, slack)
    assert len(chosen) == len(set(chosen)) == min(k, len(ranked))
    assert not chosen or chosen[0] == ranked[0][0]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("boolean", True, True),
        ("boolean", False, False),
        ("numeric", 3.0, True),
        ("numeric", 0.0, False),
        ("categorical", "In stock", True),
        ("categorical", "Out of stock", False),
        ("categorical", "Discontinued", False),
        ("categorical", None, None),
    ],
)
def test_availability_is_read_from_any_kind(kind, value, expected):
    values = ((str(value), 1), ("In stock", 3)) if kind == "categorical" else ()
    facet = Facet("stock", kind, "stock", "availability", values=values)
    thing = item() if value is None else item(stock=value)
    assert available(thing, facet) is expected
    wanted = availability_filter(facet)
    assert matches(wanted, thing) is (expected is not False)


def test_few_ratings_count_less():
    facets = (RATING, REVIEWS)
    many = quality(item(rating=4.6, reviews=900.0), facets)
    one = quality(item(rating=5.0, reviews=1.0), facets)
    none = quality(item(), facets)
    assert many > one > none
    assert quality(item(rating=1.0, reviews=900.0), (RATING,)) == 0.0


def test_quality_without_ratings_is_neutral():
    assert quality(item(rating=5.0), ()) == 0.5


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [(10.0, 10.0, 1.0), (10.0, 20.0, 0.5), (20.0, 10.0, 0.5), (0.0, 5.0, 0.0), (0.0, 0.0, 1.0)],
)
def test_amounts_are_near_by_ratio(left, right, expected):
    assert near_number(left, right) == pytest.approx(expected)


def test_overlap_counts_shared_words():
    assert overlap({"a", "b"}, {"b", "c"}) == pytest.approx(1 / 3)
    assert overlap(set(), set()) == 0.0
