"""The tables of sentences: every language says all that English says, with the same parts."""

from collections.abc import Iterator, Mapping
from itertools import permutations

import pytest

from agent.languages.templates import placeholders, read
from agent.languages.tongue import spoken, table

OTHERS = [code for code in spoken() if code != "en"]


def forms(entry: object) -> Iterator[str]:
    """Yield every variant and plural form of a sentence."""
    if isinstance(entry, str):
        yield entry
        return
    for one in entry.values() if isinstance(entry, Mapping) else entry:
        yield from forms(one)


def parts(entry: object) -> set[str]:
    return set().union(*(placeholders(form) for form in forms(entry)))


@pytest.mark.parametrize("code", OTHERS)
def test_tables_have_the_same_keys(code):
    english, other = table(), table(code)
    assert {name: set(rows) for name, rows in other.items()} == {
        name: set(rows) for name, rows in english.items()
    }


@pytest.mark.parametrize("code", OTHERS)
def test_sentences_have_the_same_parts(code):
    for section, rows in table().items():
        for name, entry in rows.items():
            assert parts(table(code)[section][name]) == parts(entry), f"{section}.{name}"


@pytest.mark.parametrize("code", OTHERS)
def test_sentences_are_not_left_in_english(code):
    same = {
        f"{section}.{name}"
        for section, rows in table().items()
        for name, entry in rows.items()
        if any(char.isalpha() for char in "".join(forms(entry)).replace("{", "").replace("}", ""))
        and table(code)[section][name] == entry
        and any(len(word) > 2 for form in forms(entry) for word in _own_words(form))
    }
    assert same == set()


def _own_words(form: str) -> list[str]:
    for name in placeholders(form):
        form = form.replace(f"{{{name}}}", " ")
    return form.split()


@pytest.mark.parametrize("code", spoken())
def test_claims_are_told_apart(code):
    """No claim can be read as another one: what is checked is what is said."""
    claims = {name: str(form) for name, form in table(code)["claims"].items()}
    said = {
        name: form.format(**{part: f"⟨{part}⟩" for part in placeholders(form)})
        for name, form in claims.items()
    }
    taken = {
        (one, other)
        for one, other in permutations(claims, 2)
        if (found := read(claims[other], said[one])) is not None
        and all(text.count("⟨") <= 1 and not _beside(text) for text in found.values())
    }
    assert taken == set()


def _beside(text: str) -> bool:
    """Return whether words of the table stand in what should be a value."""
    return bool(text) and not (text.startswith("⟨") and text.endswith("⟩"))


@pytest.mark.parametrize("code", OTHERS)
def test_languages_have_a_name_everywhere(code):
    assert set(table(code)["languages"]) == set(spoken())
