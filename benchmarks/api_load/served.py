"""A real `attune serve` to put load on: started, watched, looked into afterwards, stopped."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from sqlalchemy import create_engine, text

ROOT = Path(__file__).parents[2]
START_S = 180.0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass
class Watched:
    """A server under load.

    Args:
        memory: Resident memory of all its processes, as (seconds, megabytes), once a second.
    """

    process: subprocess.Popen[bytes]
    url: str
    log: Path
    memory: list[tuple[float, float]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def pids(self) -> list[int]:
        """Return its processes that take requests."""
        own = psutil.Process(self.process.pid)
        children = [one for one in own.children() if one.memory_info().rss > 100 * 2**20]
        return [one.pid for one in children] or [own.pid]

    def cpu_seconds(self) -> float:
        """Return the processor time of all its processes so far."""
        own = psutil.Process(self.process.pid)
        times = [one.cpu_times() for one in (own, *own.children(recursive=True))]
        return float(sum(one.user + one.system for one in times))

    def watch(self) -> None:
        """Note its memory every second until it is stopped."""
        start = time.perf_counter()
        own = psutil.Process(self.process.pid)
        while not self._stop.wait(1.0):
            try:
                used = [one.memory_info().rss for one in (own, *own.children(recursive=True))]
            except psutil.Error:
                continue
            self.memory.append((time.perf_counter() - start, sum(used) / 2**20))

    def stop(self) -> int:
        """Ask it to end; return its exit status."""
        self._stop.set()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(90)


@contextmanager
def serve(
    project: Path,
    folder: Path,
    *,
    store: str | None,
    workers: int = 1,
    llm: str | None = None,
    settings: Mapping[str, str] | None = None,
    code: Path = ROOT,
) -> Iterator[Watched]:
    """Serve a copy of a project, ready when it is yielded and asked to stop afterwards.

    Args:
        code: Checkout whose code serves it.
    """
    own = folder / f"served-{free_port()}"
    shutil.copytree(project, own, ignore=shutil.ignore_patterns("sessions.db*", "writer.*"))
    port = free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ATTUNE_")}
    environment |= {"ATTUNE_LLM": llm or "none", "ATTUNE_LOG": "json", "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = str(code)
    environment |= {"ATTUNE_MODEL": "scripted"} if llm else {}
    environment |= {"ATTUNE_STORE": store or f"sqlite:///{own}/sessions.db", **(settings or {})}
    command = [sys.executable, "-m", "ui", "serve", str(own), "--port", str(port),
               "--workers", str(workers)]  # fmt: skip
    log = own / "served.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=code, env=environment, stdout=file, stderr=file)
    served = Watched(process, f"http://127.0.0.1:{port}", log)
    try:
        wait_ready(served)
        threading.Thread(target=served.watch, daemon=True).start()
        yield served
    finally:
        if process.poll() is None:
            status = served.stop()
            assert status == 0, f"the server ended with {status}, see {log}"


def wait_ready(served: Watched) -> None:
    """Wait until the server takes turns."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        try:
            if httpx.get(f"{served.url}/ready", timeout=10).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
        if served.process.poll() is not None:
            break
    raise RuntimeError(f"the server did not start:\n{served.log.read_text()[-2000:]}")


@dataclass(frozen=True)
class Kept:
    """What the store has of what was acknowledged.

    Args:
        lost: Acknowledged and not there, twice: there more than once, or out of its place;
            halves: turns without their slate, sessions whose count of turns is wrong.
    """

    turns: int
    events: int
    lost: int
    twice: int
    halves: int


def look(store: str, notes: Mapping[str, Any]) -> Kept:
    """Compare a store with what people were acknowledged."""
    engine = create_engine(store)
    with engine.connect() as connection:

        def rows(query: str) -> Sequence[Any]:
            return connection.execute(text(query)).all()

        turns = {id: (session, number) for id, session, number in rows(
            "SELECT id, session_id, number FROM turns")}  # fmt: skip
        events = {id for (id,) in rows("SELECT id FROM feedback_events")}
        halves = len(rows("SELECT t.id FROM turns t LEFT JOIN slates s ON s.id = t.slate_id "
                          "WHERE s.id IS NULL"))  # fmt: skip
        halves += len(rows(
            "SELECT s.id FROM sessions s LEFT JOIN turns t ON t.session_id = s.id "
            "GROUP BY s.id, s.turns HAVING count(t.id) <> s.turns"
        ))  # fmt: skip
    engine.dispose()
    told = [(id, (session, number)) for session, id, number in notes["turns"]]
    lost = sum(turns.get(id) != place for id, place in told)
    lost += sum(id not in events for id in notes["events"])
    repeated = Counter(id for id, _ in told) + Counter(place for _, place in told)
    twice = sum(count - 1 for count in repeated.values())
    return Kept(len(told), len(notes["events"]), lost, twice, halves)
