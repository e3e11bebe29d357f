"""`attune feedback`: its output, its files, its refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent.store import Store
from finetune.events.audit import Audit
from finetune.events.files import read_sessions
from tests.finetune.events.making import event, session
from ui.cli import main


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["feedback", *map(str, words)])


@pytest.fixture
def trail(tmp_path: Path) -> Audit:
    audit = Audit(tmp_path / "registry")
    audit.append("gate", adapter="taste-1", accepted=True)
    audit.append("promote", adapter="taste-1")
    return audit


def test_audit_prints_a_line_each(trail):
    done = run("audit", trail.path.parent)
    assert done.exit_code == 0, done.output
    gate, promote, checked = done.stdout.splitlines()
    assert gate.endswith('gate         adapter="taste-1" accepted=true')
    assert "promote" in promote
    assert checked == f"2 lines, each follows from the one before; head {trail.check().head}"


def test_audit_as_json(trail):
    report = json.loads(run("audit", trail.path.parent, "--json").stdout)
    assert (report["lines"], report["broken"]) == (2, None)
    assert [one["kind"] for one in report["entries"]] == ["gate", "promote"]


def test_changed_audit_is_named(trail):
    trail.path.write_bytes(trail.path.read_bytes().replace(b"true", b"false"))
    done = run("audit", trail.path.parent)
    assert done.exit_code == 1
    assert f"{trail.path}:2: it follows a line" in done.stderr


def test_audit_shorter_than_its_head_is_named(trail):
    head = trail.check().head
    trail.path.write_bytes(trail.path.read_bytes().splitlines(keepends=True)[0])
    done = run("audit", trail.path.parent, "--head", head)
    assert done.exit_code == 1
    assert "lines were taken off the end" in done.stderr


def test_folder_without_audit_is_named(tmp_path):
    done = run("audit", tmp_path)
    assert done.exit_code == 1
    assert "has no audit.jsonl" in done.stderr


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """A folder with a store: two sessions, in one of which learning was refused."""
    folder = tmp_path / "project"
    folder.mkdir()
    store = Store(f"sqlite:///{folder}/sessions.db")
    store.add_session(session("s1", events=[event("s1"), event("s1", kind="select", at=40)]))
    store.add_session(session("s2", "bob", events=[event("s2", consent=False)]))
    store.close()
    return folder


def test_export_withholds_what_was_refused(used, tmp_path):
    done = run("export", used, "--out", tmp_path / "a.jsonl")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        f"1 sessions written to {tmp_path / 'a.jsonl'}",
        "1 withheld: learning from them was refused (--all has them)",
    ]
    done = run("export", used, "--out", tmp_path / "a.parquet", "--all", "--since", "2026-01-01")
    assert done.stdout == f"2 sessions written to {tmp_path / 'a.parquet'}\n"
    assert len(read_sessions(tmp_path / "a.parquet").sessions) == 2


def test_import_lists_what_it_did_not_take(used, tmp_path):
    run("export", used, "--out", tmp_path / "a.jsonl")
    with (tmp_path / "a.jsonl").open("a") as file:
        file.write("{}\n" * 12)
    (tmp_path / "other").mkdir()
    done = run("import", tmp_path / "other", tmp_path / "a.jsonl")
    assert done.exit_code == 3
    lines = done.stdout.splitlines()
    assert lines[0] == "1 sessions and 0 single events taken, 0 known already"
    assert lines[1] == f"{tmp_path / 'a.jsonl'}:2: id: Field required (and 5 more)"
    assert lines[11] == "… and 2 more"
    assert (
        lines[12] == f"12 lines were not taken; they are kept in {tmp_path}/a.jsonl.rejects.jsonl"
    )
    assert run("import", used, tmp_path / "a.jsonl").stdout.startswith("0 sessions")


@pytest.mark.parametrize("words", [("export", "--out", "a.jsonl"), ("import", "a.jsonl")])
def test_folder_that_is_none_is_named(tmp_path, words):
    done = run(words[0], tmp_path / "nope", *words[1:])
    assert done.exit_code == 1
    assert "is no folder; give a project" in done.stderr
    assert not (tmp_path / "nope").exists()


def test_store_of_the_settings_is_used(used, tmp_path, monkeypatch):
    monkeypatch.setenv("ATTUNE_STORE", f"sqlite:///{used}/sessions.db")
    done = run("export", tmp_path / "anywhere", "--out", tmp_path / "a.jsonl")
    assert done.stdout.startswith("1 sessions written")
