"""Filters in Qdrant's terms: they hold where `matches` says so, or are known to be bounds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("qdrant_client", reason="needs attune[qdrant]")

from qdrant_client import models
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc
from qdrant_client.local.payload_filters import check_filter

from retrieval.catalog import Item
from retrieval.engines.qdrant_filters import Bounds, all_of, any_of, negate, translate
from retrieval.engines.qdrant_payload import (
    date_number,
    first_date_from,
    key_of,
    kinds_of,
    payload_of,
    point_id,
    restored,
    storable,
)
from retrieval.errors import FilterError
from retrieval.filters import And, Compare, Not, Or, matches
from tests.retrieval.test_masks import filters, items

DATES = ["2024-03-01", "2024-02-29", "0000-00-00", "9999-99-99", "2024-03-10"]
dated = st.builds(
    Item,
    id=st.just("x"),
    title=st.just("thing"),
    fields=st.fixed_dictionaries(
        {},
        optional={"colour": st.sampled_from([*DATES, "spring"]), "tags": st.just(tuple(DATES[:2]))},
    ),
)
by_date = st.builds(
    Compare,
    st.sampled_from(["colour", "tags"]),
    st.sampled_from(["lt", "lte", "gt", "gte"]),
    st.sampled_from([*DATES, "2024", "2024-03", "2024-03-01T10", "2024-3", "spring", "", "/"]),
)


def holds(condition, item):
    """Return whether Qdrant's local mode finds an item by a condition."""
    if isinstance(condition, bool):
        return condition
    filter = models.Filter.model_validate({"must": [condition]})
    return check_filter(filter, payload_of(item, "{}", 1, 1), point_id(item.id), {})


@given(st.one_of(items, dated), st.one_of(filters, by_date, by_date.map(Not)), st.booleans())
@settings(max_examples=600, deadline=None)
def test_bounds_enclose_what_matches(item, filter, pessimist):
    kinds = kinds_of(item)
    bounds = translate(filter, lambda name: pessimist or "text" in kinds.get(name, ()))
    assert holds(bounds.lower, item) <= matches(filter, item) <= holds(bounds.upper, item)
    if bounds.exact:
        assert holds(bounds.upper, item) == matches(filter, item)


@given(
    st.sampled_from(DATES),
    st.one_of(st.sampled_from(DATES), st.text("0123456789-/:T~", max_size=12)),
)
@settings(max_examples=400)
def test_dates_compare_like_their_texts(date, bound):
    assert (date_number(date) >= first_date_from(bound)) == (date >= bound)


@pytest.mark.parametrize(
    ("bound", "first"),
    [
        ("2024-03-01", 20240301),
        ("2024-03", 20240300),
        ("2024-03-01T12", 20240302),
        ("2024/03", 20250000),
        ("2024 03", 20240000),
        ("", 0),
        ("x", 100000000),
    ],
)
def test_first_date_is_next_to_bound(bound, first):
    assert first_date_from(bound) == first


@pytest.mark.parametrize(
    ("filter", "exact"),
    [
        (Compare("colour", "eq", "blue"), True),
        (Compare("price", "lt", 5.0), True),
        (Compare("released", "gte", "2024-01-01"), True),
        (Compare("brand", "gte", "m"), False),
        (Not(Compare("brand", "gte", "m")), False),
        (And((Compare("brand", "gte", "m"), Compare("price", "lt", 5.0))), False),
        (And((Compare("brand", "gte", "m"), Or())), True),
        (Compare("number", "eq", 2**60), False),
    ],
    ids=str,
)
def test_only_ordered_texts_are_inexact(filter, exact):
    assert translate(filter, lambda name: name == "brand").exact == exact


@given(items, filters)
@settings(max_examples=100, deadline=None)
def test_conditions_survive_grpc(item, filter):
    upper = translate(filter, lambda name: True).upper
    if not isinstance(upper, bool):
        sent = models.Filter.model_validate({"must": [upper]})
        payload = payload_of(item, "{}", 1, 1)
        came = GrpcToRest.convert_filter(RestToGrpc.convert_filter(sent))
        assert check_filter(came, payload, point_id("x"), {}) == holds(upper, item)


def test_conditions_are_simplified():
    part = {"key": "a"}
    assert all_of([True, part, True]) == any_of([False, part]) == part
    assert (all_of([]), all_of([part, False]), any_of([]), any_of([part, True])) == (
        True,
        False,
        False,
        True,
    )
    assert (negate(True), negate(False), negate(part)) == (False, True, {"must_not": [part]})
    assert Bounds(part, False).negated() == Bounds(True, {"must_not": [part]})


@pytest.mark.parametrize(
    ("filter", "message"),
    [
        (Compare("price", "lt", True), "needs a number"),
        (Compare("price", "gte", ("a",)), "needs a number"),
        (Compare("text", "contains", 1.0), "needs text"),
        (Compare("price", "near", 1.0), "unknown comparison"),
    ],
)
def test_wrong_comparisons_are_refused(filter, message):
    with pytest.raises(FilterError, match=message):
        translate(Not(filter), lambda name: False)


@given(st.text(st.characters(exclude_categories=()) | st.sampled_from("\ud800\ufffd\x00d8")))
def test_any_text_can_be_stored(text):
    stored = storable(text)
    assert restored(stored.encode("utf-8").decode("utf-8")) == text
    assert "\x00" not in stored


def test_keys_are_safe_and_different():
    names = ["colour", "Colour", "base colour", "a.b", "a[b]", "größe", "\ud800", "", "x" * 65]
    keys = [key_of(name) for name in names]
    assert len(set(keys)) == len(names)
    assert keys[0] == "colour"
    assert all(key.isascii() and len(key) <= 64 and not set(key) & set('."[] ') for key in keys)


def test_payload_holds_every_form():
    fields = {"a b": ("True", "Lät it"), "n": 1.5, "on": True, "day": "2024-03-01", "none": ()}
    payload = payload_of(Item("x", "Two Shoes", "", fields), "{}", 7, 5)
    odd = key_of("a b")
    assert payload["k"] == [
        f"{odd}=lät it", f"{odd}=true", f"{odd}?true", "on?true", "day=2024-03-01",
    ]  # fmt: skip
    assert payload["n"] == {"n": [1.5]}
    assert payload["d"] == {"day": [20240301]}
    assert payload["v"] == {
        odd: ["=Lät it", "=True"],
        "n": ["=1.5"],
        "on": ["=true"],
        "day": ["=2024-03-01"],
    }
    assert payload["t"] == "two shoe true lät it 2024 03 01"
    assert set(payload["e"]) == {f"={odd}", f"!{odd}", f"~{odd}", "=n", "~n", "=on", "~on", "=day",
                                 "~day"}  # fmt: skip
    assert (payload["seq"], payload["length"]) == (7, 5)


def test_words_of_fields_stay_apart():
    item = Item("x", "", "", {"a": "red shoe", "b": ("blue", "sock")})
    for phrase, fields in (
        ("red shoes", "a"),
        ("shoe blue", ""),
        ("blue socks", "b"),
        ("red", "a"),
    ):
        for field in "ab":
            bounds = translate(Compare(field, "contains", phrase), lambda name: False)
            assert holds(bounds.upper, item) == (field in fields)


def test_kinds_tell_how_to_sort():
    fields = {"a": ("2024-03-01", "x"), "b": ("x", "y"), "c": 1, "d": True, "e": ()}
    kinds = kinds_of(Item("x", "", "", fields))
    assert kinds == {"a": {"date", "text", "many"}, "b": {"text"}, "c": {"number"}, "d": {"flag"}}
