"""Times, numbers and tables as people read them; all text in them escaped."""

from datetime import UTC, datetime, timedelta

import pytest

from ui.web.owner.pieces import bars, confirm, flags, grid, opens, whiskers
from ui.web.owner.telling import (
    ago,
    between,
    count,
    lasted,
    listed,
    milliseconds,
    number,
    owners_words,
    percent,
    short,
    signed,
    yes,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
EN, ZH = owners_words(), owners_words("zh")
EVIL = '<img src=x onerror="alert(1)">'


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ({"seconds": 3}, "just now"), ({"seconds": 61}, "1 min ago"),
        ({"minutes": 44}, "44 min ago"), ({"hours": 5}, "5 h ago"), ({"days": 1}, "yesterday"),
        ({"days": 6}, "6 days ago"),
        ({"days": 40}, "2026-10-14"),
    ],
)  # fmt: skip
def test_moments_are_told_from_now(before, said):
    told = ago(EN, (NOW - timedelta(**before)).isoformat(), NOW)
    assert f">{said}<" in told
    assert "datetime=" in told


def test_no_moment_is_a_dash():
    assert ago(EN, None) == ago(EN, "") == "–"


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lasted(EN, 3.24), "3.2 s"), (lasted(EN, 80), "1 min 20 s"),
        (lasted(EN, 7_500), "2 h 5 min"), (lasted(ZH, 80), "1 分 20 秒"),
        (percent(0.991, 1), "99.1%"), (percent(None), "–"), (number(1234), "1,234"),
        (number(0.99149), "0.991"), (number(None), "–"), (signed(0.0001), "0"),
        (signed(-0.25), "-0.250"), (between(EN, -0.0001, 0.5), "0.000 to 0.500"),
        (between(EN, None, 1.0), ""), (yes(EN, True), "yes"), (yes(EN, None), "–"),
        (count(EN, "items", 1), "1 item"), (count(EN, "people", 0), "0 people"),
        (count(ZH, "items", 1200), "1,200 件商品"), (milliseconds(0.42), "0.4 ms"),
        (milliseconds(38.4), "38 ms"), (milliseconds(2310), "2.31 s"),
        (listed(EN, ["Black", "Navy"]), "Black, Navy"), (listed(EN, False), "no"),
        (listed(EN, {"a": None, "b": 2}), "a: –, b: 2"),
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
    assert "Nobody yet." in grid(("a",), [], "empty", empty="Nobody yet.")


def test_open_row_is_marked():
    rows = [(opens(name, {"do": "open"}),) for name in "ab"]
    made = grid(("name",), rows, "Runs", current=1)
    assert made.count("aria-current") == 1
    assert made.index(">a<") < made.index("aria-current") < made.index(">b<")


def test_flags_are_read_out_in_words():
    made = flags(EN, ["thumbs_down", "handover"])
    assert "not content" in made
    assert "a person was called" in made
    assert flags(EN, []) == ""


def test_intervals_lie_on_one_scale():
    made = whiskers(EN, [("a", 0.5, 0.4, 0.6), ("b", 0.6, None, None)], "Means")
    assert "left:0.0%;width:100.0%" in made
    assert "left:50.0%" in made
    assert "0.500 (0.400 to 0.600)" in made
    assert whiskers(EN, [], "none") == ""


def test_differences_have_nought_in_the_middle():
    made = whiskers(EN, [("a", 0.2, 0.0, 0.4), ("b", -2.0, None, None)], "Differences", zero=True)
    assert made.count('class="at-zero" style="left:50.0%"') == 2
    assert "left:75.0%" in made
    assert "left:0.0%" in made
    assert "+0.200 (0.000 to 0.400)" in made


def test_bars_are_as_long_as_the_largest_allows():
    made = bars(("stage", "time"), {"plan": (10.0, "10 ms"), "retrieve": (40.0, "40 ms")}, "Time")
    assert "width:25.0%" in made
    assert "40 ms" in made


def test_confirmation_names_what_it_does():
    made = confirm(EN, "Promote?", "It answers.", "", "Promote", "promote")
    assert 'data-form="promote"' in made
    assert "Cancel" in made
