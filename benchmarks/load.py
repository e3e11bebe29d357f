"""Put load on a real `attune serve`: turns per second, how long they take, and what is lost.

    python benchmarks/load.py                      # the whole table, about 20 minutes
    python benchmarks/load.py --turns 20000        # memory over 20,000 turns, one line
    python benchmarks/load.py --think 10           # people who read before they answer
    python benchmarks/load.py --against ../before  # beside the code of another checkout
    python benchmarks/load.py --stores sqlite --planners rules --sessions 1 16 --seconds 5

People (benchmarks/api_load/talk.py, a process of its own) talk to a server over HTTP: 1, 16, 64
and 256 at once, with the store in SQLite and in PostgreSQL, planned by rules and by a language
model that takes 300 to 800 ms (scripted, a third process). After each run the store is read: every
turn and every click that was acknowledged must be there exactly once, and no turn by half.

With `--against`, a server of an earlier commit (a git worktree) is put under the same loads in
alternation, so that a machine that others use too is as busy for both: compare the ratios.

Beside it, in the same run: one session alone, and the same turns without HTTP and without a disk
(one thread, store in memory), which is what a process could do at best.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from agent.dialogue import respond
from benchmarks.api_load.figures import (
    compared,
    documented,
    markdown,
    merged,
    slope,
    speed,
    written_into,
)
from benchmarks.api_load.served import ROOT, Watched, free_port, look, serve
from benchmarks.api_load.talk import SAID
from benchmarks.engine_load import postgres
from ui.settings import Settings
from ui.wiring import demo_project, open_project

RESULTS = ROOT / "benchmarks/results/load.json"
PAGE = ROOT / "docs/reliability.md"
STORES = ("sqlite", "postgres")
PLANNERS = ("rules", "llm")
SLOW = (0.3, 0.8)
"""Seconds that the language model takes."""


@contextmanager
def model_server(planner: str) -> Iterator[str | None]:
    """Serve the scripted language model; None where the rules plan."""
    if planner == "rules":
        yield None
        return
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.api_load.model", str(port), "--slow"]
    process = subprocess.Popen([*command, *map(str, SLOW)], cwd=ROOT)
    url = f"http://127.0.0.1:{port}/v1"
    for _ in range(600):
        try:
            httpx.get(url)
            break
        except httpx.HTTPError:
            time.sleep(0.1)
    try:
        yield url
    finally:
        process.terminate()
        process.wait()


@contextmanager
def empty_store(kind: str, server: Any) -> Iterator[str | None]:
    """Give the URL of an empty store: a database of the server, or None for the project's file."""
    if kind == "sqlite":
        yield None
        return
    url = server.database(f"load{free_port()}")
    yield url.replace("postgresql://", "postgresql+psycopg://", 1)


def talk(
    url: str, planner: str, sessions: int, seconds: float, turns: int, think: float = 0.0
) -> dict[str, Any]:
    """Have people talk, in a process of their own; return what they noted."""
    command = [
        sys.executable, "-m", "benchmarks.api_load.talk", url, "--sessions", str(sessions),
        "--seconds", str(seconds), "--turns", str(turns), "--words", planner,
        "--seed", str(sessions), "--think", str(think),
    ]  # fmt: skip
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"the people gave up:\n{ended.stderr[-2000:]}")
    notes: dict[str, Any] = json.loads(ended.stdout)
    return notes


@dataclass
class Side:
    """One of the servers that are put under the same loads.

    Args:
        name: "now", or "before" for that of another checkout.
        store: URL of what it keeps.
        notes: What people noted in each round of the load under way; cpu: the processor time that
            the server took for it.
    """

    name: str
    served: Watched
    store: str
    notes: list[dict[str, Any]] = field(default_factory=list)
    cpu: float = 0.0
    memory: int = 0

    def begin(self) -> None:
        """Forget the load before."""
        self.notes, self.cpu, self.memory = [], 0.0, len(self.served.memory)

    def load(self, planner: str, sessions: int, given: argparse.Namespace) -> None:
        """Put one round of a load on it."""
        used = self.served.cpu_seconds()
        seconds = given.seconds / given.rounds
        made = talk(self.served.url, planner, sessions, seconds, given.turns, given.think)
        self.notes.append(made)
        self.cpu += self.served.cpu_seconds() - used

    def figures(self) -> dict[str, Any]:
        """Return the figures of all rounds."""
        notes = merged(self.notes)
        found = speed(notes)
        memory = self.served.memory[self.memory :]
        start = memory[0][0] if memory else 0.0
        return {
            "code": self.name, **found, "events": len(notes["events"]),
            "planners": notes["planners"], "tries": notes["tries"],
            "given_up": notes["given_up"],
            "cpu_ms": round(1000 * self.cpu / max(1, found["turns"]), 1),
            "mb": round(memory[-1][1], 1) if memory else None,
            "slope": slope([(at - start, mb) for at, mb in memory], notes["at"]),
            **{k: v for k, v in asdict(look(self.store, notes)).items()
               if k not in ("turns", "events")},
        }  # fmt: skip


