import os
import sqlite3
import threading
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.store import Store


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/sessions.db"


def path_of(url):
    return Path(url.removeprefix("sqlite:///"))


def test_writes_are_durable_and_checked(url):
    store = Store(url)
    with store._database.read() as connection:
        read = lambda name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()  # noqa: E731
        assert [read("journal_mode"), read("synchronous"), read("foreign_keys")] == ["wal", 2, 1]
    store.close()


def test_foreign_file_is_left_alone(url):
    path_of(url).write_bytes(b"my shopping list\n" * 100)
    with pytest.raises(StoreError, match="not a session store"):
        Store(url)
    assert path_of(url).read_bytes() == b"my shopping list\n" * 100


def test_foreign_database_is_left_alone(url):
    with sqlite3.connect(path_of(url)) as database:
        database.execute("CREATE TABLE sessions (mine TEXT)")
    database.close()
    with pytest.raises(StoreError, match="tables of another program"):
        Store(url)
    with sqlite3.connect(path_of(url)) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    database.close()
    assert names == [("sessions",)]


def test_damaged_file_is_named(url):
    store = Store(url)
    id, *_ = [store.create_session() for _ in range(50)]
    store.close()
    content = path_of(url).read_bytes()
    path_of(url).write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(StoreError, match="the file is damaged"):
        Store(url).load(id)


def test_unwritable_store_is_named(url):
    Store(url).close()
    with pytest.raises(StoreError, match="cannot be written; check its permissions"):
        Store(f"sqlite:///file:{path_of(url)}?mode=ro&uri=true")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_unwritable_folder_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(f"sqlite:///{tmp_path}/a.db")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:////no/such/folder/a.db", "check that its folder exists"),
        ("sessions.db", "not a database URL; expected sqlite:///FILE"),
        ("", "not a database URL"),
        ("oracle9000://x", "not a database URL"),
        ("postgresql+psycopg://u:secret@127.0.0.1:1/x", "cannot be reached|pip install"),
    ],
)
def test_bad_url_is_named(url, said):
    with pytest.raises(StoreError, match=said) as caught:
        Store(url)
    assert "secret" not in str(caught.value)


def test_newer_database_is_refused(url):
    store = Store(url)
    id = store.create_session()
    store.close()
    with sqlite3.connect(path_of(url)) as database:
        (own,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"newer version \(schema '9999'"):
        Store(url)
    with database:
        database.execute("UPDATE alembic_version SET version_num = ?", (own,))
    database.close()
    again = Store(url)
    assert again.load(id).turns == 0
    again.close()


def test_stores_may_open_at_once(url):
    opened = []
    threads = [threading.Thread(target=lambda: opened.append(Store(url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [store.create_session() for store in opened]
    assert [opened[0].load(id).turns for id in ids] == [0, 0, 0, 0]
    for store in opened:
        store.close()


def test_check_tries_a_write(url):
    store = Store(url)
    store.check()
    blocker = sqlite3.connect(path_of(url), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with store._database.read() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=10")
    with pytest.raises(StoreError, match="writing for too long"):
        store.check()
    blocker.execute("ROLLBACK")
    blocker.close()
    store.check()
    store.close()


def test_store_of_first_version_is_upgraded(url):
    store = Store(url)
    id = store.create_session()
    store.close()
    with sqlite3.connect(path_of(url)) as database:
        for column in ("written", "voice", "service"):
            database.execute(f"ALTER TABLE turns DROP COLUMN {column}")
        for table in ("deleted_users", "jobs", "handovers", "api_keys", "idempotency_keys",
                      "usage_days", "threads", "secrets"):  # fmt: skip
            database.execute(f"DROP TABLE {table}")
        database.execute("DROP INDEX sessions_user")
        database.execute("UPDATE alembic_version SET version_num = '0001'")
    database.close()
    again = Store(url)
    assert again.load(id).turns == 0
    again.close()
    with sqlite3.connect(path_of(url)) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(turns)")]
    database.close()
    assert {"written", "voice", "service"} <= set(columns)


def test_writers_of_one_process_stand_in_line(url):
    store = Store(url)
    with store.database.read() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
    threads = [threading.Thread(target=store.create_session) for _ in range(4)]
    with store.database.write():
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join()
    with store.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sessions").scalar() == 4
    store.close()


def test_line_of_writers_is_not_waited_in_forever(url, monkeypatch):
    monkeypatch.setattr("agent.database.BUSY_SECONDS", 0.05)
    store = Store(url)
    told = []

    def create():
        try:
            store.create_session()
        except StoreError as error:
            told.append(str(error))

    with store.database.write():
        thread = threading.Thread(target=create)
        thread.start()
        thread.join()
    assert "has been writing for too long; try again" in told[0]
    store.close()
