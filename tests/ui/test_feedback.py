"""`attune feedback`: its output, its files, its refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent.keys import key_of
from agent.privacy.secrets import Secrets
from agent.store import Store
from finetune.events.audit import Audit
from finetune.events.files import read_sessions
from finetune.registry import Registry
from tests.finetune.events.making import event, session
from ui.cli import main

SECRETS = Secrets(b"a secret of some length")


@pytest.fixture(autouse=True)
def _secret(monkeypatch):
    monkeypatch.setenv("ATTUNE_USER_SECRET", SECRETS.user.decode())


def key(user: str) -> str:
    """Return the key that a user is named by."""
    return SECRETS.keys(user)[0]


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
    store = Store(f"sqlite:///{folder}/sessions.db", SECRETS)
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


def test_report_in_words(used):
    done = run("report", used)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "sessions  2 of 2 users; 0 without one",
        "turns     2; 2 slates, 100.0% with feedback",
        "events    3: 2 click, 1 select",
        "consent   66.7% of events; 1 sessions withheld from learning",
        "",
        "day         sessions  events",
        "2026-03-01  2         3",
        "",
        "policy  slates  lowest chance  mean  effective sample",
        "greedy  2       1              1     100.0%",
        "",
        "most from                         sessions  events  share",
        f"{key('ann')}  1         2       100.0%",
    ]


def test_report_as_json(used):
    found = json.loads(run("report", used, "--json").stdout)
    assert (found["sessions"], found["events"], found["kinds"]["click"]) == (2, 3, 2)
    assert found["suspects"] == []
    assert found["caps"]["limits"]["per_user"] == 500


def test_report_names_who_was_limited(used):
    store = Store(f"sqlite:///{used}/sessions.db", SECRETS)
    flood = [event("bot", at=n / 10, name=f"e{n}") for n in range(60)]
    store.add_session(session("bot", "eve", events=flood))
    store.close()
    lines = run("report", used).stdout.splitlines()
    place = lines.index("limited                           why   gave  teaches")
    assert lines[place + 1] == f"{key('eve')}  rate  60    0"
    assert lines[-1] == f"doubt: {key('eve')} gave more than 3 events a second"


def test_report_of_an_empty_store(tmp_path):
    (tmp_path / "new").mkdir()
    done = run("report", tmp_path / "new")
    assert (
        done.stdout.splitlines()[-1] == "consent   – of events; 0 sessions withheld from learning"
    )


@pytest.mark.parametrize("form", ["impressions", "pairs"])
def test_impressions_are_written(used, tmp_path, form):
    done = run("impressions", used, "--out", tmp_path / "f.jsonl", "--form", form)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"1 {form} written to {tmp_path / 'f.jsonl'}\n"
    (row,) = [json.loads(line) for line in (tmp_path / "f.jsonl").read_text().splitlines()]
    assert row["query"] == "blue shirt"


def test_nothing_to_learn_from_is_told(tmp_path):
    (tmp_path / "new").mkdir()
    done = run("impressions", tmp_path / "new", "--out", tmp_path / "f.jsonl")
    assert done.exit_code == 1
    assert "nothing to learn from in these sessions (no slate)" in done.stderr


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    folder = tmp_path / "pairs"
    folder.mkdir()
    row = {"id": "r1", "session": key_of("s1"), "user": key_of("ann"), "events": []}
    (folder / "train.jsonl").write_text(json.dumps(row) + "\n")
    (folder / "report.json").write_text("{}")
    return folder


def test_forget_says_what_went(used, pairs):
    done = run("forget", used, "ann", "--pairs", pairs)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "1 sessions, 1 slates and 2 events deleted",
        f"1 rows removed from {pairs}",
    ]
    assert not (pairs / "train.jsonl").exists()
    (line,) = Audit(used).entries()
    assert (line.kind, line.facts["users"], line.facts["rows"]) == ("forget", [key("ann")], 1)
    assert "ann" not in Audit(used).path.read_text()


def test_forget_catches_up(used, pairs):
    store = Store(f"sqlite:///{used}/sessions.db", SECRETS)
    store.delete_user("ann")
    store.close()
    found = json.loads(run("forget", used, "--pairs", pairs, "--json").stdout)
    assert (found["sessions"], found["rows"]) == (0, {str(pairs): 1})


def test_forget_records_in_the_registry(used, tmp_path):
    Registry(tmp_path / "registry").close()
    done = run("forget", used, "ann", "--registry", tmp_path / "registry")
    assert done.exit_code == 0, done.output
    assert [one.kind for one in Audit(tmp_path / "registry").entries()][-1] == "forget"
    assert not Audit(used).path.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ann", "--registry", "nope"), "'nope' is no folder; give the registry's"),
        (("ann", "--pairs", "nope"), "'nope' is no folder of pairs"),
        (("\x07",), "no user is named"),
    ],
)
def test_forget_refused_removes_nothing(used, words, said):
    done = run("forget", used, *words)
    assert done.exit_code == 1
    assert said in done.stderr
    assert json.loads(run("report", used, "--json").stdout)["sessions"] == 2
