"""Mentions and plans: what was recognised in an utterance, and what is to be done about it.

A mention is a span of the utterance that the catalog explains; it has an id. A plan is a list of
acts that point at mention ids, so that no planner, rule or model, can invent a value or an item.
This module does not know how mentions are found (`agent.linking`) or plans are made
(`agent.planner`).
"""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator

MentionKind = Literal[
    "value",
    "number",
    "reference",
    "item",
    "facet",
    "relative",
    "order",
    "keyword",
    "unknown",
    "absent",
]
"""value V: values of a facet. number N: a bound or range on a numeric facet. reference R: items
on the slate or spoken of. item T: an item named by its title. facet F: a facet by its name ("the
price"). relative D: a direction on a facet ("cheaper"). order O: a sorting wish ("the cheapest").
keyword K: words the catalog's texts contain that are no facet's value. unknown U: content words
that the catalog does not contain. absent A: a bound, a direction or the name of a field that the
catalog lacks; no act points at it, and the reply says so."""

PREFIX: dict[MentionKind, str] = {
    "value": "V", "number": "N", "reference": "R", "item": "T", "facet": "F",
    "relative": "D", "order": "O", "keyword": "K", "unknown": "U", "absent": "A",
}  # fmt: skip

ORDER = "order"
"""Pseudo-facet of a facet mention: the order of the items, as in "order doesn't matter"."""

ActName = Literal[
    "recommend", "refine", "like", "more", "compare", "explain", "detail", "select", "reject",
    "undo", "reset", "elicit", "answer", "handoff", "chitchat",
]  # fmt: skip
"""recommend: a new need. refine: change the present need. like: similar to a reference, with
changes. more: other items for the same need. compare, explain (why / why not), detail (a field):
questions about items. select, reject: a verdict on items. undo: take the last change back. reset:
start over. elicit: ask the user. answer: a question about the shop, not about an item. handoff: a
person is wanted. chitchat: everything else."""


class Mention(BaseModel):
    """One recognised span of the utterance. Two mentions on one span are an ambiguity.

    Args:
        id: Kind letter and number, e.g. "V1"; unique within the turn.
        start, end: Character offsets of the span in the utterance, end excluded.
        facet: Facet name, for value, number, facet, relative and order.
        values: Catalog values meant, exactly as in the catalog.
        family: Wider values that also count when excluding, or when nothing exact is left
            (navy under blue); `values` not included.
        low, high: Bounds of a number (ISO date text on date facets), inclusive unless `strict`;
            None where open.
        items: Item ids a reference or item mention stands for.
        direction: For relative and order: towards smaller or larger values of the facet.
        unit: Currency or unit as said by the user, where one was said.
        score: 1.0 for an exact match, less for a typo or a guess.
        note: What a person should know about this link, e.g. "read as INR 60".
        carried: What `text` was carried over into where it is of another language; empty for
            English.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: MentionKind
    start: int
    end: int
    text: str
    facet: str | None = None
    values: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    low: float | str | None = None
    high: float | str | None = None
    strict: bool = False
    items: tuple[str, ...] = ()
    direction: Literal["up", "down"] | None = None
    unit: str | None = None
    score: float = 1.0
    note: str = ""
    carried: str = ""

    @field_validator("low", "high")
    @classmethod
    def _finite(cls, bound: float | str | None) -> float | str | None:
        # A number too large for a float is infinite, and JSON, which states are kept in, has none.
        return None if isinstance(bound, float) and not math.isfinite(bound) else bound


class Act(BaseModel):
    """One thing to do, in terms of mention ids.

    Args:
        want: Mentions that become hard constraints (V, N) or soft wishes (K, U).
        avoid: Mentions that must not hold (V, K, R, T; N: outside the range).
        prefer: Mentions wanted but not required (V, K, N).
        drop: Mentions whose facet, or value, is no longer asked for ("any colour is fine").
        change: Relative wishes (D) or an order (O).
        refs: The items the act is about (R, T); empty: what is in focus.
        join: "replace" puts a wanted value in place of others on its facet, "add" joins them
            (either/or).
        text: A soft wish in the user's own words, where no mention carries it.
        facet: The facet to ask about (elicit) or asked about (detail).
        why_not: explain only: why an item was not shown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    act: ActName
    want: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    change: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    join: Literal["replace", "add"] = "replace"
    text: str = ""
    facet: str = ""
    why_not: bool = False


class Plan(BaseModel):
    """What a turn will do: acts in order, over the mentions of its utterance.

    Args:
        fallback: Why the rules planned although a model was asked; never the user's words.
        carried: The utterance in the English words by which it was understood; empty for English.
        shortened: Whether the model was shown less than usual, since it takes no more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    acts: tuple[Act, ...]
    mentions: tuple[Mention, ...] = ()
    utterance: str = ""
    planner: Literal["rules", "llm"] = "rules"
    model: str | None = None
    prompt: str | None = None
    fallback: str = ""
    carried: str = ""
    shortened: bool = False

    def mention(self, id: str) -> Mention:
        """Return the mention with an id; KeyError names one that the turn does not have."""
        for mention in self.mentions:
            if mention.id == id:
                return mention
        raise KeyError(id)
