"""What a clause is about: the shop, a tool, a person, or items.

Items have the benefit of the doubt: a clause in which the catalog recognises a value, a bound or a
wish goes to the recommender, unless it plainly asks for something only the shop can answer. A
clause is never shared. This module does not answer anything.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, Protocol

from agent.plan import Mention
from agent.privacy.port import without_marks
from agent.rules import cues
from agent.service.clauses import Clause
from agent.service.readable import readable

Topic = Literal[
    "items", "shop", "tool", "person", "told", "helpless", "courtesy", "upset", "problem"
]
"""told: what happened to the user, said beside a question to the shop. problem: the same, said
alone. helpless: asks what can be done about it. upset: anger at the shop, not at an item."""

LIKELY = 0.45
"""Relevance from which a question with a cue is one for the shop's pages."""

NAMED = 0.3
"""Relevance from which a few words that name a subject of the shop stand for a question."""

SURE = 0.8
"""Relevance from which a question is one for the shop's pages without any cue."""

_GUESSED = 0.6
"""Below this score a number is only guessed to be a wish: an order's number is one."""

_GUESSED_VALUE = 0.8
"""Below this score a value is only what words typically name."""

_PLAIN_FIT = 0.8
_SURE_FIT = 0.9
"""A tool fits so well that a general question to the pages is not what is meant."""

_FEW = 5
"""Words that stand for a question: "your return policy"."""

_WISHES = frozenset({"value", "number", "relative", "order"})
_NO = re.compile(r"^\W*no\b[\s,.!]+")
_NEVER_WISHES = re.compile(r"^\W*(?:order|orders|number|sale|return|returns|new|old|last)\W*$")


class Rated(Protocol):
    """How well a tool fits a clause."""

    @property
    def name(self) -> str:
        """The tool's name."""
        ...

    @property
    def score(self) -> float:
        """How well, 0 to 1."""
        ...


@dataclass(frozen=True, slots=True)
class Heard:
    """A clause with all that is known of it.

    Args:
        masked: In lower case; values, numbers and items replaced by kind and number.
        wishes: Whether it holds what the catalog can search by.
        refers: Whether it speaks of items on show.
        details: Whether it names a property of items.
        known: Whether it has other words of the catalog's texts.
        relevance: How surely the shop's pages speak of it.
        tool: The tool that fits it best, where one fits.
        by_number: Whether nothing but a number speaks for that tool.
        question: What the pages are asked for it.
    """

    clause: Clause
    masked: str
    wishes: bool
    refers: bool = False
    details: bool = False
    known: bool = False
    relevance: float = 0.0
    tool: str | None = None
    fit: float = 0.0
    by_number: bool = False
    question: str = ""


@cache
def _table() -> Mapping[str, re.Pattern[str]]:
    text = (files("agent.service") / "cues.toml").read_text(encoding="utf-8")
    lists = tomllib.loads(text)
    return {name: re.compile("|".join(f"(?:{one})" for one in lists[name])) for name in lists}


def says(name: str, text: str) -> bool:
    """Return whether a cue of a list occurs in a text in lower case."""
    return _table()[name].search(text) is not None


def lowered(text: str) -> str:
    """Return a text as cues are matched against."""
    return readable(cues.mask(text, ()).text)


def masked_clause(clause: Clause, mentions: Sequence[Mention]) -> tuple[str, tuple[Mention, ...]]:
    """Return a clause with its mentions masked, and those mentions."""
    inside = [m for m in mentions if m.start >= clause.begin and m.end <= clause.end]
    shifted = tuple(
        m.model_copy(update={"start": m.start - clause.begin, "end": m.end - clause.begin})
        for m in inside
        if not is_guess(m) and m.kind != "facet"
    )
    return readable(cues.mask(clause.text, shifted).text), tuple(inside)


def has_wishes(mentions: Sequence[Mention]) -> bool:
    """Return whether some mentions are what the catalog can search by.

    A number that is bound to no facet or only guessed to be, and words that name an order of the
    shop, are none.
    """
    return any(
        m.kind in _WISHES
        and m.facet is not None
        and not is_guess(m)
        and not _NEVER_WISHES.match(m.text.lower())
        for m in mentions
    )


