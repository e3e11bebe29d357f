import json
import os
import sqlite3
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from sqlalchemy import update

from agent.jobs import NewJob
from agent.privacy.sealing import new_key
from agent.tables import jobs
from tests.agent.chat_server import ChatServer, reply, status
from ui import wiring
from ui.checkup import access, findings, installation, model, project, remote, store
from ui.cli import main
from ui.settings import Settings

CONFIG = """
contact = "help@shop.example"
[handover]
url = "{url}"
secret_env = "SHOP_SECRET"
"""


@pytest.fixture
def run():
    def run(*arguments):
        done = CliRunner().invoke(main, ["doctor", *map(str, arguments)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output
        return done

    return run


@pytest.fixture
def served(folder):
    """The folder with a store, as after a first chat."""
    wiring.open_project(folder, Settings()).close()
    os.chmod(folder, 0o700)
    return folder


@pytest.fixture
def webhook():
    """A webhook that answers with the status it is told to; and what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_OPTIONS(self):
            self.server.asked.append(self.command)
            self.send_response(self.server.status)
            self.send_header("content-length", "0")
            self.end_headers()

        do_POST = do_OPTIONS

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.status = [], 204
    server.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def _levels(found):
    return Counter(one.level for one in found)


def _of(found, about):
    return [one for one in found if one.about == about]


def test_sound_project_exits_with_0(run, served):
    done = run(served)
    assert done.exit_code == 0, done.output
    assert "✓ catalog" in done.output
    assert "12 items, encoder hashing-64" in done.output
    assert "✗" not in done.output


def test_json_is_one_object(run, served):
    found = json.loads(run(served, "--json").output)
    assert found["sound"] is True
    assert {"catalog", "store", "files", "jobs", "keys"} <= {
        one["about"] for one in found["findings"]
    }
    assert found["findings"][0].keys() == {"level", "about", "said", "advice"}


def test_no_project_says_how_to_make_one(run, tmp_path):
    done = run(tmp_path)
    assert done.exit_code == 1
    said = " ".join(done.output.split())
    assert "is no project" in said
    assert "attune index FILE" in said


def test_damaged_index_is_found(run, served):
    (served / "items.db").write_bytes(b"garbage" * 1000)
    done = run(served)
    assert done.exit_code == 1
    assert "✗ catalog" in done.output
    assert "✓ store" in done.output  # one check does not stop the others


def test_doctor_makes_no_store(folder):
    before = {path.name for path in folder.iterdir()}
    [found] = store.store(folder, Settings())
    assert (found.level, found.about) == ("note", "store")
    assert {path.name for path in folder.iterdir()} == before


def test_doctor_migrates_nothing(served):
    with sqlite3.connect(served / "sessions.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    [found] = store.store(served, Settings())
    assert found.level == "warn"
    assert "back it up" in found.advice
    with sqlite3.connect(served / "sessions.db") as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)


def test_damaged_store_is_found(served):
    (served / "sessions.db").write_bytes(b"garbage" * 1000)
    [found] = findings.run([("store", lambda: store.store(served, Settings()))])
    assert found.level == "fail"
    assert "not a session store" in found.said


def test_unreachable_postgres_keeps_its_password(served):
    url = "postgresql+psycopg://ann:pa55word@127.0.0.1:9/attune"
    given = Settings(store=url)
    [found] = findings.run([("store", lambda: store.store(served, given))])
    assert found.level == "fail"
    assert "pa55word" not in found.said


def test_store_of_other_secrets_is_told(folder):
    def told(given):
        return [one.said for one in store.store(folder, given) if one.level == "fail"]

    written = Settings(text_key=new_key(), user_secret="a secret of some length")
    wiring.open_project(folder, written).close()
    assert told(written) == []
    [lacking] = told(Settings(user_secret="a secret of some length"))
    assert "set ATTUNE_TEXT_KEY" in lacking
    [other] = told(Settings(text_key=written.text_key, user_secret="another secret, as long"))
    assert "set ATTUNE_USER_SECRET" in other
    assert not (folder / "user.secret").exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [("sqlite:///{}/none/sessions.db", "is in a folder that is not there"),
     ("mysql://ann:pa55word@db/attune", "is neither SQLite nor PostgreSQL")],
)  # fmt: skip
def test_store_that_cannot_be_is_told(folder, tmp_path, url, said):
    [found] = store.store(folder, Settings(store=url.format(tmp_path)))
    assert (found.level, said in found.said) == ("fail", True)
    assert "pa55word" not in found.said


def test_text_key_that_is_none_is_told():
    [found] = _of(access.access(Settings(text_key="short")), "secrets")
    assert (found.level, "attune privacy key" in found.said) == ("fail", True)


def test_model_that_is_nowhere_is_told(tmp_path):
    [found] = model.model(Settings(llm=str(tmp_path / "none")))
    assert (found.level, "ATTUNE_LLM" in found.advice) == ("fail", True)


def test_files_open_to_others_are_told(served):
    os.chmod(served, 0o755)
    os.chmod(served / "sessions.db", 0o644)
    [found] = _of(project.files(served), "files")
    assert found.level == "warn"
    assert "sessions.db" in found.said
    assert found.advice == f"chmod 700 {served}"


def test_work_that_was_given_up_is_told(served):
    opened = wiring.open_store(served, Settings())
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    for state in ("dead", "waiting"):
        job = NewJob("handover", {})
        opened.work.add(job)
        with opened.database.write() as connection:
            own = update(jobs).where(jobs.c.id == job.id)
            connection.execute(own.values(status=state, due=long_ago))
    opened.close()
    dead, late = _of(store.store(served, Settings()), "jobs")
    assert (dead.level, late.level) == ("warn", "fail")
    assert "60 min" in late.said


def test_wrong_service_file_names_the_key(served):
    (served / "service.toml").write_text("[handover]\nurl = 'ftp://x'\nsecret_env = 'S'\n")
    [found] = findings.run([("service desk", lambda: project.desk(served))])
    assert found.level == "fail"
    assert "handover.url" in found.said


def test_webhook_is_asked_for_options_only(served, webhook, monkeypatch):
    (served / "service.toml").write_text(CONFIG.format(url=webhook.url))
    monkeypatch.delenv("SHOP_SECRET", raising=False)
    found = list(project.desk(served))
    assert _of(found, "secrets")[0].said.endswith("not set: SHOP_SECRET")
    assert _of(found, "hand-over")[0].level == "ok"
    assert webhook.asked == ["OPTIONS"]
    monkeypatch.setenv("SHOP_SECRET", "x")
    webhook.status = 502
    found = list(project.desk(served))
    assert _of(found, "secrets") == []
    assert _of(found, "hand-over")[0].level == "warn"


def test_webhook_that_is_down_is_told(served, webhook):
    (served / "service.toml").write_text(CONFIG.format(url="http://127.0.0.1:9/hook"))
    [found] = _of(project.desk(served), "hand-over")
    assert found.level == "fail"


def test_wrong_tool_file_is_told(served):
    (served / "tools").mkdir()
    (served / "tools" / "orders.json").write_text("{}")
    [*_, found] = findings.run([("tools", lambda: project.desk(served))])
    assert (found.level, found.about) == ("fail", "tools")
    assert "orders.json" in found.said


@pytest.fixture
def models():
    server = ChatServer()
    yield server
    server.stop()


def _model(server, name="served-model"):
    return list(model.model(Settings(llm=server.url, model=name)))


def test_model_that_answers_is_told(models, monkeypatch):
    models.behave(reply('{"answer": 7}'))
    _list_models(monkeypatch, ["served-model"])
    found = _model(models)
    assert [one.level for one in found] == ["ok", "ok"]
    assert "JSON schemas" in found[1].said


def test_model_of_another_name_lists_those_there_are(models, monkeypatch):
    _list_models(monkeypatch, ["qwen", "llama"])
    [found] = _model(models, "gpt")
    assert found.level == "fail"
    assert found.advice == "ATTUNE_MODEL is one of: qwen, llama"


def test_model_that_fails_or_babbles_is_told(models, monkeypatch):
    _list_models(monkeypatch, ["served-model"])
    models.behave(status(500))
    assert [one.level for one in _model(models)] == ["fail"]
    models.behave(reply("no JSON"))
    assert [one.level for one in _model(models)] == ["ok", "warn"]


def _list_models(monkeypatch, names):
    import httpx2

    listed = httpx2.Response(200, json={"data": [{"id": name} for name in names]})
    monkeypatch.setattr("ui.checkup.model.httpx2.get", lambda *args, **options: listed)


def test_model_server_that_is_down_is_told():
    found = list(model.model(Settings(llm="http://127.0.0.1:9/v1", model="m")))
    assert [one.level for one in found] == ["fail"]


def test_collector_that_is_down_is_told(monkeypatch):
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    assert [one.level for one in installation.traces()] == ["note"]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    assert [one.level for one in installation.traces()] == ["warn"]


def test_libraries_of_other_versions_are_told(monkeypatch):
    monkeypatch.setattr(
        installation, "requires",
        lambda name: ["click==0.1", "nothing-of-that-name==1", 'rich==1; extra == "x"'],
    )  # fmt: skip
    [found] = installation.python()
    assert found.level == "fail"
    assert "nothing-of-that-name" in found.said


@pytest.fixture
def looked_at(project):
    """Look at a server over the small shop, as if it were at a URL."""
    from agent.server import create_app

    app = create_app(project.parts)

    def look(url="http://localhost:8000", key=None):
        client = TestClient(app, base_url=url)
        return list(findings.run(remote.checks(remote.Server(client, url, key))))

    return look


def test_open_server_is_fine_on_this_machine(looked_at):
    found = looked_at()
    assert _levels(found)["fail"] == 0
    assert _of(found, "access")[0].level == "note"
    assert _of(found, "ready")[0].said == "takes turns on shop"


def test_open_server_fails_elsewhere(looked_at):
    failed = {one.about for one in looked_at("http://shop.example") if one.level == "fail"}
    assert failed == {"TLS", "access"}


def test_keys_are_checked(looked_at, project):
    from agent.access.keyring import Keyring

    keys = Keyring(project.parts.store.database)
    _, chat = keys.add("chat", ["chat"])
    _, admin = keys.add("admin", ["admin"])
    assert _of(looked_at(), "access")[0].level == "ok"
    assert _of(looked_at(key="att_default_nope"), "key")[0].level == "fail"
    found = looked_at(key=chat)
    assert _of(found, "key")[0].level == "ok"
    assert _of(found, "work")[0].level == "note"
    assert _of(looked_at(key=admin), "jobs")[0].level == "ok"


def test_server_that_is_down_is_told(run):
    done = run("--url", "http://127.0.0.1:9")
    assert done.exit_code == 1
    assert "cannot be reached" in done.output


def test_other_servers_are_not_taken_for_ours(run, webhook):
    done = run("--url", webhook.url)
    assert done.exit_code == 1
    assert "is this the address of an Attune server?" in done.output


def test_broken_check_is_a_finding_without_secrets():
    def broken():
        raise RuntimeError("postgresql://ann:pa55@db failed")
        yield

    [found] = findings.run([("store", broken)])
    assert found.level == "fail"
    assert "pa55" not in found.said
    assert "ATTUNE_STORE" in found.advice


def test_settings_that_open_the_server_are_told():
    given = Settings(auth="open", origins="https://a.example,*", admin_key="short")
    found = list(access.access(given))
    assert {one.about for one in found if one.level == "fail"} == {"access", "secrets"}
    assert _of(found, "browsers")[0].level == "warn"
    closed = list(access.access(Settings(admin_key="x" * 24)))
    assert _levels(closed)["fail"] == _levels(closed)["warn"] == 0


def test_each_tenant_is_looked_at(run, served, tmp_path):
    (tmp_path / "tenants.toml").write_text(
        f'[a]\nproject = "{served}"\n[b]\nproject = "{tmp_path / "none"}"\n'
    )
    done = run("--tenants", tmp_path / "tenants.toml", "--json")
    found = {(one["about"], one["level"]) for one in json.loads(done.output)["findings"]}
    assert {("a: catalog", "ok"), ("a: store", "ok"), ("b: catalog", "fail")} <= found
    assert done.exit_code == 1
