"""One catalog, several processes: all read, one writes for all."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from retrieval.catalog import Item
from retrieval.encoder import HashingEncoder
from retrieval.errors import CatalogError, IndexError_
from retrieval.filters import Compare
from retrieval.loading import load
from retrieval.retriever import Retriever
from retrieval.shared import SOCKET, SharedRetriever, _NoWriter, ask_writer

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    source = folder / "catalog.csv"
    rows = [f"i{n},{('Blue', 'Red')[n % 2]} shirt {n},{('Blue', 'Red')[n % 2]},{n}.5 EUR"
            for n in range(24)]  # fmt: skip
    source.write_text("\n".join(["id,title,colour,price", *rows]), encoding="utf-8")
    Retriever.build(load([source]), folder / "project", encoder=HashingEncoder())
    return folder / "project"


@pytest.fixture(params=["project", "x" * 120])
def folder(built, tmp_path, request):
    """A copy of the project, once at a path that is too long for a socket."""
    return Path(shutil.copytree(built, tmp_path / request.param))


@pytest.fixture
def opened(folder):
    """Open the project as other processes of a server would."""
    retrievers = []

    def open_one():
        retrievers.append(SharedRetriever.open_shared(folder, HashingEncoder()))
        return retrievers[-1]

    yield open_one
    for retriever in reversed(retrievers):
        retriever.close()


def item(id="new", colour="Teal", price=5.0):
    return Item(id, f"{colour} shirt", "", {"colour": colour, "price": price}, "EUR")


def test_first_writes_and_others_read(opened):
    first, second, third = (opened() for _ in range(3))
    assert [one.writes for one in (first, second, third)] == [True, False, False]
    second.upsert([item()])
    for one in (first, second, third):
        assert one.get("new").fields["colour"] == "Teal"
        assert one.index.ids(Compare("colour", "eq", "Teal")) == ["new"]
        assert dict(next(f for f in one.facets if f.name == "colour").values)["Teal"] == 1
    assert third.delete(["new", "unknown"]) == 1
    assert first.get("new") is None
    assert [one.writes for one in (first, second, third)] == [True, False, False]


def test_bad_item_is_refused_by_the_writer(opened):
    first, second = opened(), opened()
    bad = Item("bad", "Shirt", "", {"colour": "Red", "price": "cheap"}, "EUR")
    with pytest.raises(CatalogError, match="price") as here:
        first.upsert([bad])
    with pytest.raises(CatalogError, match="price") as there:
        second.upsert([bad])
    assert str(here.value) == str(there.value)
    assert second.get("bad") is None


def test_writes_at_once_are_all_there(opened):
    retrievers = [opened() for _ in range(3)]

    def write(place):
        for n in range(10):
            retrievers[place % 3].upsert([item(f"{place}-{n}")])

    threads = [threading.Thread(target=write, args=(place,)) for place in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = set(retrievers[2].index.ids(Compare("colour", "eq", "Teal")))
    assert found == {f"{place}-{n}" for place in range(6) for n in range(10)}


def test_next_writer_takes_over(opened):
    first, second, third = (opened() for _ in range(3))
    reading = second.index
    first.close()
    assert second.delete(["i0"]) == 1
    assert second.writes
    assert reading.count() == second.index.count() == 23
    third.upsert([item()])
    assert not third.writes
    assert second.get("new") == item()


def test_silent_writer_is_an_error(folder, opened):
    with Retriever.open(folder, HashingEncoder()):  # has the lock, and listens to nobody
        one = opened()
        with pytest.raises(IndexError_, match=r"does not answer .*; try again"):
            one.upsert([item()])
        assert one.get("i1").fields["colour"] == "Red"
    one.upsert([item()])
    assert one.writes


def test_socket_is_the_owners(folder, opened):
    opened()
    assert (folder / SOCKET).stat().st_mode & 0o777 == 0o600


def test_nobody_listens_after_closing(folder, opened):
    first = opened()
    first.close()
    first.close()
    assert not (folder / SOCKET).exists()
    with pytest.raises(_NoWriter):
        ask_writer(folder, {"delete": ["i0"]})


WRITER = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from retrieval.encoder import HashingEncoder
from retrieval.shared import SharedRetriever
one = SharedRetriever.open_shared(Path({folder!r}), HashingEncoder())
print(one.writes, flush=True)
sys.stdin.read()
"""


def test_killed_writer_is_succeeded(folder, opened):
    script = WRITER.format(root=str(ROOT), folder=str(folder))
    writer = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with writer:
        assert writer.stdout.readline() == "True\n"
        one = opened()
        one.upsert([item("before")])
        assert not one.writes
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        one.upsert([item("after")])
        assert one.writes
        assert [found.id for found in one.get_many(["before", "after"])] == ["before", "after"]
