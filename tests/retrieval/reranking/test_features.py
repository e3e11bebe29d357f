from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.reranking.behaviour import Behaviour, Counts, from_json, query_key, to_json
from retrieval.reranking.features import (
    BEHAVIOUR_NAMES,
    FEATURES,
    NAMES,
    features,
    stems,
)
from retrieval.reranking.protocol import NO_CONTEXT, Context, Wanted
from tests.retrieval.reranking.goods import (
    BAD,
    CANDIDATES,
    CONTEXT,
    FACETS,
    SHIRT,
    SHOE,
    SOCK,
    candidate,
)


def column(name, query="blue running shirt", candidates=CANDIDATES, context=CONTEXT):
    return features(query, candidates, context)[:, NAMES.index(name)].tolist()


def same(found, expected):
    return found == pytest.approx(expected, nan_ok=True, abs=1e-6)


NAN = float("nan")


def test_matrix_has_a_row_each_and_named_columns():
    matrix = features("shirt", CANDIDATES, CONTEXT)
    assert (matrix.shape, matrix.dtype) == ((4, len(NAMES)), np.float32)
    assert features("shirt", [], CONTEXT).shape == (0, len(NAMES))
    assert NAMES[-len(BEHAVIOUR_NAMES) :] == BEHAVIOUR_NAMES
    assert all(FEATURES.values())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dense", [0.8, 0.7, 0.2, NAN]),
        ("lexical", [5.0, 8.0, NAN, NAN]),
        ("fused", [0.033, 0.032, 0.016, NAN]),
        ("dense_reciprocal_rank", [1, 1 / 2, 1 / 3, NAN]),
        ("lexical_reciprocal_rank", [1 / 2, 1, NAN, NAN]),
        ("dense_gap", [0, 0.1, 0.6, NAN]),
        ("lexical_share", [0.625, 1, NAN, NAN]),
        ("query_length", [3, 3, 3, 3]),
        ("title_words", [1, 1 / 3, 0, 0]),
        ("text_words", [1, 2 / 3, 0, 0]),
        ("title_covered", [1, 1 / 3, 0, NAN]),
        ("title_exact", [1, 0, 0, 0]),
        ("title_bigrams", [1, 0, 0, 0]),
        ("title_first", [0, 0, 1, 1]),
        ("last_word", [1, 0, 0, 0]),
        ("numbers", [NAN] * 4),
        ("facets_met", [1, 0, 0, 0]),
        ("facets_broken", [0, 1, 0, 0]),
        ("price_distance", [np.log(2), np.log(2), NAN, NAN]),
        ("price_relative", [-np.log(2), np.log(2), NAN, NAN]),
        ("rating", [(4.5 * 999 + 4 * 20) / 1019 / 4 - 0.25, 0.75, NAN, NAN]),
        ("popularity", [np.log(1000) / np.log(1001), 0, NAN, NAN]),
        ("available", [1, 0, NAN, NAN]),
        ("item_clicked_count", [NAN] * 4),
    ],
)
def test_features_of_known_goods(name, expected):
    assert same(column(name), expected)


def test_word_order_is_told_apart():
    boxes = [candidate("1", "phone case red"), candidate("2", "case for a red phone")]
    assert column("title_order", "phone case", boxes) == [1, 0]
    assert column("title_bigrams", "phone case", boxes) == [1, 0]
    gap = [candidate("3", "phone leather case")]
    assert column("title_order", "phone case", gap) == [1]
    assert column("title_bigrams", "phone case", gap) == [0]


def test_numbers_of_the_query_are_looked_for():
    assert column("numbers", "4x4 sock 10mm") == [0, 0, 0.5, 0]


def test_recency_is_relative_to_the_catalog():
    dated = [replace(SHIRT, item=replace(SHIRT.item, fields={"released": day}))
             for day in ("2021-07-29", "2024-04-24", "2022-12-11", "?")]  # fmt: skip
    assert same(column("recency", candidates=dated), [0, 1, 0.5, NAN])


def test_equal_scores_share_a_rank():
    tied = [replace(SHIRT, dense=d) for d in (0.5, 0.9, 0.5, 0.1)]
    assert same(column("dense_reciprocal_rank", candidates=tied), [1 / 2, 1, 1 / 2, 1 / 4])


def test_unknown_facets_and_prices_are_not_guessed():
    assert same(column("facets_met", context=Context(FACETS)), [NAN] * 4)
    assert same(column("price_distance", context=Context(FACETS)), [NAN] * 4)
    assert same(column("price_relative", context=NO_CONTEXT), [NAN] * 4)
    wanted = Context(FACETS, (Wanted("colour", ("Blue",)), Wanted("size", ("XL",))))
    assert column("facets_met", context=wanted) == [0.5, 0, 0, 0]
    assert column("facets_broken", context=wanted) == [0, 0.5, 0, 0]


@given(st.permutations(CANDIDATES), st.text(max_size=30))
def test_rows_do_not_depend_on_their_order(order, query):
    rows = dict(zip((one.item.id for one in order), features(query, order, CONTEXT), strict=True))
    again = features(query, CANDIDATES, CONTEXT)
    for one, row in zip(CANDIDATES, again, strict=True):
        assert np.array_equal(rows[one.item.id], row, equal_nan=True)


def test_nothing_infinite_reaches_a_model():
    huge = candidate("h", "h", float("inf"), float("-inf"), 1e300, price=float("inf"))
    assert not np.isinf(features("h", [huge, BAD], Context(FACETS, amount=float("inf")))).any()


def test_stems_keep_stop_words_only_when_alone():
    assert stems("the running shoes") == ("run", "shoe")
    assert stems("to be") == ("to", "be")
    assert stems("") == ()


BLUE = Behaviour(
    {"a": Counts(80, 16, 4, 0), "b": Counts(20, 0, 0, 0)},
    {("blue shirt", "a"): Counts(20, 6, 2, 0)},
    Counts(100, 10, 5, 0),
)


def test_rates_are_shrunk_to_what_is_expected():
    clicked, rate, pair, pair_rate = BLUE.values(" Blue  SHIRT ", "a")[:4]
    assert (clicked, pair) == (16, 6)
    assert rate == pytest.approx((16 + 20 * 0.1) / (80 + 20))
    assert pair_rate == pytest.approx((6 + 20 * rate) / (20 + 20))


def test_what_was_never_shown_has_the_expected_rate():
    clicked, rate, pair, pair_rate = BLUE.values("blue shirt", "new")[:4]
    assert (clicked, pair) == (0, 0)
    assert rate == pair_rate == pytest.approx(0.1)
    assert Behaviour().values("x", "y") == [0.0] * len(BEHAVIOUR_NAMES)


def test_behaviour_columns_follow_the_table():
    context = replace(CONTEXT, behaviour=BLUE)
    found = column("item_clicked_count", "blue shirt", (SHIRT, SHOE, SOCK), context)
    assert found == [16, 0, 0]
    assert column("pair_selected_count", "blue shirt", (SHIRT, SHOE), context) == [2, 0]
    rates = column("item_clicked_rate", "x", (SHIRT, SHOE, SOCK), context)
    assert rates[0] > rates[2] > rates[1]


def test_table_survives_json():
    assert from_json(to_json(BLUE)) == BLUE
    assert query_key("  Blue\tSHIRT ") == "blue shirt"
