"""Forgetting a user: their sessions, the rows made of them, and which adapters learned from those.

    forget("ann", store, pairs=[Path("pairs")], registry=Registry(folder), audit=Audit(folder))

Everything is found by key (`agent.keys.key_of`), so that it works too when the sessions are long
gone, by DELETE /v1/users or by an earlier try: doing it again does no harm. An adapter cannot
unlearn; it is marked, and trained anew without what is gone. Of a row that several people gave,
only what names the one is removed. This module does not know how rows are made
(`finetune.pairs`) or what a mark means (`finetune.registry`).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from agent.store import Store
from agent.store_users import DeletedUser
from finetune.errors import DataError
from finetune.events.audit import Audit
from retrieval.vector_file import sync_folder

FILES = ("train.jsonl", "held.jsonl", "kto_train.jsonl", "kto_held.jsonl")
"""What a folder of pairs is made of, in the order in which it is hashed."""

LINEAGE, REPORT = "lineage.jsonl", "report.json"

Row: TypeAlias = dict[str, Any]


class Registry(Protocol):
    """What knows which adapters were trained on whose data (`finetune.registry.Registry`)."""

    def mark_forgotten(
        self, session_keys: Collection[str], user_key: str | None = None
    ) -> list[str]:
        """Mark the adapters made from the data of these keys; return their names."""
        ...


@dataclass(frozen=True, slots=True)
class Keys:
    """Whose data goes: keys of sessions, and those of a user who goes wholly."""

    sessions: frozenset[str] = frozenset()
    users: tuple[str, ...] = ()

    def own(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row was made from their data."""
        return row.get("user") in self.users or row.get("session") in self.sessions

    def in_bytes(self, line: bytes) -> bool:
        """Return whether one of the keys stands anywhere in a line."""
        return any(key.encode() in line for key in (*self.sessions, *self.users))


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What went.

    Args:
        rows: Rows removed from each folder of pairs that had any, by its path.
        changed: Rows that others gave too: they stay, without what named the forgotten.
        adapters: Names of those that learned from what went, now marked.
    """

    sessions: int = 0
    slates: int = 0
    events: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    changed: int = 0
    adapters: tuple[str, ...] = ()


def forget(
    user: str,
    store: Store,
    *,
    pairs: Sequence[Path] = (),
    registry: Registry | None = None,
    audit: Audit | None = None,
) -> Forgotten:
    """Remove a user from a store and from folders of pairs, and mark what learned from them.

    Raises:
        DataError: If a folder is none of pairs; nothing is removed then.
        StoreError: If the store can't be written; nothing is removed then.
    """
    _check(pairs)
    gone = store.delete_user(user)
    own = store.user_keys(user)
    before = [one.sessions for one in store.deletions() if one.key in own]
    keys = Keys(frozenset(key for sessions in before for key in sessions), own)
    done = _everywhere(keys, gone, pairs, registry)
    _record(audit, [own[0]], done)
    return done


def forget_deleted(
    store: Store,
    *,
    pairs: Sequence[Path] = (),
    registry: Registry | None = None,
    audit: Audit | None = None,
) -> Forgotten:
    """Do the same for all whose data was deleted from the store before, e.g. over HTTP.

    Raises:
        DataError: If a folder is none of pairs; nothing is removed then.
    """
    _check(pairs)
    deletions = store.deletions()
    # By session: who came back since then has rows that stay.
    keys = Keys(frozenset(key for one in deletions for key in one.sessions))
    done = _everywhere(keys, DeletedUser(), pairs, registry)
    if done.rows or done.changed:
        _record(audit, [one.key for one in deletions], done)
    return done


def _everywhere(
    keys: Keys, gone: DeletedUser, pairs: Sequence[Path], registry: Registry | None
) -> Forgotten:
    removed = {str(folder): remove_rows(folder, keys) for folder in pairs}
    marked: dict[str, None] = {}
    for user in keys.users or (None,):
        named = [] if registry is None else registry.mark_forgotten(keys.sessions, user)
        marked |= dict.fromkeys(named)
    return Forgotten(
        sessions=len(gone.sessions),
        slates=len(gone.slates),
        events=len(gone.events),
        rows={folder: one.rows for folder, one in removed.items() if one.rows},
        changed=sum(one.changed for one in removed.values()),
        adapters=tuple(marked),
    )


def _record(audit: Audit | None, keys: list[str], done: Forgotten) -> None:
    if audit is not None:
        audit.append(
            "forget", users=keys, sessions=done.sessions, slates=done.slates, events=done.events,
            rows=sum(done.rows.values()), changed=done.changed, adapters=list(done.adapters),
        )  # fmt: skip


@dataclass(slots=True)
class Removed:
    """What a folder of pairs lost: rows by file, and rows that stay in other names."""

    files: Counter[str] = field(default_factory=Counter)
    changed: int = 0

    @property
    def rows(self) -> int:
        """Rows that went, the lines about them not counted."""
        return self.files.total()


def _check(folders: Iterable[Path]) -> None:
    for folder in folders:
        if not (folder / REPORT).is_file() and not (folder / LINEAGE).is_file():
            raise DataError(f"{str(folder)!r} is no folder of pairs: it has no {REPORT}")


def remove_rows(folder: Path, keys: Keys) -> Removed:
    """Remove what was made from somebody's data from a folder of pairs.

    Each file is replaced as a whole, the list of where rows come from last: after a crash the
    next try finds what is left. `report.json` then says what was removed, with the new hash.

    Raises:
        DataError: If the folder is none of pairs.
    """
    _check([folder])
    done, sources, gone = Removed(), _Sources.read(folder / LINEAGE, keys), False
    for path in sorted(folder.glob("*.jsonl")):
        if path.name == LINEAGE:
            continue
        before = path.read_bytes().splitlines()
        after = [line for line in (_kept(one, keys, sources, done, path.name) for one in before)
                 if line is not None]  # fmt: skip
        if after != before:
            gone = True
            _replace(path, after)
    if sources.removed:
        _replace(folder / LINEAGE, sources.kept)
    if gone or sources.removed:
        _tell(folder, done)
    return done


@dataclass(slots=True)
class _Sources:
    """Where the rows of a folder come from: lines that stay, and what is left of each row."""

    kept: list[bytes] = field(default_factory=list)
    left: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    removed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def read(cls, path: Path, keys: Keys) -> _Sources:
        """Sort the lines of a lineage by whether they go; there may be none."""
        found = cls()
        for line in path.read_bytes().splitlines() if path.is_file() else ():
            row = _row(line)
            if row is None:
                found.kept += [] if keys.in_bytes(line) else [line]
            elif keys.own(row):
                found.removed[str(row.get("id"))].update(map(str, row.get("events", ())))
            else:
                found.kept.append(line)
                found.left[str(row.get("id"))].append(row)
        return found


def _row(line: bytes) -> Row | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and "session" in row else None


def _kept(line: bytes, keys: Keys, sources: _Sources, done: Removed, name: str) -> bytes | None:
    """Return a line as it stays, None if it goes. What is no row goes if it names somebody."""
    row = _row(line)
    if row is None:
        return None if keys.in_bytes(line) else line
    id = str(row.get("id"))
    if not keys.own(row) and id not in sources.removed:
        return line
    others = sources.left.get(id)
    if not others:
        done.files[name] += 1
        return None
    done.changed += 1
    gone = sources.removed[id]
    if keys.own(row):
        row |= {"session": others[0]["session"], "user": others[0].get("user")}
    row["events"] = [event for event in row.get("events", ()) if event not in gone]
    return json.dumps(row, ensure_ascii=False).encode()


def _replace(path: Path, lines: Sequence[bytes]) -> None:
    """Put other lines into a file in one step; a file without any goes."""
    if not lines:
        path.unlink()
        return
    _put(path, b"".join(line + b"\n" for line in lines))


def _put(path: Path, content: bytes) -> None:
    scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with scratch.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
    sync_folder(path.parent)


def _tell(folder: Path, done: Removed) -> None:
    path = folder / REPORT
    try:
        report = json.loads(path.read_bytes())
    except (OSError, ValueError):
        report = {}
    report.setdefault("forgotten", []).append(
        {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "rows": dict(sorted(done.files.items())),
            "changed": done.changed,
        }
    )
    report["hash"] = hash_of(folder)
    _put(path, (json.dumps(report, indent=1, ensure_ascii=False) + "\n").encode())


def hash_of(folder: Path) -> str:
    """Return the SHA-256 of the rows of a folder of pairs, as its report has it."""
    digest = hashlib.sha256()
    for name in FILES:
        path = folder / name
        for line in path.read_bytes().splitlines() if path.is_file() else ():
            digest.update(f"{json.dumps(json.loads(line), sort_keys=True)}\n".encode())
        digest.update(b"\n")
    return digest.hexdigest()
