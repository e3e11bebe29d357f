"""What the owner sees of learning: feedback, adapters and their gates, rounds."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.store import Store
from agent.store_looking import told_by_day
from finetune.events.report import report
from finetune.registry import Registry
from finetune.registry.values import Entry

Json = dict[str, Any]

MOST_ROUNDS = 50
DAYS = 90


def feedback(store: Store, days: int = DAYS) -> Json:
    """Return what people did lately in figures, as `attune feedback report`, and by day and kind.

    Args:
        days: Of sessions with anything in them that are counted.
    """
    since = datetime.now(UTC) - timedelta(days=days)
    told = told_by_day(store.database, since)
    return {
        **report(store.logged(since)).to_json(), "since_days": days,
        "kinds_by_day": [{"day": day, "kind": kind, "events": n}
                         for (day, kind), n in sorted(told.items())],
    }  # fmt: skip


def adapters(folder: Path) -> Json:
    """Return the adapters of a project with what the gate measured, and what was done with them.

    Args:
        folder: Of the registry; one that is not there has no adapters.
    """
    if not folder.is_dir():
        return {"live": None, "trial": None, "adapters": [], "history": []}
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
        "trial": routes.canary.name
        if routes.canary
        else routes.experiment.name
        if routes.experiment
        else None,
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
