"""No one person teaches more than a bounded part: limits on events, and what no person does.

    done = capped(sessions)          # done.sessions teach; done.report says what was left out

A person is a user, else a session without one. What teaches is every event with consent but
impressions. Where there are too many the newest are kept: taste changes, and a flood then drowns
only what its own sender said before. The same sessions give the same result in any order. Nothing
is left out in silence: `CapReport.cuts` names each person by key, the limit and the numbers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import floor, inf, isfinite
from typing import Literal, TypeAlias

from agent.feedback import FeedbackEvent
from agent.keys import key_of
from agent.logged import LoggedSession
from finetune.errors import DataError

Reason = Literal["rate", "copies", "session", "user", "share", "turns"]

WINDOW = timedelta(seconds=10)
"""Time over which a rate is measured."""

STORY = 3
"""Fewest events that make a session comparable with another: many click and buy the same item."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one person may teach.

    Args:
        per_session: Events of one session.
        per_user: Events of one person.
        share: Share of all events that one person may have; not enforced below `least`.
        least: Events that a person may have however few others there are.
        turns: Turns of one person; older sessions are left out whole.
        per_second: Events a second, over 10 seconds, that a person can give.
        copies: Sessions in which the same was said and done at the same pace, to a tenth of a
            second, from which on all but the oldest are left out.

    Raises:
        DataError: If one is not positive, or the share is above 1.
    """

    per_session: int = 100
    per_user: int = 500
    share: float = 0.1
    least: int = 50
    turns: int = 1000
    per_second: float = 3.0
    copies: int = 5

    def __post_init__(self) -> None:
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for name, value in values.items():
            if not value > 0 or (name == "share" and value > 1):
                expected = "more than 0, at most 1" if name == "share" else "more than 0"
                raise DataError(f"limit {name}={value!r}: expected {expected}")


TIMELESS = Limits(per_second=inf, copies=10**9)
"""For simulated users, who take no time: nothing is told from how fast they are."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What a person was left out of.

    Args:
        key: Of the user, else of the session (`agent.keys.key_of`).
        given, kept: Events (for "turns": turns) before and after this limit.
    """

    key: str
    reason: Reason
    given: int
    kept: int


@dataclass(frozen=True, slots=True)
class CapReport:
    """What the limits did.

    Args:
        given, kept: Events that teach, before and after.
        largest: Share of what is kept that the busiest person has.
    """

    limits: Limits
    given: int
    kept: int
    people: int
    largest: float
    cuts: tuple[Cut, ...]

    @property
    def suspects(self) -> tuple[str, ...]:
        """Keys of those who did what no person does."""
        found = (cut.key for cut in self.cuts if cut.reason in ("rate", "copies"))
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Capped:
    """Sessions to learn from, in the order given, and what was left out."""

    sessions: tuple[LoggedSession, ...]
    report: CapReport


@dataclass(frozen=True, slots=True)
class _Deed:
    """An event that teaches: whose it is, and the session's id."""

    person: str
    session: str
    event: FeedbackEvent


_Stage: TypeAlias = Callable[[Sequence[_Deed]], Sequence[_Deed]]


def teaches(event: FeedbackEvent) -> bool:
    """Return whether something is learned from an event."""
    return event.consent and event.kind != "impression"


def person_of(session: LoggedSession) -> str:
    """Return the key of whose session it is: the user's, else its own."""
    return key_of(session.id if session.user is None else session.user)


def capped(sessions: Iterable[LoggedSession], limits: Limits | None = None) -> Capped:
    """Return sessions in which nobody has more events than the limits allow."""
    limits = limits or Limits()
    given = list(sessions)
    within, cuts = _within_turns(given, limits.turns)
    deeds = [_Deed(person_of(session), session.id, event)
             for session in within for event in session.events if teaches(event)]  # fmt: skip
    left: Sequence[_Deed] = deeds
    for reason, stage in _stages(within, limits):
        after = stage(left)
        cuts += _cuts(left, after, reason)
        left = after
    kept = {deed.event.id for deed in left}
    counts = Counter(deed.person for deed in left)
    report = CapReport(
        limits=limits,
        given=sum(teaches(event) for session in given for event in session.events),
        kept=len(left),
        people=len({person_of(session) for session in given}),
        largest=max(counts.values()) / len(left) if left else 0.0,
        cuts=tuple(sorted(cuts, key=lambda cut: (cut.kept - cut.given, cut.key, cut.reason))),
    )
    return Capped(tuple(_with(session, kept) for session in within), report)


