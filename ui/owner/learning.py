"""What the owner sees of learning: feedback, adapters and their gates, rounds."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from agent.errors import UserInputError
from agent.store import Store
from agent.store_figures import counted, newest
from agent.store_looking import told, told_by_day
from finetune.events.report import report
from finetune.registry import Registry
from finetune.registry.values import Entry
from ui.owner.catalog import csv_line
from ui.owner.looking import KINDS, told_json

Json = dict[str, Any]

MOST_ROUNDS = 50
DAYS = 90
MOST_DAYS = 366
MOST_TOLD = 200
FRESH_S = 60.0
"""Seconds for which figures of feedback stand, although more was told meanwhile."""


@dataclass(frozen=True, slots=True)
class _Counted:
    """Figures of feedback, what they were made from, and when."""

    seen: tuple[Any, ...]
    at: float
    told: Json


class Figures:
    """What people did lately in figures, counted again only where there is more.

    Of 50,000 events that takes seconds: whoever looks a second time within a minute, or while
    nothing has been told, sees the figures that were counted. Safe to share between threads.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[int, _Counted] = {}

    def of(self, store: Store, days: int = DAYS) -> Json:
        """Return them as `attune feedback report` does, and by day and kind.

        Args:
            days: Whole days (UTC) before today of sessions with anything in them that are counted.

        Raises:
            UserInputError: If that is no sensible number.
        """
        since = since_of(days)
        with self._lock:  # two who look at once wait for one count
            seen, now = (since, *newest(store.database)), self._clock()
            known = self._known.get(days)
            if known is not None and (known.seen == seen or (
                known.seen[0] == since and now - known.at < FRESH_S)):  # fmt: skip
                return known.told
            made = _feedback(store, days, since)
            self._known[days] = _Counted(seen, self._clock(), made)
            return made


def since_of(days: int) -> datetime:
    """Return when a number of days ago began (UTC).

    Raises:
        UserInputError: If that is no sensible number.
    """
    if not 1 <= days <= MOST_DAYS:
        raise UserInputError(f"days={days!r}: expected 1 to {MOST_DAYS}")
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days)


def _feedback(store: Store, days: int, since: datetime) -> Json:
    by_day = told_by_day(store.database, since)
    return {
        **report(counted(store.database, since)).to_json(), "since_days": days,
        "counted": datetime.now(UTC).isoformat(timespec="seconds"),
        "kinds_by_day": [{"day": day, "kind": kind, "events": n}
                         for (day, kind), n in sorted(by_day.items())],
    }  # fmt: skip


def events(store: Store, kind: str = "", days: int = DAYS, limit: int = 50) -> list[Json]:
    """Return what people told last, newest first: of which item, in which turn.

    Args:
        kind: Only of this kind; all by default.

    Raises:
        UserInputError: If there is no such kind, or number of days.
    """
    found = told(store.database, _kinds(kind), since=since_of(days),
                 limit=min(max(limit, 1), MOST_TOLD))  # fmt: skip
    return [told_json(one) for one in found]


COLUMNS = ("time", "kind", "value", "consent", "item", "title", "session", "number", "utterance")


def events_csv(store: Store, kind: str = "", days: int = DAYS) -> Iterator[str]:
    """Yield all that people told as CSV, newest first; times are UTC.

    Raises:
        UserInputError: If there is no such kind, or number of days.
    """
    found = told(store.database, _kinds(kind), since=since_of(days))
    return chain([csv_line(COLUMNS)], (csv_line(list(told_json(one).values())) for one in found))


def _kinds(kind: str) -> Sequence[str]:
    if kind and kind not in KINDS:
        raise UserInputError(f"kind={kind[:40]!r}: expected one of {', '.join(KINDS)}")
    return [kind] if kind else KINDS


def adapters(folder: Path) -> Json:
    """Return the adapters of a project with what the gate measured, and what was done with them.

    Args:
        folder: Of the registry; one that is not there has no adapters.
    """
    if not folder.is_dir():
        return {"live": None, "trial": None, "version": 0, "adapters": [], "history": []}
    with Registry(folder) as registry:
        entries, live, routes = registry.list(), registry.live(), registry.routes()
        history = [
            {"time": change.time.isoformat(timespec="seconds"), "what": change.action,
             "adapter": change.adapter, "who": change.who, "why": change.why,
             "forced": bool(change.facts.get("forced"))}
            for change in registry.history()[-MOST_ROUNDS:]
        ]  # fmt: skip
    return {
        "live": live.name if live else None,
        "version": routes.version,
        "trial": trial.name if (trial := routes.canary or routes.experiment) else None,
        "adapters": [_adapter(entry) for entry in entries],
        "history": history[::-1],
    }


def _adapter(entry: Entry) -> Json:
    said = entry.judgement
    return {
        "name": entry.name, "status": entry.status, "parent": entry.parent,
        "share": entry.share, "added": entry.added.isoformat(timespec="seconds"),
        "method": entry.card.method, "base": entry.card.base,
        "forgotten": entry.marked.isoformat(timespec="seconds") if entry.marked else None,
        "passed": said.passed if said else None, "beside": said.baseline if said else None,
        "gate": gate_report(entry.folder.parent / said.path) if said else None,
    }  # fmt: skip


def gate_report(path: Path) -> Json | None:
    """Return what the gate said of an adapter and measured; None where its file cannot be read."""
    try:
        stored = json.loads(path.read_text("utf-8"))
        before: Json = next(iter(stored["baselines"].values()), {})
        judged: Json = stored.get("metrics", {})
        rows = [
            {"metric": name, "adapter": value, "before": before.get(name),
             **_interval(judged.get(name, {}))}
            for name, value in stored["ours"].items()
        ]  # fmt: skip
        return {"verdict": stored["verdict"], "reasons": stored["reasons"], "metrics": rows}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _interval(judged: Json) -> Json:
    """Return the interval of a difference, and what the gate made of it."""
    low, high = judged.get("interval") or (None, None)
    return {"low": low, "high": high, "improved": bool(judged.get("improved")),
            "against": list(judged.get("against", ()))}  # fmt: skip


def rounds(folder: Path) -> list[Json]:
    """Return the rounds of learning of a project, newest first."""
    found = sorted(folder.glob("round-*/round.json"), reverse=True)[:MOST_ROUNDS]
    made = []
    for path in found:
        try:
            made.append(json.loads(path.read_text("utf-8")))
        except (OSError, ValueError):
            made.append({"number": path.parent.name, "ending": "unreadable"})
    return made
