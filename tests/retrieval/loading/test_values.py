"""Cells to values: numbers, money, dates, truth values and lists as shops write them."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from retrieval.loading import values


@pytest.mark.parametrize(
    ("text", "decimal", "expected"),
    [
        ("12", ".", 12.0),
        ("-3.5", ".", -3.5),
        ("1,299", ".", 1299.0),
        ("1,299.50", ".", 1299.5),
        ("1,00,000", ".", 100000.0),
        ("12,5", ".", 12.5),
        ("1.299,00", ".", 1299.0),
        ("1.299", ",", 1299.0),
        ("1.299", ".", 1.299),
        ("1 299,95", ",", 1299.95),
        ("1'299.00", ".", 1299.0),
        ("1e3", ".", 1000.0),
        (Decimal("9.90"), ".", 9.9),
        (7, ".", 7.0),
    ],
)
def test_number_reads_grouped_and_decimal(text, decimal, expected):
    assert values.number(text, decimal) == expected


@pytest.mark.parametrize("text", ["abc", "12 apples", "1.2.3,4,5", "", "inf", "nan", "1_000", "-"])
def test_number_refuses_other_text(text):
    with pytest.raises(ValueError, match="not a"):
        values.number(text)


@pytest.mark.parametrize("value", [True, float("inf"), float("nan")])
def test_number_refuses_other_values(value):
    with pytest.raises(ValueError, match="not a"):
        values.number(value)


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("€49.95", 49.95, "EUR"),
        ("1.299,00 €", 1299.0, "EUR"),
        ("$1,200", 1200.0, "USD"),
        ("Rs. 99", 99.0, "INR"),
        ("₹1,00,000.50", 100000.5, "INR"),
        ("SR 2,375", 2375.0, "SAR"),
        ("99 kr", 99.0, "SEK"),
        ("USD 5", 5.0, "USD"),
        ("A$12", 12.0, "AUD"),
        ("49.95", 49.95, None),
        ("Rs. 500/-", 500.0, "INR"),
        ("SR 50/4 pack", 50.0, "SAR"),
        ("€5 per piece", 5.0, "EUR"),
        ("Free", 0.0, None),
    ],
)
def test_money_reads_symbols_and_codes(text, amount, currency):
    assert values.money(text) == (amount, currency)


@pytest.mark.parametrize("text", ["call us", "-5", "€ -5", "12 apples", "10-20", "€"])
def test_money_refuses_what_is_none(text):
    with pytest.raises(ValueError, match=r"not a price|below zero|not a number"):
        values.money(text)


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["1.299,00", "12,50"], ","),
        (["1,299.00", "12.50"], "."),
        (["12", "15"], "."),
        (["12,50 €", "3 €"], ","),
        (["1,299", "2,375"], "."),
    ],
)
def test_decimal_mark_of_columns(texts, mark):
    assert values.decimal_mark(texts) == mark


@pytest.mark.parametrize(
    "value", ["", " ", "NA", "n/a", "NULL", "None", "-", "No old price", None, float("nan"), [], {}]
)
def test_missing_marks_are_missing(value):
    assert values.missing(value)


@pytest.mark.parametrize("value", ["0", "No", 0, False, "a", [""], "Nana"])
def test_values_are_not_missing(value):
    assert not values.missing(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("TRUE", True), ("no", False), ("In stock", True), ("sold out", False), (1, True), (0, False)],
)
def test_truth_reads_yes_and_no(value, expected):
    assert values.truth(value) is expected


def test_truth_refuses_maybe():
    with pytest.raises(ValueError, match="neither yes nor no"):
        values.truth("perhaps")


@pytest.mark.parametrize(
    ("value", "format", "expected"),
    [
        ("2017-01-18", None, "2017-01-18"),
        ("2017-01-18T10:00:00Z", None, "2017-01-18"),
        ("18/01/2017", "%d/%m/%Y", "2017-01-18"),
        (date(2020, 2, 1), None, "2020-02-01"),
        (datetime(2020, 2, 1, 12), None, "2020-02-01"),
    ],
)
def test_iso_date_reads_formats(value, format, expected):
    assert values.iso_date(value, format) == expected


@pytest.mark.parametrize("text", ["2017", "20170118", "31/31/2017", "soon", "2017-02-30"])
def test_iso_date_refuses_other_text(text):
    with pytest.raises(ValueError, match="not a date"):
        values.iso_date(text)


def test_date_format_tells_day_from_month():
    assert values.date_format(["01/02/2020", "25/12/2020"]) == ("%d/%m/%Y", 1.0)
    assert values.date_format(["01/02/2020", "12/25/2020"]) == ("%m/%d/%Y", 1.0)
    assert values.date_format(["2020-01-02"]) == (None, 1.0)


@pytest.mark.parametrize(
    ("value", "separator", "expected"),
    [
        ("Adventure|Comedy", "|", ("Adventure", "Comedy")),
        ('["a", "b"]', None, ("a", "b")),
        ("['a', 'b']", None, ("a", "b")),
        (["a", "a", None, "NA", 3], None, ("a", "3")),
        ("one", None, ("one",)),
        ("[not a list]", None, ("[not a list]",)),
        (" , a ,, b", ",", ("a", "b")),
    ],
)
def test_text_list_splits_cells(value, separator, expected):
    assert values.text_list(value, separator) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  a\n b\t", "a b"),
        ("<p>Soft &amp; warm</p><br/>x", "Soft & warm x"),
        ("a\x00b\x1b[0m", "a b [0m"),
        ("5 < 6 and 7 > 2", "5 < 6 and 7 > 2"),
        (12.0, "12"),
        (True, "true"),
        ({"a": 1, "b": ["x", None]}, "1, x"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("👍🏽 naïve 高校", "👍🏽 naïve 高校"),
    ],
)
def test_as_text_cleans_any_cell(value, expected):
    assert values.as_text(value) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("12 cm", ("12", "cm")), ("2.5kg", ("2.5", "kg")), ("big", None)]
)
def test_with_unit_splits_number_and_unit(text, expected):
    assert values.with_unit(text) == expected
