"""A human turn with the acts it may be, and what sets of such turns are made with.

This module does not know where turns come from (`finetune.act_sets`) or how they are planned
(`finetune.planners`).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

from agent.plan import Plan
from agent.state import State
from finetune.labels import Expect
from finetune.replay import Parts
from finetune.rule_parts import rule_parts
from retrieval.catalog import Item
from retrieval.loading import Column, LoadedCatalog, infer_facets
from retrieval.loading import Mapping as Columns

Row = dict[str, Any]
Acts = tuple[str | tuple[str, ...], ...]
"""Acceptable acts, written as in labels: of a tuple one or more, with "?" maybe none."""

Coarse = Literal["preference", "more", "question", "verdict", "other"]

COARSE: dict[str, Coarse] = {
    "recommend": "preference", "refine": "preference", "like": "preference",
    "elicit": "preference", "reset": "preference", "more": "more", "detail": "question",
    "explain": "question", "compare": "question", "answer": "question", "select": "verdict",
    "reject": "verdict", "undo": "other", "handoff": "other", "chitchat": "other",
}  # fmt: skip
"""What an act is in the coarse view. `elicit` is a request that says nothing yet."""


@dataclass(frozen=True, slots=True)
class ActTurn:
    """One human turn, before which state it was said, and what it may be.

    Args:
        catalog: Which of the set's catalogs it is about.
        kind: What its source calls it.
        readings: Acceptable acts; one of them is enough.
        facet: The facet it asks about, where its source says so.
        classes: What it is in the coarse view, where its source says so.
    """

    id: str
    text: str
    catalog: str
    kind: str
    state: State
    readings: tuple[Expect, ...]
    facet: str = ""
    classes: frozenset[Coarse] = frozenset()


@dataclass(frozen=True, slots=True)
class ActSet:
    """Turns of one source; `weak` where the acts were not given by people."""

    name: str
    about: str
    turns: tuple[ActTurn, ...]
    parts: Mapping[str, Parts]
    weak: bool = False


def expect(*acts: str | tuple[str, ...]) -> Expect:
    """Return what a turn with these acceptable acts is expected to be."""
    return Expect(acts=acts)


def coarse_of(plan: Plan) -> frozenset[Coarse]:
    """Return what a plan is in the coarse view; small talk beside something else is left out."""
    return without_talk(COARSE[act.act] for act in plan.acts)


def without_talk(classes: Iterable[Coarse]) -> frozenset[Coarse]:
    """Return classes without "other", unless there is nothing else."""
    found = frozenset(classes)
    return found - {"other"} or frozenset({"other"})


def catalog_of(name: str, items: Sequence[Item], columns: Sequence[Column]) -> Parts:
    """Return what understands turns over items that only live in memory."""
    mapping = Columns(tuple(columns))
    return rule_parts(LoadedCatalog(name, tuple(items), infer_facets(items, mapping), mapping))


def rows(data: Path, name: str) -> Iterator[Row]:
    """Yield the rows of a data set."""
    with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def stratified(turns: Iterable[ActTurn], most: int, seed: int) -> tuple[ActTurn, ...]:
    """Return at most so many turns, of each kind about equally many, the same for a seed."""
    kinds: dict[str, list[ActTurn]] = {}
    for turn in turns:
        kinds.setdefault(turn.kind, []).append(turn)
    for name, found in kinds.items():
        Random(f"{seed} {name}").shuffle(found)
    chosen: list[ActTurn] = []
    left, smallest_first = most, sorted(kinds.values(), key=len)
    for i, found in enumerate(smallest_first):
        share = found[: left // (len(kinds) - i)]
        chosen += share
        left -= len(share)
    return tuple(sorted(chosen, key=lambda turn: turn.id))
