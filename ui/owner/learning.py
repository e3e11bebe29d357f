"""What the owner sees of learning: feedback, adapters and their gates, rounds, experiments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agent.store import Store
from finetune.events.report import report
from finetune.registry import Registry
from finetune.registry.values import Entry

Json = dict[str, Any]

MOST_ROUNDS = 50


def feedback(store: Store) -> Json:
    """Return what people did in figures: `attune feedback report`."""
    return report(store.logged()).to_json()


def adapters(folder: Path) -> Json:
    """Return the adapters of a project with what the gate measured, and what was done with them.

    Args:
        folder: Of the registry; one that is not there has no adapters.
    """
    if not folder.is_dir():
        return {"live": None, "adapters": [], "history": []}
    with Registry(folder) as registry:
        entries, live = registry.list(), registry.live()
        history = [
            {"time": change.time, "what": change.action, "adapter": change.adapter,
             "who": change.who, "why": change.why}
            for change in registry.history()[-MOST_ROUNDS:]
        ]  # fmt: skip
    return {
        "live": live.name if live else None,
        "adapters": [_adapter(entry) for entry in entries],
        "history": history[::-1],
    }


def _adapter(entry: Entry) -> Json:
    return {
        "name": entry.name, "status": entry.status, "parent": entry.parent,
        "share": entry.share, "added": entry.added.isoformat(timespec="seconds"),
        "forgotten": entry.marked.isoformat() if entry.marked else None,
        "gate": gate_report(Path(entry.judgement.path)) if entry.judgement else None,
    }  # fmt: skip


def gate_report(path: Path) -> Json | None:
    """Return what the gate said of an adapter and measured; None where its file cannot be read."""
    try:
        stored = json.loads(path.read_text("utf-8"))
        before: Json = next(iter(stored["baselines"].values()), {})
        rows = [
            {"metric": name, "adapter": value, "before": before.get(name)}
            for name, value in stored["ours"].items()
        ]
        return {"verdict": stored["verdict"], "reasons": stored["reasons"], "metrics": rows}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


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
