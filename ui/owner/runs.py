"""Long work that the owner starts from a page: each run is a process, with its output and an end.

A run outlives the page that started it, not the server. What it may be is a closed list, so that
nothing typed on a page becomes part of a command.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from agent.errors import Conflict, UserInputError
from agent.feedback import new_id

Json = dict[str, Any]
Status = Literal["running", "done", "failed", "stopped"]

TAIL = 4_000
KEPT = 20
_GRACE_S = 10.0


def commands(folder: Path) -> dict[str, tuple[str, Sequence[str]]]:
    """Return what can be run on a project: name to a sentence and the arguments of `attune`."""
    own = str(folder)
    return {
        "understanding": ("How well turns are understood, on the labelled dialogues",
                          ("evaluate", "understanding", "--json")),
        "explanations": ("Whether explanations are true, and false ones are caught",
                         ("evaluate", "explanations", "--n", "200", "--json")),
        "feedback": ("What people did, and what looks wrong with it",
                     ("feedback", "report", own, "--json")),
        "drift": ("Whether people, or the answers they get, have changed",
                  ("feedback", "drift", own, "--json")),
        "pairs": ("Preference pairs of the feedback so far",
                  ("feedback", "pairs", own, "--out", str(folder / "pairs"), "--json")),
        "round": ("One round of learning: pairs, adapter, gate",
                  ("loop", "run", own, "--json")),
        "doctor": ("Whether all is well with the project", ("doctor", own, "--json")),
    }  # fmt: skip


@dataclass
class Run:
    """One run.

    Args:
        log: The last of what it wrote beside its result, for people to follow.
        result: What it printed, as JSON; None until it is done.
    """

    id: str
    name: str
    begun: datetime
    process: subprocess.Popen[bytes]
    status: Status = "running"
    ended: datetime | None = None
    log: str = ""
    result: Any = None
    wanted_stopped: bool = field(default=False, repr=False)

    def to_json(self) -> Json:
        """Return the run as JSON carries it."""
        seconds = ((self.ended or datetime.now(UTC)) - self.begun).total_seconds()
        return {
            "id": self.id, "name": self.name, "status": self.status, "seconds": round(seconds, 1),
            "begun": self.begun.isoformat(timespec="seconds"), "log": self.log,
            "result": self.result,
        }  # fmt: skip


class Runs:
    """The runs of one project, one at a time.

    Args:
        environment: What the processes see; by default what this one does.
    """

    def __init__(self, folder: Path, environment: dict[str, str] | None = None) -> None:
        self._folder = folder
        self._environment = environment
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()

    def choices(self) -> list[Json]:
        """Return what can be run."""
        return [{"name": name, "does": said} for name, (said, _) in commands(self._folder).items()]

    def start(self, name: str) -> Run:
        """Start a run.

        Raises:
            UserInputError: If there is no such run.
            Conflict: If one is under way; it must end or be stopped first.
        """
        known = commands(self._folder)
        if name not in known:
            raise UserInputError(f"no run {name[:80]!r}; expected one of {', '.join(known)}")
        with self._lock:
            under_way = [run for run in self._runs.values() if run.status == "running"]
            if under_way:
                raise Conflict(f"{under_way[0].name!r} is under way; stop it, or wait for its end")
            process = subprocess.Popen(
                [sys.executable, "-m", "ui", *known[name][1]], stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True,
                env=self._environment,
            )  # fmt: skip
            run = Run(new_id(), name, datetime.now(UTC), process)
            self._runs[run.id] = run
            for old in list(self._runs)[:-KEPT]:
                del self._runs[old]
        threading.Thread(target=_follow, args=(run,), daemon=True).start()
        return run

    def get(self, id: str) -> Run:
        """Return a run; UserInputError names an id that none has."""
        run = self._runs.get(id)
        if run is None:
            raise UserInputError(
                f"no run {id[:64]!r}; it may be from before the server was started"
            )
        return run

    def list(self) -> list[Run]:
        """Return the runs, newest first."""
        return list(self._runs.values())[::-1]

    def stop(self, id: str) -> Run:
        """Stop a run and what it started; one that has ended stays as it is."""
        run = self.get(id)
        if run.status == "running":
            run.wanted_stopped = True
            _signal(run, signal.SIGTERM)
            try:
                run.process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                _signal(run, signal.SIGKILL)
        return run

    def close(self) -> None:
        """Stop what is under way."""
        for run in self.list():
            if run.status == "running":
                self.stop(run.id)


def _signal(run: Run, number: int) -> None:
    try:
        os.killpg(run.process.pid, number)
    except ProcessLookupError:
        return


def _follow(run: Run) -> None:
    """Keep the end of what a run tells, and its result, until it ends."""
    process, out = run.process, bytearray()
    printed, logged = process.stdout, process.stderr
    assert printed is not None
    assert logged is not None
    reader = threading.Thread(target=lambda: out.extend(printed.read()), daemon=True)
    reader.start()
    said = b""
    while piece := os.read(logged.fileno(), 4096):
        said = (said + piece)[-4 * TAIL :]
        run.log = _last_lines(said)
    reader.join()
    code = process.wait()
    run.result = _read(bytes(out))
    run.ended = datetime.now(UTC)
    stopped: Status = "stopped" if run.wanted_stopped else "failed"
    run.status = "done" if code == 0 else stopped
    printed.close()
    logged.close()


def _last_lines(said: bytes) -> str:
    """Return the last of a log as a terminal would show it: a progress bar overwrites itself."""
    lines = said.decode("utf-8", "replace").split("\n")
    return "\n".join(line.rsplit("\r", 1)[-1] for line in lines)[-TAIL:]


def _read(out: bytes) -> Any:
    try:
        return json.loads(out)
    except ValueError:
        return out.decode("utf-8", "replace")[-TAIL:] or None
