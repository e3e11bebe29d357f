"""Labels: what is outside an upper bound cannot match, what is inside a lower bound does."""

import numpy as np
import pytest

from retrieval.catalog import Item
from retrieval.columns import Columns
from retrieval.engines.edge_labels import ALL, LABEL, NONE, choose_labels, load_labels
from retrieval.filters import And, Compare, Not, Or, matches
from tests.retrieval.recall_contract import SELECTIONS, crowd

ITEMS, _ = crowd(600)

FILTERS = {
    **{name: filter for name, filter in SELECTIONS.items() if filter is not None},
    "everything": And(),
    "nothing": Or(),
    "unknown facet": Compare("nothing", "eq", "x"),
    "not unknown": Compare("nothing", "ne", "x"),
    "unknown value": Compare("kind", "eq", "x"),
    "words of a field": Compare("kind", "contains", "kind"),
    "without words": Compare("kind", "not_contains", "3"),
    "odd value": Compare("price", "eq", "cheap"),
    "no part known": And((Compare("text", "contains", "thing"), Not(Compare("x", "exists", True)))),
}


@pytest.fixture(scope="module")
def columns():
    columns = Columns()
    columns.extend(ITEMS)
    return columns


def labelled(labels, columns, first=0, end=600):
    of_rows = labels.of_rows(columns, first, end)
    return [
        Item(str(row), "", fields={LABEL: tuple(map(str, of_rows.of(row).tolist()))})
        for row in range(end - first)
    ]


def worded(bound):
    """Return a bound as a filter on text, as our own language takes it."""
    match bound:
        case Compare(facet, op, labels):
            return Compare(facet, op, tuple(map(str, labels)))
        case Not(part):
            return Not(worded(part))
        case And(parts) | Or(parts):
            return type(bound)(tuple(map(worded, parts)))


@pytest.mark.parametrize("name", FILTERS)
def test_bounds_enclose_what_matches(columns, name):
    labels = choose_labels(columns, 0, len(ITEMS))
    rows = labelled(labels, columns)
    upper = worded(labels.bound(FILTERS[name], columns))
    lower = worded(labels.bound(FILTERS[name], columns, above=False))
    for item, row in zip(ITEMS, rows, strict=True):
        assert matches(lower, row) <= matches(FILTERS[name], item) <= matches(upper, row)


@pytest.mark.parametrize(
    ("name", "slack"),
    [("kin", 0), ("not kin", 0), ("none of two kinds", 0), ("list", 0), ("missing", 0),
     ("not one, missing too", 0), ("cheap", 20), ("range", 40), ("dates", 20)],
)  # fmt: skip
def test_bounds_are_tight_for_facets(columns, name, slack):
    labels = choose_labels(columns, 0, len(ITEMS))
    upper = worded(labels.bound(FILTERS[name], columns))
    outside = sum(
        matches(upper, row) and not matches(FILTERS[name], item)
        for item, row in zip(ITEMS, labelled(labels, columns), strict=True)
    )
    assert outside <= slack


@pytest.mark.parametrize("name", ["words", "no part known", "everything", "not unknown"])
def test_unknown_is_bounded_by_everything(columns, name):
    labels = choose_labels(columns, 0, len(ITEMS))
    assert labels.bound(FILTERS[name], columns) == ALL
    assert labels.bound(Not(FILTERS[name]), columns, above=False) == NONE


def test_unique_values_get_no_labels():
    columns = Columns()
    columns.extend(
        [Item(str(n), "", fields={"link": f"l{n}", "size": float(n % 3)}) for n in range(90)]
    )
    assert list(choose_labels(columns, 0, 90).groups) == ["size"]


def test_common_columns_come_first(monkeypatch, columns):
    monkeypatch.setattr("retrieval.engines.edge_labels.MOST_COLUMNS", 3)
    assert set(choose_labels(columns, 0, len(ITEMS)).groups) == {"kind", "price", "released"}


def test_labels_fit_columns_coded_anew(columns, tmp_path):
    labels = choose_labels(columns, 0, len(ITEMS))
    labels.save(columns, tmp_path / "labels.npz")
    backwards = Columns()
    backwards.extend([Item("new", "", fields={"kind": "kind 99"}), *ITEMS[::-1]])
    again = load_labels(tmp_path / "labels.npz", backwards)
    for filter in FILTERS.values():
        assert again.bound(filter, backwards) == labels.bound(filter, columns)
    assert again.groups["kind"][0] == -1


def test_later_values_are_in_no_group(columns):
    grown = Columns()
    grown.extend(ITEMS)
    labels = choose_labels(grown, 0, len(ITEMS))
    grown.extend([Item("late", "", fields={"kind": "kind 99", "price": 5000.0})])
    assert labels.bound(Compare("kind", "eq", "kind 99"), grown) == NONE
    assert labels.bound(Compare("price", "gt", 1000.0), grown) == NONE


def test_part_of_the_rows_is_labelled(columns):
    labels = choose_labels(columns, 100, 400)
    rows = labelled(labels, columns, 100, 400)
    upper = worded(labels.bound(FILTERS["cheap kin"], columns))
    assert all(
        matches(upper, row)
        for row, item in zip(rows, ITEMS[100:400], strict=True)
        if matches(FILTERS["cheap kin"], item)
    )


def test_rows_without_columns_have_no_labels():
    columns = Columns()
    columns.extend([Item("a", "x"), Item("b", "y")])
    labels = choose_labels(columns, 0, 2)
    of_rows = labels.of_rows(columns, 0, 2)
    assert [of_rows.of(row).tolist() for row in range(2)] == [[], []]
    assert labels.bound(Compare("kind", "eq", "x"), columns) == ALL
    np.testing.assert_array_equal(of_rows.starts, [0, 0, 0])


@pytest.mark.parametrize(
    "name", ["kin", "not kin", "none of two kinds", "cheap", "missing", "list"]
)
def test_share_of_a_bound_is_estimated(columns, name):
    labels = choose_labels(columns, 0, len(ITEMS))
    bound = labels.bound(FILTERS[name], columns)
    inside = sum(matches(worded(bound), row) for row in labelled(labels, columns))
    assert labels.share(bound) == pytest.approx(inside / len(ITEMS), abs=0.1)


def test_share_of_everything_and_nothing(columns):
    labels = choose_labels(columns, 0, len(ITEMS))
    assert (labels.share(ALL), labels.share(NONE)) == (1, 0)
