import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from agent.errors import Conflict, StoreError
from agent.store import Store
from agent.turn_locks import MOST_WAITING, FileLocks, OwnProcess, TurnLocks
from tests.agent.stores import new_schema, server, server_url, turn

ROOT = Path(__file__).parents[2]
SHARED = ("file", "postgresql")


@pytest.fixture
def locks():
    return TurnLocks(OwnProcess())


@pytest.fixture(params=SHARED)
def opened(request, tmp_path):
    """Open the same store several times: as other processes would."""
    stores = []
    schema = new_schema()

    def open_one():
        if request.param == "file":
            stores.append(Store(f"sqlite:///{tmp_path}/a.db"))
        else:
            stores.append(Store(server_url(), schema=schema))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


def in_line(locks, key, count):
    """Wait until so many turns of a key run or wait."""
    while len(locks._lines.get(key, ())) < count:
        threading.Event().wait(0.005)


def test_first_come_is_first_served(locks):
    served = []

    def take(number):
        with locks.hold("s", 60):
            served.append(number)

    threads = []
    with locks.hold("s", 1):
        for number in range(8):
            threads.append(threading.Thread(target=take, args=(number,)))
            threads[-1].start()
            in_line(locks, "s", number + 2)
    for thread in threads:
        thread.join()
    assert served == list(range(8))
    assert len(locks) == 0


def test_who_gives_up_is_passed_over(locks):
    served = []
    with locks.hold("s", 1):
        with pytest.raises(Conflict, match=r"still running after 0.01 s"), locks.hold("s", 0.01):
            pass
        thread = threading.Thread(target=lambda: served.append(locks.hold("s", 60).__enter__()))
        thread.start()
        in_line(locks, "s", 2)
    thread.join(60)
    assert served == [None]


def test_line_of_one_session_is_bounded(locks):
    threads = []
    with locks.hold("s", 1):
        for number in range(MOST_WAITING):
            threads.append(threading.Thread(target=lambda: locks.hold("s", 60).__enter__()))
            threads[-1].daemon = True
            threads[-1].start()
            in_line(locks, "s", number + 2)
        with pytest.raises(Conflict, match="17 turns of the session wait already"):
            locks.hold("s", 60).__enter__()
        with locks.hold("other", 1):
            pass


def test_other_process_waits_for_its_turn(opened):
    first, second = opened(), opened()
    took = threading.Event()

    def take():
        with second.turn_lock("s"):
            took.set()

    thread = threading.Thread(target=take)
    with first.turn_lock("s"):
        thread.start()
        in_line(second._turns, "s", 1)
        assert not took.wait(0.2)
        with second.turn_lock("t"):
            pass
    assert took.wait(60)
    thread.join()


def test_other_process_waits_no_longer_than_told(opened):
    first, second = opened(), opened()
    with first.turn_lock("s"):
        with (
            pytest.raises(Conflict, match=r"still running after 0.05 s"),
            second.turn_lock("s", 0.05),
        ):
            pass
        assert len(second._turns) == 0
    with second.turn_lock("s", 5):
        pass


def test_turns_of_several_processes_are_ordered(opened):
    stores = [opened() for _ in range(3)]
    id = stores[0].create_session()
    failed = []

    def take(store):
        try:
            for _ in range(6):
                with store.turn_lock(id):
                    store.record(turn(id, store.load(id).turns + 1))
        except Conflict as error:
            failed.append(error)

    threads = [threading.Thread(target=take, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [done.state.turn for done in stores[0].turns(id)] == list(range(1, 19))


HOLDER = """
import sys
sys.path.insert(0, {root!r})
from agent.store import Store
store = Store({url!r}, schema={schema!r})
lock = store.turn_lock("s")
lock.__enter__()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("kind", SHARED)
def test_killed_process_lets_go(kind, tmp_path):
    url = f"sqlite:///{tmp_path}/a.db" if kind == "file" else server_url()
    schema = None if kind == "file" else new_schema()
    store = Store(url, schema=schema)
    script = HOLDER.format(root=str(ROOT), url=url, schema=schema)
    holder = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Conflict), store.turn_lock("s", 0.05):
            pass
        holder.kill()
        holder.wait()
        with store.turn_lock("s", 30):
            pass
    store.close()


def test_closing_one_store_frees_no_other(tmp_path):
    """As POSIX locks would: they go when any file of the process is closed."""
    first, second, third = (FileLocks(tmp_path / "locks") for _ in range(3))
    assert first.take("s")
    second.close()
    second.close()
    assert not third.take("s")
    first.give("s")
    assert third.take("s")
    first.close()
    third.close()


def test_unwritable_lock_file_is_named(tmp_path):
    (tmp_path / "a.db-turns").mkdir()
    with pytest.raises(StoreError, match=r"a\.db: .*directory"):
        Store(f"sqlite:///{tmp_path}/a.db")


def test_locks_come_back_with_the_server():
    schema = new_schema()
    first, second = (Store(server_url(), schema=schema) for _ in range(2))
    with first.turn_lock("s"):
        server().restart()
    with first.turn_lock("s"), pytest.raises(Conflict), second.turn_lock("s", 0.05):
        pass
    with second.turn_lock("s"):
        pass
    for store in (first, second):
        store.close()


def test_schemas_of_one_database_are_apart():
    names = [new_schema(), new_schema()]
    first, second = (Store(server_url(), schema=name) for name in names)
    id = first.create_session()
    first.record(turn(id, 1))
    with second.database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM sessions")).scalar() == 0
        assert connection.scalar(text("SELECT current_schema()")) == names[1]
    with first.turn_lock("s"), second.turn_lock("s", 0.05):
        pass
    again = Store(server_url(), schema=names[0])
    assert again.load(id).turns == 1
    for store in (first, second, again):
        store.close()


def test_schema_is_made_once_by_many():
    name, opened, failed = new_schema(), [], []

    def open_one():
        try:
            opened.append(Store(server_url(), schema=name))
        except StoreError as error:
            failed.append(error)

    threads = [threading.Thread(target=open_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in opened:
        store.close()
    assert (len(opened), failed) == (4, [])


@pytest.mark.parametrize("schema", ["", "Acme", 'a"; DROP TABLE x', "x" * 64, "-a"])
def test_bad_schema_is_named(schema):
    with pytest.raises(StoreError, match="is no name of a schema"):
        Store(server_url(), schema=schema)


def test_file_has_no_schemas(tmp_path):
    with pytest.raises(StoreError, match="has no schemas, got 'acme'"):
        Store(f"sqlite:///{tmp_path}/a.db", schema="acme")
