"""How fast pairs are made, and in how much memory, over turns of simulated sessions.

    python -m benchmarks.pairs_speed [--turns 10000]

Sessions of 60 simulated users over the demo catalog are repeated under new names. Memory is what
the process grows by from the first tenth of the sessions to the last: the rows, not the sessions.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from time import perf_counter

from agent.logged import LoggedSession
from agent.store import Store
from finetune.pairs.make import PairsConfig, make_pairs
from finetune.simulator import read_population, simulate
from ui import wiring
from ui.cli import settings


def repeated(sessions: Sequence[LoggedSession], turns: int) -> Iterator[LoggedSession]:
    """Yield copies of sessions, each of a user of its own, until there are so many turns."""
    given = 0
    for round_ in count():
        for one in sessions:
            if given >= turns:
                return
            given += len(one.turns)
            # Read anew, as from a file: nothing is shared with the copies before.
            copy = LoggedSession.model_validate_json(one.model_dump_json())
            names = {"id": f"{one.id}-{round_}", "user": f"{one.user}-{round_}"}
            yield copy.model_copy(update=names)


def peak_mb() -> float:
    """Return the most memory the process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(turns: int) -> dict[str, float]:
    """Return turns and rows a second, and memory."""
    own = settings(llm="none")
    with (
        wiring.open_retriever(wiring.default_project(own), own) as retriever,
        tempfile.TemporaryDirectory() as scratch,
    ):
        store = Store(f"sqlite:///{Path(scratch) / 'sessions.db'}")
        parts = wiring.Parts(
            store, retriever, wiring.Linker.build(retriever), wiring.make_planner(retriever, own)
        )
        simulate(parts, retriever, store, read_population("dialect"), 60, 0)
        sessions = list(store.logged())
        store.close()
        reading = perf_counter()
        sum(len(one.turns) for one in repeated(sessions, turns))
        reading = perf_counter() - reading
        make_pairs(repeated(sessions, turns // 10), retriever, PairsConfig(least=1))
        before, begun = peak_mb(), perf_counter()
        made = make_pairs(repeated(sessions, turns), retriever, PairsConfig(least=1))
        seconds = perf_counter() - begun - reading
    sides = (made.train, made.held)
    rows = sum(len(x.sources) for s in sides for x in (*s.pairs.rows, *s.unpaired.rows))
    pairs = sum(len(x.sources) for s in sides for x in s.pairs.rows)
    return {
        "turns": turns, "sessions": made.report["sessions"], "pairs": pairs, "rows": rows,
        "seconds": round(seconds, 1), "turns_per_s": round(turns / seconds),
        "pairs_per_s": round(pairs / seconds), "grown_mb": round(peak_mb() - before),
    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Speed and memory of making pairs.")
    parser.add_argument("--turns", type=int, default=10_000)
    print(json.dumps(measure(parser.parse_args().turns)))
