"""What each item of a slate came to mean to who saw it, from events and from words.

The strongest sign stands, and a later verdict takes the place of an earlier one that it
contradicts. This module makes no pairs (`finetune.pairs.choices`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from agent.feedback import FeedbackEvent
from agent.logged import LoggedSession, LoggedSlate, LoggedTurn, Shown

LONG_S, QUICK_S = 30.0, 5.0
"""Seconds from which a look is long, and below which it is a bounce."""

GOOD_STARS, BAD_STARS = 4, 2


class Grade(IntEnum):
    """How an item was taken, from worst to best."""

    REJECTED = -3
    DISLIKED = -2
    BOUNCED = -1
    SKIPPED = 0
    CLICKED = 2
    LIKED = 3
    SELECTED = 4
    PURCHASED = 5


@dataclass(frozen=True, slots=True)
class Graded:
    """An item as shown, how it was taken, and the ids of the events that say so."""

    shown: Shown
    grade: Grade
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sign:
    """One thing somebody did with an item."""

    time: datetime
    grade: Grade
    event: str = ""


def graded(session: LoggedSession, slate: LoggedSlate) -> tuple[Graded, ...]:
    """Return the items of a slate with their grades, in rank order.

    "I'll take the second one", said in a later turn, counts like a click on it.
    """
    signs: dict[str, list[_Sign]] = {}
    for event in session.events:
        grade = _grade(event)
        if event.slate_id == slate.id and event.item_id is not None and grade is not None:
            signs.setdefault(event.item_id, []).append(_Sign(event.time, grade, event.id))
    for id, sign in _said(session, slate):
        signs.setdefault(id, []).append(sign)
    return tuple(_settled(one, signs.get(one.item_id, ())) for one in slate.items)


def _grade(event: FeedbackEvent) -> Grade | None:
    """Return what an event says of its item; None where it says nothing."""
    value = event.value if isinstance(event.value, int | float) else 0.0
    match event.kind:
        case "purchase":
            return Grade.PURCHASED
        case "select":
            return Grade.SELECTED
        case "click":
            return Grade.CLICKED
        case "reject":
            return Grade.REJECTED
        case "rating" if value >= GOOD_STARS:
            return Grade.LIKED
        case "rating" if value <= BAD_STARS:
            return Grade.DISLIKED
        case "dwell" if value >= LONG_S:
            return Grade.LIKED
        case "dwell" if value < QUICK_S:
            return Grade.BOUNCED
    return None


def _said(session: LoggedSession, slate: LoggedSlate) -> Iterator[tuple[str, _Sign]]:
    """Yield the items of a slate that later turns chose or turned down while it was on show."""
    for turn in session.turns:
        before = session.before(turn)
        if set(before.slate) != {one.item_id for one in slate.items}:
            continue
        for id in _new(turn.state.selected, before.selected):
            yield id, _Sign(turn.time, Grade.SELECTED)
        turned_down = _new(turn.state.need.rejected, before.need.rejected)
        if set(turned_down) < set(before.slate):  # all of them is no verdict on each
            for id in turned_down:
                yield id, _Sign(turn.time, Grade.REJECTED)


def _new(now: Sequence[str], before: Sequence[str]) -> list[str]:
    return [id for id in now if id not in before]


def _settled(shown: Shown, signs: Sequence[_Sign]) -> Graded:
    """Return the grade that signs add up to, oldest first."""
    grade, events = Grade.SKIPPED, dict[str, None]()
    for sign in sorted(signs, key=lambda one: one.time):
        if sign.event:
            events[sign.event] = None
        if sign.grade is Grade.BOUNCED:  # weak: says only that a click was no liking
            grade = sign.grade if grade in (Grade.SKIPPED, Grade.CLICKED) else grade
        elif sign.grade < 0 or grade < 0:
            grade = sign.grade
        else:
            grade = max(grade, sign.grade)
    return Graded(shown, grade, tuple(events))


def engaged(session: LoggedSession, turn: LoggedTurn) -> bool:
    """Return whether anything of the slate of a turn was taken well."""
    return any(
        one.grade > 0
        for slate in session.slates
        if slate.turn_id == turn.id
        for one in graded(session, slate)
    )
