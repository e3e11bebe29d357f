"""`attune feedback pairs`: from talks over a project to a folder that TRL reads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent.feedback import FeedbackEvent
from finetune.pairs.rows import read_pairs
from ui import wiring
from ui.cli import main
from ui.settings import Settings

WISHES = ("shirts", "jackets", "sneakers", "blue shirts", "leather jackets", "shirts under 50")


@pytest.fixture
def shop(built, tmp_path, home) -> Path:
    """Return a project in which twelve people took the second item they were shown."""
    folder = tmp_path / "shop"
    shutil.copytree(built, folder)
    project = wiring.open_project(folder, Settings(home=home, encoder="hashing-64", llm="none"))
    store = project.parts.store
    for n in range(12):
        id = store.create_session(f"user-{n}")
        done = wiring.turn(project, id, WISHES[n % len(WISHES)])
        if len(done.slate.items) > 1:
            item = done.slate.items[1].item_id
            store.add_feedback(
                FeedbackEvent(id=f"event-{n}", slate_id=done.slate.id, item_id=item, kind="select")
            )
    project.close()
    return folder


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["feedback", "pairs", *map(str, words)])


def test_pairs_are_made_of_a_project(shop, tmp_path):
    done = run(shop, "--out", tmp_path / "pairs", "--least", 2)
    assert done.exit_code == 0, done.output
    first, header, *rows = done.stdout.splitlines()
    assert first.startswith("12 sessions of ")
    assert header.split() == ["kind", "pairs", "held", "out", "unpaired", "held", "out"]
    assert [row.split()[0] for row in rows[:3]] == ["plan", "choice", "explanation"]
    found = read_pairs(tmp_path / "pairs" / "train.jsonl")
    assert rows[1].split()[1] == str(len(found))
    assert {row.kind for row in found} == {"choice"}


def test_report_is_one_json_object(shop, tmp_path):
    done = run(shop, "--out", tmp_path / "pairs", "--least", 2, "--json")
    report = json.loads(done.stdout)
    assert report == json.loads((tmp_path / "pairs" / "report.json").read_text())
    assert report["caps"]["given"] == report["caps"]["kept"] > 0


def test_export_gives_the_same_pairs(shop, tmp_path):
    export = tmp_path / "sessions.jsonl"
    made = CliRunner().invoke(main, ["feedback", "export", str(shop), "--out", str(export)])
    assert made.exit_code == 0, made.output
    own = json.loads(run(shop, "--out", tmp_path / "a", "--least", 2, "--json").stdout)
    for file in shop.glob("sessions.db*"):
        file.unlink()
    given = ("--from", export, "--least", 2, "--json")
    assert json.loads(run(shop, "--out", tmp_path / "b", *given).stdout) == own


def test_too_few_say_how_many_are_needed(shop, tmp_path):
    done = run(shop, "--out", tmp_path / "pairs")
    assert done.exit_code == 1
    assert "too few to learn from in 12 sessions" in done.stderr
    assert "at least 20 are needed" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "pairs").exists()


def test_sessions_before_a_day_are_left_out(shop, tmp_path):
    done = run(shop, "--out", tmp_path / "pairs", "--least", 1, "--since", "2999-01-01")
    assert done.exit_code == 1
    assert "too few to learn from in 0 sessions of 0 people" in done.stderr


def test_folder_in_the_way_is_named_at_once(shop, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    done = run(shop, "--out", tmp_path / "mine", "--least", 1)
    assert done.exit_code == 1
    assert "is no folder of pairs" in done.stderr


def test_missing_export_is_named(shop, tmp_path):
    done = run(shop, "--out", tmp_path / "pairs", "--from", tmp_path / "none.jsonl")
    assert done.exit_code == 1
    assert "none.jsonl" in done.stderr


def test_folder_that_is_no_project_is_named(tmp_path):
    done = run(tmp_path, "--out", tmp_path / "pairs")
    assert done.exit_code == 1
    assert str(tmp_path) in done.stderr
