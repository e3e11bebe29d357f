"""Dates as people say them: "2026-12-24", "24.12.", "24 December", "tomorrow", "next Friday"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NEAR = {"the day after tomorrow": 2, "day after tomorrow": 2, "the day before yesterday": -2,
         "tomorrow": 1, "yesterday": -1, "today": 0}  # fmt: skip
_MONTH = (
    "(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    "sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_YEAR = r"(?:,?\s+(?P<year>\d{4}))?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"\b(?P<year>\d{4})-(?P<number>\d{2})-(?P<day>\d{2})\b",
        r"\b(?P<day>\d{1,2})[./](?P<number>\d{1,2})[./](?P<year>\d{4}|\d{2})?(?!\d)",
        rf"\b{_DAY}\.?(?:\s+of)?\s+{_MONTH}\b{_YEAR}",
        rf"\b{_MONTH}\s+{_DAY}\b{_YEAR}",
    )
)
_WEEKDAY = re.compile(
    r"\b(?P<last>last\s+)?(?:next\s+|this\s+|on\s+)?(?P<day>mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|"
    r"sat(?:ur)?|sun)(?:day)?\b",
    re.IGNORECASE,
)


def find_date(text: str, today: date) -> date | None:
    """Return the first date that a text names, None where it names none."""
    return next(_dates(text, today), None)


def _dates(text: str, today: date) -> Iterator[date]:
    lower = text.lower()
    for form in _FORMS:
        for match in form.finditer(text):
            found = _made(match, today)
            if found is not None:
                yield found
    for phrase, days in _NEAR.items():
        if re.search(rf"\b{phrase}\b", lower):
            yield today + timedelta(days=days)
    for match in _WEEKDAY.finditer(text):
        wanted = _DAYS.index(match["day"][:3].lower())
        ahead = (wanted - today.weekday() - 1) % 7 + 1
        yield today + timedelta(days=ahead - 7 if match["last"] and ahead < 7 else
                                -7 if match["last"] else ahead)  # fmt: skip


def _made(match: re.Match[str], today: date) -> date | None:
    """Return the date of a match; without a year it is the next one, with two digits this age's."""
    parts = match.groupdict()
    day, year = int(parts["day"]), parts.get("year")
    name = parts.get("month")
    month = _MONTHS.index(name[:3].lower()) + 1 if name else int(parts["number"])
    if month > 12 >= day and not name:
        day, month = month, day
    try:
        if year is None:
            found = date(today.year, month, day)
            return (
                found if found >= today - timedelta(days=180) else date(today.year + 1, month, day)
            )
        return date(int(year) + (2000 if len(year) == 2 else 0), month, day)
    except ValueError:
        return None
