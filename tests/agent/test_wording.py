from __future__ import annotations

import string
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.state import Constraint
from agent.wording import (
    clean,
    describe,
    listing,
    money,
    number,
    repeated,
    say,
    shown,
    table,
)
from retrieval.catalog import Facet

PRICE = Facet("price", "numeric", "price", "price", unit="EUR")
WIDTH = Facet("width", "numeric", "width", unit="cm")
PAGES = Facet("pages", "numeric", "pages")
STOCK = Facet("in_stock", "boolean", "in stock", "availability")


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (60.0, "EUR", "€60"),
        (39.95, "EUR", "€39.95"),
        (1234.5, "USD", "$1,234.50"),
        (0.0, "USD", "$0"),
        (345.0, "SAR", "SAR 345"),
        (34.5, "SAR", "SAR 34.50"),
        (12.0, "XXQ", "XXQ 12"),
        (12.5, None, "12.5"),
    ],
)
def test_money_reads_as_people_write_it(amount, currency, text):
    assert money(amount, currency) == text


@pytest.mark.parametrize(
    ("value", "text"), [(2011.0, "2011"), (4.30, "4.3"), (1780653.0, "1,780,653"), (0.0, "0")]
)
def test_numbers_have_no_needless_zeros(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("constraint", "facet", "text"),
    [
        ({"facet": "colour", "values": ("Blue", "Navy")}, None, "Blue or Navy"),
        ({"facet": "colour", "excluded": ("Red",)}, None, "not Red"),
        ({"facet": "colour", "values": tuple("abcdef")}, None, "a, b, c, d or others"),
        ({"facet": "text", "excluded": ("leather",)}, None, "without 'leather'"),
        ({"facet": "price", "high": 60.0, "high_strict": True}, PRICE, "under €60"),
        ({"facet": "price", "high": 60.0}, PRICE, "at most €60"),
        ({"facet": "price", "low": 20.0, "high": 60.0}, PRICE, "€20 to €60"),
        ({"facet": "price", "low": 90.0, "high": 60.0}, PRICE, "at least €90 and at most €60"),
        ({"facet": "width", "low": 20.0}, WIDTH, "at least 20 cm"),
        ({"facet": "pages", "low": 20.0, "low_strict": True}, PAGES, "pages over 20"),
        ({"facet": "in_stock", "values": ("true",)}, STOCK, "in stock"),
        ({"facet": "in_stock", "values": ("false",)}, STOCK, "in stock: no"),
        ({"facet": "published", "low": "2015-01-01"}, None, "from 2015-01-01"),
    ],
)
def test_constraints_read_as_people_say_them(constraint, facet, text):
    assert describe(Constraint(**constraint), facet, "EUR") == text


def test_describing_text_bounds_without_facet():
    assert shown(None, ("a", "b"), None) == "a and b"
    assert shown(None, True, None) == "yes"


@given(st.text(max_size=300), st.integers(5, 80))
def test_clean_text_is_one_short_plain_line(text, limit):
    line = clean(text, limit)
    assert len(line) <= limit
    assert line == " ".join(line.split())
    assert not any(ord(c) < 32 or c in "\u202e\u200b\x7f" for c in line)


def test_listing_joins_with_and():
    assert [listing(list("abc")[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]


def test_unknown_language_falls_back_to_english():
    assert table("xx") == table("en") == table("../en")


def test_seed_picks_a_variant():
    variants = table()["reply"]["reset"]
    assert [say("reply.reset", seed) for seed in range(3)] == [*variants, variants[0]]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("where is my order http://evil.example/z?", "where is my order …"),
        ("see www.evil.example now", "see … now"),
        ("a javascript:alert(1) b", "a … b"),
        ("log in at evil.example/login", "log in at …"),
        ("a node.js course, 3.5 mm, and/or 24/7", "a node.js course, 3.5 mm, and/or 24/7"),
    ],
)
def test_user_words_are_repeated_without_addresses(text, shown):
    assert repeated(text) == shown


def test_user_text_with_braces_is_kept():
    assert "{named}" in say("reply.gone", named="{named}")


def test_every_string_is_used_and_well_formed():
    root = Path(__file__).parents[2] / "agent"
    strings = tomllib.loads((root / "strings/en.toml").read_text(encoding="utf-8"))
    code = "".join(path.read_text(encoding="utf-8") for path in sorted(root.rglob("*.py")))
    for section, entries in strings.items():
        for name, entry in entries.items():
            assert f"{section}.{name}" in code or f'"{name}"' in code or name in _BUILT, name
            forms = entry.values() if isinstance(entry, dict) else [entry]
            texts = [t for form in forms for t in (form if isinstance(form, list) else [form])]
            assert all(list(string.Formatter().parse(text)) for text in texts)


_BUILT = {"nothing", "nothing_in", "nothing_more", "nothing_more_in", "near_price", "near_value"}
_BUILT |= set(table()["notes"]) | set(table()["languages"])
"""Names put together from parts in agent.relax, or gone through one by one."""
