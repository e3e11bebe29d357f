"""Adapter folders as a registry keeps them: copied in whole, named by content, and their origins.

This module decides nothing about who serves.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.adapters import Adapter, open_adapter
from finetune.errors import AdapterError
from finetune.weights import file_hash
from retrieval.vector_file import sync_folder

LINEAGE = "lineage.jsonl"
INCOMING = ".incoming-"
"""What a folder is called while it is copied; one that is found later was left by a crash."""

_SHORT = 8
_LONGEST = 40


def name_of(adapter: Adapter) -> str:
    """Return the name an adapter has in every registry: what it was called, and its content."""
    called = re.sub(r"[^A-Za-z0-9._]+", "-", adapter.card.name).strip("-.")[:_LONGEST]
    return f"{called or 'adapter'}-{adapter.card.weights_hash[:_SHORT]}"


def copy_in(adapter: Adapter, folder: Path) -> Path:
    """Copy an adapter into a registry's folder, on disk when this returns.

    A copy that is there already and whole is kept: a crash came after it.

    Raises:
        AdapterError: If what was copied is damaged.
    """
    target = folder / name_of(adapter)
    if target.exists():
        if _whole(target, adapter):
            return target
        shutil.rmtree(target)
    partial = folder / f"{INCOMING}{target.name}"
    shutil.copytree(adapter.folder, partial, ignore=shutil.ignore_patterns("checkpoint*", ".*"))
    open_adapter(partial)
    _sync(partial)
    partial.replace(target)
    sync_folder(folder)
    return target


def clear_leftovers(folder: Path) -> None:
    """Remove copies that a crash left unfinished; only while nobody else copies."""
    for partial in folder.glob(f"{INCOMING}*"):
        shutil.rmtree(partial)


def _whole(target: Path, adapter: Adapter) -> bool:
    try:
        return open_adapter(target).card == adapter.card
    except AdapterError:
        return False


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    sync_folder(folder)


@dataclass(frozen=True, slots=True)
class Lineage:
    """Whose data an adapter was made from: keys of sessions and users (`finetune.pairs.keys`)."""

    sessions: tuple[str, ...] = ()
    users: tuple[str, ...] = ()


def read_lineage(folder: Path) -> Lineage:
    """Return whose data an adapter was made from; nobody's where it says nothing.

    Raises:
        AdapterError: If the file is damaged: nobody could be forgotten by it.
    """
    path = folder / LINEAGE
    if not path.is_file():
        return Lineage()
    sessions: dict[str, None] = {}
    users: dict[str, None] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            sessions.update(dict.fromkeys(_keys(row, "session")))
            users.update(dict.fromkeys(_keys(row, "user")))
        except (ValueError, TypeError, AttributeError) as error:
            raise AdapterError(
                f"{str(path)!r}, line {number}: {error}; expected JSON with a session's key"
            ) from error
    return Lineage(tuple(sessions), tuple(users))


def _keys(row: dict[str, Any], name: str) -> list[str]:
    """Return the keys under a name and its plural: rows that said the same were made one."""
    found = [*(row.get(f"{name}s") or ()), row.get(name)]
    return [str(key) for key in found if key]


def keep_report(folder: Path, report: Path, name: str) -> Path:
    """Keep a gate's report beside the adapters, under its hash."""
    kept = folder / "reports" / f"{name}-{file_hash(report)[:_SHORT]}.json"
    kept.parent.mkdir(exist_ok=True)
    partial = kept.with_name(f".{kept.name}.partial")
    shutil.copyfile(report, partial)
    partial.replace(kept)
    return kept
