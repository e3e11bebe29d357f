"""`attune privacy` on the command line, and the secrets of a project."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from agent import tables
from agent.errors import StoreError
from agent.keys import key_of
from agent.privacy.sealing import new_key
from agent.privacy.secrets import is_hashed
from agent.store import Store
from tests.agent.stores import turn
from ui.cli import main
from ui.errors import UIError
from ui.privacy_jobs import make_forget, make_retention
from ui.privacy_wiring import SECRET, secrets_of
from ui.settings import Settings
from ui.wiring import open_store


def run(*arguments):
    return CliRunner().invoke(main, ["privacy", *map(str, arguments)])


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def old_session(store, days=40):
    id = store.create_session("ann")
    store.record(turn(id, 1))
    past = datetime.now(UTC) - timedelta(days=days)
    for table, column in ((tables.sessions, "created"), (tables.turns, "time"),
                          (tables.impressions, "time")):  # fmt: skip
        with store.database.write() as connection:
            connection.execute(update(table).values({column: past}))
    return id


def test_secret_is_made_once_and_only_for_its_owner(project):
    first = secrets_of(project, Settings())
    assert secrets_of(project, Settings()) == first
    assert len(first.user) == 64
    assert stat.S_IMODE((project / SECRET).stat().st_mode) == 0o600
    assert os.listdir(project) == [SECRET]


def test_processes_at_once_agree_on_a_secret(project):
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda _: secrets_of(project, Settings()).user, range(16))
    assert len(set(made)) == 1


def test_secret_of_the_settings_is_taken(project):
    secrets = secrets_of(project, Settings(user_secret="x" * 16))
    assert (secrets.user, secrets.text) == (b"x" * 16, ())
    assert not (project / SECRET).exists()


def test_several_keys_are_taken(project):
    first, second = new_key(), new_key()
    settings = Settings(text_key=f"{first}, {second}")
    assert secrets_of(project, settings).text == (first, second)


def test_secret_that_cannot_be_kept_is_told(project):
    (project / SECRET).mkdir()
    with pytest.raises(UIError, match="ATTUNE_USER_SECRET"):
        secrets_of(project, Settings())


def test_store_of_a_project_holds_no_names(project):
    store = open_store(project, Settings())
    id = store.create_session("ann of berlin")
    assert is_hashed(store.load(id).user)
    store.close()
    with pytest.raises(StoreError, match="ATTUNE_USER_SECRET"):
        Store(f"sqlite:///{project}/sessions.db")


def test_encrypt_rewrites_a_store(project, monkeypatch):
    store = open_store(project, Settings())
    id = store.create_session()
    store.record(turn(id, 1, utterance="haberdashery"))
    store.close()
    assert "attune privacy key" in run("encrypt", project).stderr
    monkeypatch.setenv("ATTUNE_TEXT_KEY", run("key").stdout.strip())
    assert json.loads(run("encrypt", project, "--json").stdout) == {"rows": 4}
    assert run("encrypt", project).stdout == "0 rows encrypted anew\n"
    assert b"haberdashery" not in (project / "sessions.db").read_bytes()


def test_purge_deletes_what_is_old(project, monkeypatch):
    store = open_store(project, Settings())
    old_session(store)
    store.close()
    assert run("purge", project).stdout == "deleted: nothing\n"
    monkeypatch.setenv("ATTUNE_RETENTION_DAYS", "30")
    assert run("purge", project, "--dry-run").stdout == "to delete: 1 sessions\n"
    assert json.loads(run("purge", project, "--json").stdout)["sessions"] == 1
    assert run("purge", project).stdout == "deleted: nothing\n"


@pytest.mark.parametrize("days", ["0", "-3", "soon"])
def test_bad_retention_is_told(project, monkeypatch, days):
    monkeypatch.setenv("ATTUNE_RETENTION_DAYS", days)
    result = run("purge", project)
    assert result.exit_code == 1
    assert "ATTUNE_RETENTION_DAYS" in result.stderr


def test_mask_shows_what_is_stored(project, monkeypatch):
    assert run("mask", project, "I'm Anna, a@web.de").stdout == "I'm [name], [mail]\n"
    monkeypatch.setenv("ATTUNE_MASK", "off")
    assert run("mask", project, "I'm Anna, a@web.de").stdout == "I'm Anna, a@web.de\n"


def test_retention_is_a_job(project):
    store = open_store(project, Settings())
    old_session(store)
    assert make_retention(store, Settings(retention_days=30))({})["sessions"] == 1
    assert make_retention(store, Settings(retention_days=30))({})["sessions"] == 0
    store.close()


def test_forgetting_is_a_job(project):
    store = open_store(project, Settings())
    id = old_session(store)
    key = key_of(id)
    pairs = project / "rounds" / "1" / "pairs"
    pairs.mkdir(parents=True)
    (pairs / "report.json").write_text("{}")
    (pairs / "train.jsonl").write_text(f'{{"id": "r", "session": "{key}", "events": []}}\n')
    store.delete_user("ann")
    forget = make_forget(project, store)
    assert forget({"user": "any"})["rows"] == 1
    assert forget({"user": "any"})["rows"] == 0
    assert not (pairs / "train.jsonl").exists()
    store.close()
