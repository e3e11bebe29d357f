"""IARD: dialogues about films whose turns people labelled with intents; ReDial's test part only.

The mapping from intents to acts was written down before any planner was run on these dialogues.
A film that the recommender just named is on the slate and in focus. What was wanted before a turn
is what the rules made of the seeker's earlier turns, for every planner the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from agent.rules.request import PlanRequest
from agent.state import State
from finetune.act_turns import (
    Acts,
    ActSet,
    ActTurn,
    Coarse,
    Row,
    catalog_of,
    expect,
    rows,
    without_talk,
)
from finetune.replay import Parts
from retrieval.catalog import FieldValue, Item
from retrieval.loading import Column

FILES = ("iard_intents", "redial_items", "redial_test")
ABOUT = "38 dialogues of ReDial's test part with human intents (IARD)"

INTENTS: Mapping[str, tuple[str, ...]] = {
    # A first query; "can you recommend something?" says nothing to search for, so elicit is right.
    "IQU": ("recommend", "refine", "like", "elicit"),
    # "More", sometimes with a film to go by, or as a new request; what it adds has its own intent.
    "CON": ("more", "like", "recommend"),
    # The query said again; whether that is a new need depends on words that IARD does not note.
    "REF": ("refine", "recommend", "like"),
    # A new query: without another category docs/conventions.md (9) calls it a refinement.
    "STO": ("recommend", "refine", "reset", "like", "elicit"),
    # "I usually enjoy films with Seth Rogen", "I loved Jumanji": a wish, or a film to go by.
    "PRO": ("refine", "recommend", "like"),
    # An answer to what the recommender asked: mostly a wish, sometimes "I'm not sure" or "Yes".
    "ANS": ("refine", "recommend", "like", "elicit", "chitchat"),
    # Asks what the recommender thinks: about a film, or small talk ("and you?").
    "ASK": ("detail", "explain", "answer", "chitchat"),
    # "I've seen it and loved it": to be hidden, to go by, or a reaction that asks for nothing.
    "SEE": ("reject", "like", "chitchat"),
    # "I'll watch that" takes it; "sounds good" is as often a reaction that asks for nothing.
    "ACC": ("select", "like", "chitchat"),
    # Does not want it; where the reason is a feature, refining says so too.
    "REJ": ("reject", "refine"),
    # Asks about the film.
    "INQ": ("detail", "explain", "compare"),
    # "Too scary for me": a wish against a feature, or a verdict for a reason.
    "CRI-F": ("refine", "like", "reject"),
    # "Something more recent".
    "CRI-A": ("refine", "like", "recommend"),
    # "Any others like that?"
    "CRI-C": ("like", "more"),
    # "I haven't seen that one": says nothing for or against.
    "NRE": ("chitchat",),
    # Greetings, thanks, small talk.
    "OTH": ("chitchat",),
}
"""One or more of these acts are acceptable for an intent.

Several intents ask for acts of each. One that small talk is acceptable for may stay unsaid beside
another: docs/conventions.md knows no act for a reaction without a wish. After a rejection new items
may be asked for, whether said or not (12)."""

CLASSES: Mapping[str, Coarse] = {
    "IQU": "preference", "REF": "preference", "STO": "preference", "PRO": "preference",
    "ANS": "preference", "CRI-F": "preference", "CRI-A": "preference", "CRI-C": "preference",
    "CON": "more", "INQ": "question", "ASK": "question", "SEE": "verdict", "ACC": "verdict",
    "REJ": "verdict", "NRE": "other", "OTH": "other",
}  # fmt: skip
"""IARD's own upper level, but that more and questions stand by themselves, and neutral is other."""


_COLUMNS = (
    Column("genre", "facet", "genre", "list", "category", "genre"),
    Column("year", "facet", "year", "numeric", "date", "year"),
    Column("director", "facet", "director", "list", None, "director"),
    Column("star", "facet", "star", "list", None, "star"),
)


def acceptable(intents: Sequence[str]) -> Acts:
    """Return the acts that are acceptable for a turn with these intents."""
    groups = [INTENTS[intent] for intent in dict.fromkeys(intents)]
    firm = [group for group in groups if "chitchat" not in group]
    loose = tuple(dict.fromkeys(act for g in groups if "chitchat" in g for act in g))
    extra = ("more?",) if "REJ" in intents else ()
    if not firm:
        return (loose,)
    return (*firm, *(f"{act}?" for act in loose), *extra)


def films(data: Path) -> Parts:
    """Return the catalog of films."""
    items = [_film(row) for row in rows(data, "redial_items") if row["is_item"]]
    return catalog_of("films", items, _COLUMNS)


def _film(row: Row) -> Item:
    fields: dict[str, FieldValue] = {
        name: tuple(row[name]) for name in ("genre", "director", "star") if row[name]
    }
    if year := re.search(r"\((\d{4})\)", row["name"]):
        fields["year"] = float(year[1])
    return Item(row["redial_id"], row["name"], row["plot"] or "", fields)


def read(data: Path, most: int, seed: int) -> ActSet:
    """Return the turns of ReDial's test part."""
    parts = films(data)
    talks = {row["id"]: row for row in rows(data, "redial_test")}
    found = list(dialogues(rows(data, "iard_intents"), talks, parts))
    # Not by kind: with as many combinations of intents as there are, the rare ones would prevail.
    Random(seed).shuffle(found)
    turns = tuple(sorted(found[:most], key=lambda turn: turn.id))
    return ActSet("iard", ABOUT, turns, {"films": parts})


def dialogues(labelled: Iterable[Row], talks: Mapping[str, Row], parts: Parts) -> Iterator[ActTurn]:
    """Yield the seeker's turns of dialogues that sit in ReDial's test part, and of no others."""
    for dialogue in labelled:
        if dialogue["redial_split"] == "test":
            known = talks.get(dialogue["id"], {}).get("movies", {})
            titles = {movie["title"]: key for key, movie in known.items()}
            yield from _turns(dialogue, titles, parts)


def _turns(dialogue: Row, titles: Mapping[str, str], parts: Parts) -> Iterator[ActTurn]:
    state = State()
    for turn in dialogue["utterances"]:
        if turn["role"] != "seeker":
            state = _shown(state, _named(turn["text"], titles), parts)
            continue
        text = re.sub(r"\.\.\.+", ". ", turn["text"])
        intents = turn["intents"]
        yield ActTurn(
            id=f"{dialogue['id']}:{turn['pos']:03}", text=text, catalog="films",
            kind="+".join(intents), state=state, readings=(expect(*acceptable(intents)),),
            classes=without_talk(CLASSES[intent] for intent in intents),
        )  # fmt: skip
        state = _after(text, state, parts)


def _named(text: str, titles: Mapping[str, str]) -> list[str]:
    """Return the ids of the films that a text names, in its order."""
    places = sorted((text.find(title), id) for title, id in titles.items())
    return [id for place, id in places if place >= 0]


def _shown(state: State, ids: Sequence[str], parts: Parts) -> State:
    slate = tuple(id for id in ids if id in parts.items)
    if not slate:
        return state
    shown = tuple(dict.fromkeys((*state.shown, *slate)))
    return state.model_copy(update={"slate": slate, "focus": slate, "shown": shown})


def _after(text: str, state: State, parts: Parts) -> State:
    slate = tuple(parts.items[id] for id in state.slate)
    mentions = parts.link(text, state, slate)
    plan = parts.plan(PlanRequest(text, mentions, state, slate, parts.facets))
    after: Any = parts.apply(state, plan, parts.items, parts.facets)
    return state.model_copy(update={"need": after.need, "turn": after.turn})
