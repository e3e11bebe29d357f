"""Runs the jobs of one store: one thread that claims a job, runs it and notes what came of it.

A job under way is held by a lease that a second thread renews. A lease that has run out is not
believed at once, for clocks jump: only where it stays as it is for longer than any renewal takes,
by a clock that does not jump, has its holder died. The worker knows no kind of job; what runs them
is passed in.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from time import monotonic

from agent.errors import AgentError, HopelessJob
from agent.jobs import TRIES, Handler, Job, NewJob, Tries
from agent.store import Store
from agent.store_jobs import Overdue
from agent.telemetry import span

log = logging.getLogger(__name__)

LEASE_S = 30.0
POLL_S = 5.0
KEEP_DAYS = 30
"""How long jobs that are done can be looked at."""

MAX_ERROR = 2_000


class Worker:
    """Runs the jobs of one store that it has handlers for, one after the other.

    Jobs stored by this process begin at once, those of others within `poll_s`. Where some kinds
    take long, give them a worker of their own, so that the others need not wait.

    Args:
        handlers: By kind; called with the payload, at least once for each job.
        daily: Kinds that are to run once a day (UTC), however many processes there are.
    """

    def __init__(
        self,
        store: Store,
        handlers: Mapping[str, Handler],
        *,
        daily: Sequence[str] = (),
        lease_s: float = LEASE_S,
        poll_s: float = POLL_S,
    ) -> None:
        unknown = set(daily) - set(handlers)
        if unknown:
            raise ValueError(f"no handler for the daily {sorted(unknown)!r}; give one by its kind")
        self._work = store.work
        self._handlers = dict(handlers)
        self._daily = tuple(daily)
        self._lease_s, self._poll_s = lease_s, poll_s
        self._day: date | None = None
        self._stale: dict[Overdue, float] = {}
        self._stopping = threading.Event()
        self._now: Job | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work, in a thread that does not keep the process alive."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._loop, name="attune-jobs", daemon=True)
        self._thread.start()

    def stop(self, wait_s: float = 10.0) -> None:
        """Take no more jobs; what is running after `wait_s` is given back to be run by others."""
        self._stopping.set()
        self._work.notify()
        if self._thread is None:
            return
        self._thread.join(wait_s)
        job = self._now
        if self._thread.is_alive() and job is not None:
            log.warning("job %s (%s) is given back: it is still running", job.id, job.kind)
            self._work.give_back(job)
        self._thread = None

    def run_due(self) -> int:
        """Run what is due now, in this thread; return how many tries that were."""
        self._begin_day()
        self._find_abandoned()
        ran = 0
        while not self._stopping.is_set():
            job = self._work.claim(tuple(self._handlers), self._lease_s)
            if job is None:
                break
            self._now = job
            try:
                self._run(job)
            finally:
                self._now = None
            ran += 1
        return ran

    def _loop(self) -> None:
        failing = False
        while not self._stopping.is_set():
            seen = self._work.count
            pause = self._poll_s
            try:
                self.run_due()
                due = self._work.next_due(tuple(self._handlers))
                pause = self._poll_s if due is None else min(max(due, 0.05), self._poll_s)
                failing = False
            except AgentError as error:
                # Said once: a database that is down would fill the log.
                if not failing:
                    log.error("jobs wait: %s", error)
                failing = True
            except Exception:
                log.exception("jobs wait")
            if not self._stopping.is_set():
                self._work.wait(seen, pause)

    def _begin_day(self) -> None:
        today = datetime.now(UTC).date()
        if today == self._day or not self._daily:
            return
        for kind in self._daily:
            self._work.add(NewJob(kind, {}, id=f"{kind}-{today}"))
        self._work.prune(KEEP_DAYS)
        self._day = today

    def _find_abandoned(self) -> None:
        """Free jobs whose lease is overdue and has not been renewed since it was first seen so."""
        overdue = self._work.overdue(tuple(self._handlers), self._lease_s)
        now = monotonic()
        self._stale = {one: self._stale.get(one, now) for one in overdue}
        for one, since in self._stale.items():
            if now - since > self._lease_s / 2 and self._work.abandon(one):
                log.warning("job %s is taken over from a process that died", one.id)

    def _run(self, job: Job) -> None:
        tries = TRIES.get(job.kind, Tries())
        if job.attempts > tries.most:
            said = f"begun {job.attempts - 1} times, and never ended"
            self._settle(lambda: self._work.fail(job, said, None))
            return
        with _Held(self._work.extend, job, self._lease_s):
            try:
                with span(f"job {job.kind}", {"attune.job.attempt": job.attempts}):
                    result = self._handlers[job.kind](job.payload)
            except Exception as error:
                self._failed(job, tries, error)
                return
            self._settle(lambda: self._work.finish(job, result))

    def _failed(self, job: Job, tries: Tries, error: Exception) -> None:
        if not isinstance(error, AgentError):
            log.error("job %s (%s) broke", job.id, job.kind, exc_info=error)
        hopeless = isinstance(error, HopelessJob) or job.attempts >= tries.most
        pause = None if hopeless else tries.pause(job.attempts, random.random())
        next_step = "given up" if pause is None else f"again in {pause.total_seconds():.1f} s"
        log.warning("job %s (%s), try %d: %s, %s", job.id, job.kind, job.attempts,
                    type(error).__name__, next_step)  # fmt: skip
        said = f"{type(error).__name__}: {error}"[:MAX_ERROR]
        self._settle(lambda: self._work.fail(job, said, pause))

    def _settle(self, note: Callable[[], bool]) -> None:
        """Note what came of a job, also where the store is away for a moment."""
        until = monotonic() + self._lease_s
        while True:
            try:
                if not note():
                    log.warning("a job was taken over by another process while it ran here")
                return
            except AgentError:
                # Left as it is, the job is run again when its lease has run out.
                if monotonic() > until or self._stopping.wait(min(1.0, self._lease_s / 4)):
                    raise


class _Held:
    """Renews the lease of a job from another thread for as long as the block runs."""

    def __init__(self, extend: Callable[[Job, float], bool], job: Job, lease_s: float) -> None:
        self._extend, self._job, self._lease_s = extend, job, lease_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="attune-lease", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _renew(self) -> None:
        while not self._ended.wait(self._lease_s / 4):
            try:
                if not self._extend(self._job, self._lease_s):
                    return
            except AgentError as error:
                log.warning("the lease of job %s is not renewed: %s", self._job.id, error)
