"""Pages taken in while a shop is served: on disk before their job, indexed once however often."""

import os
import time

import pytest

from agent.errors import AgentError
from agent.knowledge import Library, Upload
from agent.knowledge.library import INBOX
from tests.agent.knowledge.conftest import FAQ, upload


@pytest.fixture
def library(knowledge, encoder):
    return Library(knowledge, lambda: encoder)


def test_received_files_are_indexed_by_their_job(library, knowledge):
    files = [upload("new.csv", FAQ.replace("wrap gifts", "sell tea")), upload("bad.md", "")]
    received = library.receive(files)
    assert (received.sources, received.job.kind) == (("new.csv",), "knowledge")
    assert received.errors == ("'bad.md': it is empty; expected text",)
    assert knowledge.ask("do you sell tea?").refused
    done = library.index(received.job.payload)
    assert (done["sources"], done["passages"]) == (("new.csv",), 2)
    assert knowledge.ask("do you sell tea?").quotes[0].source == "new.csv"


def test_a_job_that_runs_again_finds_its_result(library):
    payload = library.receive([upload("new.csv", FAQ)]).job.payload
    first = library.index(payload)
    library.remove("new.csv")
    assert list(library.index(payload)["sources"]) == list(first["sources"])
    assert "new.csv" not in {one.name for one in library.sources()}


def test_a_job_killed_before_its_end_runs_again(library, filled, monkeypatch):
    payload = library.receive([upload("new.csv", FAQ)]).job.payload
    with monkeypatch.context() as patched:
        patched.setattr("agent.knowledge.library.replace_file", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            library.index(payload)
    assert library.index(payload)["unchanged"] == 1


def test_nothing_good_makes_no_job(library, filled):
    received = library.receive([Upload("a.pdf", b"no")])
    assert received.job is None
    assert not (filled / INBOX).exists()


@pytest.mark.parametrize("id", ["../../etc", "", "0" * 32])
def test_files_that_are_not_here_are_an_error(library, id):
    with pytest.raises(AgentError, match=r"not on this host|expected the id"):
        library.index({"inbox": id})


def test_old_leftovers_are_removed(library, filled):
    left = filled / INBOX / "left"
    left.mkdir(parents=True)
    old = time.time() - 30 * 24 * 3600
    os.utime(left, (old, old))
    library.index(library.receive([upload("new.csv", FAQ)]).job.payload)
    assert not left.exists()
    assert len(list((filled / INBOX).iterdir())) == 1
