"""Until when what a page says holds, where it says so. What no longer holds is not quoted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from agent.tools.dates import find_date

_UNTIL = re.compile(
    r"\b(?:valid|appl(?:y|ies)|in (?:force|effect)|effective|current)\b.{0,30}?"
    r"\b(?:until|till|through|up to|to|expires?(?: on)?)\b(?P<rest>.{4,40})",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"\bthis (?:page|policy|version|document|text|information|article)"
    r"(?: is| has been| was)? (?:now |therefore )?(?:out of date|outdated|obsolete|superseded|"
    r"archived|no longer (?:valid|in force|current|up to date))\b|"
    r"^\W*(?:archived|outdated|obsolete|superseded|deprecated|no longer valid)\b",
    re.IGNORECASE,
)
_A_DAY = date(2000, 1, 1)
LONG_AGO = date(1, 1, 1)


def stated(value: object) -> date | None:
    """Return the day that a front matter or an attribute gives, None where it gives none."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value.strip()[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def holds_until(headings: Sequence[str], first: str) -> date | None:
    """Return the last day on which what stands under some headings holds, None where none is named.

    Args:
        first: The first sentence of the page, which may say that all of it is out of date.
    """
    days = [day for text in (*headings, first) if (day := _until(text)) is not None]
    return min(days, default=None)


def _until(text: str) -> date | None:
    if _OVER.search(text):
        return LONG_AGO
    found = _UNTIL.search(text)
    # Without a year no day is past: the sale ends every 31 January.
    named = found is not None and re.search(r"\d{4}", found["rest"]) is not None
    return find_date(found["rest"], _A_DAY) if found is not None and named else None


def earliest(days: Iterable[date | None]) -> date | None:
    """Return the first of some days, None where there is none."""
    return min((day for day in days if day is not None), default=None)
