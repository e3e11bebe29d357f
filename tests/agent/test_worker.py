import logging
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from agent import tables, worker
from agent.errors import HopelessJob, ModelUnavailable, StoreError
from agent.jobs import NewJob, Tries
from agent.store import Store
from agent.worker import Worker

ROOT = Path(__file__).parents[2]


@pytest.fixture
def running():
    """Start workers that are stopped with the test."""
    started = []

    def start(store, handlers, **options):
        one = Worker(store, handlers, **{"poll_s": 0.05, **options})
        one.start()
        started.append(one)
        return one

    yield start
    for one in started:
        one.stop(60)  # its thread may be asking the database, which is closed next


def until(condition):
    """Wait for something that another thread brings about."""
    waiting = threading.Event()
    for _ in range(3000):
        if condition():
            return
        waiting.wait(0.02)
    raise AssertionError("it never came about")


def test_job_begins_when_it_is_stored(store, running):
    ran = threading.Event()
    running(store, {"mail": lambda payload: ran.set()}, poll_s=600)
    job = NewJob("mail", {})
    store.work.add(job)
    assert ran.wait(60)
    until(lambda: store.work.get(job.id).status == "done")


def test_handler_gets_payload_and_gives_result(sessions):
    job = NewJob("mail", {"to": "7"})
    sessions.work.add(job)
    assert Worker(sessions, {"mail": lambda payload: {"sent": payload["to"]}}).run_due() == 1
    assert sessions.work.get(job.id).result == {"sent": "7"}


def test_failing_job_is_tried_again(sessions, monkeypatch):
    monkeypatch.setitem(worker.TRIES, "mail", Tries(most=3, first_s=0.0))
    calls = []

    def fail_twice(payload):
        calls.append(payload)
        if len(calls) < 3:
            raise ModelUnavailable("no answer")

    job = NewJob("mail", {})
    sessions.work.add(job)
    one = Worker(sessions, {"mail": fail_twice})
    while sessions.work.get(job.id).status == "waiting":
        one.run_due()
    done = sessions.work.get(job.id)
    assert (done.status, done.attempts, done.error) == ("done", 3, None)


def test_pause_lies_between_tries(sessions, monkeypatch):
    job = NewJob("mail", {})
    sessions.work.add(job)

    def fail(payload):
        raise ValueError("broken")

    monkeypatch.setitem(worker.TRIES, "mail", Tries(first_s=600.0))
    assert Worker(sessions, {"mail": fail}).run_due() == 1
    waiting = sessions.work.get(job.id)
    assert (waiting.status, waiting.error) == ("waiting", "ValueError: broken")
    assert 0 < sessions.work.next_due(("mail",)) <= 600


@pytest.mark.parametrize(("error", "tries"), [(ValueError("x"), 2), (HopelessJob("410"), 1)])
def test_job_is_given_up(sessions, monkeypatch, error, tries):
    monkeypatch.setitem(worker.TRIES, "mail", Tries(most=2, first_s=0.0))
    calls = []

    def fail(payload):
        calls.append(payload)
        raise error

    job = NewJob("mail", {})
    sessions.work.add(job)
    one = Worker(sessions, {"mail": fail})
    while sessions.work.get(job.id).status == "waiting":
        one.run_due()
    assert len(calls) == tries
    dead = sessions.work.get(job.id)
    assert (dead.status, dead.error) == ("dead", f"{type(error).__name__}: {error}")


def test_job_that_kills_its_process_dies(sessions, monkeypatch):
    monkeypatch.setitem(worker.TRIES, "mail", Tries(most=2))
    job = NewJob("mail", {})
    sessions.work.add(job)
    with sessions._database.write() as connection:
        connection.execute(update(tables.jobs).values(attempts=2, error="the process died"))
    ran = []
    Worker(sessions, {"mail": ran.append}).run_due()
    assert ran == []
    assert sessions.work.get(job.id).status == "dead"
    assert "begun 2 times" in sessions.work.get(job.id).error


def test_running_job_finishes_at_stop(store, running):
    entered = threading.Event()

    def hold(payload):
        entered.set()
        assert one._stopping.wait(60)

    one = running(store, {"mail": hold})
    first, second = NewJob("mail", {}), NewJob("mail", {})
    for job in (first, second):
        store.work.add(job)
    assert entered.wait(60)
    one.stop(60)
    assert {store.work.get(job.id).status for job in (first, second)} == {"done", "waiting"}


def test_slow_job_is_given_back_at_stop(sessions, running):
    entered, go = threading.Event(), threading.Event()

    def hold(payload):
        entered.set()
        assert go.wait(60)
        return {"by": "the first"}

    job = NewJob("mail", {})
    sessions.work.add(job)
    one = running(sessions, {"mail": hold})
    assert entered.wait(60)
    thread = one._thread
    one.stop(0)
    assert sessions.work.get(job.id).status == "waiting"
    assert Worker(sessions, {"mail": lambda payload: {"by": "the second"}}).run_due() == 1
    go.set()
    thread.join(60)
    assert sessions.work.get(job.id).result == {"by": "the second"}


