"""What a store or a file holds of feedback, in figures: how much, by whom, and whether to trust it.

Everyone is named by key (`agent.keys.key_of`). This module changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, get_args

from agent.feedback import Kind
from agent.interleaving import INTERLEAVED
from agent.logged import LoggedSession, LoggedSlate
from finetune.events.caps import CapReport, Limits, capped, person_of, teaches
from finetune.events.moving import may_teach

TOP = 5
RARE = 0.01
"""Chance below which one event outweighs a hundred others in an off-policy estimate."""

MIXED = INTERLEAVED.rstrip(":")
"""What all interleaved slates are counted as; their teams are in their policies' names."""

SURE = ("greedy", "feed", MIXED)
"""Policies that do not draw by chances: every chance is 1."""


@dataclass(frozen=True, slots=True)
class Chances:
    """The propensities of the slates of one policy.

    Args:
        rare: Share of items shown with a chance below `RARE`.
        effective: Effective sample size of the inverse chances, (Σw)² / Σw², over their number:
            1 where all are the same, near 0 where a few outweigh the rest (Kish 1965).
    """

    policy: str
    slates: int
    lowest: float
    mean: float
    rare: float
    effective: float


@dataclass(frozen=True, slots=True)
class Contributor:
    """Who gave much: sessions, events that teach, and their share of all such events."""

    key: str
    sessions: int
    events: int
    share: float


@dataclass(frozen=True, slots=True)
class Report:
    """Feedback in figures.

    Args:
        users: Distinct users; `anonymous`: sessions without one.
        refused: Sessions in which learning from something was refused.
        with_feedback: Share of slates that got any event but impressions.
        consent: Share of events with consent; None where there is no event.
        days: Sessions and events of each day (UTC), by date.
        caps: What the limits would leave out (`finetune.events.caps`).
        doubts: What may be wrong with the data, in sentences.
    """

    sessions: int
    users: int
    anonymous: int
    refused: int
    turns: int
    slates: int
    with_feedback: float
    events: int
    kinds: dict[str, int]
    consent: float | None
    days: dict[str, dict[str, int]]
    chances: tuple[Chances, ...]
    top: tuple[Contributor, ...]
    caps: CapReport
    doubts: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON holds it."""
        return {**asdict(self), "suspects": list(self.caps.suspects)}


@dataclass(slots=True)
class _Counts:
    """What is added up session by session."""

    kinds: Counter[str] = field(default_factory=Counter)
    days: dict[str, Counter[str]] = field(default_factory=dict)
    given: Counter[str] = field(default_factory=Counter)
    own: Counter[str] = field(default_factory=Counter)
    consent: int = 0
    slates: int = 0
    answered: int = 0

    def add(self, session: LoggedSession) -> None:
        """Count a session."""
        person = person_of(session)
        self.own[person] += 1
        self._day(f"{session.created:%Y-%m-%d}")["sessions"] += 1
        for event in session.events:
            self.kinds[event.kind] += 1
            self._day(f"{event.time:%Y-%m-%d}")["events"] += 1
            self.consent += event.consent
            self.given[person] += teaches(event)
        touched = {event.slate_id for event in session.events if event.kind != "impression"}
        self.slates += len(session.slates)
        self.answered += sum(slate.id in touched for slate in session.slates)

    def _day(self, date: str) -> Counter[str]:
        return self.days.setdefault(date, Counter(sessions=0, events=0))


def report(sessions: Iterable[LoggedSession], limits: Limits | None = None) -> Report:
    """Return the figures of some sessions; nothing is left out of them."""
    given = list(sessions)
    counts = _Counts()
    for session in given:
        counts.add(session)
    chances = _chances([slate for session in given for slate in session.slates])
    caps = capped(given, limits).report
    events = counts.kinds.total()
    return Report(
        sessions=len(given),
        users=len({session.user for session in given} - {None}),
        anonymous=sum(session.user is None for session in given),
        refused=sum(not may_teach(session) for session in given),
        turns=sum(len(session.turns) for session in given),
        slates=counts.slates,
        with_feedback=counts.answered / counts.slates if counts.slates else 0.0,
        events=events,
        kinds={kind: counts.kinds[kind] for kind in get_args(Kind)},
        consent=counts.consent / events if events else None,
        days={date: dict(counts.days[date]) for date in sorted(counts.days)},
        chances=chances,
        top=_top(counts),
        caps=caps,
        doubts=_doubts(chances, caps),
    )


def _top(counts: _Counts) -> tuple[Contributor, ...]:
    total = counts.given.total()
    order = sorted(counts.given, key=lambda key: (-counts.given[key], key))
    return tuple(
        Contributor(key, counts.own[key], counts.given[key], counts.given[key] / total)
        for key in order[:TOP]
        if counts.given[key]
    )


def _chances(slates: Iterable[LoggedSlate]) -> tuple[Chances, ...]:
    found: dict[str, list[float]] = {}
    shown: Counter[str] = Counter()
    for slate in slates:
        if not slate.items:
            continue
        policy = MIXED if slate.policy.startswith(INTERLEAVED) else slate.policy
        shown[policy] += 1
        found.setdefault(policy, []).extend(item.propensity for item in slate.items)
    return tuple(_of_policy(name, shown[name], found[name]) for name in sorted(found))


def _of_policy(policy: str, slates: int, chances: list[float]) -> Chances:
    weights = [1 / chance for chance in chances]
    n = len(chances)
    return Chances(
        policy, slates,
        lowest=min(chances),
        mean=sum(chances) / n,
        rare=sum(chance < RARE for chance in chances) / n,
        effective=sum(weights) ** 2 / (n * sum(one * one for one in weights)),
    )  # fmt: skip


def _doubts(chances: Iterable[Chances], caps: CapReport) -> tuple[str, ...]:
    found = []
    for one in chances:
        if one.policy in SURE and one.lowest < 1:
            found.append(f"policy {one.policy!r} always shows the same, yet has chances down to "
                         f"{one.lowest:.3g}")  # fmt: skip
        if one.policy not in SURE and one.mean == 1:
            found.append(f"policy {one.policy!r} shows every item with chance 1: nothing was "
                         "explored, or chances were not recorded")  # fmt: skip
        if one.effective < 0.1:
            found.append(f"policy {one.policy!r}: a few rare items outweigh the rest (effective "
                         f"sample size {one.effective:.1%}); estimates will be wide")  # fmt: skip
    for cut in caps.cuts:
        if cut.reason == "rate":
            found.append(f"{cut.key} gave more than {caps.limits.per_second:g} events a second")
        if cut.reason == "copies":
            found.append(f"{cut.key} said and did the same in {caps.limits.copies} or more "
                         "sessions")  # fmt: skip
    return tuple(found)
