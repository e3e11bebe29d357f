"""Times, shares, numbers and ids as people read them, as escaped HTML where they need markup."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ui.web.markup import escape, tag
from ui.web.words import DEFAULT, Words

SHORT = 8
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_NONE = "–"


def owners_words(language: str = DEFAULT) -> Words:
    """Return the words of the owner's pages in a language."""
    return Words(language, "ui.web.owner")


def ago(words: Words, time: str | None, now: datetime | None = None) -> str:
    """Return a moment as "2 min ago"; the browser adds the local time (`assets/owner.js`)."""
    if not time:
        return _NONE
    when = datetime.fromisoformat(time)
    said = since(words, (now or datetime.now(UTC)) - when) if when.tzinfo else ""
    # A date is said again by the browser, in the way of whoever looks.
    tells_date = None if said else True
    said = said or f"{when:%Y-%m-%d}"
    title = f"{when:%Y-%m-%d %H:%M} UTC"
    return tag("time", escape(said), datetime=when.isoformat(), title=title, data_date=tells_date)


def since(words: Words, passed: timedelta) -> str:
    """Return how long ago something was; nothing where that was over a week."""
    seconds = int(passed.total_seconds())
    if seconds < 45:
        return words("when.now")
    if seconds < _HOUR:
        return words("when.minutes", n=max(round(seconds / _MINUTE), 1))
    if seconds < _DAY:
        return words("when.hours", n=round(seconds / _HOUR))
    days = seconds // _DAY
    return "" if days > 7 else words("when.yesterday") if days == 1 else words("when.days", n=days)


def lasted(words: Words, seconds: float) -> str:
    """Return how long something took, e.g. "1 min 20 s"."""
    if seconds < _MINUTE:
        n = f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}"
        return words("lasted.seconds", n=n)
    minutes, rest = divmod(round(seconds), _MINUTE)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return words("lasted.hours", hours=hours, minutes=minutes)
    return words("lasted.minutes", minutes=minutes, seconds=rest)


def milliseconds(ms: float) -> str:
    """Return the time of a turn or stage: "0.4 ms", "38 ms", "2.31 s"."""
    if ms >= 1_000:
        return f"{ms / 1_000:.2f} s"
    return f"{ms:.0f} ms" if ms >= 10 else f"{ms:.1f} ms"


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


def between(words: Words, low: float | None, high: float | None, places: int = 3) -> str:
    """Return an interval; nothing where there is none."""
    if low is None or high is None:
        return ""
    ends = (f"{round(one, places) + 0.0:.{places}f}" for one in (low, high))
    return words("figure.between", low=next(ends), high=next(ends))


def yes(words: Words, value: bool | None) -> str:
    """Return a truth in a word."""
    return _NONE if value is None else words("say.yes") if value else words("say.no")


def named(words: Words, section: str, name: object) -> str:
    """Return the words for a name; the name itself where the table has none."""
    return words.get(f"{section}.{name}") or str(name)


def count(words: Words, key: str, n: int) -> str:
    """Return a count with its noun: count(words, "items", 3) is "3 items"."""
    one = words.get(f"n.{key}_one") if n == 1 else None
    return one or words(f"n.{key}", n=f"{n:,}")


def short(id: str | None) -> str:
    """Return the beginning of an id; the whole is in its title."""
    if not id:
        return _NONE
    said = id if len(id) <= SHORT + 2 else f"{id[:SHORT]}…"
    return tag("code", escape(said), title=id)


def listed(words: Words, values: object) -> str:
    """Return a value, or several, as text: never as Python would print them."""
    if isinstance(values, list | tuple):
        return ", ".join(listed(words, one) for one in values)
    if isinstance(values, dict):
        return ", ".join(f"{name}: {listed(words, one)}" for name, one in values.items())
    if values is None or isinstance(values, bool):
        return yes(words, values)
    if isinstance(values, float):
        return number(values)
    return str(values)
