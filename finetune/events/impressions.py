"""What rankers and encoders learn from: slates with their query, and what people did with them.

    {"query": "blue shirt", "items": [{"id": "7", "rank": 1, "clicked": true, …}, …]}
    {"query": "blue shirt", "positive": "7", "negative": "3"}

The first form is read by `attune tune ranker`, `cross-encoder` and `encoder` (`finetune.ranker.
data`), the second by `attune tune encoder` (`finetune.encoder.sources`). The query is the text that
the state after the turn is searched with.

`propensity` means two things: in those files how likely a place is looked at, which is left to
their readers (1 / rank); in a slate, how likely the policy put the item there, which is given as
`chance`. Where a client told what was really seen, what was not is left out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from agent.logged import LoggedSession, LoggedSlate, Shown
from agent.needs import query_text
from finetune.errors import DataError
from finetune.events.moving import may_teach
from retrieval.project import replace_file

Form = Literal["impressions", "pairs"]

LIKED, DISLIKED = 4.0, 2.0
"""Stars from which a rating is a choice, and up to which it is a refusal."""

Verdict = Literal["clicked", "selected", "purchased", "refused"]
_GOOD: tuple[Verdict, ...] = ("clicked", "selected", "purchased")
_Place: TypeAlias = tuple[str, str]
"""A slate's id and an item's."""


@dataclass(slots=True)
class Made:
    """Rows, and how many slates gave none and why."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def rows_of(sessions: Iterable[LoggedSession], form: Form = "impressions") -> Made:
    """Return the rows that sessions give, in their order; refused ones give none."""
    made = Made()
    for session in sessions:
        verdicts = _verdicts(session)
        for slate in session.slates:
            query = _query(session, slate) if may_teach(session) else "learning was refused"
            if not isinstance(query, _Query):
                made.left_out[query] += 1
            elif not verdicts:
                made.left_out["the session has no feedback"] += 1
            elif form == "impressions":
                made.rows.append(_impression(query.text, slate, session, verdicts))
            else:
                made.rows += _pairs(query.text, slate, session, verdicts)
    return made


def write_rows(out: Path, made: Made) -> None:
    """Write rows as JSON lines; DataError where there is none."""
    if not made.rows:
        told = ", ".join(f"{n:,} × {why}" for why, n in made.left_out.most_common())
        raise DataError(f"nothing to learn from in these sessions ({told or 'no slate'})")
    lines = (json.dumps(row, ensure_ascii=False) for row in made.rows)
    replace_file(out, "".join(f"{line}\n" for line in lines))


@dataclass(frozen=True, slots=True)
class _Query:
    text: str


def _query(session: LoggedSession, slate: LoggedSlate) -> _Query | str:
    """Return what a slate was searched with, or why that is not known."""
    turn = next((one for one in session.turns if one.id == slate.turn_id), None)
    if turn is None:
        return "it is a feed, without a query"
    need = turn.state.need
    if need.like is not None:
        return "it was searched like another item, not by words"
    text = query_text(need).strip()
    return _Query(text) if text else "nothing was wished for in words"


def _verdicts(session: LoggedSession) -> dict[_Place, Verdict]:
    """Return the last verdict on each item of each slate, given by hand or in words."""
    given = sorted([*_by_hand(session), *_in_words(session)], key=lambda one: one[0])
    found: dict[_Place, Verdict] = {}
    for _, place, verdict in given:
        known = found.get(place)
        # A click says less than what was said before; buying and selecting add up.
        if verdict == "clicked" and known is not None:
            continue
        if known == "purchased" and verdict == "selected":
            continue
        found[place] = verdict
    return found


def _by_hand(session: LoggedSession) -> Iterator[tuple[datetime, _Place, Verdict]]:
    kinds: dict[str, Verdict] = {"click": "clicked", "select": "selected", "reject": "refused",
                                 "purchase": "purchased"}  # fmt: skip
    for event in session.events:
        verdict = kinds.get(event.kind)
        if event.kind == "rating" and isinstance(event.value, float | int):
            if event.value >= LIKED:
                verdict = "selected"
            elif event.value <= DISLIKED:
                verdict = "refused"
        if verdict is not None and event.item_id is not None:
            yield event.time, (event.slate_id, event.item_id), verdict


def _in_words(session: LoggedSession) -> Iterator[tuple[datetime, _Place, Verdict]]:
    """Yield what was taken or turned down by saying so, on the slate that showed it last."""
    for turn in session.turns:
        before = session.before(turn)
        said: tuple[tuple[set[str], Verdict], ...] = (
            (set(turn.state.selected) - set(before.selected), "selected"),
            (set(turn.state.need.rejected) - set(before.need.rejected), "refused"),
        )
        for items, verdict in said:
            for item in sorted(items):
                slate = _last_showing(session, item, turn.time)
                if slate is not None:
                    yield turn.time, (slate.id, item), verdict


def _last_showing(session: LoggedSession, item: str, before: datetime) -> LoggedSlate | None:
    found = [slate for slate in session.slates
             if slate.time is not None and slate.time < before
             and any(shown.item_id == item for shown in slate.items)]  # fmt: skip
    return found[-1] if found else None


def _seen(slate: LoggedSlate, session: LoggedSession) -> tuple[Shown, ...]:
    """Return the items that were seen: all, unless a client told which."""
    events = [event for event in session.events if event.slate_id == slate.id]
    if all(event.kind != "impression" for event in events):
        return slate.items
    known = {event.item_id for event in events}
    return tuple(shown for shown in slate.items if shown.item_id in known)


def _impression(
    query: str, slate: LoggedSlate, session: LoggedSession, verdicts: dict[_Place, Verdict]
) -> dict[str, Any]:
    items = []
    for shown in _seen(slate, session):
        verdict = verdicts.get((slate.id, shown.item_id))
        told: dict[str, bool] = {str(verdict): True} if verdict in _GOOD else {}
        items.append({"id": shown.item_id, "rank": shown.rank, **told, "chance": shown.propensity})
    return {"query": query, "items": items, "policy": slate.policy}


def _pairs(
    query: str, slate: LoggedSlate, session: LoggedSession, verdicts: dict[_Place, Verdict]
) -> Iterator[dict[str, str]]:
    """Yield what was chosen, each with something refused or skipped above it, if there is any."""
    seen = _seen(slate, session)
    of = {shown.item_id: verdicts.get((slate.id, shown.item_id)) for shown in seen}
    chosen = [shown for shown in seen if of[shown.item_id] in _GOOD]
    last = max((shown.rank for shown in chosen), default=0)
    refused = [shown.item_id for shown in seen if of[shown.item_id] == "refused"]
    skipped = [s.item_id for s in seen if of[s.item_id] is None and s.rank < last]
    wrong = [*refused, *skipped]
    for place in range(max(len(chosen), len(wrong)) if chosen else 0):
        row = {"query": query, "positive": chosen[place % len(chosen)].item_id}
        yield {**row, "negative": wrong[place % len(wrong)]} if wrong else row
