"""attune evaluate gate."""

import json

import pytest
from click.testing import CliRunner

from ui.cli import main

SMALL = """\
least_units = 3
must_improve = {improve}
required = ["behaviour"]
[metrics."behaviour.negation"]
better = "higher"
margin = 0.5
improves = true
[metrics."explanations.statement_precision"]
better = "higher"
margin = 0.5
"""


@pytest.fixture
def run(folder, tmp_path, monkeypatch):
    """Run the gate on a shop of twelve items, with the two suites that it has units for."""
    from finetune.gate import evaluate
    from finetune.gate.suites import SUITES

    few = {name: SUITES[name] for name in ("behaviour", "explanations")}
    monkeypatch.setattr(evaluate, "SUITES", few)
    path = tmp_path / "asked.toml"

    def invoke(*args, improve=True):
        path.write_text(SMALL.format(improve=str(improve).lower()))
        given = ["--catalog", folder, "--thresholds", path, "--small", *args]
        return CliRunner().invoke(main, ["evaluate", "gate", *map(str, given)])

    return invoke


def test_rules_beside_themselves_are_no_gain(run):
    done = run("--candidate", "rules", "--baseline", "rules")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("REFUSE: rules against rules\n  nothing improved")
    assert "behaviour.negation" in done.stdout


def test_report_is_json_and_files(run, tmp_path):
    out = tmp_path / "report"
    done = run("--candidate", "rules", "--baseline", "rules", "--no-improvement-needed",
               "--json", "--out", out, "--seed", 3)  # fmt: skip
    assert done.exit_code == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["verdict"] == "promote"
    assert report["seed"] == 3
    assert report["config"]["candidate"] == report["config"]["baseline"] == "rules"
    assert report == json.loads((out / "gate.json").read_text("utf-8"))
    assert (out / "gate.md").read_text("utf-8").startswith("# PROMOTE: rules against rules")
    assert (out / "gate.svg").is_file() == ("gate.svg" in (out / "gate.md").read_text("utf-8"))


def test_registry_reads_the_report(run, tmp_path):
    from finetune.registry.reports import read_report

    run("--candidate", "rules", "--baseline", "rules", "--out", tmp_path / "report")
    report = read_report(tmp_path / "report" / "gate.json")
    assert (report.passed, report.candidate, report.baseline) == (False, "rules", "rules")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--candidate", "no-such-adapter"], "no adapter 'no-such-adapter'"),
        (["--candidate", "base", "--llm", "http://127.0.0.1:9/v1"], "in this process"),
        (["--candidate", "base", "--llm", "no-such-folder"], "no such folder"),
        (["--candidate", "rules", "--baseline", "rules", "--population", "martians"],
         "no population 'martians'"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(run, args, said):
    done = run(*args)
    assert done.exit_code == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_missing_thresholds_are_told(folder, tmp_path):
    args = ["--candidate", "rules", "--baseline", "rules", "--catalog", folder]
    args += ["--thresholds", tmp_path / "none.toml"]
    done = CliRunner().invoke(main, ["evaluate", "gate", *map(str, args)])
    assert done.exit_code == 1
    assert "no thresholds at" in done.stderr


def test_candidate_is_asked_for():
    done = CliRunner().invoke(main, ["evaluate", "gate"])
    assert done.exit_code == 2
    assert "--candidate" in done.stderr