def test_long_job_keeps_its_lease(sessions, running, monkeypatch):
    """With a lease far shorter than the job, another worker must not take it over."""
    extend, go, renewed = sessions.work.extend, threading.Event(), []

    def counted(job, lease_s):
        renewed.append(extend(job, lease_s))
        return renewed[-1]

    monkeypatch.setattr(sessions.work, "extend", counted)
    job = NewJob("mail", {})
    sessions.work.add(job)
    running(sessions, {"mail": lambda payload: go.wait(60) and None}, lease_s=0.2)
    ran = []
    other = Worker(sessions, {"mail": ran.append})
    for times in (5, 10):  # the lease is over after four quarters of it
        until(lambda: len(renewed) >= times)  # noqa: B023
        assert other.run_due() == 0
    go.set()
    until(lambda: sessions.work.get(job.id).status == "done")
    assert (ran, all(renewed), sessions.work.get(job.id).attempts) == ([], True, 1)


class Watch:
    """A clock that goes on when it is told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_clock_jump_steals_no_running_job(sessions, monkeypatch):
    """The lease seems long over, but its holder renews it before it is believed dead."""
    watch = Watch()
    monkeypatch.setattr(worker, "monotonic", watch)
    sessions.work.add(NewJob("mail", {}))
    held = sessions.work.claim(("mail",), 30)
    with sessions._database.write() as connection:
        past = datetime.now(UTC) - timedelta(days=1)
        connection.execute(update(tables.jobs).values(lease=past))
    ran = []
    other = Worker(sessions, {"mail": ran.append})
    assert other.run_due() == 0
    assert sessions.work.extend(held, 30)
    watch.now += 100
    assert other.run_due() == 0
    assert sessions.work.finish(held, None)
    assert ran == []


def test_dead_holder_is_succeeded(sessions, monkeypatch, caplog):
    watch = Watch()
    monkeypatch.setattr(worker, "monotonic", watch)
    job = NewJob("mail", {})
    sessions.work.add(job)
    sessions.work.claim(("mail",), 30)
    with sessions._database.write() as connection:
        past = datetime.now(UTC) - timedelta(seconds=1)
        connection.execute(update(tables.jobs).values(lease=past))
    ran = []
    other = Worker(sessions, {"mail": ran.append})
    assert other.run_due() == 0
    watch.now += 16
    with caplog.at_level(logging.WARNING):
        assert other.run_due() == 1
    assert "taken over from a process that died" in caplog.text
    assert (ran, sessions.work.get(job.id).attempts) == ([{}], 2)


@pytest.mark.parametrize("days", [0, 3, -3])
def test_daily_job_runs_once_a_day(sessions, monkeypatch, days):
    """On several hosts, restarted, and when a clock jumps there and back."""
    ran = []
    clock = {"days": 0}

    class Clock(datetime):
        @classmethod
        def now(cls, zone=None):
            return datetime.now(zone) + timedelta(days=clock["days"])

    monkeypatch.setattr(worker, "datetime", Clock)
    for offset in (0, days, 0, days):
        clock["days"] = offset
        for _ in range(2):
            Worker(sessions, {"retention": ran.append}, daily=["retention"]).run_due()
    assert len(ran) == (2 if days else 1)


def test_daily_kind_needs_a_handler(sessions):
    with pytest.raises(ValueError, match="no handler for the daily \\['retention'\\]"):
        Worker(sessions, {}, daily=["retention"])


def test_worker_outlives_a_database_that_fails(sessions, running, monkeypatch, caplog):
    working = sessions.work.claim
    broken = threading.Event()
    failed = []

    def claim(*arguments):
        if not broken.is_set():
            failed.append(arguments)
            raise StoreError("session store x: the database server cannot be reached")
        return working(*arguments)

    monkeypatch.setattr(sessions.work, "claim", claim)
    ran = threading.Event()
    with caplog.at_level(logging.ERROR):
        running(sessions, {"mail": lambda payload: ran.set()}, poll_s=0.02)
        sessions.work.add(NewJob("mail", {}))
        until(lambda: len(failed) > 3)
        broken.set()
        assert ran.wait(60)
    assert caplog.text.count("cannot be reached") == 1


def test_outcome_is_noted_when_store_is_back(sessions, monkeypatch):
    working = sessions.work.finish
    failed = []

    def finish(*arguments):
        if len(failed) < 2:
            failed.append(arguments)
            raise StoreError("session store x: away")
        return working(*arguments)

    monkeypatch.setattr(sessions.work, "finish", finish)
    job = NewJob("mail", {})
    sessions.work.add(job)
    ran = []
    one = Worker(sessions, {"mail": ran.append})
    monkeypatch.setattr(one._stopping, "wait", lambda seconds: False)
    one.run_due()
    assert (len(ran), sessions.work.get(job.id).status) == (1, "done")


KILLED = """
import os, sys
sys.path.insert(0, {root!r})
from agent.store import Store
from agent.worker import Worker
def run(payload):
    print("running", flush=True)
    os.kill(os.getpid(), 9)
Worker(Store({url!r}), {{"mail": run}}, lease_s=0.5).run_due()
"""


def test_killed_process_loses_no_job(tmp_path, running):
    url = f"sqlite:///{tmp_path}/a.db"
    store = Store(url)
    job = NewJob("mail", {"to": "7"})
    store.work.add(job)
    script = KILLED.format(root=str(ROOT), url=url)
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (killed.returncode, killed.stdout) == (-9, "running\n"), killed.stderr
    assert store.work.get(job.id).status == "running"
    ran = []
    running(store, {"mail": ran.append}, lease_s=0.5)
    until(lambda: store.work.get(job.id).status == "done")
    assert (ran, store.work.get(job.id).attempts) == ([{"to": "7"}], 2)
    store.close()
