"""A process that takes one step of a registry and is killed at a given place in it.

python crashing.py FOLDER PLACE promote NAME     (PLACE: "before Book.serve", "after …")
"""

import os
import signal
import sys
from pathlib import Path

from agent import routes
from finetune.events.audit import Audit
from finetune.registry import Registry, folders, registry
from finetune.registry.book import Book

OWNERS = {
    "Book": Book, "Registry": Registry, "Audit": Audit, "Path": Path, "folders": folders,
    "registry": registry, "routes.os": routes.os,
}  # fmt: skip


def kill_at(place):
    """Have this process killed before or after it calls something."""
    when, _, called = place.partition(" ")
    owner, _, name = called.rpartition(".")
    real = getattr(OWNERS[owner], name)

    def killed(*args, **options):
        if when == "after":
            real(*args, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(OWNERS[owner], name, killed)


if __name__ == "__main__":
    folder, place, step, *given = sys.argv[1:]
    with Registry(Path(folder), who="crashing") as opened:
        kill_at(place)
        if step == "add":
            opened.add(Path(given[0]), given[1])
        elif step == "promote":
            opened.promote(given[0], force=True)
        else:
            opened.rollback()
