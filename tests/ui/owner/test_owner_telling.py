"""Times, numbers and tables as people read them; all text in them escaped."""

from datetime import UTC, datetime, timedelta

import pytest

from ui.web.owner.pieces import bars, confirm, flags, grid, opens, whiskers
from ui.web.owner.telling import (
    ago,
    between,
    lasted,
    listed,
    number,
    percent,
    plural,
    short,
    signed,
    yes,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
EVIL = '<img src=x onerror="alert(1)">'


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ({"seconds": 3}, "just now"), ({"seconds": 61}, "1 min ago"),
        ({"minutes": 44}, "44 min ago"), ({"hours": 5}, "5 h ago"), ({"days": 1}, "yesterday"),
        ({"days": 6}, "6 days ago"),
        ({"days": 40}, "14 Oct 2026"),
    ],
)  # fmt: skip
def test_moments_are_told_from_now(before, said):
    told = ago((NOW - timedelta(**before)).isoformat(), NOW)
    assert f">{said}<" in told
    assert "datetime=" in told


def test_no_moment_is_a_dash():
    assert ago(None) == ago("") == "–"


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lasted(3.24), "3.2 s"), (lasted(80), "1 min 20 s"), (lasted(7_500), "2 h 5 min"),
        (percent(0.991, 1), "99.1%"), (percent(None), "–"), (number(1234), "1,234"),
        (number(0.99149), "0.991"), (number(None), "–"), (signed(0.0001), "0"),
        (signed(-0.25), "-0.250"), (between(-0.0001, 0.5), "0.000 to 0.500"),
        (between(None, 1.0), ""), (yes(True), "yes"), (yes(None), "–"),
        (plural(1, "item"), "1 item"), (plural(0, "person", "people"), "0 people"),
        (listed(["Black", "Navy"]), "Black, Navy"), (listed(False), "no"),
        (listed({"a": None, "b": 2}), "a: –, b: 2"),
    ],
)  # fmt: skip
def test_values_are_told_in_words(made, said):
    assert made == said


def test_ids_are_short_with_the_whole_beside():
    assert short("04351b568d4f4aa7") == '<code title="04351b568d4f4aa7">04351b56…</code>'
    assert short("7") == '<code title="7">7</code>'


def test_table_has_heads_for_a_phone_and_escapes_what_is_not_markup():
    made = grid(("item", "#score"), [(opens(EVIL, {"do": "open", "id": EVIL}), "3")], EVIL)
    assert "<img" not in made
    assert 'data-label="score"' in made
    assert '<tr class="at-row">' in made
    assert "Nothing yet." in grid(("a",), [], "empty")


def test_open_row_is_marked():
    rows = [(opens(name, {"do": "open"}),) for name in "ab"]
    made = grid(("name",), rows, "Runs", current=1)
    assert made.count("aria-current") == 1
    assert made.index(">a<") < made.index("aria-current") < made.index(">b<")


def test_flags_are_read_out_in_words():
    made = flags(["thumbs_down", "handover"])
    assert "not content" in made
    assert "a person was called" in made
    assert flags([]) == ""


def test_intervals_lie_on_one_scale():
    made = whiskers([("a", 0.5, 0.4, 0.6), ("b", 0.6, None, None)], "Means")
    assert "left:0.0%;width:100.0%" in made
    assert "left:50.0%" in made
    assert "0.500 (0.400 to 0.600)" in made
    assert whiskers([], "none") == ""


def test_differences_have_nought_in_the_middle():
    made = whiskers([("a", 0.2, 0.0, 0.4), ("b", -2.0, None, None)], "Differences", zero=True)
    assert made.count('class="at-zero" style="left:50.0%"') == 2
    assert "left:75.0%" in made
    assert "left:0.0%" in made
    assert "+0.200 (0.000 to 0.400)" in made


def test_bars_are_as_long_as_the_largest_allows():
    made = bars({"plan": 10.0, "retrieve": 40.0}, "ms", "Time")
    assert "width:25.0%" in made
    assert "40 ms" in made


def test_confirmation_names_what_it_does():
    made = confirm("Promote?", "It answers.", "", "Promote", "promote")
    assert 'data-form="promote"' in made
    assert "Cancel" in made
