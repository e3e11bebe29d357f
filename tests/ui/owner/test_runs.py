"""Runs: started, followed, stopped, one at a time; nothing typed becomes part of a command."""

import sys
import time

import pytest

from agent.errors import Conflict, UserInputError
from ui.owner import runs as module
from ui.owner.runs import Runs

TALKS = "import sys; print('step 1', file=sys.stderr); print('{\"right\": 0.9}')"
WAITS = "import sys, time; print('waiting', file=sys.stderr, flush=True); time.sleep(600)"
FAILS = "import sys; print('Error: no index', file=sys.stderr); sys.exit(1)"
BARS = "import sys; [print(f'\\r{n} %', end='', file=sys.stderr) for n in (1, 50, 100)]"


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Runs whose command is a line of Python."""
    known = {"talks": TALKS, "waits": WAITS, "fails": FAILS, "bars": BARS}
    monkeypatch.setattr(module, "commands", lambda folder: {n: (n, (n,)) for n in known})
    popen = module.subprocess.Popen

    def instead(arguments, **options):
        return popen([sys.executable, "-c", known[arguments[-1]]], **options)

    monkeypatch.setattr(module.subprocess, "Popen", instead)
    made = Runs(tmp_path)
    yield made
    made.close()


def ended(run):
    while run.status == "running":
        time.sleep(0.01)
    return run


def test_run_ends_with_its_result(runs):
    run = ended(runs.start("talks"))
    assert (run.status, run.result) == ("done", {"right": 0.9})
    assert "step 1" in run.log
    assert runs.get(run.id).to_json()["status"] == "done"


def test_failure_tells_why(runs):
    run = ended(runs.start("fails"))
    assert (run.status, run.result) == ("failed", None)
    assert "no index" in run.log


def test_progress_shows_its_last_state(runs):
    assert ended(runs.start("bars")).log == "100 %"


def test_run_is_stopped(runs):
    run = runs.start("waits")
    while "waiting" not in run.log:
        time.sleep(0.01)
    runs.stop(run.id)
    assert ended(run).status == "stopped"
    assert runs.stop(run.id).status == "stopped"


def test_one_run_at_a_time(runs):
    first = runs.start("waits")
    with pytest.raises(Conflict, match="'waits' is under way"):
        runs.start("talks")
    runs.stop(first.id)
    ended(first)
    assert ended(runs.start("talks")).status == "done"
    assert [run.name for run in runs.list()] == ["talks", "waits"]


def test_unknown_run_is_refused(runs):
    with pytest.raises(UserInputError, match="expected one of"):
        runs.start("talks; rm -rf /")
    with pytest.raises(UserInputError, match="no run"):
        runs.get("nope")


def test_every_choice_is_a_command(tmp_path):
    from click.testing import CliRunner

    from ui.cli import main
    from ui.owner.runs import commands

    for said, arguments in commands(tmp_path).values():
        assert said
        words = [one for one in arguments if not one.startswith(("-", "/", str(tmp_path)))]
        words = [one for one in words if not one.isdigit()]
        result = CliRunner().invoke(main, [*words, "--help"])
        assert result.exit_code == 0, words
        for option in (one for one in arguments if one.startswith("--")):
            assert option in result.output, (words, option)
