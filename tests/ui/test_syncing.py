"""`attune sync` as a user runs it: alone, and beside a server that has the project open."""

import httpx2
import pytest
from click.testing import CliRunner

from agent.access.keyring import Keyring
from retrieval.catalog import Item
from retrieval.encoder import HashingEncoder
from retrieval.retriever import Retriever
from retrieval.sync import Differences
from tests.agent.server.live import serving
from tests.ui.conftest import CATALOG
from ui import wiring
from ui.cli import main
from ui.errors import UIError
from ui.settings import Settings
from ui.syncing import SHOWN, Server, outcome, shown

NEW = CATALOG.replace("59.00,8,", "49.00,8,").replace("Navy,denim", "Indigo,denim")
NEW = "\n".join(line for line in NEW.splitlines() if not line.startswith("12,")) + (
    "\n13,Heron kilt,Kilts,Kestrow,Green,wool,120.00,2,4.9,3\n"
)


@pytest.fixture
def run():
    def invoke(*args):
        return CliRunner().invoke(main, ["sync", *map(str, args)])

    return invoke


@pytest.fixture
def new_csv(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text(NEW)
    return path


def open_for_reading(folder):
    return Retriever.open(folder, HashingEncoder(64), write=False)


def test_sync_applies_differences_once(run, folder, new_csv):
    done = run(new_csv, "--out", folder)
    assert (done.exit_code, done.stdout) == (
        0, "1 added, 2 changed, 1 deleted, 9 unchanged, 0 rejected\n",
    )  # fmt: skip
    with open_for_reading(folder) as retriever:
        assert retriever.get("4").fields["price"] == 49.0
        assert retriever.get("12") is None
        assert any(value == "Kilts" for f in retriever.facets for value, _ in f.values)
    again = run(new_csv, "--out", folder)
    assert again.stdout == "0 added, 0 changed, 0 deleted, 12 unchanged, 0 rejected\n"


def test_dry_run_shows_and_writes_nothing(run, folder, new_csv):
    done = run(new_csv, "--out", folder, "--dry-run")
    assert done.stdout.splitlines() == [
        "+ 13  Heron kilt",
        "~ 4  price: 59.0 → 49.0",
        "~ 5  colour: Navy → Indigo",
        "- 12",
        "nothing was written: 1 added, 2 changed, 1 deleted, 9 unchanged, 0 rejected",
    ]
    with open_for_reading(folder) as retriever:
        assert retriever.get("12") is not None


def test_cut_off_export_is_refused(run, folder, tmp_path):
    short = tmp_path / "short.csv"
    short.write_text("\n".join(CATALOG.splitlines()[:5]))
    done = run(short, "--out", folder)
    assert done.exit_code == 1
    assert "does not name 8 of the project's 12 items (67%)" in done.stderr
    assert run(short, "--out", folder, "--no-delete").exit_code == 0
    done = run(short, "--out", folder, "--allow-delete", "0.67")
    assert done.stdout == "0 added, 0 changed, 8 deleted, 4 unchanged, 0 rejected\n"


def test_broken_rows_are_told(run, folder, tmp_path):
    broken = tmp_path / "broken.csv"
    broken.write_text(CATALOG.replace("\n3,Fjord", "\n,Fjord"))
    done = run(broken, "--out", folder)
    assert done.exit_code == 3
    assert "1 rejected; 1 items that the file does not name are kept" in done.stdout
    assert "missing id" in done.stderr


def test_project_must_be_there(run, new_csv, tmp_path):
    done = run(new_csv, "--out", tmp_path / "nowhere")
    assert done.exit_code == 1
    assert "no project at" in done.stderr


@pytest.fixture
def app(folder):
    return wiring.make_app(folder, Settings())


@pytest.fixture
def served(app):
    """A server that writes the project, in a thread."""
    with serving(app) as url:
        yield url


def test_served_project_is_synced_through_the_server(run, folder, new_csv, served):
    refused = run(new_csv, "--out", folder)
    assert refused.exit_code == 1
    assert "sync through it with --url http://HOST:PORT" in refused.stderr
    done = run(new_csv, "--out", folder, "--url", served)
    assert done.stdout == "1 added, 2 changed, 1 deleted, 9 unchanged, 0 rejected\n"
    again = run(new_csv, "--out", folder, "--url", served)
    assert again.stdout == "0 added, 0 changed, 0 deleted, 12 unchanged, 0 rejected\n"
    item = httpx2.get(f"{served}/v1/items/13").json()
    assert (item["title"], item["price"]) == ("Heron kilt", 120.0)


def test_server_with_keys_is_synced_with_one(run, folder, new_csv, app, served, monkeypatch):
    store = wiring.open_store(folder, Settings())
    _, key = Keyring(store.database).add("sync", ["catalog"])
    store.close()
    app.state.tenants["default"].keys._read = None  # the server reads its keys anew
    refused = run(new_csv, "--out", folder, "--url", served)
    assert (refused.exit_code, "answered 401" in refused.stderr) == (1, True)
    monkeypatch.setenv("ATTUNE_KEY", key)
    done = run(new_csv, "--out", folder, "--url", served)
    assert done.stdout == "1 added, 2 changed, 1 deleted, 9 unchanged, 0 rejected\n"


@pytest.mark.parametrize(
    ("path", "message"),
    [("", "answered 404 to items:upsert"), ("none", "cannot send to 'nonsense'")],
)
def test_wrong_url_says_what_is_expected(folder, served, path, message):
    server = Server("nonsense" if path else f"{served}/elsewhere")
    with open_for_reading(folder) as retriever, pytest.raises(UIError, match=message):
        server.upsert(retriever.get_many(["1"]))
    server.close()


def test_refused_item_is_named(served):
    server = Server(served)
    wrong = Item("99999", "Kilt", fields={"price": "dear"})
    with pytest.raises(UIError, match="99999"):
        server.upsert([wrong])
    assert server.delete(["99999"]) == 0
    server.close()


def test_long_lists_are_cut():
    ids = tuple(map(str, range(SHOWN + 5)))
    found = Differences((), (), {}, ids, 0, 0, 0)
    assert shown(found)[-1] == "- … and 5 more"
    assert "25 deleted" in outcome(found, dry_run=False)
