"""One set of metrics for several processes, right also when one of them is killed.

Each process counts in files of its own in one folder, which whoever answers /metrics adds up
(prometheus_client's multiprocess mode). Counts of a process that is gone stay, so that no sum ever
falls; what it had under way goes with it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.observability.instruments import FOLDER


@contextmanager
def share_metrics() -> Iterator[Path]:
    """Have the processes that are started inside (spawned, not forked) count together.

    For the parent of the workers, before it starts them.
    """
    given = os.environ.get(FOLDER)
    if given:  # whoever runs the service chose it, and keeps it
        yield Path(given)
        return
    folder = Path(tempfile.mkdtemp(prefix="attune-metrics-"))
    os.environ[FOLDER] = str(folder)
    try:
        yield folder
    finally:
        del os.environ[FOLDER]
        shutil.rmtree(folder, ignore_errors=True)


def forget_the_dead(folder: Path) -> None:
    """Remove what processes that are gone had under way; after `kill -9` nobody else does."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdecimal() and not _lives(int(pid)):
            file.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