def _stages(sessions: Sequence[LoggedSession], limits: Limits) -> list[tuple[Reason, _Stage]]:
    copies = _copies(sessions, limits.copies)
    return [
        ("rate", lambda deeds: _human(deeds, limits.per_second)),
        ("copies", lambda deeds: [deed for deed in deeds if deed.session not in copies]),
        ("session", lambda deeds: _newest(deeds, limits.per_session, lambda deed: deed.session)),
        ("user", lambda deeds: _newest(deeds, limits.per_user, lambda deed: deed.person)),
        ("share", lambda deeds: _shared(deeds, limits)),
    ]


def _with(session: LoggedSession, kept: set[str]) -> LoggedSession:
    events = tuple(one for one in session.events if not teaches(one) or one.id in kept)
    return session if events == session.events else session.model_copy(update={"events": events})


def _cuts(before: Sequence[_Deed], after: Sequence[_Deed], reason: Reason) -> list[Cut]:
    had, has = (Counter(deed.person for deed in deeds) for deeds in (before, after))
    return [Cut(key, reason, n, has[key]) for key, n in had.items() if has[key] < n]


def _within_turns(
    sessions: Sequence[LoggedSession], most: int
) -> tuple[list[LoggedSession], list[Cut]]:
    """Return sessions without those that a person had before so many turns ago."""
    own: dict[str, list[LoggedSession]] = defaultdict(list)
    for session in sorted(sessions, key=lambda one: (one.created, one.id), reverse=True):
        own[person_of(session)].append(session)
    left_out: set[str] = set()
    cuts = []
    for key, theirs in own.items():
        total = taken = 0
        for session in theirs:
            total += len(session.turns)
            if total > most and session is not theirs[0]:
                left_out.add(session.id)
            else:
                taken += len(session.turns)
        if taken < total:
            cuts.append(Cut(key, "turns", total, taken))
    return [session for session in sessions if session.id not in left_out], cuts


def _human(deeds: Sequence[_Deed], per_second: float) -> list[_Deed]:
    """Return the events of people who never gave more in a window than anybody can."""
    if not isfinite(per_second):
        return list(deeds)
    times = defaultdict(list)
    for deed in deeds:
        times[deed.person].append(deed.event.time)
    most = per_second * WINDOW.total_seconds()
    bots = set()
    for person, own in times.items():
        own.sort()
        if any(bisect_right(own, time + WINDOW) - place > most for place, time in enumerate(own)):
            bots.add(person)
    return [deed for deed in deeds if deed.person not in bots]


def _copies(sessions: Sequence[LoggedSession], many: int) -> set[str]:
    """Return the ids of sessions that repeat an older one, where that many are the same."""
    alike: dict[object, list[LoggedSession]] = defaultdict(list)
    for session in sessions:
        deeds = [one for one in session.events if teaches(one)]
        if len(deeds) >= STORY:
            said = tuple(turn.utterance for turn in session.turns)
            story = tuple((one.kind, one.item_id, one.value, _tenths(deeds[0], one))
                          for one in deeds)  # fmt: skip
            alike[said, story].append(session)
    found: set[str] = set()
    for group in alike.values():
        if len(group) >= many:
            group.sort(key=lambda one: (one.created, one.id))
            found.update(session.id for session in group[1:])
    return found


def _tenths(first: FeedbackEvent, event: FeedbackEvent) -> int:
    """Return how long after another an event was, in tenths of a second."""
    return round((event.time - first.time) / timedelta(seconds=0.1))


def _newest(deeds: Sequence[_Deed], most: int, group: Callable[[_Deed], str]) -> list[_Deed]:
    """Return at most so many events of each group, the newest."""
    left: Counter[str] = Counter()
    kept = set()
    for deed in sorted(deeds, key=lambda one: (one.event.time, one.event.id), reverse=True):
        if left[group(deed)] < most:
            left[group(deed)] += 1
            kept.add(deed.event.id)
    return [deed for deed in deeds if deed.event.id in kept]


def _shared(deeds: Sequence[_Deed], limits: Limits) -> list[_Deed]:
    most = most_each(Counter(deed.person for deed in deeds), limits.share, limits.least)
    return _newest(deeds, most, lambda deed: deed.person)


def most_each(counts: Mapping[str, int], share: float, least: int) -> int:
    """Return how many events each person may have so that nobody has more than a share.

    The largest c with c <= share * sum(min(n_i, c)), but at least `least`: where few people gave
    anything, a share of it would be nothing.
    """
    most = max(counts.values(), default=0)
    while most > least:
        allowed = floor(share * sum(min(n, most) for n in counts.values()))
        if allowed >= most:
            break
        most = max(allowed, least)
    return max(most, least)
