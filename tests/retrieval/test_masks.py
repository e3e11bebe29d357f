"""Filters over coded columns agree with their definition on every item."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.catalog import Item
from retrieval.columns import Columns
from retrieval.errors import FilterError
from retrieval.filters import And, Compare, Not, Or, matches
from retrieval.masks import mask

WORDS = ["red", "Red", "blue dress", "dresses", "true", "True ", "v-neck", "1", "", " ", "straße"]
NAMES = ["colour", "price", "tags", "stock", "text"]

texts = st.sampled_from(WORDS) | st.text(max_size=4)
numbers = st.sampled_from([0.0, 1.0, -2.5, math.inf, math.nan, 1]) | st.floats(-5, 5)
lists = st.lists(texts, max_size=3).map(tuple)
values = texts | numbers | st.booleans() | lists
items = st.builds(
    Item,
    id=st.just("x"),
    title=texts,
    description=texts,
    fields=st.dictionaries(st.sampled_from(NAMES), values, max_size=4),
)
single = texts | numbers | st.booleans()
comparisons = (
    st.builds(
        Compare, st.sampled_from([*NAMES, "unheard of"]), st.sampled_from(["eq", "ne"]), values
    )
    | st.builds(
        Compare,
        st.sampled_from(NAMES),
        st.sampled_from(["in", "not_in"]),
        st.lists(single, max_size=3).map(tuple),
    )
    | st.builds(
        Compare,
        st.sampled_from(NAMES),
        st.sampled_from(["lt", "lte", "gt", "gte"]),
        texts | numbers,
    )
    | st.builds(Compare, st.sampled_from(NAMES), st.just("exists"), st.booleans())
    | st.builds(
        Compare,
        st.sampled_from(NAMES),
        st.sampled_from(["contains", "not_contains"]),
        st.lists(texts, max_size=3).map(" ".join),
    )
)
filters = st.recursive(
    comparisons,
    lambda part: (
        st.builds(Not, part)
        | st.lists(part, max_size=3).map(lambda parts: And(tuple(parts)))
        | st.lists(part, max_size=3).map(lambda parts: Or(tuple(parts)))
    ),
    max_leaves=5,
)


def columns_of(*batches):
    columns = Columns()
    for batch in batches:
        columns.extend(batch)
    return columns


@given(st.lists(items, max_size=6), st.lists(items, max_size=3), filters)
@settings(max_examples=1500, deadline=None)
def test_mask_equals_matches_everywhere(first, second, filter):
    columns = columns_of(first, second)
    expected = [matches(filter, item) for item in first + second]
    assert mask(columns, filter, len(expected)).tolist() == expected


@given(st.lists(items, min_size=2, max_size=6), filters, st.data())
@settings(max_examples=200, deadline=None)
def test_mask_ignores_later_rows(rows, filter, data):
    n = data.draw(st.integers(0, len(rows)))
    columns = columns_of(rows)
    assert mask(columns, filter, n).tolist() == [matches(filter, item) for item in rows[:n]]


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("leather", [True, False, False]),
        ("LEATHERS", [True, False, False]),
        ("leather boot", [True, False, False]),
        ("boot leather", [False, False, False]),
        ("faux", [False, True, False]),
        ("red green", [False, False, True]),
        ("nothing", [False, False, False]),
    ],
)
def test_phrase_needs_words_in_order(phrase, expected):
    columns = columns_of(
        [
            Item("1", "Leather boots"),
            Item("2", "Boots", description="faux-suede"),
            Item("3", "Boots", fields={"colours": ("red", "green")}),
        ]
    )
    assert mask(columns, Compare("text", "contains", phrase), 3).tolist() == expected


@pytest.mark.parametrize(
    ("compare", "message"),
    [
        (Compare("price", "lt", True), "needs a number"),
        (Compare("price", "gte", ("a",)), "needs a number"),
        (Compare("text", "contains", 3.0), "needs text"),
        (Compare("price", "like", "x"), "unknown comparison 'like'"),
    ],
)
def test_wrong_comparison_is_refused(compare, message):
    with pytest.raises(FilterError, match=message):
        mask(columns_of([Item("1", "a", fields={"price": 2.0})]), compare, 1)


def test_numbers_keep_their_kind():
    columns = columns_of([Item(str(n), "", fields={"x": v}) for n, v in enumerate([1, 1.0, True])])
    assert mask(columns, Compare("x", "eq", 1.0), 3).tolist() == [True, True, False]
    assert mask(columns, Compare("x", "eq", True), 3).tolist() == [False, False, True]
    assert mask(columns, Compare("x", "contains", "1"), 3).tolist() == [True, True, False]


@pytest.mark.parametrize(("descending", "expected"), [(False, [2.0, 1.0]), (True, [-2.0, -7.0])])
def test_sort_key_ignores_other_kinds(descending, expected):
    rows = [Item("1", "", fields={"x": v}) for v in (2.0, 1.0, True, "9", ())]
    rows[1] = Item("2", "", fields={"x": 7.0 if descending else 1.0})
    keys = columns_of(rows).sort_key("x", 5, descending)
    assert keys[:2].tolist() == expected
    assert np.isnan(keys[2:]).all()


def test_counts_take_each_item_once():
    column = columns_of([Item("1", "", fields={"x": ("a", "b", "a")})] * 3).fields["x"]
    assert column.counts(np.array([True, False, True])).tolist() == [2, 2]


def test_dates_sort_as_text():
    rows = [Item(d, "", fields={"d": d}) for d in ("2024-05-01", "2023-01-01", "2024-01-09")]
    assert columns_of(rows).fields["d"].sort_key(3, False).tolist() == [2, 0, 1]
