"""A language by one file: German, in a few lines."""

import tomllib

import pytest

from agent.languages.carrying import carry
from agent.languages.phrases import made, phrases, tables

GERMAN = """
[language]
spaced = true
[dropped]
words = "der|die|das|ein|eine|bitte"
[words]
"blue" = "blau|blaues|blaue"
"dress" = "kleid"
"not" = "nicht|kein|keine"
"leather" = "leder"
"cheaper" = "billiger|günstiger"
[[patterns]]
find = '(?:unter|bis|höchstens) {n}(?: euro)?'
say = 'at most {n}'
[[patterns]]
find = 'vergleiche {x}$'
say = 'compare {x}'
[[patterns]]
find = 'das {n}te'
say = 'the {n:th} one'
"""


def german(text: str) -> str:
    table = made(tomllib.loads(GERMAN))
    return carry(text, table, {}, 20).text


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Ein blaues Kleid unter 60 Euro, kein Leder", "blue dress at most 60, not leather"),
        ("günstiger bitte", "cheaper"),
        ("vergleiche das 2te und das 3te", "compare the second one und the third one"),
        ("Blaumeise", "Blaumeise"),
        ("Kleidung aus Leder", "Kleidung aus leather"),
    ],
)
def test_another_language_is_a_file(said, meant):
    assert german(said) == meant


def test_words_are_not_cut_where_blanks_are():
    assert german("dassein") == "dassein"


@pytest.mark.parametrize("code", tables())
def test_patterns_are_each_of_use(code):
    """No pattern of a table is a copy of another one."""
    found = [one.find.pattern for one in phrases(code).patterns]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("code", tables())
def test_patterns_name_what_they_say(code):
    for one in phrases(code).patterns:
        named = set(one.find.groupindex)
        assert one.numbers <= named, one.find.pattern


def test_a_number_in_words_is_a_number_only_whole():
    table = made(tomllib.loads(GERMAN))
    assert carry("unter 1.2.3", table, {}, 20).text.startswith("at most 1.2")


def test_no_table_is_told():
    assert phrases("xx") is None
