"""Old data goes: sessions by their last use, and what lies beside; nothing younger does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from agent import tables
from agent.desk import Once
from agent.feedback import FeedbackEvent
from agent.jobs import NewJob
from agent.keys import key_of
from agent.store_purge import Keep, Purged, purge
from agent.turn import Slate
from tests.agent.stores import HAT, turn

NOW = datetime.now(UTC)
MONTH = Keep(sessions=timedelta(days=30))


def age(store, table, column, days, **where):
    """Make rows older than they are."""
    query = update(table).values({column: NOW - timedelta(days=days)})
    for name, value in where.items():
        query = query.where(table.c[name] == value)
    with store.database.write() as connection:
        connection.execute(query)


def old_session(store, days=40, user="ann"):
    """Store a session with a turn, all of it so many days old."""
    id = store.create_session(user)
    done = turn(id, 1)
    store.record(done)
    age(store, tables.sessions, "created", days, id=id)
    age(store, tables.turns, "time", days, session_id=id)
    age(store, tables.impressions, "time", days, slate_id=done.slate.id)
    return id, done.slate.id


def left(store):
    return [one.id for one in store.logged()]


def test_sessions_go_by_their_last_use(store):
    old_session(store, 31)
    young, _ = old_session(store, 29)
    assert purge(store.database, MONTH, NOW) == Purged(sessions=1)
    assert left(store) == [young]
    assert purge(store.database, MONTH, NOW) == Purged()


def test_any_use_keeps_a_session(store):
    clicked, slate = old_session(store)
    store.add_feedback(FeedbackEvent(slate_id=slate, item_id="7", kind="click"))
    spoken, _ = old_session(store)
    store.record(turn(spoken, 2))
    fed, _ = old_session(store)
    store.record_slate(Slate(id="feed", items=(HAT,)), fed)
    empty = store.create_session()
    old_session(store)
    assert purge(store.database, MONTH, NOW).sessions == 1
    assert set(left(store)) == {clicked, spoken, fed, empty}


def test_nothing_goes_without_a_limit(store):
    id, _ = old_session(store, 4000)
    assert purge(store.database, Keep(), NOW).sessions == 0
    assert left(store) == [id]


def test_dry_run_only_counts(store):
    id, _ = old_session(store)
    assert purge(store.database, MONTH, NOW, dry=True).sessions == 1
    assert left(store) == [id]


def test_feeds_of_nobody_go_as_well(store):
    for name, days in (("old", 40), ("young", 1), ("clicked", 40)):
        store.record_slate(Slate(id=name, items=(HAT,)))
        age(store, tables.impressions, "time", days, slate_id=name)
    store.add_feedback(FeedbackEvent(slate_id="clicked", item_id="8", kind="click"))
    assert purge(store.database, MONTH, NOW) == Purged(feeds=1)
    with store.database.read() as connection:
        assert set(connection.scalars(select(tables.slates.c.id))) == {"young", "clicked"}


@pytest.mark.parametrize(
    ("status", "days", "gone"),
    [("done", 31, 1), ("dead", 31, 1), ("done", 29, 0), ("waiting", 400, 0)],
)
def test_finished_jobs_go(store, status, days, gone):
    store.work.add(NewJob("test", {}))
    age(store, tables.jobs, "created", days)
    if status != "waiting":
        age(store, tables.jobs, "finished", days)
    with store.database.write() as connection:
        connection.execute(update(tables.jobs).values(status=status))
    assert purge(store.database, Keep(), NOW).jobs == gone


def test_idempotency_keys_and_old_counts_go(store):
    id = store.create_session()
    store.record(turn(id, 1), once=Once(key_of("a"), key_of("b")))
    age(store, tables.idempotency_keys, "time", 2)
    with store.database.write() as connection:
        for days in (10, 500):
            day = f"{NOW - timedelta(days=days):%Y-%m-%d}"
            values = {"day": day, "key_id": "k", "turns": 1, "tokens": 2}
            connection.execute(insert(tables.usage_days).values(values))
    assert purge(store.database, Keep(), NOW) == Purged(once=1, usage=1)
    assert left(store) == [id]


def test_more_than_a_batch_goes(store, monkeypatch):
    monkeypatch.setattr("agent.store_purge.BATCH", 2)
    for _ in range(5):
        old_session(store)
    assert purge(store.database, MONTH, NOW).sessions == 5
    assert left(store) == []


def test_purged_words_leave_the_file(tmp_path):
    from agent.store import Store

    store = Store(f"sqlite:///{tmp_path}/a.db")
    id = store.create_session()
    store.record(turn(id, 1, utterance="haberdashery"))
    later = NOW + timedelta(days=60)
    held = lambda: [path for path in tmp_path.iterdir()  # noqa: E731
                    if b"haberdashery" in path.read_bytes()]  # fmt: skip
    assert held() != []
    purge(store.database, MONTH, later)
    assert held() == []
    store.close()
