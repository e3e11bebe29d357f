"""The commands of docs/deploy.md for backups: what they save can be served again."""

import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from agent.feedback import new_id
from agent.store import Store
from tests.agent.stores import server, server_url, turn

DOCS = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text("utf-8")


def _documented(command):
    """Return a command as it is run here, once it is found in the docs as it is told there."""
    assert command in DOCS, f"docs/deploy.md does not say {command!r}"
    return command


def _run(command, **words):
    for word, value in words.items():
        command = command.replace(word, str(value))
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _filled(store, turns=5):
    session = store.create_session("ann")
    for number in range(1, turns + 1):
        store.record(turn(session, number))
    return session


@pytest.mark.parametrize(
    "command",
    [
        """sqlite3 DIR/sessions.db "VACUUM INTO 'BACKUP'\"""",
        'sqlite3 DIR/sessions.db ".timeout 10000" ".backup BACKUP"',
    ],
    ids=["vacuum", "backup"],
)
def test_sqlite_backup_while_turns_are_stored(tmp_path, command):
    if shutil.which("sqlite3") is None:
        pytest.skip("the sqlite3 command is not installed")
    store = Store(f"sqlite:///{tmp_path}/sessions.db")
    before, after = _filled(store), store.create_session()
    stop = threading.Event()

    def go_on():
        number = 0
        while not stop.is_set():
            number += 1
            store.record(turn(after, number))

    writing = threading.Thread(target=go_on)
    writing.start()
    try:
        _run(_documented(command), DIR=tmp_path, BACKUP=tmp_path / "saved.db")
    finally:
        stop.set()
        writing.join()
        store.close()
    saved = Store(f"sqlite:///{tmp_path}/saved.db")
    assert len(saved.turns(before)) == 5
    assert [done.state.turn for done in saved.turns(after)] == list(
        range(1, saved.load(after).turns + 1)
    )
    saved.close()


def _postgres(program):
    """Return a program of the version that the server has."""
    own = server().server
    if own is None:
        pytest.skip("the server is not of this machine")
    return Path(own.bin_path) / program


@pytest.mark.slow
def test_postgres_backup_is_restored(tmp_path):
    dump = _documented("pg_dump --format=custom --file=attune.dump URL")
    restore = _documented("pg_restore --no-owner --exit-on-error --dbname=URL attune.dump")
    names = [f"t{new_id()[:12]}" for _ in range(2)]
    admin = create_engine(server_url(), isolation_level="AUTOCOMMIT")
    url = server().url
    try:
        with admin.connect() as connection:
            for name in names:
                connection.execute(text(f"CREATE DATABASE {name}"))
        there, here = (_in_database(url, name) for name in names)
        store = Store(_in_database(server_url(), names[0]))
        session = _filled(store)
        store.close()
        file = tmp_path / "attune.dump"
        _run(dump, pg_dump=_postgres("pg_dump"), URL=f"'{there}'", **{"attune.dump": file})
        _run(restore, pg_restore=_postgres("pg_restore"), URL=f"'{here}'", **{"attune.dump": file})
        saved = Store(_in_database(server_url(), names[1]))
        assert len(saved.turns(session)) == 5
        saved.close()
    finally:
        with admin.connect() as connection:
            for name in names:
                connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        admin.dispose()


def _in_database(url, name):
    """Return a URL with another database in it."""
    head, _, query = url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")
