import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from agent import tables
from agent.errors import StoreError, UnknownJob, UserInputError
from agent.jobs import LONGEST_PAUSE, NewJob, Tries
from agent.plan import Plan
from agent.store_jobs import Overdue
from tests.agent.stores import turn

KINDS = ("mail",)


@pytest.fixture
def work(store):
    return store.work


@pytest.fixture
def change(store):
    """Change what is stored of a job, as time passing would."""

    def change(id, **values):
        with store._database.write() as connection:
            connection.execute(update(tables.jobs).where(tables.jobs.c.id == id).values(**values))

    return change


def stored(work, **fields):
    job = NewJob("mail", {"to": "7"}, **fields)
    assert work.add(job)
    return job.id


def lease_of(store, id):
    with store._database.read() as connection:
        return connection.execute(
            tables.jobs.select().where(tables.jobs.c.id == id)
        ).one().lease  # fmt: skip


def test_job_runs_to_its_end(work):
    id = stored(work)
    job = work.claim(KINDS, 30)
    assert (job.id, job.status, job.attempts, job.payload) == (id, "running", 1, {"to": "7"})
    assert work.claim(KINDS, 30) is None
    assert work.finish(job, {"sent": True})
    done = work.get(id)
    assert (done.status, done.result, done.error) == ("done", {"sent": True}, None)
    assert done.finished >= done.created
    assert not work.finish(job, None)


def test_other_kinds_are_left_alone(work):
    stored(work)
    assert work.claim(("other",), 30) is None
    assert work.claim((), 30) is None
    assert work.next_due(("other",)) is None


def test_same_id_is_stored_once(work):
    first = NewJob("mail", {"n": 1}, id="mail-2026-01-01")
    assert work.add(first)
    assert not work.add(NewJob("mail", {"n": 2}, id=first.id))
    assert [job.payload for job in work.list()] == [{"n": 1}]


def test_job_is_stored_with_its_turn(store):
    done = turn(store.create_session(), 1)
    store.record(done, jobs=[NewJob("mail", {})])
    seen = store.work.count
    assert seen == 1
    again = turn(done.session_id, 1, plan=Plan(acts=()))
    with pytest.raises(Exception, match="turn 1 cannot be"):
        store.record(again, jobs=[NewJob("mail", {})])
    assert len(store.work.list()) == 1
    assert store.work.count == seen


def test_later_job_waits(work, change):
    id = stored(work, due=datetime.now(UTC) + timedelta(hours=5))
    assert work.claim(KINDS, 30) is None
    assert 4 * 3600 < work.next_due(KINDS) < 6 * 3600
    change(id, due=datetime.now(UTC) - timedelta(seconds=1))
    assert work.claim(KINDS, 30).id == id


def test_longest_due_goes_first(work, change):
    late, early = stored(work), stored(work)
    change(early, due=datetime.now(UTC) - timedelta(hours=1))
    assert [work.claim(KINDS, 30).id for _ in range(2)] == [early, late]


def test_failed_try_waits_then_dies(work, change):
    id = stored(work)
    assert work.fail(work.claim(KINDS, 30), "no answer", timedelta(seconds=50))
    job = work.get(id)
    assert (job.status, job.error, job.finished) == ("waiting", "no answer", None)
    assert work.claim(KINDS, 30) is None
    change(id, due=datetime.now(UTC) - timedelta(seconds=1))
    second = work.claim(KINDS, 30)
    assert second.attempts == 2
    assert work.fail(second, "gone", None)
    assert (work.get(id).status, work.get(id).error) == ("dead", "gone")


def test_dead_job_is_tried_again(work):
    id = stored(work)
    work.fail(work.claim(KINDS, 30), "gone", None)
    again = work.retry(id)
    assert (again.status, again.attempts, again.finished) == ("waiting", 0, None)
    job = work.claim(KINDS, 30)
    with pytest.raises(UserInputError, match="is running; only one that is dead or waits"):
        work.retry(id)
    work.finish(job, None)
    with pytest.raises(UserInputError, match="is done"):
        work.retry(id)


@pytest.mark.parametrize("id", ["0" * 32, "", "\x00", "'; DROP TABLE jobs"])
def test_unknown_job_is_named(work, id):
    for call in (work.get, work.retry):
        with pytest.raises(UnknownJob, match="no job"):
            call(id)


