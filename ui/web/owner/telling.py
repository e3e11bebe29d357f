"""Times, shares, numbers and ids as people read them, as escaped HTML where they need markup."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from ui.web.markup import escape, tag

SHORT = 8
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_NONE = "–"


def ago(time: str | None, now: datetime | None = None) -> str:
    """Return a moment as "2 min ago"; the browser adds the local time (`assets/owner.js`)."""
    if not time:
        return _NONE
    when = datetime.fromisoformat(time)
    said = since((now or datetime.now(UTC)) - when) if when.tzinfo else f"{when:%Y-%m-%d %H:%M}"
    said = said or f"{when:%d %b %Y}"
    title = f"{when:%Y-%m-%d %H:%M} UTC"
    return tag("time", escape(said), datetime=when.isoformat(), title=title)


def since(passed: object) -> str:
    """Return how long ago something was; nothing where that was over a week."""
    seconds = int(passed.total_seconds())  # type: ignore[attr-defined]
    if seconds < 45:
        return "just now"
    if seconds < _HOUR:
        return f"{max(round(seconds / _MINUTE), 1)} min ago"
    if seconds < _DAY:
        return f"{round(seconds / _HOUR)} h ago"
    days = seconds // _DAY
    return "" if days > 7 else "yesterday" if days == 1 else f"{days} days ago"


def lasted(seconds: float) -> str:
    """Return how long something took, e.g. "1 min 20 s"."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def percent(share: float | None, places: int = 0) -> str:
    """Return a share of 1 as percent."""
    return _NONE if share is None else f"{share:.{places}%}"


def number(value: float | None, places: int = 3) -> str:
    """Return a number without more digits than say something."""
    if value is None:
        return _NONE
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.{places}f}" if abs(value) < 1_000 else f"{value:,.0f}"


def signed(value: float, places: int = 3) -> str:
    """Return a difference with its sign."""
    rounded = round(value, places)
    return "0" if rounded == 0 else f"{rounded:+.{places}f}"


def between(low: float | None, high: float | None, places: int = 3) -> str:
    """Return an interval, or that there is none."""
    if low is None or high is None:
        return ""
    return f"{round(low, places) + 0.0:.{places}f} to {round(high, places) + 0.0:.{places}f}"


def yes(value: bool | None) -> str:
    """Return a truth in a word."""
    return _NONE if value is None else "yes" if value else "no"


def named(words: Mapping[str, str], name: object) -> str:
    """Return the words for a name; the name where there are none."""
    return words.get(str(name), str(name))


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def short(id: str | None) -> str:
    """Return the beginning of an id; the whole is in its title."""
    if not id:
        return _NONE
    said = id if len(id) <= SHORT + 2 else f"{id[:SHORT]}…"
    return tag("code", escape(said), title=id)


def listed(values: object) -> str:
    """Return a value, or several, as text: never as Python would print them."""
    if isinstance(values, list | tuple):
        return ", ".join(listed(one) for one in values)
    if isinstance(values, dict):
        return ", ".join(f"{name}: {listed(one)}" for name, one in values.items())
    if values is None or isinstance(values, bool):
        return yes(values)
    if isinstance(values, float):
        return number(values)
    return str(values)
