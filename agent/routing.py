"""Who is answered with which adapter, while adapters come and go and nobody waits for them.

A thread follows `routes.json`. A new adapter is loaded and has answered once before anybody is sent
to it; the one before is unloaded when no turn holds it and no session has it any more. Where an
adapter cannot be loaded, what answered before goes on, and `status` says why. A session keeps the
adapter it began with unless that is withdrawn, or it was idle for long. This module does not know
who decides the routes (`finetune.registry`) or where models run (`agent.adapter_hosts`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from agent.errors import AgentError
from agent.routes import Routes, read_routes
from agent.voice import Voice

logger = logging.getLogger(__name__)

POLL_S = 1.0
"""How soon a change of the routes is seen, and a server that lost its adapters."""

RETRY_S = 30.0
"""Until an adapter that could not be loaded is tried again; new routes try it at once."""

STICKY_S = 1800.0
"""After so long without a turn a session begins anew, as far as its adapter is concerned."""

MAX_PINS = 100_000
"""Sessions whose adapter is remembered, the most recent."""

ROUTES_PROBLEM = "routes"
HOST_PROBLEM = "host"
"""What problems are filed under that are not one adapter's."""


class AdapterHost(Protocol):
    """Where a base model and its adapters run."""

    def load(self, name: str, folder: Path) -> None:
        """Load an adapter and have it answer once; harmless where it is loaded already.

        Raises:
            AgentError: If that cannot be done; says why.
        """
        ...

    def unload(self, name: str) -> None:
        """Let an adapter go; raises like `load`."""
        ...

    def loaded(self) -> frozenset[str]:
        """Return the adapters it can answer with; raises AgentError where it can't be asked."""
        ...

    def voice(self, name: str | None) -> Voice:
        """Return the voice of a loaded adapter, or of the base without one."""
        ...


@dataclass(frozen=True, slots=True)
class Status:
    """What a router is at, for those who run the server.

    Args:
        version: That of the routes it follows.
        live: The adapter that answers; None for the base.
        canary, experiment: What is tried beside it, as far as it is loaded.
        held: Adapters loaded, and how many turns each is answering.
        problems: What went wrong, by adapter, "routes" or "host"; empty when all is well.
    """

    version: int
    live: str | None
    canary: str | None
    experiment: str | None
    held: dict[str, int]
    problems: dict[str, str]


@dataclass(slots=True)
class _Held:
    """A voice that can be given out, and how many turns have it."""

    voice: Voice
    leases: int = 0


@dataclass(slots=True)
class _Pin:
    """The adapter of a session, and when it took its last turn."""

    name: str | None
    at: float


@dataclass(slots=True)
class _Table:
    """Who has what; every use of it is under the router's lock."""

    routes: Routes = field(default_factory=Routes)
    whole: bool = True
    held: dict[str | None, _Held] = field(default_factory=dict)
    pins: OrderedDict[str, _Pin] = field(default_factory=OrderedDict)
    problems: dict[str, str] = field(default_factory=dict)

    def pick(self, session: str, unit: str, now: float) -> list[_Held]:
        """Return what answers a session, remembering it, and its rival where there is one."""
        pin = self.pins.get(session)
        name = pin.name if pin is not None else self.routes.assign(unit)
        if name not in self.held:  # withdrawn, or lost by its server
            name = self.routes.live if self.routes.live in self.held else None
        # What answers only because the right one is missing is not to be kept.
        if pin is not None or self.whole:
            self.pins[session] = _Pin(name, now)
            self.pins.move_to_end(session)
            if len(self.pins) > MAX_PINS:
                self.pins.popitem(last=False)
        return [self.held[name], *self._rivals(name)]

    def _rivals(self, name: str | None) -> list[_Held]:
        """Return what is compared within the slates of those whom an adapter answers."""
        trial = self.routes.experiment
        if trial is None or trial.rival is None or trial.arms[0].adapter != name:
            return []
        return [self.held[trial.rival.adapter]] if trial.rival.adapter in self.held else []

    def unpin(self, may_serve: Callable[[_Pin], bool]) -> None:
        """Forget the adapters of sessions that may not keep them."""
        for session in [one for one, pin in self.pins.items() if not may_serve(pin)]:
            del self.pins[session]

    def idle(self, wanted: Routes) -> list[str]:
        """Return the adapters that nobody has and nobody new is or will be sent to."""
        used = {pin.name for pin in self.pins.values()} | {*self.routes.named, *wanted.named}
        return [
            name for name, held in self.held.items()
            if name is not None and name not in used and not held.leases
        ]  # fmt: skip


