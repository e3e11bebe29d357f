"""`attune ui` and `attune serve` as processes that can be killed and started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.api_load.served import free_port

ROOT = Path(__file__).parents[2]
START_S = 240.0
TRIES = 5
OWN_FILES = ("sessions.db*", "writer.*", "preparing.lock")
"""What a copy of a project leaves behind: conversations and locks."""


@dataclass
class Process:
    """One command of Attune that serves HTTP.

    Args:
        arguments: After `attune`, without the port.
        folder: Where its log and store are.
    """

    arguments: tuple[str, ...]
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    ready: str = "/health"
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return its address, with a slash at the end."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def log(self) -> Path:
        """Return the file with what it printed."""
        return self.folder / f"{self.arguments[0]}.log"

    @property
    def store(self) -> str:
        """Return where its conversations are."""
        return f"sqlite:///{self.folder}/sessions.db"

    def start(self) -> None:
        """Start it, on the same port each time, and wait until it answers."""
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith("ATTUNE_")
        }
        clean |= {"ATTUNE_LLM": "none", "OMP_NUM_THREADS": "1", "ATTUNE_STORE": self.store}
        command = [sys.executable, "-m", "ui", *self.arguments, "--port", str(self.port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=clean | self.environment, stdout=log, stderr=log
            )
        until = time.monotonic() + START_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                if httpx.get(self.url + self.ready.lstrip("/"), timeout=10).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.2)
        raise RuntimeError(f"did not start:\n{self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end; where it does not, it is killed."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(20)


def copied(project: Path, folder: Path) -> Path:
    """Return a copy of a project directory: what is served may write into it."""
    own = folder / "project"
    for left in reversed(range(TRIES)):
        try:
            shutil.copytree(project, own, ignore=shutil.ignore_patterns(*OWN_FILES))
            return own
        except shutil.Error:  # whoever has it open has just put its journal away
            shutil.rmtree(own)
            if not left:
                raise
    raise AssertionError("the last try returns or raises")


@contextmanager
def served(process: Process) -> Iterator[Process]:
    """Run a process for as long as the block lasts."""
    try:
        process.start()
        yield process
    finally:
        process.stop()
