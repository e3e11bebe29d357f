"""Business hours: whether somebody is there at a moment, and when they are back.

Hours are wall-clock times of a zone, so that they hold through changes to and from summer time. A
span may go past midnight ("22:00-02:00"). This module reads no clock: moments are passed in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from agent.wording import say

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LOOKED_AHEAD = 400
"""Days within which the next opening is looked for."""

_SPAN = re.compile(r"(\d{1,2})[:.](\d{2})\s*[-–]\s*(\d{1,2})[:.](\d{2})")
_A_DAY = 24 * 60
_A_WEEK = 7


@dataclass(frozen=True, slots=True)
class Span:
    """From one minute of the day to another; `until` past 1,440 is on the next day."""

    since: int
    until: int


def read_span(text: str) -> Span:
    """Return the span of "9:00-18:00"; ValueError says what is expected."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'{text!r} is no span of hours; expected something like "9:00-18:00"')
    h1, m1, h2, m2 = map(int, match.groups())
    since, until = 60 * h1 + m1, 60 * h2 + m2
    if m1 > 59 or m2 > 59 or since >= _A_DAY or until > _A_DAY or since == until:
        raise ValueError(f"{text!r}: hours go from 0:00 to 24:00, and the span must not be empty")
    return Span(since, until if until > since else until + _A_DAY)


@dataclass(frozen=True, slots=True)
class Hours:
    """When somebody is there.

    Args:
        week: Spans of each weekday, Monday first.
        special: Spans of single days, instead of those of the week; none: closed.
        yearly: Days closed every year, as (month, day).
    """

    zone: ZoneInfo
    week: tuple[tuple[Span, ...], ...]
    special: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    yearly: frozenset[tuple[int, int]] = frozenset()

    def spans(self, day: date) -> tuple[Span, ...]:
        """Return the spans that begin on a day."""
        if day in self.special:
            return self.special[day]
        if (day.month, day.day) in self.yearly:
            return ()
        return self.week[day.weekday()]

    def open_at(self, moment: datetime) -> bool:
        """Return whether somebody is there at a moment."""
        today = moment.astimezone(self.zone).date()
        days = (today - timedelta(days=1), today)
        return any(start <= moment < end for day in days for start, end in self._moments(day))

    def next_opening(self, moment: datetime) -> datetime | None:
        """Return when somebody is there next, in the zone; None where that is not in sight."""
        today = moment.astimezone(self.zone).date()
        for ahead in range(LOOKED_AHEAD):
            starts = [start for start, _ in self._moments(today + timedelta(days=ahead))]
            later = [start for start in starts if start > moment]
            if later:
                return min(later).astimezone(self.zone)
        return None

    def _moments(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        for span in self.spans(day):
            yield self._moment(day, span.since), self._moment(day, span.until)

    def _moment(self, day: date, minute: int) -> datetime:
        """Return a wall-clock time as a moment; one that summer time skips is the one after."""
        days, rest = divmod(minute, _A_DAY)
        wall = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60))
        return wall.replace(tzinfo=self.zone).astimezone(UTC)


def back(hours: Hours, moment: datetime, language: str = "en") -> str:
    """Return when somebody is there next, as one says it: "at 9:00 on Monday"."""
    found = hours.next_opening(moment)
    if found is None:
        return ""
    days = (found.date() - moment.astimezone(hours.zone).date()).days
    clock = f"{found.hour}:{found.minute:02}"
    if days == 0:
        return say("service.back_today", language=language, time=clock)
    if days == 1:
        return say("service.back_tomorrow", language=language, time=clock)
    key = "service.back_weekday" if days < _A_WEEK else "service.back_date"
    name = _dated(found, "EEEE", language)
    day = _dated(found, say("service.date_pattern", language=language), language)
    return say(key, language=language, time=clock, weekday=name, date=day)


def _dated(moment: datetime, pattern: str, language: str) -> str:
    from babel.dates import format_date

    return str(format_date(moment.date(), pattern, language))


def spans_of(texts: Sequence[str]) -> tuple[Span, ...]:
    """Return the spans of a list of texts."""
    return tuple(read_span(text) for text in texts)
