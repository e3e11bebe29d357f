"""The preference pairs of a project as the owner sees them: how many, of what, and some of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from agent.errors import UserInputError
from finetune.errors import DataError
from finetune.pairs.make import FILES, REPORT
from finetune.pairs.rows import Pair, read_pairs
from ui.owner.runs import PAIRS

Json = dict[str, Any]

EXAMPLES = 24
_MOST_TEXT = 1_500
_MOST_SETS = 20
_BYTES = 1 << 16


def sets(folder: Path) -> list[Json]:
    """Return the folders of pairs of a project with their reports, newest first.

    Those are what `pairs` among the runs makes, and what each round of learning made.
    """
    found = [folder / PAIRS, *folder.glob(f"rounds/round-*/{PAIRS}")]
    there = [one for one in found if (one / REPORT).is_file()]
    there.sort(key=lambda one: (one / REPORT).stat().st_mtime, reverse=True)
    made = []
    for one in there[:_MOST_SETS]:
        try:
            report = json.loads((one / REPORT).read_text("utf-8"))
        except (OSError, ValueError):
            continue
        made.append({
            "name": one.relative_to(folder).as_posix(), "made": (one / REPORT).stat().st_mtime,
            "files": [name for name in FILES if (one / name).is_file()],
            **{key: report.get(key) for key in ("sessions", "people", "pairs", "kto", "dropped",
                                                "hash")},
        })  # fmt: skip
    return made


def examples(folder: Path, name: str, kind: str = "", most: int = EXAMPLES) -> list[Json]:
    """Return some of the pairs of a set: what was asked, chosen and passed over.

    Args:
        kind: Only of this kind; all by default.

    Raises:
        UserInputError: If there is no such set, or it cannot be read.
    """
    path = _set(folder, name) / FILES[0]
    if not path.is_file():
        return []
    try:
        rows = read_pairs(path, aside=[])
    except DataError as error:
        raise UserInputError(str(error)) from error
    return [_example(one) for one in islice((p for p in rows if kind in ("", p.kind)), most)]


def _example(pair: Pair) -> Json:
    asked = [str(one["content"]) for one in pair.prompt if one["role"] == "user"]
    return {
        "kind": pair.kind, "weight": round(pair.weight, 3), "id": pair.id,
        "asked": asked[-1][-_MOST_TEXT:] if asked else "", "chosen": pair.chosen[:_MOST_TEXT],
        "rejected": pair.rejected[:_MOST_TEXT], "others": len(pair.others),
    }  # fmt: skip


def content(folder: Path, name: str, file: str) -> Iterator[bytes]:
    """Return the bytes of a file of a set, to be saved elsewhere.

    Raises:
        UserInputError: If there is no such set or file.
    """
    path = _set(folder, name) / file
    if file not in FILES or not path.is_file():
        raise UserInputError(f"no file {file[:80]!r} in {name[:80]!r}; expected one of "
                             f"{', '.join(FILES)}")  # fmt: skip
    return _read(path)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stored:
        while piece := stored.read(_BYTES):
            yield piece


def _set(folder: Path, name: str) -> Path:
    """Return the folder of a set by its name; only names that `sets` gives are any."""
    for one in sets(folder):
        if one["name"] == name:
            return folder / name
    raise UserInputError(f"no pairs {name[:80]!r}; make them first, by the run or a round")
