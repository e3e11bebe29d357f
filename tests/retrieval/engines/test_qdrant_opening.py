"""Opening an index on Qdrant: leases, killed writers, collections not ours or not whole."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

pytest.importorskip("qdrant_client", reason="needs attune[qdrant]")
pytest.importorskip("qdrant_edge", reason="needs attune[edge]")

from retrieval.catalog import Item
from retrieval.engines.qdrant import QdrantIndex
from retrieval.errors import EncoderMismatch, IndexError_, IndexLocked
from retrieval.filters import Compare
from tests.retrieval.engines.qdrant_places import *  # noqa: F403
from tests.retrieval.index_contract import SHOP, found, put

ROOT = Path(__file__).parents[3]


def opened(url, write=True, name="items"):
    return QdrantIndex(url, name, "hashing-16", 16, write=write)


@pytest.fixture
def index(local):
    filled = opened("path:here")
    put(filled, SHOP)
    yield filled
    filled.close()


# Leases


def test_second_writer_is_refused(index):
    with pytest.raises(IndexLocked, match=f"written by process {os.getpid()} on"):
        opened("path:here")
    reader = opened("path:here", write=False)
    with pytest.raises(IndexError_, match="opened for reading"):
        put(reader, SHOP)
    with pytest.raises(IndexError_, match="opened for reading"):
        reader.save()
    assert reader.ids() == [item.id for item in SHOP]
    reader.close()
    index.close()
    opened("path:here").close()


def test_dead_writers_lease_is_free(index, short_lease):
    index._lease._stop.set()  # no beat comes any more, as from a process that was killed
    second = opened("path:here")
    with pytest.raises(IndexLocked, match="is being written by"):
        index.delete(["s1"])
    with pytest.raises(IndexLocked, match="is being written by"):
        index.delete(["nobody"])
    assert second.delete(["s1"]) == 1
    second.close()


def test_lease_survives_lost_beats(index, monkeypatch, caplog):
    change = type(index._point).change
    lost = []

    def lose(point, where, changes):
        if "beat" in changes and len(lost) < 3:
            lost.append(changes)
            raise IndexError_("cannot reach the server")
        change(point, where, changes)

    monkeypatch.setattr(type(index._point), "change", lose)
    while len(lost) < 3:
        time.sleep(0.05)
    put(index, [Item("new", "thing")])
    assert "could not be renewed: cannot reach" in caplog.text
    with pytest.raises(IndexLocked):
        opened("path:here")


def test_unreachable_server_does_not_stop_closing(index, short_lease, monkeypatch, caplog):
    def lose(point, where, changes):
        raise IndexError_("cannot reach the server")

    with monkeypatch.context() as patch:
        patch.setattr(type(index._point), "change", lose)
        index.close()
    assert "next writer has to wait" in caplog.text
    opened("path:here").close()


WRITER = """
    import sys
    from retrieval.catalog import Item
    from retrieval.encoder import HashingEncoder
    from retrieval.engines.qdrant import QdrantIndex
    encoder = HashingEncoder(16)
    index = QdrantIndex(sys.argv[1], "items", encoder.name, 16)
    for turn in range(100_000):
        items = [Item(f"{turn}-{n}", f"thing {turn}", fields={"turn": float(turn)}) for n in "ab"]
        items.append(Item("same", f"turn {turn}"))
        index.apply(items, encoder.encode_items([i.title for i in items]), [f"{turn - 1}-a"])
        index.set_mark(turn)
        print(turn, flush=True)
"""


def test_acknowledged_upserts_survive_kill(core, short_lease):
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), core.url],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    lines = [writer.stdout.readline() for _ in range(4)]
    writer.kill()
    lines += writer.stdout.read().split("\n")
    writer.wait()
    writer.stdout.close()
    last = max(int(line) for line in lines if line.strip())
    index = opened(core.url)
    ids = set(index.ids())
    assert {f"{turn}-b" for turn in range(last + 1)} | {f"{last}-a"} <= ids
    assert not {f"{turn}-a" for turn in range(last)} & ids
    assert index.mark in (last, last + 1)
    assert index.get(["same"])[0].title in (f"turn {last}", f"turn {last + 1}")
    put(index, [Item("after", "the crash")])
    assert found(index.search(text="crash")) == ["after"]
    index.close()


# Opening


def test_reader_needs_an_index(local):
    with pytest.raises(IndexError_, match=r"no index in the collection 'items'"):
        opened("path:here", write=False)


def test_closed_index_says_so(index):
    index.close()
    with pytest.raises(IndexError_, match="closed"):
        index.count()


def test_foreign_collection_is_left_alone(core):
    core.create("items", {"vectors": None})
    core.put("items", {"points": [{"id": 1, "vector": {}, "payload": {"theirs": True}}]})
    with pytest.raises(IndexError_, match="no index of ours; choose another name"):
        opened(core.url)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"format": 99, "token": "", "beat": 0}, "newer version"),
        ({"format": 99, "mean": 1.0, "all": "else"}, "newer version"),
        ({"format": 1, "mean": 1.0}, "is damaged: 'encoder' is missing"),
    ],
)
def test_unreadable_state_is_named(index, payload, message):
    index._server.ask(
        "overwrite_payload", collection_name="items__meta", payload=payload, points=[1], wait=True
    )
    index.close()
    for _ in range(2):  # and no lease is left behind
        with pytest.raises(IndexError_, match=message):
            opened("path:here")


def test_creation_cut_off_is_completed(local, short_lease):
    index = opened("path:here")
    index._server.ask("delete_collection", collection_name="items__meta")
    index._lease._stop.set()
    with pytest.raises(IndexError_):
        index.count(Compare("colour", "gt", "a"))
    again = opened("path:here")
    put(again, SHOP)
    assert again.count() == len(SHOP)
    again.close()


def test_several_indexes_share_a_server(index):
    other = opened("path:here", name="others")
    put(other, SHOP[:1])
    assert (index.count(), other.count()) == (6, 1)
    with pytest.raises(EncoderMismatch, match="'others' at path:here was built with"):
        QdrantIndex("path:here", "others", "hashing-8", 8)
    other.close()
