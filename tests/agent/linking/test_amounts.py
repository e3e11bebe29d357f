"""Amounts: numbers as written, the bounds they make, and the facet they are about."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.linking.amounts import AmountLinker
from agent.linking.bounds import bounded
from agent.linking.facets import FacetNames
from agent.linking.numbers import amounts, parse_number
from agent.linking.text import tokenize
from retrieval.catalog import Facet
from tests.agent.shop import FACETS

NAMES = FacetNames(FACETS)
LINKER = AmountLinker(FACETS, NAMES)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("60", 60.0),
        ("59.99", 59.99),
        ("12,5", 12.5),
        ("1,200", 1200.0),
        ("1.299,00", 1299.0),
        ("1,299.50", 1299.5),
        ("1.000.000", 1_000_000.0),
        ("1,000,000", 1_000_000.0),
    ],
)
def test_separators_are_understood(text, value):
    assert parse_number(text) == value


@given(st.integers(0, 10**9))
def test_grouped_digits_keep_value(number):
    assert parse_number(f"{number:,}") == number
    assert parse_number(f"{number:,}.25") == number + 0.25


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("fifty", [50]),
        ("twenty five", [25]),
        ("twenty-five", [25]),
        ("a hundred and fifty", [150]),
        ("two thousand three hundred", [2300]),
        ("2k", [2000]),
        ("3 thousand", [3000]),
        ("1.5k", [1500]),
        ("between ten and twenty", [10, 20]),
        ("the 2nd", []),
        ("this one", []),
        ("the first two", []),
        ("iphone 15", [15]),
        ("mp3", []),
        ("no numbers here", []),
        ("where is A-1234", []),
        ("order INV-2024-55 please", []),
        ("under-500", [500]),
        ("20-400", [20, 400]),
    ],
)
def test_numbers_are_read(text, values):
    assert [amount.value for amount in amounts(tokenize(text))] == values


@pytest.mark.parametrize(
    ("text", "currency", "unit"),
    [
        ("€60", "EUR", None),
        ("60 euros", "EUR", None),
        ("60€", "EUR", None),
        ("$60", "USD", None),
        ("50 bucks", "USD", None),
        ("twenty quid", "GBP", None),
        ("rs 500", "INR", None),
        ("80 cm", None, "cm"),
        ("80cm", None, "cm"),
        ("80-inch", None, "inch"),
        ("3 hours", None, "hours"),
        ("4 stars", None, "stars"),
        ("50 in blue", None, None),
    ],
)
def test_currencies_and_units_are_read(text, currency, unit):
    (amount,) = amounts(tokenize(text))
    assert (amount.currency, amount.unit) == (currency, unit)


def test_cents_are_hundredths():
    (amount,) = amounts(tokenize("99 cents"))
    assert amount.value == pytest.approx(0.99)


HIGH = ["under 60", "bring it down to 60", "raise it to 60", "below 60", "less than 60",
        "cheaper than 60", "max 60", "up to 60",
        "at most 60", "no more than 60", "60 or less", "60 max", "60 tops", "not over 60",
        "nothing over 60", "budget of 60", "my budget is 60", "< 60", "i can spend 60",
        "can't cost more than 60", "under sixty", "at most the 60"]  # fmt: skip
LOW = ["over 60", "above 60", "more than 60", "from 60", "at least 60", "min 60", "60 or more",
       "60 and up", "60+", "not under 60", "no less than 60", "starting at 60", "> 60",
       "nothing below 60", "60 upwards"]  # fmt: skip
BOTH = ["between 20 and 40", "20-40", "20 to 40", "from 20 to 40", "20 – 40", "between 40 and 20",
        "between twenty and forty", "€20 to €40", "20-40 euros", "from 20 up to 40"]  # fmt: skip
AROUND = ["around 50", "about 50", "roughly 50", "approximately 50", "50 or so", "~50", "50ish"]
YEARS = [("in the 80s", (1980, 1989)), ("the 1990s", (1990, 1999)), ("the 50s", (1950, 1959))]


def only(text):
    (bound,) = bounded(tokenize(text))
    return bound.low, bound.high


@pytest.mark.parametrize("text", HIGH)
def test_upper_bounds_are_read(text):
    assert only(text) == (None, 60.0)


@pytest.mark.parametrize("text", LOW)
def test_lower_bounds_are_read(text):
    assert only(text) == (60.0, None)


@pytest.mark.parametrize("text", BOTH)
def test_ranges_are_read(text):
    assert only(text) == (20.0, 40.0)


@pytest.mark.parametrize("text", AROUND)
def test_around_is_twenty_percent(text):
    assert only(text) == (pytest.approx(40.0), pytest.approx(60.0))


@pytest.mark.parametrize(("text", "years"), YEARS)
def test_decades_are_ten_years(text, years):
    assert only(text) == years


def linked(text):
    """Return (facet, low, high) of the number mentions of a text."""
    return [(m.facet, m.low, m.high) for m in LINKER.link(tokenize(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("under 60", ("price", None, 60.0)),
        ("50 bucks", ("price", None, 50.0)),
        ("€50", ("price", None, 50.0)),
        ("between 20 and 40 euros", ("price", 20.0, 40.0)),
        ("from 100 euros", ("price", 100.0, None)),
        ("rated 4+", ("rating", 4.0, None)),
        ("rating above 4.2", ("rating", 4.2, None)),
        ("at least 4 stars", ("rating", 4.0, None)),
        ("4 stars or better", ("rating", 4.0, None)),
        ("width under 90", ("width_cm", None, 90.0)),
        ("at most 90 cm", ("width_cm", None, 90.0)),
        ("max 90 cm wide", ("width_cm", None, 90.0)),
        ("narrower than 90 cm", ("width_cm", None, 90.0)),
        ("wider than 0.5 m", ("width_cm", 50.0, None)),
        ("between 70 and 90 cm", ("width_cm", 70.0, 90.0)),
        ("more than 100 reviews", ("reviews", 100.0, None)),
        ("published after 1980", ("published", "1981-01-01", None)),
        ("from the 80s", ("published", "1980-01-01", "1989-12-31")),
        ("1990 or newer", ("published", "1990-01-01", None)),
        ("before 1970", ("published", None, "1969-12-31")),
        ("between 1950 and 1980", ("published", "1950-01-01", "1980-12-31")),
        ("published in 1990", ("published", "1990-01-01", "1990-12-31")),
    ],
)
def test_numbers_find_their_facet(text, expected):
    ((facet, low, high),) = linked(text)
    if facet != "published":
        assert (facet, low, high) == expected
        return
    assert facet == expected[0]
    for day, (own, wanted) in {"low": (low, expected[1]), "high": (high, expected[2])}.items():
        assert (own is None) == (wanted is None), day
    kept = ["1954-07-29", "1969-12-31", "1970-01-01", "1980-01-01", "1980-12-31", "1981-01-01",
            "1989-12-31", "1990-01-01", "1990-12-31", "1991-01-01"]  # fmt: skip
    inside = [day for day in kept if (low or "") <= day <= (high or "9")]
    assert inside == [day for day in kept if (expected[1] or "") <= day <= (expected[2] or "9")]


@pytest.mark.parametrize(
    "text",
    [
        "after 1980",
        "before 1970",
        "before june 2016",
        "since 2001",
        "published after 50000",
        "published before 0",
    ],
)
def test_date_bounds_are_iso(text):
    for _, low, high in linked(text):
        for bound in filter(None, (low, high)):
            assert date.fromisoformat(bound)


def test_two_numbers_two_facets():
    assert linked("under 60 euros, rated over 4") == [
        ("price", None, 60.0),
        ("rating", 4.0, None),
    ]


def test_foreign_currency_is_said():
    (mention,) = LINKER.link(tokenize("under $60"))
    assert (mention.facet, mention.high, mention.unit) == ("price", 60.0, "USD")
    assert "EUR" in mention.note


def test_own_currency_needs_no_note():
    (mention,) = LINKER.link(tokenize("under €60"))
    assert (mention.unit, mention.note) == ("EUR", "")


def test_bare_number_is_unsure():
    (mention,) = LINKER.link(tokenize("60"))
    assert mention.facet == "price"
    assert mention.score < 0.5


@pytest.mark.parametrize("text", ["a free course", "gratis"])
def test_free_costs_nothing(text):
    assert linked(text) == [("price", None, 0.0)]


@pytest.mark.parametrize("text", ["sugar free", "sugar-free mist"])
def test_free_of_something_costs(text):
    assert linked(text) == []


def test_catalog_without_prices_has_none():
    rating = Facet("rating", "numeric", "rating", "rating", low=1.0, high=5.0)
    linker = AmountLinker((rating,), FacetNames((rating,)))
    assert [(m.facet, m.low) for m in linker.link(tokenize("under 60 euros, rated 4+"))] == [
        ("rating", 4.0)
    ]


def test_spans_hold_the_whole_phrase():
    text = "shoes between 20 and 40 euros please"
    (mention,) = LINKER.link(tokenize(text))
    assert text[mention.start : mention.end] == "between 20 and 40 euros"


@given(st.text(alphabet="0123456789.,€$-+ andbetwunorscmk#", max_size=60))
def test_any_digits_are_survived(text):
    for mention in LINKER.link(tokenize(text)):
        assert 0 <= mention.start < mention.end <= len(text)
        if isinstance(mention.low, float) and isinstance(mention.high, float):
            assert mention.low <= mention.high


@pytest.mark.parametrize(("text", "facet"), [("under 1500", "price"), ("before 1500", "published"),
                                             ("over 1990", "published")])  # fmt: skip
def test_a_year_that_nothing_is_near_is_a_price(mind, text, facet):
    assert [m.facet for m in mind.link(text) if m.kind == "number"] == [facet]
