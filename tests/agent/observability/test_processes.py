import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.observability.instruments import FOLDER
from agent.observability.processes import forget_the_dead, share_metrics

COUNTING = """
import sys
from agent.server.metrics import Metrics
metrics = Metrics()
for _ in range(int(sys.argv[1])):
    metrics.feedback("click")
    metrics.request("/x", "GET", 200, 0.01)
metrics.instruments.streams.inc()
print("counted", flush=True)
sys.stdin.read()
"""

READING = """
from agent.server.metrics import Metrics, Snapshot
print(Metrics().render([Snapshot("default", 3)]).decode())
"""


@pytest.fixture
def counting():
    """Start processes that count and then wait; what is left of them is killed."""
    started = []

    def start(clicks):
        process = subprocess.Popen(
            [sys.executable, "-c", COUNTING, str(clicks)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        assert process.stdout.readline() == "counted\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def _read():
    done = subprocess.run([sys.executable, "-c", READING], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = [line.rpartition(" ") for line in done.stdout.splitlines() if line[:1] != "#"]
    return {name: float(value) for name, _, value in lines if name}


@pytest.mark.slow
def test_processes_count_together_past_a_kill(counting):
    clicks = 'attune_feedback_total{kind="click",tenant="default"}'
    with share_metrics():
        first, _ = counting(3), counting(4)
        before = _read()
        assert (before[clicks], before["attune_active_streams"]) == (7, 2)
        first.send_signal(signal.SIGKILL)
        first.wait()
        after = _read()
        assert (after[clicks], after["attune_active_streams"]) == (7, 1)
        counting(1)  # the worker that takes its place
        again = _read()
        assert (again[clicks], again["attune_active_streams"]) == (8, 2)
        assert again['attune_request_seconds_count{route="/x"}'] == 8
        assert again['attune_catalog_version{tenant="default"}'] == 3


def test_folder_goes_with_its_owner(monkeypatch):
    monkeypatch.delenv(FOLDER, raising=False)
    with share_metrics() as folder:
        assert os.environ[FOLDER] == str(folder)
        assert folder.is_dir()
    assert FOLDER not in os.environ
    assert not folder.exists()


def test_folder_that_is_given_is_kept(monkeypatch, tmp_path):
    monkeypatch.setenv(FOLDER, str(tmp_path))
    with share_metrics() as folder:
        assert folder == tmp_path
    assert tmp_path.is_dir()
    assert os.environ[FOLDER] == str(tmp_path)


def test_only_the_dead_are_forgotten(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    names = [f"gauge_livesum_{gone.pid}.db", f"gauge_livesum_{os.getpid()}.db",
             f"counter_{gone.pid}.db", f"gauge_max_{gone.pid}.db"]  # fmt: skip
    for name in names:
        (tmp_path / name).touch()
    forget_the_dead(tmp_path)
    assert {path.name for path in Path(tmp_path).iterdir()} == set(names[1:])
