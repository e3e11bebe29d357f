import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import inspect

from agent import tables
from agent.errors import Conflict, StoreError, UnknownSession
from agent.feedback import FeedbackEvent
from agent.state import State
from agent.store import Store
from agent.turn import Evidence, Reason, SlateItem
from tests.agent.stores import HAT, SHIRT, turn

ROOT = Path(__file__).parents[2]


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/sessions.db"


def path_of(url):
    return Path(url.removeprefix("sqlite:///"))


def test_new_session_is_empty(store):
    session = store.load(store.create_session("ann"))
    assert (session.user, session.state, session.turns) == ("ann", State(), 0)
    assert session.created.tzinfo is not None


def test_recorded_turn_comes_back_equal(store):
    done = turn(store.create_session(), 1)
    store.record(done)
    assert store.turns(done.session_id) == [done]
    session = store.load(done.session_id)
    assert (session.state, session.turns) == (done.state, 1)


def test_list_fields_come_back_equal(store):
    facts = {"item_id": "9", "facet": "sizes", "value": ("S", "M")}
    claim = Reason(text="sizes: S, M", evidence=(Evidence(kind="field", **facts),))
    item = SlateItem(item_id="9", rank=1, score=1.0, fields={"sizes": ["S", "M"]}, reasons=(claim,))
    done = turn(store.create_session(), 1, items=(item,), claims=(claim,))
    store.record(done)
    assert store.turns(done.session_id) == [done]
    assert done.slate.items[0].fields == {"sizes": ("S", "M")}


def test_turns_come_back_in_order(store):
    id, other = store.create_session(), store.create_session()
    done = [turn(id, 1), turn(id, 2, items=()), turn(id, 3, items=(HAT,))]
    for one in done:
        store.record(one)
    store.record(turn(other, 1))
    assert store.turns(id) == done


@pytest.mark.parametrize("id", ["0" * 32, "", "\x00", "é", "'; DROP TABLE sessions", "x" * 9999])
def test_unknown_session_is_named(store, id):
    for call in (store.load, store.turns, store.feedback):
        with pytest.raises(UnknownSession, match="no session"):
            call(id)
    assert store.delete_session(id) is False


def test_turn_of_deleted_session_is_refused(store):
    id = store.create_session()
    assert store.delete_session(id)
    with pytest.raises(UnknownSession):
        store.record(turn(id, 1))


@pytest.mark.parametrize("number", [1, 3, 0])
def test_turn_out_of_order_conflicts(store, number):
    id = store.create_session()
    first = turn(id, 1)
    store.record(first)
    with pytest.raises(Conflict, match=f"has had 1 turns, so turn {number}"):
        store.record(turn(id, number))
    assert store.turns(id) == [first]


def test_reused_slate_leaves_no_trace(store):
    id = store.create_session()
    first = turn(id, 1)
    store.record(first)
    with pytest.raises(Conflict, match="stored already"):
        store.record(turn(id, 2, slate=first.slate))
    assert store.turns(id) == [first]
    assert store.load(id).turns == 1


def test_impressions_carry_rank_and_propensity(url):
    store = Store(url)
    done = turn(store.create_session(), 1)
    store.record(done, policy="epsilon", propensities={"8": 0.1})
    store.close()
    with sqlite3.connect(path_of(url)) as database:
        rows = database.execute("SELECT rank, item_id, propensity, policy FROM impressions")
        assert list(rows) == [(1, "7", 1.0, "epsilon"), (2, "8", 0.1, "epsilon")]
    database.close()


def test_delete_takes_everything_along(url):
    store = Store(url)
    id, kept = store.create_session(), store.create_session()
    for session in (id, kept):
        done = turn(session, 1)
        store.record(done)
        store.add_feedback(FeedbackEvent(slate_id=done.slate.id, item_id="7", kind="click"))
    assert store.delete_session(id)
    assert not store.delete_session(id)
    store.close()
    database = sqlite3.connect(path_of(url))
    counts = [
        database.execute(f"SELECT count(*) FROM {t}").fetchone() for t in tables.metadata.tables
    ]
    database.close()
    assert counts[:6] == [(1,), (1,), (1,), (2,), (2,), (1,)]
    assert set(counts[6:]) == {(0,)}