def test_claims_are_never_shared(work):
    ids = {stored(work) for _ in range(12)}
    claimed = []

    def take():
        while (job := work.claim(KINDS, 30)) is not None:
            claimed.append(job.id)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(ids)


def test_lost_lease_changes_nothing(store, work):
    id = stored(work)
    first = work.claim(KINDS, 30)
    assert work.abandon(Overdue(id, lease_of(store, id)))
    second = work.claim(KINDS, 30)
    assert second.attempts == 2
    assert not work.extend(first, 30)
    assert not work.finish(first, {"late": True})
    assert not work.fail(first, "late", None)
    assert not work.give_back(first)
    assert work.finish(second, None)


def test_renewed_lease_is_not_overdue(store, work, change):
    id = stored(work)
    job = work.claim(KINDS, 30)
    assert work.overdue(KINDS, 30) == []
    change(id, lease=datetime.now(UTC) - timedelta(seconds=1))
    (overdue,) = work.overdue(KINDS, 30)
    assert work.extend(job, 30)
    assert not work.abandon(overdue)
    assert work.get(id).status == "running"


def test_lease_of_a_later_clock_is_overdue(work, change):
    id = stored(work)
    work.claim(KINDS, 30)
    change(id, lease=datetime.now(UTC) + timedelta(days=1))
    (overdue,) = work.overdue(KINDS, 30)
    assert work.abandon(overdue)
    assert work.claim(KINDS, 30).attempts == 2


def test_retry_stored_before_clock_went_back(work, change):
    id = stored(work)
    work.fail(work.claim(KINDS, 30), "no answer", timedelta(seconds=5))
    change(id, due=datetime.now(UTC) + LONGEST_PAUSE)
    assert work.claim(KINDS, 30) is None
    change(id, due=datetime.now(UTC) + 3 * LONGEST_PAUSE)
    assert work.claim(KINDS, 30).id == id


def test_new_job_from_a_fast_clock_is_due(work, change):
    later = datetime.now(UTC) + timedelta(days=2)
    id = stored(work)
    change(id, created=later, due=later)
    assert work.claim(KINDS, 30).id == id


def test_given_back_job_is_due(work):
    id = stored(work)
    assert work.give_back(work.claim(KINDS, 30))
    job = work.claim(KINDS, 30)
    assert (job.id, job.attempts) == (id, 2)


def test_jobs_are_listed_by_status_and_kind(work):
    done, waiting = stored(work), stored(work)
    other = NewJob("other", {})
    work.add(other)
    work.finish(work.claim(KINDS, 30), None)
    (left,) = work.list("waiting", "mail")
    assert {job.id for job in work.list()} == {done, waiting, other.id}
    assert left.id in (done, waiting)
    assert [job.id for job in work.list(kind="other")] == [other.id]
    assert len(work.list(limit=2)) == 2


def test_old_done_jobs_are_pruned(work, change):
    kept, gone, waiting = (stored(work) for _ in range(3))
    for _ in range(3):
        work.finish(work.claim(KINDS, 30), None)
    change(gone, finished=datetime.now(UTC) - timedelta(days=31))
    change(waiting, status="dead", finished=datetime.now(UTC) - timedelta(days=31))
    assert work.prune(30) == 1
    assert {job.id for job in work.list()} == {kept, waiting}


def test_wait_ends_with_a_new_job(work):
    seen = work.count
    thread = threading.Thread(target=work.wait, args=(seen, 600))
    thread.start()
    stored(work)
    thread.join(60)
    assert not thread.is_alive()
    work.wait(seen, 600)  # what was stored in between is not waited for


def test_pauses_grow_to_the_longest():
    tries = Tries(most=9, first_s=2, longest_s=30)
    whole = [tries.pause(attempt, 1.0).total_seconds() for attempt in (1, 2, 3, 4, 5, 5000)]
    assert whole == [2, 4, 8, 16, 30, 30]
    assert tries.pause(3, 0.0).total_seconds() == 4


def test_unreachable_store_is_an_error(sessions):
    sessions.work.add(NewJob("mail", {}))
    with sessions._database.read() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")
    with pytest.raises(StoreError, match="cannot be written"):
        sessions.work.claim(KINDS, 30)
