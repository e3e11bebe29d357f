"""Masks agree with the meaning of the filter language on every item."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.extension import Extension
from retrieval.catalog import Item
from retrieval.errors import FilterError
from retrieval.filters import And, Compare, Filter, Not, Or, matches

ITEMS = [
    Item("1", "Blue leather shirt", fields={"colour": "Blue", "price": 20.0, "new": True}),
    Item("2", "Navy shirt", fields={"colour": "Navy Blue", "price": 35.0}),
    Item("3", "Red boots", "of soft leather", {"colour": "Red", "sizes": ("S", "M")}),
    Item("4", "Mystery box", fields={"price": 1.0, "released": "2020-05-01", "new": False}),
    Item("5", "One", fields={"colour": "blue", "price": True}),
]

COMPARES = [
    Compare("colour", "eq", "Blue"),
    Compare("colour", "in", ("blue", "Red")),
    Compare("colour", "not_in", ("Blue",)),
    Compare("price", "lt", 35),
    Compare("price", "gte", 20.0),
    Compare("sizes", "in", ("M",)),
    Compare("sizes", "ne", "M"),
    Compare("new", "in", ("true",)),
    Compare("released", "gt", "2020-01-01"),
    Compare("colour", "exists", False),
    Compare("colour", "contains", "navy"),
    Compare("text", "contains", "leather"),
    Compare("text", "not_contains", "leather boots"),
    Compare("unknown", "not_in", ("x",)),
]

filters = st.recursive(
    st.sampled_from(COMPARES),
    lambda part: st.one_of(
        st.lists(part, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(part, max_size=3).map(lambda parts: Or(tuple(parts))),
        part.map(Not),
    ),
    max_leaves=6,
)


@given(filters)
def test_mask_equals_matches_everywhere(filter: Filter):
    expected = [matches(filter, item) for item in ITEMS]
    assert Extension(ITEMS).mask(filter).tolist() == expected


@pytest.mark.parametrize(("name", "filter", "expected"), [
    ("colour", None, [("Blue", 1), ("Navy Blue", 1), ("Red", 1), ("blue", 1)]),
    ("colour", Compare("text", "contains", "shirt"), [("Blue", 1), ("Navy Blue", 1)]),
    ("sizes", None, [("M", 1), ("S", 1)]),
    ("colour", Compare("price", "lt", 0), []),
    ("unknown", None, []),
])  # fmt: skip
def test_facet_counts_values_among_matching(name, filter, expected):
    assert Extension(ITEMS).facet(name, filter) == expected
    assert Extension(ITEMS).facet(name, filter, limit=1) == expected[:1]


def test_facet_of_no_items_is_empty():
    assert Extension([]).facet("colour") == []


def test_mask_is_not_shared_state():
    extension = Extension(ITEMS)
    first = extension.mask(COMPARES[0])
    extension.mask(And((COMPARES[0], COMPARES[3])))
    assert first.tolist() == [True, False, False, False, True]


def test_masks_of_empty_catalog():
    assert Extension([]).mask(COMPARES[0]).tolist() == []


def test_text_refuses_other_comparisons():
    with pytest.raises(FilterError, match="contains"):
        Extension(ITEMS).mask(Compare("text", "eq", "leather"))
