"""Rows of many people made one set: the same said twice, and the opposite said by others. Pure.

Of one person the latest verdict stands, and counts once however often it was given. What several
people said weighs as much as all of them, up to `MOST_WEIGHT`. Where people contradict each other
the heavier side is kept, and neither where they weigh the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeAlias, TypeVar

from finetune.pairs.rows import Kind, Pair, Unpaired

MOST_WEIGHT = 5.0
"""Most that one row weighs, however many people say the same."""

LATER, OTHERS, TWICE = (
    "the same user said otherwise later", "as many others say otherwise", "said twice"
)  # fmt: skip

_EVEN = 1e-9
"""Votes that differ by less are even, whatever floating point makes of them."""

Made = TypeVar("Made", Pair, Unpaired)
Context: TypeAlias = tuple[str, str]
"""The kind and the prompt of a row: within it, answers are compared."""
_Duel: TypeAlias = tuple[str, str, str, str]
"""A context and two answers, in order of their letters."""


@dataclass(frozen=True, slots=True)
class Merged(Generic[Made]):
    """A row and all those it stands for, oldest first."""

    row: Made
    sources: tuple[Made, ...]


@dataclass(slots=True)
class Outcome(Generic[Made]):
    """What is left of rows, by id, and what became of the others."""

    rows: list[Merged[Made]] = field(default_factory=list)
    dropped: Counter[tuple[Kind, str]] = field(default_factory=Counter)


def person(row: Pair | Unpaired) -> str:
    """Return the key of whom a row comes from: the user, else the session."""
    return row.user or row.session


def merged_pairs(rows: Sequence[Pair]) -> Outcome[Pair]:
    """Return pairs, oldest first, as one set without duplicates and contradictions.

    A row that lost some of its rejected answers keeps the others.
    """
    latest: dict[tuple[_Duel, str], tuple[bool, float]] = {}
    for row in rows:
        for duel, ahead in _duels(row):
            said, weight = latest.get((duel, person(row)), (ahead, 0.0))
            again = max(weight, row.weight) if said == ahead else row.weight
            latest[duel, person(row)] = (ahead, again)
    votes: dict[_Duel, float] = defaultdict(float)
    for (duel, _), (ahead, weight) in latest.items():
        votes[duel] += weight if ahead else -weight
    out: Outcome[Pair] = Outcome()
    kept: list[Pair] = []
    for row in rows:
        losers = []
        for lost, (duel, ahead) in zip((row.rejected, *row.others), _duels(row), strict=True):
            if latest[duel, person(row)][0] != ahead:
                out.dropped[row.kind, LATER] += 1
            elif (votes[duel] if ahead else -votes[duel]) <= _EVEN:
                out.dropped[row.kind, OTHERS] += 1
            else:
                losers.append(lost)
        if losers:
            kept.append(replace(row, rejected=losers[0], others=tuple(losers[1:])))
    return _joined(kept, out)


def _duels(row: Pair) -> list[tuple[_Duel, bool]]:
    """Return what a row compares, in the order of what lost, and whether the first of two won."""
    found = []
    for lost in (row.rejected, *row.others):
        first, second = sorted((row.chosen, lost))
        found.append(((*_key(row), first, second), row.chosen == first))
    return found


def merged_unpaired(rows: Sequence[Unpaired]) -> Outcome[Unpaired]:
    """Return unpaired rows, oldest first, as one set without duplicates and contradictions."""
    latest = {(*_answer(row), person(row)): row for row in rows}
    votes: dict[tuple[Context, str], float] = defaultdict(float)
    for (prompt, answer, _), row in latest.items():
        votes[prompt, answer] += row.weight if row.label else -row.weight
    out: Outcome[Unpaired] = Outcome()
    kept = []
    for row in rows:
        vote = votes[_answer(row)]
        if latest[*_answer(row), person(row)].label != row.label:
            out.dropped[row.kind, LATER] += 1
        elif (vote if row.label else -vote) <= _EVEN:
            out.dropped[row.kind, OTHERS] += 1
        else:
            kept.append(row)
    return _joined(kept, out)


def _key(row: Pair | Unpaired) -> Context:
    return row.kind, "\0".join(one["content"] for one in row.prompt)


def _answer(row: Unpaired) -> tuple[Context, str]:
    return _key(row), row.completion


def _joined(rows: Iterable[Made], out: Outcome[Made]) -> Outcome[Made]:
    """Add rows to an outcome, those of one content as one."""
    same: dict[str, list[Made]] = defaultdict(list)
    for row in rows:
        same[row.id].append(row)
    for id in sorted(same):
        found = same[id]
        each: dict[str, float] = {}
        for row in found:
            each[person(row)] = max(each.get(person(row), 0.0), row.weight)
        events = tuple(dict.fromkeys(event for row in found for event in row.events))
        weight = round(min(MOST_WEIGHT, sum(each.values())), 6)
        out.rows.append(Merged(replace(found[0], weight=weight, events=events), tuple(found)))
        out.dropped[found[0].kind, TWICE] += len(found) - 1
    return out
