"""Runs: started, followed, stopped, one at a time; nothing typed becomes part of a command."""

import json
import subprocess
import sys
import time

import pytest

from agent.errors import Conflict, UserInputError
from ui.owner import processes
from ui.owner import runs as module
from ui.owner.processes import last_lines, share_done
from ui.owner.runs import Command, Runs

TALKS = "import sys; print('step 1', file=sys.stderr); print('{\"right\": 0.9}')"
WAITS = "import sys, time; print('waiting', file=sys.stderr, flush=True); time.sleep(600)"
FAILS = "import sys; print('Error: no index', file=sys.stderr); sys.exit(1)"
BARS = "import sys; [print(f'\\r{n} %', end='', file=sys.stderr) for n in (1, 50, 100)]"
LOOKS = "import time, tqdm; [time.sleep(0.2) for _ in tqdm.tqdm(range(4), mininterval=0)]"


@pytest.fixture
def started(monkeypatch):
    """Have commands be a line of Python."""
    known = {"talks": TALKS, "waits": WAITS, "fails": FAILS, "bars": BARS, "looks": LOOKS}
    made = {name: Command(name, (name,)) for name in known}
    monkeypatch.setattr(module, "commands", lambda folder: made)
    popen = subprocess.Popen

    def instead(arguments, **options):
        return popen([sys.executable, "-c", known[arguments[-1]]], **options)

    monkeypatch.setattr(processes.subprocess, "Popen", instead)


@pytest.fixture
def runs(tmp_path, started):
    made = Runs(tmp_path, about=lambda: {"version": 7})
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


def test_progress_bars_are_drawn_for_a_run(runs):
    log = ended(runs.start("looks")).log
    assert share_done(log) == 1.0
    assert "4/4" in log


def test_share_done_is_read_from_a_bar():
    log = last_lines(b"cases:  10%|# | 3/30\rcases:  40%|#### | 12/30 [00:05]")
    assert (log, share_done(log)) == ("cases:  40%|#### | 12/30 [00:05]", 0.4)
    assert share_done("reading") is None
    assert last_lines(b"\x1b[1mred\x1b[0m\r\n") == "red\n"


def test_run_outlives_the_server(runs, tmp_path):
    first = ended(runs.start("talks"))
    again = Runs(tmp_path).get(first.id)
    assert again.to_json() == first.to_json()
    assert again.about == {"version": 7}
    (figure,) = again.to_json()["figures"]
    assert (figure["name"], figure["value"]) == ("right", 0.9)


def test_run_that_a_server_left_is_lost(runs, tmp_path):
    runs.start("waits")
    left = Runs(tmp_path)
    assert [one.status for one in left.list()] == ["lost"]
    assert left.running() is None


def test_file_that_is_no_run_is_passed_over(runs, tmp_path):
    ended(runs.start("talks"))
    (tmp_path / "runs" / "x.json").write_text("{")
    (tmp_path / "runs" / "y.json").write_text(json.dumps({"id": "y"}))
    assert len(Runs(tmp_path).list()) == 1


def test_oldest_runs_are_dropped(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    made = [ended(runs.start("talks")).id for _ in range(3)]
    assert [one.id for one in runs.list()] == made[:0:-1]
    assert {path.stem for path in (tmp_path / "runs").glob("*.json")} == set(made[1:])


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

    for command in commands(tmp_path).values():
        assert command.does
        arguments = command.arguments
        words = [one for one in arguments if not one.startswith(("-", "/", str(tmp_path)))]
        words = [one for one in words if not one.isdigit()]
        result = CliRunner().invoke(main, [*words, "--help"])
        assert result.exit_code == 0, words
        for option in (one for one in arguments if one.startswith("--")):
            assert option in result.output, (words, option)
