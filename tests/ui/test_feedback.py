"""`attune feedback`: its output, its files, its refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from finetune.events.audit import Audit
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
