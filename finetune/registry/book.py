"""What a registry remembers, in SQLite: adapters, their origins, who serves, and every change.

One transaction per change, on disk when it ends (`synchronous=FULL`). Which changes are allowed
is not known here (`finetune.registry.registry`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.routes import Arm, Canary, Experiment
from finetune.adapters import Card
from finetune.errors import RegistryError
from finetune.registry.values import Change, Entry, Judgement, Status

BUSY_SECONDS = 10
SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE adapters (
    name TEXT PRIMARY KEY, status TEXT NOT NULL, card TEXT NOT NULL, added TEXT NOT NULL,
    parent TEXT REFERENCES adapters, judgement TEXT, marked TEXT
);
CREATE TABLE lineage (
    adapter TEXT NOT NULL REFERENCES adapters, kind TEXT NOT NULL, key TEXT NOT NULL,
    PRIMARY KEY (kind, key, adapter)
) WITHOUT ROWID;
CREATE TABLE lives (position INTEGER PRIMARY KEY, adapter TEXT NOT NULL REFERENCES adapters);
CREATE TABLE serving (
    one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL, canary TEXT, experiment TEXT
);
CREATE TABLE history (
    number INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, who TEXT NOT NULL,
    action TEXT NOT NULL, adapter TEXT, before TEXT, after TEXT, why TEXT NOT NULL,
    facts TEXT NOT NULL, audited INTEGER NOT NULL DEFAULT 0
);
INSERT INTO serving VALUES (1, 0, NULL, NULL);
"""


@dataclass(frozen=True, slots=True)
class Serving:
    """Who answers now.

    Args:
        lives: The live adapter last, before it those it replaced; none where the base serves.
    """

    version: int
    lives: tuple[str, ...]
    canary: Canary | None
    experiment: Experiment | None

    @property
    def live(self) -> str | None:
        """Return the live adapter; None for the base."""
        return self.lives[-1] if self.lives else None


class Book:
    """The database of one registry; may be used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute("PRAGMA foreign_keys=ON")
            self._prepare()
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything inside one change: all of it on disk at the end, or nothing."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _prepare(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in _SCHEMA.split(";\n"):
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        self._connection.execute("COMMIT")
        if version > SCHEMA_VERSION:
            raise RegistryError(
                f"{str(self._path)!r} was written by a newer version (schema {version}, this one "
                f"knows {SCHEMA_VERSION}); update Attune"
            )

    def _unusable(self, error: sqlite3.Error) -> RegistryError:
        return RegistryError(
            f"{str(self._path)!r} cannot be used: {error}; check that its folder can be written "
            "and the file is a registry's"
        )

    def add(self, name: str, card: Card, parent: str | None) -> None:
        """Write a new adapter down as a candidate."""
        self._connection.execute(
            "INSERT INTO adapters (name, status, card, added, parent) VALUES (?, ?, ?, ?, ?)",
            (name, "candidate", json.dumps(asdict(card)), _now(), parent),
        )

    def add_lineage(self, name: str, kind: str, keys: Sequence[str]) -> None:
        """Write down the sessions or users whose data an adapter was made from."""
        rows = [(name, kind, key) for key in keys]
        self._connection.executemany("INSERT OR IGNORE INTO lineage VALUES (?, ?, ?)", rows)

    def update(self, name: str, **columns: Any) -> None:
        """Change what is written of an adapter."""
        named = ", ".join(f"{column} = ?" for column in columns)
        self._connection.execute(
            f"UPDATE adapters SET {named} WHERE name = ?", (*columns.values(), name)
        )

    def entries(self, folder: Path) -> dict[str, Entry]:
        """Return the adapters, the oldest first; their folders are in `folder`."""
        rows = self._connection.execute(
            "SELECT name, status, card, added, parent, judgement, marked FROM adapters "
            "ORDER BY added, rowid"
        )
        return {row[0]: _entry(row, folder) for row in rows}

    def holding(self, kind: str, keys: Sequence[str]) -> set[str]:
        """Return the adapters made from data of these sessions or users."""
        rows = self._connection.execute(
            "SELECT DISTINCT adapter FROM lineage WHERE kind = ? AND key IN "
            "(SELECT value FROM json_each(?))",
            (kind, json.dumps(list(keys))),
        )
        return {name for (name,) in rows}

    def serving(self) -> Serving:
        """Return who answers now."""
        version, canary, experiment = self._connection.execute(
            "SELECT version, canary, experiment FROM serving"
        ).fetchone()
        lives = self._connection.execute("SELECT adapter FROM lives ORDER BY position")
        return Serving(
            version=version,
            lives=tuple(name for (name,) in lives),
            canary=Canary(**json.loads(canary)) if canary else None,
            experiment=_experiment(json.loads(experiment)) if experiment else None,
        )

    def serve(self, after: Serving) -> None:
        """Change who answers."""
        self._connection.execute(
            "UPDATE serving SET version = ?, canary = ?, experiment = ?",
            (after.version, _json(after.canary), _json(after.experiment)),
        )
        self._connection.execute("DELETE FROM lives")
        rows = list(enumerate(after.lives))
        self._connection.executemany("INSERT INTO lives VALUES (?, ?)", rows)

    def note(self, change: Change) -> None:
        """Add a change to the history; its number and time are given here."""
        self._connection.execute(
            "INSERT INTO history (time, who, action, adapter, before, after, why, facts) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (_now(), change.who, change.action, change.adapter, change.before, change.after,
             change.why, json.dumps(change.facts)),
        )  # fmt: skip

    def history(self, *, unaudited: bool = False) -> list[Change]:
        """Return what was done, the oldest first.

        Args:
            unaudited: Only what is not in the audit trail yet.
        """
        rows = self._connection.execute(
            "SELECT number, time, who, action, adapter, before, after, why, facts FROM history "
            f"{'WHERE NOT audited ' if unaudited else ''}ORDER BY number"
        )
        return [_change(row) for row in rows]

    def audited(self, number: int) -> None:
        """Write down that a change is in the audit trail."""
        self._connection.execute("UPDATE history SET audited = 1 WHERE number = ?", (number,))


def _entry(row: tuple[Any, ...], folder: Path) -> Entry:
    name, status, card, added, parent, judgement, marked = row
    held = json.loads(card)
    known: Status = status
    return Entry(
        name=name,
        status=known,
        folder=folder / name,
        card=Card(**{**held, "prompts": tuple(held["prompts"])}),
        added=datetime.fromisoformat(added),
        parent=parent,
        judgement=Judgement(**json.loads(judgement)) if judgement else None,
        marked=datetime.fromisoformat(marked) if marked else None,
    )


def _change(row: tuple[Any, ...]) -> Change:
    number, time, who, action, adapter, before, after, why, facts = row
    when = datetime.fromisoformat(time)
    return Change(number, when, who, action, adapter, before, after, why, json.loads(facts))


def _experiment(data: dict[str, Any]) -> Experiment:
    arms = tuple(Arm(**arm) for arm in data["arms"])
    return Experiment(data["name"], data["salt"], arms, data.get("interleaved", False))


def _json(value: Canary | Experiment | None) -> str | None:
    return json.dumps(asdict(value)) if value is not None else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
