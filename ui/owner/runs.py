"""Long work that the owner starts from a page: each run is a process, with its output and an end.

A run outlives the page that started it, not the server; what came of it is kept in the project
(`ui.owner.kept_runs`) and outlives both. What it may be is a closed list, so that nothing typed on
a page becomes part of a command.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from agent.dialogue import Parts
from agent.errors import Conflict, UserInputError
from agent.feedback import new_id
from agent.routing import AdapterRouter
from retrieval.retriever import Retriever
from ui.owner.figures import figures
from ui.owner.kept_runs import KeptRuns
from ui.owner.processes import Process, share_done

Json = dict[str, Any]
Status = Literal["running", "done", "failed", "stopped", "lost"]
"""lost: the server ended before the run did."""

MOST = 200
"""Runs that are kept."""
PAIRS = "pairs"
"""Folder of the project that pairs are made into."""
KEPT = "runs"


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that can be run on a project.

    Args:
        does: What it does, as a page says it.
        arguments: Of `attune`.
        measures: Whether it is an evaluation: its figures are worth comparing over time.
    """

    does: str
    arguments: Sequence[str]
    measures: bool = True


def commands(folder: Path) -> dict[str, Command]:
    """Return what can be run on a project."""
    own = str(folder)
    return {
        "shoppers": Command(
            "How well simulated shoppers are served, on this catalog",
            ("simulate", own, "--users", "100", "--by-case", "--json"),
        ),
        "critiques": Command(
            "Whether \u201clike this, but \u2026\u201d is answered right, on this catalog",
            ("evaluate", "critiques", "--catalog", own, "--n", "300", "--by-case", "--json"),
        ),
        "understanding": Command(
            "How well turns are understood, on the labelled dialogues",
            ("evaluate", "understanding", "--by-case", "--json"),
        ),
        "explanations": Command(
            "Whether explanations are true and false ones caught, on the sample catalogs",
            ("evaluate", "explanations", "--n", "200", "--json"),
        ),
        "feedback": Command(
            "What people did, and what looks wrong with it", ("feedback", "report", own, "--json")
        ),
        "drift": Command(
            "Whether people, or the answers they get, have changed",
            ("feedback", "drift", own, "--json"),
        ),
        "pairs": Command(
            "Make preference pairs of the feedback so far",
            ("feedback", "pairs", own, "--out", str(folder / PAIRS), "--json"),
            measures=False,
        ),
        "round": Command(
            "One round of learning: pairs, adapter, gate", ("loop", "run", own, "--json"),
            measures=False,
        ),
        "doctor": Command(
            "Whether all is well with the project", ("doctor", own, "--json"), measures=False
        ),
    }  # fmt: skip


@dataclass
class Run:
    """One run.

    Args:
        log: The last of what it wrote beside its result, for people to follow.
        result: What it printed, as JSON; None until it is done.
        about: What it ran on: the catalog's version and what answered, when it was started.
        process: None for one of an earlier server.
    """

    id: str
    name: str
    begun: datetime
    process: Process | None = None
    status: Status = "running"
    ended: datetime | None = None
    log: str = ""
    result: Any = None
    about: Json = field(default_factory=dict)
    wanted_stopped: bool = field(default=False, repr=False)

    def tell(self, log: str) -> None:
        """Take in what it wrote."""
        self.log = log

    def to_json(self, *, whole: bool = True) -> Json:
        """Return the run as JSON carries it; without log and result where they are not wanted."""
        seconds = ((self.ended or datetime.now(UTC)) - self.begun).total_seconds()
        told: Json = {
            "id": self.id, "name": self.name, "status": self.status, "seconds": round(seconds, 1),
            "begun": self.begun.isoformat(timespec="seconds"), "about": self.about,
            "figures": [asdict(one) for one in figures(self.result)],
            "progress": share_done(self.log) if self.status == "running" else None,
        }  # fmt: skip
        return {**told, "log": self.log, "result": self.result} if whole else told


