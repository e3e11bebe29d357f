import json

import pytest
from click.testing import CliRunner

from ui.cli import main
from ui.simulate import simulation_text

PEOPLE = ["--users", "4", "--seed", "1"]


def run(*arguments):
    return CliRunner().invoke(main, ["simulate", *map(str, arguments)])


def test_table_of_measures(folder):
    done = run(folder, *PEOPLE)
    assert done.exit_code == 0, done.output
    head, _, columns, *rows = done.stdout.splitlines()
    assert head.startswith("rules: 4 users of population 'plain', seed 1, 0 left out")
    assert columns.split() == ["mean", "95", "%", "interval"]
    assert [row.split()[0] for row in rows] == [
        "success", "turns", "satisfaction", "violations", "repeats", "misreadings", "repairs",
        "relevance",
    ]  # fmt: skip


def test_json_and_transcripts(folder, tmp_path):
    out = tmp_path / "said.jsonl"
    done = run(folder, *PEOPLE, "--json", "--out", out)
    report = json.loads(done.stdout)
    assert report["n"] == 4
    assert report["violations"]["mean"] == 0
    assert report["wording"] == {"by": "phrases"}
    users = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [one["user"] for one in users] == [f"sim-1-{i}" for i in range(4)]
    assert all(one["transcript"][0]["text"] for one in users)


def test_project_store_is_left_alone(folder, tmp_path):
    assert run(folder, *PEOPLE).exit_code == 0
    assert not (folder / "sessions.db").exists()
    kept = tmp_path / "kept.db"
    assert run(folder, *PEOPLE, "--store", f"sqlite:///{kept}").exit_code == 0
    assert kept.stat().st_size > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--population", "martians"], "no population 'martians'"),
        (["--user-llm", "http://127.0.0.1:1/v1"], "--user-model NAME"),
        (["--adapter", "somewhere"], "--adapter 'somewhere' needs its base in this process"),
        (["--users", "0"], "0 is not in the range"),
    ],
)
def test_wrong_options_are_told(folder, arguments, said):
    done = run(folder, *arguments)
    assert done.exit_code != 0
    assert said in done.stderr


def test_difference_has_a_table():
    one = {"mean": 0.5, "low": 0.4, "high": 0.6, "n": 9}
    report = {
        "name": "tuned", "population": "plain", "seed": 0, "n": 9, "leaked": 0,
        "sessions_per_s": 3.0, "success": one, "wording": {"by": "phrases"},
        "baseline": {"name": "house", "success": one}, "difference": {"success": one},
    }  # fmt: skip
    lines = simulation_text(report).splitlines()
    assert [line.split()[0] for line in lines if "mean" in line] == ["mean", "house", "difference"]
    assert sum(line.startswith("success") for line in lines) == 3
