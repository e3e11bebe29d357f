from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from ui.cli import main
from ui.critiques import critiques_text, measured
from ui.settings import Settings


@pytest.fixture
def run():
    return lambda *args: CliRunner().invoke(main, ["evaluate", "critiques", *map(str, args)])


def test_project_is_measured_as_json(run, folder, tmp_path):
    done = run("--catalog", folder, "--n", 20, "--out", tmp_path / "cases.jsonl", "--json")
    assert done.exit_code == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["n"] == 20
    assert {"change_accuracy", "keep_accuracy", "violation_rate", "mrr"} <= set(report["ours"])
    assert len((tmp_path / "cases.jsonl").read_text("utf-8").splitlines()) == 21


def test_written_cases_are_taken_again(run, folder, tmp_path):
    path = tmp_path / "cases.jsonl"
    first = json.loads(run("--catalog", folder, "--n", 15, "--out", path, "--json").stdout)
    again = json.loads(run("--catalog", folder, "--cases", path, "--json").stdout)
    assert again["ours"] == first["ours"]
    assert again["hash"] == first["hash"]


def test_answers_of_others_are_scored(run, folder, tmp_path):
    path, answers = tmp_path / "cases.jsonl", tmp_path / "answers.jsonl"
    run("--catalog", folder, "--n", 8, "--out", path, "--json")
    cases = [json.loads(line) for line in path.read_text("utf-8").splitlines()[1:]]
    rows = [json.dumps({"id": case["id"], "items": case["gold"]}) for case in cases]
    answers.write_text("\n".join(rows), "utf-8")
    given = ("--catalog", folder, "--cases", path, "--answers", answers, "--json")
    own = json.loads(run(*given).stdout)["baselines"]["answers given"]
    assert (own["change_accuracy"], own["mrr"], own["violation_rate"]) == (1.0, 1.0, 0.0)


def test_answers_need_their_cases(run, tmp_path):
    done = run("--answers", tmp_path / "answers.jsonl")
    assert done.exit_code == 2
    assert "--answers needs the --cases" in done.stderr


def test_catalog_file_is_indexed_for_the_time(run, built):
    done = run("--catalog", built.parent / "shop.csv", "--n", 10)
    assert done.exit_code == 0, done.stderr
    assert "10 critiques over 12 items of 'shop'" in done.stdout


def test_catalog_without_facets_says_so(run, tmp_path):
    (tmp_path / "bare.csv").write_text("id,title\n" + "".join(f"{n},thing {n}\n" for n in range(9)))
    done = run("--catalog", tmp_path / "bare.csv")
    assert done.exit_code == 1
    assert "no critique can be made over 'bare'" in done.stderr


def test_broken_cases_are_named(run, folder, tmp_path):
    (tmp_path / "cases.jsonl").write_text("{}\n")
    done = run("--catalog", folder, "--cases", tmp_path / "cases.jsonl")
    assert done.exit_code == 1
    assert "cases.jsonl:1: expected a header" in done.stderr


def test_table_shows_systems_kinds_and_differences(folder):
    text = critiques_text(measured(folder, Settings(), n=20, seed=0))
    for name in ("ours, plan given", "vector arithmetic", "relative", "keep at equal change"):
        assert name in text