class AdapterRouter:
    """Decides which voice a session is answered with; see `agent.voice.Router`.

    Args:
        folder: Where routes.json is.
        unit: What is shared out to adapters: a session by its id, or the user that it is of.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        folder: Path,
        host: AdapterHost,
        *,
        unit: Callable[[str], str] = lambda session: session,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self._host = host
        self._unit = unit
        self._clock = clock
        self._lock = threading.Lock()
        self._following = threading.Lock()
        self._wake = threading.Event()
        self._ended = False
        self._thread: threading.Thread | None = None
        self._wanted = Routes()
        self._tried: dict[str, float] = {}
        self._table = _Table(whole=False)
        self._table.held[None] = _Held(host.voice(None))

    def __enter__(self) -> AdapterRouter:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def start(self) -> None:
        """Follow the routes from now on; until adapters are loaded the base answers."""
        self._thread = threading.Thread(target=self._follow, name="attune-routes", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following; what is loaded stays with its host."""
        self._ended = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def wake(self) -> None:
        """Look at the routes now, not in a second."""
        self._wake.set()

    @contextmanager
    def lease(self, session_id: str) -> Iterator[Voice]:
        """Hold the voice of a session for one turn; while it is held, its adapter stays loaded.

        In an interleaved experiment it has a rival, which stays loaded as long.
        """
        with self._lock:
            known = session_id in self._table.pins
        unit = session_id if known else self._unit(session_id)  # looking it up may take a while
        with self._lock:
            own, *rivals = held = self._table.pick(session_id, unit, self._clock())
            for one in held:
                one.leases += 1
        try:
            yield replace(own.voice, rival=rivals[0].voice) if rivals else own.voice
        finally:
            with self._lock:
                for one in held:
                    one.leases -= 1

    def status(self) -> Status:
        """Return what it is at."""
        with self._lock:
            table = self._table
            routes = table.routes
            return Status(
                version=self._wanted.version,
                live=routes.live,
                canary=routes.canary.name if routes.canary else None,
                experiment=routes.experiment.name if routes.experiment else None,
                held={name: held.leases for name, held in table.held.items() if name is not None},
                problems=dict(table.problems),
            )

    def answering(self) -> tuple[str, ...]:
        """Return the adapters that new sessions are sent to now, the live one first."""
        with self._lock:
            return self._table.routes.named

    def follow(self) -> None:
        """Bring what is loaded, and who is sent where, to what the routes say now."""
        with self._following:
            self._read()
            if (there := self._ask_host()) is not None:
                for name in self._needed(there):
                    self._load(name)
            self._switch()
            self._unload()

    def _follow(self) -> None:
        while not self._ended:
            try:
                self.follow()
            except Exception:
                logger.exception("following the routes failed; what answers goes on")
            self._wake.wait(POLL_S)
            self._wake.clear()

    def _read(self) -> None:
        try:
            routes = read_routes(self.folder)
        except AgentError as error:
            self._problem(ROUTES_PROBLEM, str(error))
            return
        self._solved(ROUTES_PROBLEM)
        if routes != self._wanted:
            logger.info("routes %d: %s", routes.version, ", ".join(routes.named) or "the base")
            self._tried.clear()
            self._wanted = routes

    def _ask_host(self) -> frozenset[str] | None:
        """Return the adapters that are loaded; None where the host cannot be asked."""
        with self._lock:
            concerned = len(self._table.held) > 1 or bool(self._wanted.named)
        if not concerned:  # a server that never had adapters is left in peace
            return frozenset()
        try:
            there = self._host.loaded()
        except AgentError as error:
            self._problem(HOST_PROBLEM, str(error))
            return None
        self._solved(HOST_PROBLEM)
        return there

    def _needed(self, there: frozenset[str]) -> list[str]:
        """Return what must be loaded: what routes name, and what sessions have and was lost."""
        with self._lock:
            ours = [name for name in self._table.held if name is not None]
        names = dict.fromkeys((*self._wanted.named, *ours))
        return [
            name for name in names
            if name in self._wanted.adapters and (name not in there or name not in ours)
        ]  # fmt: skip

    def _load(self, name: str) -> None:
        if self._clock() < self._tried.get(name, 0.0):
            return
        started = self._clock()
        try:
            self._host.load(name, self._wanted.adapters[name])
            held = _Held(self._host.voice(name))
        except AgentError as error:
            self._tried[name] = self._clock() + RETRY_S
            self._problem(name, f"it cannot be loaded: {error}")
            with self._lock:
                self._table.held.pop(name, None)
            return
        logger.info("loaded adapter %s in %.1f s", name, self._clock() - started)
        self._solved(name)
        with self._lock:
            self._table.held.setdefault(name, held)

    def _switch(self) -> None:
        """Send new turns where the routes say, as far as that is loaded."""
        wanted, now = self._wanted, self._clock()
        with self._lock:
            table = self._table
            missing = [name for name in wanted.named if name not in table.held]
            routes, before = wanted.without(missing), table.routes.live
            if wanted.live in missing and before in wanted.adapters and before in table.held:
                routes = replace(routes, live=before)
            table.routes, table.whole = routes, not missing
            allowed = {None, *wanted.adapters}
            table.unpin(lambda pin: pin.name in allowed and now - pin.at < STICKY_S)
            for name in [one for one in table.problems if one not in wanted.adapters]:
                if name not in (ROUTES_PROBLEM, HOST_PROBLEM):
                    del table.problems[name]

    def _unload(self) -> None:
        with self._lock:
            idle = self._table.idle(self._wanted)
            for name in idle:
                del self._table.held[name]
        for name in idle:
            try:
                self._host.unload(name)
                logger.info("unloaded adapter %s", name)
            except AgentError as error:
                logger.warning("adapter %s stays loaded: %s", name, error)

    def _problem(self, about: str, text: str) -> None:
        with self._lock:
            known = self._table.problems.get(about)
            self._table.problems[about] = text
        if known != text:
            logger.error("adapter routing, %s: %s", about, text)

    def _solved(self, about: str) -> None:
        with self._lock:
            self._table.problems.pop(about, None)
