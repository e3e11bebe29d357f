"""Runs that have ended, as files of a project: one JSON object each, put in place when whole."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

Json = dict[str, Any]

logger = logging.getLogger(__name__)

FIELDS = frozenset({"id", "name", "begun", "ended", "status", "log", "result", "about"})
_ID = re.compile(r"[0-9a-f]{1,64}")


class KeptRuns:
    """The files in a folder, made when the first run ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> list[Json]:
        """Return the runs that were kept, the oldest first; a file that is none is passed over."""
        found = []
        for path in self._folder.glob("*.json"):
            try:
                one = json.loads(path.read_text("utf-8"))
            except (OSError, ValueError):
                one = None
            if isinstance(one, dict) and one.keys() >= FIELDS:
                found.append(one)
            else:
                logger.warning("%s is no run, and is passed over", path.name)
        return sorted(found, key=lambda one: str(one["begun"]))

    def write(self, run: Json) -> None:
        """Keep a run; where that fails the log says so, and the run is there until the end."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            partial = self._path(run["id"]).with_suffix(".partial")
            partial.write_text(json.dumps(run, ensure_ascii=False) + "\n", "utf-8")
            partial.replace(self._path(run["id"]))
        except OSError as error:
            logger.error("run %s is not kept: %s", run["id"], error)

    def drop(self, id: str) -> None:
        """Delete a run, if it was kept."""
        self._path(id).unlink(missing_ok=True)

    def _path(self, id: str) -> Path:
        if not _ID.fullmatch(id):
            raise ValueError(f"expected the id of a run, got {id[:64]!r}")
        return self._folder / f"{id}.json"
