"""Jobs of privacy: what was made of deleted data is removed too, and old data is deleted daily."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.jobs import Handler
from agent.store import Store
from agent.store_purge import Keep, Purged, purge
from ui.adapters import ADAPTERS
from ui.settings import Settings

ROUNDS = "rounds"
"""Where `attune loop` keeps its rounds in a project."""


def keep_of(settings: Settings) -> Keep:
    """Return how long things are kept."""
    days = settings.retention_days
    return Keep(sessions=None if days is None else timedelta(days=days))


def purged(store: Store, settings: Settings, *, dry: bool = False) -> Purged:
    """Delete what is older than it is to be kept, or count it."""
    return purge(store.database, keep_of(settings), datetime.now(UTC), dry=dry)


def make_retention(store: Store, settings: Settings) -> Handler:
    """Return what runs the daily job `retention`."""

    def retention(payload: Mapping[str, Any]) -> Mapping[str, Any]:
        return asdict(purged(store, settings))

    return retention


def pairs_of(folder: Path) -> Sequence[Path]:
    """Return the folders of pairs that the rounds of a project left."""
    return tuple(path.parent for path in sorted(folder.glob(f"{ROUNDS}/*/pairs/report.json")))


def make_forget(folder: Path, store: Store) -> Handler:
    """Return what runs jobs `forget`: catches up on all that was deleted from the store."""

    def forget(payload: Mapping[str, Any]) -> Mapping[str, Any]:
        from finetune.events import forgetting
        from finetune.events.audit import Audit
        from finetune.registry import Registry

        pairs, adapters = pairs_of(folder), folder / ADAPTERS
        if not adapters.is_dir():
            done = forgetting.forget_deleted(store, pairs=pairs, audit=Audit(folder))
        else:
            with Registry(adapters, who="forget") as registry:
                done = forgetting.forget_deleted(
                    store, pairs=pairs, registry=registry, audit=Audit(adapters)
                )
        return {"rows": sum(done.rows.values()), "changed": done.changed,
                "adapters": list(done.adapters)}  # fmt: skip

    return forget