def is_guess(mention: Mention) -> bool:
    """Return whether a mention may well be none: a bare number, what a word typically names."""
    least = {"number": _GUESSED, "value": _GUESSED_VALUE}.get(mention.kind, 0.0)
    return mention.score < least


def concerns_shop(text: str) -> bool:
    """Return whether a masked clause has words that only the shop can speak of."""
    return says("topic", text) or cues.said(text, "acts", "answer")


def may_be_service(text: str) -> bool:
    """Return whether a clause is worth a closer look, by its words alone."""
    return any(
        says(name, text)
        for name in ("person", "person_named", "topic", "question", "told", "shop_plain", "upset")
    ) or cues.said(text, "acts", "answer")


def wants_person(text: str, wishes: bool) -> bool:
    """Return whether a masked clause asks for a person, and not for things for one."""
    text = _NO.sub("", text)  # "no, a real person!"
    if says("person", text):
        return not (wishes and says("shopping", text))
    return says("person_named", text) and not wishes and not says("shopping", text)


def topic(heard: Heard) -> Topic:
    """Return what a clause is about."""
    text = heard.masked
    if not any(char.isalnum() for char in without_marks(text)):
        return "courtesy"  # "!" of "!!!", and "my name is [name]"
    if wants_person(text, heard.wishes):
        return "person"
    if heard.tool is not None and _is_for_tool(heard):
        return "tool"
    if _is_for_shop(heard):
        return "shop"
    if says("upset", text) and not heard.wishes and not says("shopping", text):
        return "upset"
    if says("courtesy", text):
        return "courtesy"
    if says("helpless", text):
        return "helpless"
    if says("told", text) and not says("shopping", text):
        return "told"
    return "items"


def _is_for_tool(heard: Heard) -> bool:
    text = heard.masked
    if says("shopping", text) and heard.wishes:
        return False
    # A question in general ("how do I return something?") is the pages' where they speak of it.
    if says("shop_frame", text) and heard.relevance >= LIKELY and heard.fit < _PLAIN_FIT:
        return False
    general = says("question", text) and heard.relevance > SURE and heard.fit < _SURE_FIT
    return not (general and heard.relevance >= heard.fit)


def _is_for_shop(heard: Heard) -> bool:
    text = heard.masked
    if says("shop_plain", text):
        return True
    frame = _table()["shop_frame"].search(text)
    if frame is not None:
        # What stands besides may still ask for items; no word of it begins the clause.
        besides = f"{text[: frame.start()]} … {text[frame.end() :]}"
        if not says("shopping", f"x {besides}"):
            return True
    if heard.wishes or says("shopping", text):
        return False
    asks = says("question", text)
    if concerns_shop(text):
        named = says("named", text) and len(text.split()) <= _FEW and heard.relevance >= NAMED
        detail = heard.details or says("item_detail", text)
        return named or (asks and not (heard.refers and detail))
    if heard.refers or heard.relevance < SURE or not asks:
        return False
    return says("my_doing", text) or not (says("item_detail", text) or heard.details)


def settle(topics: Sequence[Topic]) -> tuple[Topic, ...]:
    """Return the topics with those that depend on their neighbours decided.

    What happened is told to the shop where the shop is asked beside it or nothing else is said;
    beside items it goes the way of everything unclear: to the recommender. Courtesies go with the
    shop where nothing else is said.
    """
    what_now: Topic = "shop" if "told" in topics else "items"
    asked = [what_now if one == "helpless" else one for one in topics]
    helped = any(one in ("shop", "tool", "person") for one in asked)
    lonely: Topic = "items" if "items" in asked else "problem"
    meant: list[Topic] = [lonely if one == "told" and not helped else one for one in asked]
    served = helped or "upset" in meant or "problem" in meant
    alone = served and "items" not in meant
    return tuple("items" if one == "courtesy" and not alone else one for one in meant)
