"""Spelling correction towards the catalog and our own cue words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.linking.spelling import Speller, english
from agent.linking.text import tokenize

SPELLER = Speller(
    {"leather": 30, "nike": 20, "adida": 10, "shirt": 40, "maroon": 5, "tallvik": 1},
    lambda word: word in ("fjord", "zephyr"),
)


def corrected(text):
    return [SPELLER.correct(token).norm for token in tokenize(text)]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("leahter", "leather"),
        ("lether", "leather"),
        ("marron", "maroon"),
        ("shrits", "shirt"),
        ("talvik", "tallvik"),
        ("cheeper", "cheaper"),
        ("secnd", "second"),
        ("LEATHR", "leather"),
    ],
)
def test_typos_are_corrected(typed, expected):
    (token,) = tokenize(typed)
    better = SPELLER.correct(token)
    assert (better.norm, better.corrected) == (expected, True)
    assert (better.start, better.end, better.text) == (token.start, token.end, token.text)


@pytest.mark.parametrize(
    "word",
    ["leather", "shirts", "weather", "shorts", "fjord", "zephyr", "bike", "nik", "xqzvw", "the"],
    ids=["catalog", "plural", "English", "near", "text", "text 2", "rhyme", "short", "far", "stop"],
)
def test_other_words_are_left(word):
    (token,) = tokenize(word)
    assert SPELLER.correct(token) is token


@pytest.mark.parametrize("text", ["1234", "€", "8899", "''''"])
def test_numbers_and_signs_are_left(text):
    assert [SPELLER.correct(token) for token in tokenize(text)] == tokenize(text)


def test_same_word_is_same_again():
    assert corrected("leahter leahter") == ["leather", "leather"]


def test_common_words_are_english():
    assert {"weather", "shoes", "blue", "because"} <= english()
    assert "leahter" not in english()


@given(st.text(max_size=40))
def test_correction_keeps_the_place(text):
    for token in tokenize(text):
        better = SPELLER.correct(token)
        assert (better.start, better.end, better.text, better.glued) == (
            token.start, token.end, token.text, token.glued,
        )  # fmt: skip
        assert better.corrected == (better.norm != token.norm)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("blu", "blue"), ("rde", "red"), ("dres", "dress"), ("bga", "bag"), ("shos", "shoe"),
        ("gary", "gary"), ("bad", "bad"), ("rod", "rod"), ("red", "red"), ("cat", "cat"),
    ],
)  # fmt: skip
def test_short_words_lack_a_letter_or_have_two_turned(typed, expected):
    (token,) = tokenize(typed)
    assert (
        Speller(
            {"blue": 90, "red": 50, "dress": 40, "shoe": 600, "bag": 70, "gary": 9},
            lambda word: {"shos": 2}.get(word, 0),
            kinds=("blue", "red", "dress", "dresses", "shoe", "shoes", "bag"),
        )
        .correct(token)
        .norm
        == expected
    )


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("blackdress", ["black", "dress"]), ("underfifty", ["under", "fifty"]),
        ("under50", ["under", "50"]), ("lessthan50", ["less", "than", "50"]),
        ("redshoes under60", ["red", "shoes", "under", "60"]), ("c2g", ["c2g"]),
        ("someone", ["someone"]), ("fjord", ["fjord"]), ("Greenland", ["greenland"]),
    ],
)  # fmt: skip
def test_words_written_together_are_taken_apart(typed, words):
    speller = Speller({"black": 9, "dress": 9, "red": 9, "shoe": 9}, lambda word: word == "fjord")
    parted = list(speller.parted(tokenize(typed)))
    assert [token.word for token in parted] == words
    assert [typed[token.start : token.end].casefold() for token in parted] == words


@pytest.mark.parametrize(("typed", "meant"), [("abot", "about"), ("teh", "the"), ("wich", "which")])
def test_mistyped_stop_words_are_no_topics(typed, meant):
    (token,) = tokenize(typed)
    assert SPELLER.correct(token).norm == meant