class Runs:
    """The runs of one project, one at a time.

    Args:
        environment: What the processes see; by default what this one does.
        about: Says what a run that begins runs on.
    """

    def __init__(
        self,
        folder: Path,
        environment: dict[str, str] | None = None,
        about: Callable[[], Json] = dict,
    ) -> None:
        self._folder = folder
        self._environment = environment
        self._about = about
        self._kept = KeptRuns(folder / KEPT)
        self._lock = threading.Lock()
        self._runs = {one["id"]: _read(one) for one in self._kept.read()}

    def choices(self) -> list[Json]:
        """Return what can be run."""
        return [{"name": name, "does": one.does, "measures": one.measures}
                for name, one in commands(self._folder).items()]  # fmt: skip

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
            if (under_way := self.running()) is not None:
                raise Conflict(f"{under_way.name!r} is under way; stop it, or wait for its end")
            process = Process(known[name].arguments, self._environment)
            run = Run(new_id(), name, datetime.now(UTC), process, about=self._about())
            self._runs[run.id] = run
            self._keep(run, "running")
            for old in [one.id for one in self._runs.values()][:-MOST]:
                del self._runs[old]
                self._kept.drop(old)
        threading.Thread(target=self._watch, args=(run, process), daemon=True).start()
        return run

    def _watch(self, run: Run, process: Process) -> None:
        code, run.result = process.follow(run.tell)
        status: Status = "done" if code == 0 else "stopped" if run.wanted_stopped else "failed"
        run.ended = datetime.now(UTC)
        self._keep(run, status)
        run.status = status  # last: who sees the end finds it kept

    def _keep(self, run: Run, status: Status) -> None:
        self._kept.write({
            "id": run.id, "name": run.name, "begun": run.begun.isoformat(), "status": status,
            "ended": (run.ended or run.begun).isoformat(), "log": run.log, "result": run.result,
            "about": run.about,
        })  # fmt: skip

    def running(self) -> Run | None:
        """Return the run under way, if there is one."""
        return next((one for one in self._runs.values() if one.status == "running"), None)

    def get(self, id: str) -> Run:
        """Return a run; UserInputError names an id that none has."""
        run = self._runs.get(id)
        if run is None:
            raise UserInputError(f"no run {id[:64]!r}; the last {MOST} are kept")
        return run

    def list(self) -> list[Run]:
        """Return the runs, newest first."""
        return list(self._runs.values())[::-1]

    def stop(self, id: str) -> Run:
        """Stop a run and what it started; one that has ended stays as it is."""
        run = self.get(id)
        if run.status == "running" and run.process is not None:
            run.wanted_stopped = True
            run.process.stop()
        return run

    def close(self) -> None:
        """Stop what is under way."""
        for run in self.list():
            if run.status == "running":
                self.stop(run.id)


def _read(kept: Json) -> Run:
    """Return a run of an earlier server; one that had not ended then ended with it."""
    status: Status = "lost" if kept["status"] == "running" else kept["status"]
    begun, ended = (datetime.fromisoformat(kept[name]) for name in ("begun", "ended"))
    return Run(
        kept["id"], kept["name"], begun, None, status, ended, kept["log"], kept["result"],
        kept["about"],
    )  # fmt: skip


class Running(Protocol):
    """A project while it is served."""

    @property
    def retriever(self) -> Retriever:
        """Its catalog."""
        ...

    @property
    def router(self) -> AdapterRouter | None:
        """Who is sent to which adapter."""
        ...

    @property
    def parts(self) -> Parts:
        """What turns are made with."""
        ...


def about_of(project: Running) -> Callable[[], Json]:
    """Return what says what a run of a served project runs on."""

    def about() -> Json:
        answers = project.router.answering() if project.router is not None else ()
        return {
            "catalog": project.retriever.name, "items": len(project.retriever.index.ids(None)),
            "version": project.retriever.version,
            "answers": answers[0] if answers else project.parts.voice,
        }  # fmt: skip

    return about