def test_turn_lock_orders_turns(store):
    id, other = store.create_session(), store.create_session()

    def take():
        with store.turn_lock(id):
            store.record(turn(id, store.load(id).turns + 1))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    with store.turn_lock(other):
        for thread in threads:
            thread.join()
    assert [done.state.turn for done in store.turns(id)] == list(range(1, 9))


def test_unlocked_turns_never_interleave(store):
    id = store.create_session()
    outcomes = []
    start = threading.Barrier(6)

    def take():
        done = turn(id, 1)
        start.wait()
        try:
            store.record(done)
            outcomes.append(done.turn_id)
        except Conflict:
            outcomes.append(None)

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [one for one in outcomes if one]
    assert len(won) == 1
    assert [done.turn_id for done in store.turns(id)] == won


def test_lock_released_by_other_thread(store):
    lock = store.turn_lock("s")
    lock.__enter__()
    thread = threading.Thread(target=lock.__exit__, args=(None, None, None))
    thread.start()
    thread.join()
    with store.turn_lock("s"):
        pass
    assert len(store._turns) == 0


def test_lock_is_not_waited_for_forever(store):
    with store.turn_lock("s"):
        with (
            pytest.raises(Conflict, match=r"still running after 0.01 s"),
            store.turn_lock("s", 0.01),
        ):
            pass
        with store.turn_lock("t", 0.01):
            pass
    with store.turn_lock("s", 0.01):
        pass


def test_failed_turn_frees_the_lock(store):
    with pytest.raises(ValueError, match="broken"), store.turn_lock("s"):
        raise ValueError("broken")
    with store.turn_lock("s", 0.01):
        pass


def test_session_resumes_after_reopening(url):
    store = Store(url)
    done = turn(store.create_session("ann"), 1)
    store.record(done)
    before = store.load(done.session_id)
    store.close()
    store.close()
    again = Store(url)
    assert again.load(done.session_id) == before
    assert again.turns(done.session_id) == [done]
    again.close()


def test_migrations_make_declared_tables(store):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with store._database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
        names = inspect(connection).get_table_names()
    assert set(names) == {*tables.metadata.tables, "alembic_version"}


WRITER = """
import sys
sys.path.insert(0, {root!r})
import importlib.util
spec = importlib.util.spec_from_file_location("values", {test!r})
values = importlib.util.module_from_spec(spec)
spec.loader.exec_module(values)
store = values.Store({url!r})
id = store.create_session()
print(id, flush=True)
for number in range(1, 100_000):
    store.record(values.turn(id, number))
    print(number, flush=True)
"""


@pytest.mark.parametrize("turns", [1, 7, 40])
def test_kill_loses_no_acknowledged_turn(url, turns):
    script = WRITER.format(root=str(ROOT), test=__file__, url=url)
    writer = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    id = writer.stdout.readline().strip()
    said = [int(writer.stdout.readline()) for _ in range(turns)]
    writer.send_signal(signal.SIGKILL)
    said += [int(line) for line in writer.stdout.read().split("\n")[:-1]]
    writer.stdout.close()
    writer.wait()
    store = Store(url)
    done = store.turns(id)
    assert [one.state.turn for one in done] == list(range(1, len(done) + 1))
    assert len(done) in (said[-1], said[-1] + 1)
    assert all(one.slate.items == (SHIRT, HAT) for one in done)
    assert store.load(id).state == done[-1].state
    store.record(turn(id, len(done) + 1))
    store.close()


def test_full_disk_keeps_what_was(url):
    store = Store(url)
    done = turn(store.create_session(), 1)
    store.record(done)
    with store._database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreError, match="the disk is full; free some space"):
        store.record(turn(done.session_id, 2, reply="x" * 100_000))
    assert store.turns(done.session_id) == [done]
    assert store.load(done.session_id).turns == 1
    with store._database.read() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=100000")
    store.record(turn(done.session_id, 2, reply="x" * 100_000))
    store.close()


def test_newer_state_is_refused(url):
    store = Store(url)
    id = store.create_session()
    with sqlite3.connect(path_of(url)) as database:
        database.execute("""UPDATE sessions SET state = '{"mood": "sunny"}'""")
    database.close()
    with pytest.raises(StoreError, match="'mood', which this version cannot read"):
        store.load(id)
    store.close()
