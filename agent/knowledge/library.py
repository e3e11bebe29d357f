"""The pages of a project while it is served: what is sent is kept, then indexed by a job.

Files are on disk before their job is stored, so nothing that was accepted is lost; a job that runs
twice finds what it came to the first time. This module knows no HTTP.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agent.errors import AgentError
from agent.feedback import new_id, valid_id
from agent.jobs import NewJob
from agent.knowledge import shelf
from agent.knowledge.errors import BadPage
from agent.knowledge.knowledge import Knowledge
from agent.knowledge.reading import Upload, read_bytes
from agent.knowledge.values import Added, Source
from retrieval.project import replace_file
from retrieval.query import Encoder

KIND = "knowledge"
INBOX = "inbox"
_KEPT_S = 7 * 24 * 3600.0
"""What a job came to is kept for so long, and files whose job was never stored."""


@dataclass(frozen=True, slots=True)
class Received:
    """Files that were taken in.

    Args:
        job: Indexes them; to be stored. None where no file was good.
        errors: A line for each file that was not taken.
    """

    job: NewJob | None
    sources: tuple[str, ...]
    errors: tuple[str, ...] = ()


class Library:
    """Takes pages in, indexes them as a job, lists and removes them. Shared between threads.

    Args:
        encoder: Gives the encoder of the shelf when it is needed.
    """

    def __init__(self, knowledge: Knowledge, encoder: Callable[[], Encoder]) -> None:
        self._knowledge = knowledge
        self._folder = knowledge.folder
        self._encoder = encoder

    def receive(self, uploads: Sequence[Upload]) -> Received:
        """Check files, keep the good ones on disk, and return the job that indexes them."""
        good: dict[str, Upload] = {}
        errors = []
        for upload in uploads:
            try:
                good[read_bytes(upload).source] = upload
            except BadPage as error:
                errors.append(str(error))
        if not good:
            return Received(None, (), tuple(errors))
        id = new_id()
        box = self._folder / INBOX / id
        box.mkdir(parents=True)
        for number, upload in enumerate(good.values()):
            (box / str(number)).write_bytes(upload.content)
        replace_file(box / "names.json", json.dumps(list(good), ensure_ascii=False))
        return Received(NewJob(KIND, {"inbox": id}), tuple(good), tuple(errors))

    def index(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Index files that were received: the handler of their job.

        Raises:
            KnowledgeError: If they are not here; another host may have them.
        """
        id = str(payload.get("inbox"))
        if not valid_id(id):
            raise AgentError(f"expected the id of files that were received, got {id[:40]!r}")
        box, done = self._folder / INBOX / id, self._folder / INBOX / f"{id}.done"
        if done.is_file():
            return _read(done)
        if not (box / "names.json").is_file():
            raise AgentError("the files are not on this host: where several serve a project, they "
                             "share its directory, or pages are added on each")  # fmt: skip
        names = json.loads((box / "names.json").read_text(encoding="utf-8"))
        files = (Upload(name, (box / str(i)).read_bytes()) for i, name in enumerate(names))
        result = asdict(shelf.add(self._folder, files, self._encoder()))
        replace_file(done, json.dumps(result, ensure_ascii=False))
        shutil.rmtree(box, ignore_errors=True)
        self._sweep()
        return result

    def add(self, uploads: Sequence[Upload]) -> Added:
        """Index files at once."""
        return shelf.add(self._folder, uploads, self._encoder())

    def sources(self) -> tuple[Source, ...]:
        """Return the sources that are indexed."""
        return self._knowledge.sources()

    def remove(self, source: str) -> int:
        """Remove a source; return how many passages it had.

        Raises:
            UnknownSource: If there is none of that name.
        """
        return shelf.remove(self._folder, [source], self._encoder())

    def _sweep(self) -> None:
        """Remove what is old: results, and files whose job was never stored."""
        before = time.time() - _KEPT_S
        for path in (self._folder / INBOX).iterdir():
            if path.stat().st_mtime < before:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()


def _read(path: Path) -> Mapping[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found
