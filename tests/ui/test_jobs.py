import json

import pytest
from click.testing import CliRunner

from agent.jobs import NewJob
from agent.store import Store
from ui.cli import main


@pytest.fixture
def work(tmp_path, monkeypatch):
    monkeypatch.delenv("ATTUNE_STORE", raising=False)
    store = Store(f"sqlite:///{tmp_path}/sessions.db")
    yield store.work
    store.close()


@pytest.fixture
def run(tmp_path):
    """Run `attune jobs` over the folder."""
    return lambda name, *rest: CliRunner().invoke(main, ["jobs", name, str(tmp_path), *rest])


def test_jobs_are_a_table(work, run):
    assert run("list").output == "no jobs\n"
    work.add(NewJob("mail", {}, id="first"))
    work.fail(work.claim(("mail",), 30), "HTTP 500\nand more", None)
    lines = run("list").output.splitlines()
    assert lines[0].split()[:4] == ["id", "kind", "status", "tries"]
    assert lines[1].split()[:4] == ["first", "mail", "dead", "1"]
    assert lines[1].endswith("HTTP 500 and more")


def test_jobs_are_one_json_object(work, run):
    work.add(NewJob("mail", {"to": "7"}, id="first"))
    work.add(NewJob("other", {}))
    (job,) = json.loads(run("list", "--json", "--kind", "mail").output)["jobs"]
    assert (job["id"], job["status"], job["payload"]) == ("first", "waiting", {"to": "7"})


@pytest.mark.parametrize("arguments", [("--dead",), ("first",)])
def test_dead_jobs_are_tried_again(work, run, arguments):
    work.add(NewJob("mail", {}, id="first"))
    work.fail(work.claim(("mail",), 30), "HTTP 500", None)
    assert run("retry", *arguments).output == "1 to be tried again\n"
    assert work.get("first").status == "waiting"


@pytest.mark.parametrize("arguments", [(), ("first", "--dead")])
def test_retry_needs_ids_or_dead(work, run, arguments):
    answer = run("retry", *arguments)
    assert answer.exit_code == 2
    assert "give ids of jobs, or --dead" in answer.output


def test_unknown_job_is_one_line(work, run):
    answer = run("retry", "nope")
    assert answer.exit_code == 1
    assert answer.output.startswith("Error: no job 'nope'")
