"""Queries are put as the catalog writes; what it knows, and common English, stays."""

import pytest

from retrieval.catalog import Item
from retrieval.spelling import FILE, Spelling, count_words, read_words, write_words

COUNTS = {
    "refrigerators": 9,
    "nail": 5,
    "gun": 7,
    "vinyl": 4,
    "gal": 8,
    "5": 9,
    "blue": 6,
    "rod": 2,
}


def spelling(known=()):
    return Spelling(COUNTS, lambda word: word in known)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("refrigerater", "refrigerater"),  # two edits from the plural
        ("refrigeratos", "refrigerators"),
        ("white vinal plank", "white vinyl plank"),
        ("Nailgun, BLUE!", "nail gun, BLUE!"),
        ("5gal", "5 gal"),
        ("refrigerator", "refrigerator"),
        ("gn", "gn"),
        ("kodd", "kodd"),
        ("glue", "glue"),
        ("", ""),
        ("?!", "?!"),
    ],
)
def test_unknown_words_are_put_as_catalog_writes(typed, meant):
    assert spelling().correct(typed) == meant


def test_word_that_came_meanwhile_stays():
    known = set()
    ours = spelling(known)
    assert ours.correct("vinal") == "vinyl"
    known.add("vinal")
    assert ours.correct("vinal") == "vinal"


def test_rare_words_are_no_corrections():
    assert Spelling({"vinyl": 1}, lambda word: False).correct("vinal") == "vinal"


def test_only_first_words_are_looked_at():
    asked = []
    Spelling(COUNTS, lambda word: bool(asked.append(word))).correct("vinal " * 100)
    assert len(asked) == 64


def test_without_words_nothing_is_corrected():
    assert Spelling({}, lambda word: pytest.fail("asked")).correct("vinal") == "vinal"


def test_words_are_counted_once_per_item(tmp_path):
    items = [Item("1", "Red red shoes", "the SHOES", {"tags": ("wool",)}), Item("2", "Red")]
    assert count_words(items) == {"red": 2, "shoes": 1, "the": 1, "wool": 1}
    write_words(tmp_path, items)
    assert read_words(tmp_path) == {"red": 2, "shoes": 1, "the": 1, "wool": 1}


def test_missing_or_broken_words_are_none(tmp_path, caplog):
    assert read_words(tmp_path) == {}
    (tmp_path / FILE).write_text("[1")
    assert read_words(tmp_path) == {}
    assert "queries stay as spelt" in caplog.text


def test_emptied_memory_corrects_again(monkeypatch):
    monkeypatch.setattr("retrieval.spelling.KEPT", 1)
    ours = spelling()
    assert [ours.correct(word) for word in ("vinal", "nailgun", "vinal")] == [
        "vinyl", "nail gun", "vinyl"
    ]  # fmt: skip
