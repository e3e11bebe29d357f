"""One writer at a time: a lock file that the operating system releases when its holder dies."""

from __future__ import annotations

import os
from pathlib import Path

from filelock import FileLock, Timeout

from retrieval.errors import IndexLocked


class WriterLock:
    """Held from construction until `release`.

    Raises:
        IndexLocked: If another process, or another index in this one, holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._note = folder / "writer.pid"
        self._lock = FileLock(folder / "writer.lock", blocking=False, thread_local=False)
        try:
            self._lock.acquire()
        except Timeout as error:
            raise IndexLocked(
                f"the index at {str(folder)!r} is being written by process {self._holder()}; "
                f"wait until it is done, stop that process, or open the index for reading only"
            ) from error
        self._note.write_text(str(os.getpid()))

    def _holder(self) -> str:
        try:
            return self._note.read_text() or "(unknown)"
        except OSError:
            return "(unknown)"

    def release(self) -> None:
        """Let the next writer in; safe to call twice."""
        if self._lock.is_locked:
            self._note.unlink(missing_ok=True)
            self._lock.release()
