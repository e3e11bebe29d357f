"""The general word lists, read once from `agent/linking/data`: no catalog in here."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from agent.linking.text import norm


def read(name: str) -> dict[str, Any]:
    """Return one of the word-list files as plain values."""
    return tomllib.loads((files("agent.linking") / "data" / name).read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Words:
    """General English: what carries no wish, what means the same, whom things are for."""

    stop: frozenset[str]
    synonyms: tuple[tuple[str, ...], ...]
    audience: Mapping[str, frozenset[str]]
    roles: Mapping[str, tuple[str, ...]]
    relations: frozenset[str]
    kinds: Mapping[str, frozenset[str]]
    materials: Mapping[str, frozenset[str]]
    pastimes: frozenset[str]
    fond: frozenset[str]
    greetings: frozenset[str]
    gift_days: frozenset[str]
    basket_verbs: frozenset[str]
    baskets: frozenset[str]
    noun_leads: frozenset[str]
    not_heads: frozenset[str]
    no_makers: frozenset[str]
    opinions: frozenset[str]
    spelled: tuple[str, ...]
    abbreviations: Mapping[str, str]
    called: Mapping[str, frozenset[str]]


_PLAIN_LISTS = (
    "greetings", "gift_days", "basket_verbs", "baskets", "noun_leads", "not_heads", "no_makers",
    "opinions", "pastimes", "fond",
)  # fmt: skip


@cache
def general() -> Words:
    """Return the general word lists."""
    data = read("words.toml")
    stop = set(data["stop"].split())
    return Words(
        stop=frozenset(stop | {norm(word) for word in stop}),
        synonyms=tuple(tuple(group.split()) for group in data["synonyms"]),
        audience={
            name: frozenset(norm(word) for word in words.split())
            for name, words in data["audience"].items()
        },
        roles={role: tuple(words.split()) for role, words in data["roles"].items()},
        relations=frozenset(norm(word) for word in data["relations"].split()),
        kinds={kind: frozenset(words.split()) for kind, words in data["kinds"].items()},
        materials={kind: frozenset(words.split()) for kind, words in data["materials"].items()},
        spelled=tuple(data["spelled"].split()),
        abbreviations=data["abbreviations"],
        called=_word_sets(data["called"]),
        **{name: frozenset(data[name].split()) for name in _PLAIN_LISTS},
    )


@dataclass(frozen=True, slots=True)
class Colours:
    """Colour families: member to base names, shades to stand-ins, modifiers."""

    bases: Mapping[str, tuple[str, ...]]
    shades: Mapping[str, tuple[str, ...]]
    modifiers: frozenset[str]

    def families(self, name: str) -> tuple[str, ...]:
        """Return the base colours a colour key belongs to, nearest first."""
        return self.bases.get(name, ())


@cache
def colours() -> Colours:
    """Return the colour families."""
    data = read("colours.toml")
    bases: dict[str, list[str]] = {}
    for base, members in data["families"].items():
        for member in members.split():
            bases.setdefault(member, []).append(base)
    for base in data["families"]:
        bases[base] = [base] + [other for other in bases.get(base, []) if other != base]
    return Colours(
        bases={member: tuple(names) for member, names in bases.items()},
        shades={shade: tuple(names.split()) for shade, names in data["shades"].items()},
        modifiers=frozenset(data["modifiers"]["words"].split()),
    )


@dataclass(frozen=True, slots=True)
class Beside:
    """Words that stand beside a bound phrase and its number; the data file says what each does."""

    fillers: frozenset[str]
    between: frozenset[str]
    denials: frozenset[str]
    price: frozenset[str]
    year_near: frozenset[str]
    year_before: frozenset[str]


@dataclass(frozen=True, slots=True)
class Numbers:
    """How people write amounts: currencies, units, bounds, ranges and number words."""

    currencies: Mapping[str, str]
    cents: frozenset[str]
    units: Mapping[str, str]
    factors: Mapping[tuple[str, str], float]
    words: Mapping[str, int]
    months: Mapping[str, int]
    before: tuple[tuple[tuple[str, ...], str], ...]
    after: tuple[tuple[tuple[str, ...], str], ...]
    beside: Beside
    openers: frozenset[str]
    joints: frozenset[tuple[str, ...]]


def _phrases(table: Mapping[str, str]) -> tuple[tuple[tuple[str, ...], str], ...]:
    pairs = [
        (tuple(phrase.split()), bound)
        for bound, phrases in table.items()
        for phrase in phrases.split("|")
    ]
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


def _inverted(table: Mapping[str, str]) -> dict[str, str]:
    return {word: name for name, words in table.items() for word in words.split()}


@cache
def numbers() -> Numbers:
    """Return the number word lists."""
    data = read("numbers.toml")
    factors = {(said, own): by for said, row in data["factors"].items() for own, by in row.items()}
    months = data["months"]["words"].split()
    return Numbers(
        currencies=_inverted(data["currencies"]),
        cents=frozenset(data["cents"]["words"].split()),
        units=_inverted(data["units"]),
        factors=factors,
        words=data["words"],
        months={name: number for number, name in enumerate(months, start=1)},
        before=_phrases(data["before"]),
        after=_phrases(data["after"]),
        beside=Beside(**{name: frozenset(row.split()) for name, row in data["beside"].items()}),
        openers=frozenset(data["ranges"]["openers"].split()),
        joints=frozenset(tuple(row.split()) for row in data["ranges"]["joints"].split("|")),
    )


def _word_sets(table: Mapping[str, str]) -> dict[str, frozenset[str]]:
    return {name: frozenset(words.split()) for name, words in table.items()}


@cache
def comparatives() -> Mapping[str, frozenset[str]]:
    """Return the words of facet names that a comparative is about, by comparative."""
    return _word_sets(read("relatives.toml")["comparatives"])


@cache
def adjectives() -> Mapping[str, frozenset[str]]:
    """Return the words of facet names that an adjective beside a number is about."""
    return _word_sets(read("relatives.toml")["adjectives"])


@dataclass(frozen=True, slots=True)
class Pointing:
    """How people point at items of a slate; the data file says what each word list does."""

    ordinals: Mapping[str, int]
    counts: Mapping[str, int]
    nouns: frozenset[str]
    numbering: frozenset[str]
    determiners: frozenset[str]
    plural: frozenset[str]
    singular: frozenset[str]
    bounding: frozenset[str]
    joining: frozenset[str]
    comparing: frozenset[str]
    choosing: frozenset[str]
    not_positions: frozenset[str]
    listing: frozenset[str]
    no_items: frozenset[str]
    said_of_it: frozenset[str]
    demands: frozenset[str]
    pointing: frozenset[str]
    pronoun_verbs: frozenset[str]


@cache
def pointing() -> Pointing:
    """Return the word lists of references."""
    data = read("references.toml")
    return Pointing(ordinals=data["ordinals"], counts=data["counts"], **_word_sets(data["words"]))
