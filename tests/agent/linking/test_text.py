"""Tokens, norms and keys."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.linking.text import key_of, norm, phrase_at, plain, tokenize, word_at


def words_of(text):
    return [token.word for token in tokenize(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red shoes", ["red", "shoes"]),
        ("Don't show it!", ["don't", "show", "it", "!"]),
        ("don’t", ["don't"]),
        ("under €60", ["under", "€", "60"]),
        ("$1,299.50 or 1.299,50", ["$", "1,299.50", "or", "1.299,50"]),
        ("80cm", ["80", "cm"]),
        ("t-shirt", ["t", "-", "shirt"]),
        ("#2, please", ["#", "2", ",", "please"]),
        ("20-40", ["20", "-", "40"]),
        ("café À LA carte", ["cafe", "a", "la", "carte"]),
        ("rock&roll 4+", ["rock", "&", "roll", "4", "+"]),
        ("   ", []),
        ("", []),
        ("🙂 blue 🙂", ["blue"]),
        ("Straße", ["strasse"]),
    ],
)
def test_text_becomes_tokens(text, expected):
    assert words_of(text) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Shirts", "shirt"),
        ("dresses", "dress"),
        ("women's", "women"),
        ("girls'", "girl"),
        ("dad’s", "dad"),
        ("Cafés", "cafe"),
        ("glass", "glass"),
        ("accessories", "accessory"),
        ("bus", "bus"),
    ],
)
def test_norm_is_folded_singular(word, expected):
    assert norm(word) == expected


@pytest.mark.parametrize(
    "spelling", ["t-shirt", "T shirts", "Tshirts", "T-Shirt's", "t – shirt", "TSHIRT"]
)
def test_spellings_share_one_key(spelling):
    assert key_of(spelling) == key_of("T-Shirts")


@pytest.mark.parametrize(
    ("one", "other"), [("shirt", "short"), ("t-shirt", "shirt"), ("4", "5"), ("4 + 5", "4 - 6")]
)
def test_different_names_differ_in_key(one, other):
    assert key_of(one) != key_of(other)


def test_signs_alone_have_no_key():
    assert key_of("& - / !") == ""


def test_tokens_know_their_kind():
    blue, sixty, euro = tokenize("blue 60 €")
    assert (blue.is_word, blue.is_number) == (True, False)
    assert (sixty.is_word, sixty.is_number) == (False, True)
    assert (euro.is_word, euro.is_number) == (False, False)


def test_glued_tokens_are_marked():
    assert [token.glued for token in tokenize("80cm x 90 cm")] == [False, True, False, False, False]


def test_plain_drops_case_and_accents():
    assert plain("POÄNG ﬁne") == "poang fine"


def test_word_outside_is_empty():
    tokens = tokenize("blue shoes")
    assert [word_at(tokens, i) for i in (-1, 0, 1, 2)] == ["", "blue", "shoes", ""]


@pytest.mark.parametrize(
    ("index", "phrase", "expected"),
    [
        (0, ("no", "more"), True),
        (1, ("more", "than"), True),
        (2, ("than", "60"), False),
        (-1, ("no",), False),
        (0, ("no", "fewer"), False),
    ],
)
def test_phrases_are_found_in_place(index, phrase, expected):
    assert phrase_at(tokenize("no more than"), index, phrase) is expected


@given(st.text(max_size=300))
def test_tokens_are_slices_in_order(text):
    tokens = tokenize(text)
    assert all(text[t.start : t.end] == t.text and t.text for t in tokens)
    assert all(a.end <= b.start for a, b in itertools.pairwise(tokens))
    assert all(b.glued == (a.end == b.start) for a, b in itertools.pairwise(tokens))


@given(st.text(max_size=100))
def test_key_ignores_case_and_blanks(text):
    assert key_of(text) == key_of(f"  {text}\n")
    assert " " not in key_of(text)