@contextmanager
def sides_of(
    project: Path, kind: str, planner: str, workers: int, given: argparse.Namespace, server: Any
) -> Iterator[list[Side]]:
    """Start the servers that are compared, or the one that is measured."""
    codes = {"now": ROOT, **({"before": given.against} if given.against else {})}
    with ExitStack() as stack:
        llm = stack.enter_context(model_server(planner))
        sides = []
        for name, code in codes.items():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            store = stack.enter_context(empty_store(kind, server))
            served = stack.enter_context(
                serve(project, folder, store=store, workers=workers, llm=llm, code=code)
            )
            file = store or f"sqlite:///{next(folder.glob('served-*'))}/sessions.db"
            talk(served.url, planner, 4, 3.0, 40)  # what is loaded at first use
            sides.append(Side(name, served, file))
        yield sides


def runs_of(
    project: Path, kind: str, planner: str, workers: int, given: argparse.Namespace, server: Any
) -> Iterator[dict[str, Any]]:
    """Yield the figures under each load: of the code before, where it is compared, and of ours."""
    with sides_of(project, kind, planner, workers, given, server) as sides:
        alone: dict[str, float] = {}
        for sessions in given.sessions:
            for side in sides:
                side.begin()
            for number in range(given.rounds):
                for side in sides[:: -1 if number % 2 else 1]:
                    side.load(planner, sessions, given)
            found = {side.name: side.figures() for side in sides}
            for name, one in reversed(found.items()):
                if sessions == 1:
                    alone[name] = one["per_s"]
                one["of_one"] = one["per_s"] / alone[name] if name in alone else None
                one["of_before"] = compared(one, found.get("before"))
                yield {"store": kind, "workers": workers, "planner": planner,
                       "sessions": sessions, "think": given.think, **one}  # fmt: skip


def best_case(project: Path, seconds: float) -> float:
    """Return turns per second of one thread without HTTP, its store in memory."""
    opened = open_project(project, Settings(llm="none", store="sqlite://"))
    said, count = SAID["rules"], 0
    try:
        for _ in respond(opened.parts, opened.parts.store.create_session(), said[0]):
            pass
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            session = opened.parts.store.create_session()
            for place in range(8):
                for _ in respond(opened.parts, session, said[(count + place) % len(said)]):
                    pass
            count += 8
        return round(count / (time.perf_counter() - began), 1)
    finally:
        opened.close()


def read_arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--project", type=Path, help="Project directory; default: the demo.")
    parser.add_argument("--stores", nargs="+", choices=STORES, default=STORES)
    parser.add_argument("--planners", nargs="+", choices=PLANNERS, default=PLANNERS)
    parser.add_argument("--sessions", nargs="+", type=int)
    parser.add_argument("--workers", nargs="+", type=int)
    parser.add_argument("--seconds", type=float, default=25.0, help="Of each load.")
    parser.add_argument("--rounds", type=int, default=2, help="Parts that each load is put in.")
    parser.add_argument("--think", type=float, default=0.0, metavar="SECONDS",
                        help="People think for so long between turns, on average.")  # fmt: skip
    parser.add_argument("--against", type=Path, help="Checkout of the code to compare with.")
    parser.add_argument("--turns", type=int, default=0, help="Until so many, with 64 sessions, by "
                        "rules, in SQLite; for how memory grows.")  # fmt: skip
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    if given.turns:
        given.stores, given.planners, given.seconds = ["sqlite"], ["rules"], 10**6
        given.rounds = 1
    given.workers = given.workers or ([1] if given.turns else [1, 2])
    given.sessions = given.sessions or ([64] if given.turns else [1, 16, 64, 256])
    given.turns = given.turns or 10**9
    return given


def write(out: Path, name: str, value: dict[str, Any]) -> None:
    """Put a part into the file of results and leave the others."""
    kept = json.loads(out.read_text()) if out.exists() else {}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({**kept, name: value}, indent=1) + "\n")


def keep(given: argparse.Namespace, found: dict[str, Any]) -> None:
    """Write the figures down, and into the page that shows them."""
    name = "memory" if given.turns < 10**9 else "think" if given.think else "load"
    write(given.out, name, found)
    if given.out == RESULTS and name != "memory":
        PAGE.write_text(written_into(PAGE.read_text(), name, documented(found)))


def main() -> None:
    """Run what the arguments ask for; print and keep the figures."""
    given = read_arguments()
    project = given.project or demo_project(Settings())
    about = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"), "cores": os.cpu_count(),
        "machine": platform.machine(), "python": platform.python_version(),
        "project": project.name, "model_seconds": SLOW, "command": " ".join(sys.argv[1:]),
        "load_average_before": os.getloadavg(),
    }  # fmt: skip
    runs: list[dict[str, Any]] = []
    best = best_case(project, min(5.0, given.seconds))
    with postgres.server() if "postgres" in given.stores else _nothing() as server:
        for planner in given.planners:
            for kind in given.stores:
                for workers in given.workers:
                    for run in runs_of(project, kind, planner, workers, given, server):
                        runs.append(run)
                        print(markdown(runs[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
                    # After each server, so that a run that is cut off was not for nothing.
                    now = {"load_average_after": os.getloadavg(), "best_case_per_s": best}
                    keep(given, {**about, **now, "runs": runs})
    print(markdown(runs))
    print(f"\none thread, no HTTP, store in memory: {best:g} turns/s")
    for run in runs:
        if run["slope"] and given.turns < 10**9:
            print(f"memory: {run['slope']}")
    if any(run["lost"] or run["twice"] or run["halves"] or run["given_up"] for run in runs):
        sys.exit("something acknowledged was lost, or is there twice, or by half")


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


if __name__ == "__main__":
    main()
