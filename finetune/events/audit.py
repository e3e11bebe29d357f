"""The audit trail: a file to which lines are only added, each sealed to the line before.

    audit = Audit(folder)                                  # folder/audit.jsonl
    audit.append("gate", adapter="taste-2", accepted=False, reason="…")
    audit.check().broken                                   # None, or the first broken line

Every line carries the SHA-256 of the line before, so a line that was changed, taken out or put in
later is found. Lines cut off at the end leave no mark: keep the last hash (`Checked.head`) where
the file's owner cannot reach it, and pass it to `check`. Facts are names, counts and hashes, never
what people wrote nor who they are. This module knows nothing of what is recorded.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from finetune.errors import DataError
from retrieval.vector_file import sync_folder

NAME = "audit.jsonl"
START = "0" * 64
"""What stands for the line before the first."""

_KEYS = {"number", "time", "kind", "facts", "before"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line.

    Args:
        number: Its line, from 1.
        before: SHA-256 of the line before, in hex; `START` for the first.
    """

    number: int
    time: datetime
    kind: str
    facts: dict[str, Any]
    before: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The first line that does not follow from those before it, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found.

    Args:
        lines: Lines read.
        head: SHA-256 of the last line; `START` for an empty trail.
        broken: None where every line follows from the one before.
    """

    lines: int
    head: str
    broken: Broken | None = None


class Audit:
    """The trail of a folder, made with its first line. Safe to share across processes."""

    def __init__(self, folder: Path) -> None:
        self.path = Path(folder) / NAME

    def append(self, kind: str, **facts: Any) -> Entry:
        """Add a line, on disk when this returns.

        A last line that a crash cut short was never acknowledged: it is taken off, and a line
        "torn" says so.

        Args:
            kind: What happened, e.g. "promote".
            facts: What JSON holds, under names of your own.

        Raises:
            TypeError: If a fact is no JSON value.
        """
        json.dumps(facts, allow_nan=False)  # before the file is touched
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self.path}.lock"):
            torn = self._mend()
            lines = list(self._lines())
            if torn:
                lines.append(self._write(lines, "torn", {"bytes": torn}))
            return _entry(self._write(lines, kind, facts), len(lines) + 1)

    def entries(self) -> list[Entry]:
        """Return the lines, oldest first.

        Raises:
            DataError: If one cannot be read; `check` says why the trail is not to be trusted.
        """
        try:
            return [_entry(line, number) for number, line in enumerate(self._lines(), start=1)]
        except ValueError as error:
            raise DataError(f"{self.path}: {error}") from error

    def check(self, head: str | None = None) -> Checked:
        """Return whether each line follows from the one before; names the first that does not.

        Args:
            head: Hash that the trail's last line had at some time; it must still be in it.
        """
        before, seen, number = START, {START}, 0
        for number, line in enumerate(self._lines(), start=1):
            try:
                entry = _entry(line, number)
            except ValueError as error:
                return Checked(number, before, Broken(number, str(error)))
            if entry.before != before:
                reason = (
                    f"it follows a line {entry.before[:12]}…, but that before it is "
                    f"{before[:12]}…: one of the two was changed, added or taken out"
                )
                return Checked(number, before, Broken(number, reason))
            before = _hash(line)
            seen.add(before)
        if head is not None and head not in seen:
            gone = f"no line has the hash {head[:12]}…: lines were taken off the end"
            return Checked(number, before, Broken(number + 1, gone))
        return Checked(number, before)

    def _lines(self) -> Iterator[bytes]:
        if self.path.exists():
            yield from self.path.read_bytes().splitlines()

    def _mend(self) -> int:
        """Take an unfinished last line off; return its length in bytes, 0 where there is none."""
        if not self.path.exists():
            return 0
        data = self.path.read_bytes()
        torn = len(data) - (data.rfind(b"\n") + 1)
        if torn:
            with self.path.open("r+b") as file:
                file.truncate(len(data) - torn)
        return torn

    def _write(self, lines: list[bytes], kind: str, facts: dict[str, Any]) -> bytes:
        entry = {
            "number": len(lines) + 1,
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "kind": kind,
            "facts": facts,
            "before": _hash(lines[-1]) if lines else START,
        }
        line = json.dumps(entry, ensure_ascii=True, allow_nan=False).encode()
        is_new = not self.path.exists()
        with self.path.open("ab") as file:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            sync_folder(self.path.parent)
        return line


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _entry(line: bytes, number: int) -> Entry:
    """Return a line as a value; ValueError says what is wrong with it."""
    try:
        data = json.loads(line)
    except ValueError as error:
        raise ValueError(f"line {number} is not JSON: {error}") from error
    if not isinstance(data, dict) or set(data) != _KEYS or not isinstance(data["facts"], dict):
        raise ValueError(f"line {number} is no entry: expected {', '.join(sorted(_KEYS))}")
    if data["number"] != number:
        raise ValueError(f"line {number} calls itself line {data['number']!r}")
    time = datetime.fromisoformat(str(data["time"]))
    return Entry(number, time, str(data["kind"]), data["facts"], str(data["before"]))
