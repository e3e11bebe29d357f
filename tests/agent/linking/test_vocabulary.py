"""The general word lists, as the files hold them."""

import pytest

from agent.linking.text import key_of, norm
from agent.linking.vocabulary import colours, general, numbers, read


@pytest.mark.parametrize(
    ("colour", "base"),
    [
        ("navyblue", "blue"),
        ("navy", "blue"),
        ("maroon", "red"),
        ("olive", "green"),
        ("charcoal", "grey"),
        ("blue", "blue"),
        ("gray", "grey"),
    ],
)
def test_colours_have_a_base(colour, base):
    assert colours().families(colour)[0] == base


def test_colours_may_have_two_bases():
    assert set(colours().families("rust")) == {"red", "orange", "brown"}


def test_unknown_colour_has_no_base():
    assert colours().families("plastic") == ()


def test_every_base_is_its_own():
    bases = read("colours.toml")["families"]
    assert {base: colours().families(base)[0] for base in bases} == {base: base for base in bases}


@pytest.mark.parametrize("base", sorted(read("colours.toml")["families"]))
def test_colour_names_are_keys(base):
    names = read("colours.toml")["families"][base].split()
    assert [key_of(name) for name in names] == names


def test_every_shade_names_known_colours():
    known = set(colours().bases)
    assert {name for names in colours().shades.values() for name in names} <= known


@pytest.mark.parametrize(
    ("written", "code"), [("€", "EUR"), ("bucks", "USD"), ("quid", "GBP"), ("rs", "INR")]
)
def test_currencies_are_known(written, code):
    assert numbers().currencies[written] == code


@pytest.mark.parametrize("bounds", ["before", "after"])
def test_longest_bound_phrases_come_first(bounds):
    lengths = [len(phrase) for phrase, _ in getattr(numbers(), bounds)]
    assert lengths == sorted(lengths, reverse=True)
    assert {bound for _, bound in getattr(numbers(), bounds)} <= {"low", "high", "around", "exact"}


@pytest.mark.parametrize("bounds", ["before", "after"])
def test_no_phrase_bounds_both_ways(bounds):
    readings = {}
    for phrase, bound in getattr(numbers(), bounds):
        readings.setdefault(phrase, set()).add(bound)
    assert {phrase: found for phrase, found in readings.items() if len(found) > 1} == {}


def test_stop_words_cover_their_norms():
    words = set(read("words.toml")["stop"].split())
    assert words | {norm(word) for word in words} == general().stop


@pytest.mark.parametrize("word", ["blue", "shirt", "leather", "nike", "cheaper", "comfy"])
def test_wishes_are_no_stop_words(word):
    assert word not in general().stop


def test_synonyms_can_be_linked():
    words = [word for group in general().synonyms for word in group]
    assert [word for word in words if word in general().stop] == []
    assert sorted(words) == sorted(set(words))


@pytest.mark.parametrize(
    ("word", "audience"), [("sister", "girls"), ("wife", "women"), ("dad", "men"), ("boy", "boys")]
)
def test_relations_tell_the_audience(word, audience):
    assert word in general().audience[audience]


def test_relative_rows_are_complete():
    for row in read("relatives.toml")["relative"]:
        assert row["direction"] in ("up", "down"), row
        assert row.get("roles") or row.get("names"), row
        assert row.get("more") or row.get("most"), row


def test_no_relative_points_both_ways():
    rows = read("relatives.toml")["relative"]
    for column in ("more", "most"):
        said = {}
        for row in rows:
            about = row.get("roles", "") + row.get("names", "")
            for phrase in filter(None, row.get(column, "").split("|")):
                said.setdefault((about, phrase), set()).add(row["direction"])
        assert {key for key, found in said.items() if len(found) > 1} == set()
