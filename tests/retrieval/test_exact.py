"""The exact engine: the contract, and what is its own: crashes, other processes, compaction."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from retrieval import compaction
from retrieval.catalog import Item
from retrieval.errors import CatalogError, IndexError_, IndexLocked
from retrieval.exact import ExactIndex
from retrieval.filters import Compare, matches
from tests.retrieval.index_contract import *  # noqa: F403
from tests.retrieval.index_contract import ENCODER, SHOP, found, make_items, put, vectors_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def make_index():
    def make(folder, encoder_name="hashing-16", dimension=16, write=True):
        return ExactIndex(folder, encoder_name, dimension, write=write)

    return make


@pytest.fixture
def eager(monkeypatch):
    """Compaction and caches that set in at once."""
    monkeypatch.setattr("retrieval.store.COMPACT_MINIMUM", 3)
    monkeypatch.setattr("retrieval.tiers.TAIL_ROWS", 3)
    monkeypatch.setattr("retrieval.exact.UNSAVED_ROWS", 3)


def start(code, folder):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(folder)],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip


WRITER = """
    import sys
    from pathlib import Path
    from retrieval.catalog import Item
    from retrieval.encoder import HashingEncoder
    from retrieval.exact import ExactIndex
    encoder = HashingEncoder(16)
    index = ExactIndex(Path(sys.argv[1]), encoder.name, 16)
    for turn in range(100_000):
        fields = {"turn": float(turn)}
        items = [Item(f"{turn}-{n}", f"thing {turn}", fields=fields) for n in range(3)]
        items.append(Item("same", f"turn {turn}"))
        index.apply(items, encoder.encode_items([i.title for i in items]), [f"{turn - 2}-0"])
        print(turn, flush=True)
"""


@pytest.mark.parametrize("turns", [1, 40])
def test_acknowledged_upserts_survive_kill(tmp_path, turns):
    writer = start(WRITER, tmp_path)
    for _ in range(turns):
        line = writer.stdout.readline()
    os.kill(writer.pid, signal.SIGKILL)
    acknowledged = [int(turn) for turn in [line, *writer.stdout.read().split("\n")] if turn.strip()]
    writer.wait()
    writer.stdout.close()
    last = max(acknowledged)
    with_rest = ExactIndex(tmp_path, "hashing-16", 16)
    ids = set(with_rest.ids())
    for turn in range(last + 1):
        alive = {f"{turn}-1", f"{turn}-2"} | ({f"{turn}-0"} if turn > last - 1 else set())
        assert alive <= ids
    # A call is there as a whole or not at all.
    final = int(with_rest.get(["same"])[0].title.removeprefix("turn "))
    assert final in (last, last + 1)
    assert with_rest.count(Compare("turn", "gt", float(final))) == 0
    assert with_rest.count(Compare("turn", "eq", float(final))) == 3
    everything = with_rest.get(with_rest.ids())
    np.testing.assert_allclose(
        with_rest.vectors([item.id for item in everything]),
        ENCODER.encode_items([item.title for item in everything]),
        atol=1e-6,
    )
    put(with_rest, [Item("after", "the crash")])
    assert found(with_rest.search(text="crash")) == ["after"]
    with_rest.close()


READER = """
    import sys
    from pathlib import Path
    from retrieval.exact import ExactIndex
    index = ExactIndex(Path(sys.argv[1]), "hashing-16", 16, write=False)
    for line in sys.stdin:
        print([hit.item.id for hit in index.search(text=line.strip())], index.version, flush=True)
"""


def test_other_process_sees_changes(tmp_path, eager):
    index = ExactIndex(tmp_path, "hashing-16", 16)
    put(index, SHOP)
    reader = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(READER), str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip

    def ask(text):
        reader.stdin.write(text + "\n")
        reader.stdin.flush()
        return reader.stdout.readline().strip()

    assert ask("boots") == f"['s2'] {index.version}"
    put(index, [Item("b2", "More boots")])
    assert ask("more boots") == f"['b2', 's2'] {index.version}"
    index.delete(["s2"])
    assert ask("boots") == f"['b2'] {index.version}"
    index.delete(["s1", "s3", "s4"])
    index.compact()
    assert ask("boots") == f"['b2'] {index.version}"
    assert ask("card") == f"['s6'] {index.version}"
    reader.stdin.close()
    reader.wait()
    reader.stdout.close()
    index.close()


def test_second_writer_is_refused(tmp_path):
    index = ExactIndex(tmp_path, "hashing-16", 16)
    with pytest.raises(IndexLocked, match=str(os.getpid())):
        ExactIndex(tmp_path, "hashing-16", 16)
    reader = ExactIndex(tmp_path, "hashing-16", 16, write=False)
    with pytest.raises(IndexError_, match="opened for reading"):
        put(reader, SHOP)
    reader.close()
    index.close()
    ExactIndex(tmp_path, "hashing-16", 16).close()


def test_dead_writers_lock_is_free(tmp_path):
    writer = start(WRITER, tmp_path)
    writer.stdout.readline()
    with pytest.raises(IndexLocked, match=str(writer.pid)):
        ExactIndex(tmp_path, "hashing-16", 16)
    writer.kill()
    writer.wait()
    writer.stdout.close()
    ExactIndex(tmp_path, "hashing-16", 16).close()


def test_reader_needs_an_index(tmp_path):
    with pytest.raises(IndexError_, match="no index at"):
        ExactIndex(tmp_path / "nowhere", "hashing-16", 16, write=False)


def test_closed_index_says_so(tmp_path):
    index = ExactIndex(tmp_path, "hashing-16", 16)
    index.close()
    with pytest.raises(IndexError_, match="closed"):
        index.count()


def test_compaction_keeps_all_answers(tmp_path, eager):
    index = ExactIndex(tmp_path, "hashing-16", 16)
    items = make_items(60)
    put(index, items)
    for item in items[:40:2]:
        put(index, [item])
    index.delete([item.id for item in items[1:40:2]])
    index._store.settle()
    kept = [item for place, item in enumerate(items) if place >= 40 or place % 2 == 0]
    vector_files = list(tmp_path.glob("vectors-*.f32"))
    assert [path.name for path in vector_files] != ["vectors-0.f32"]
    assert vector_files[0].stat().st_size < 60 * 16 * 4
    assert index.ids() == [item.id for item in kept]
    np.testing.assert_allclose(index.vectors(index.ids()), vectors_of(kept), atol=1e-6)
    red = Compare("colour", "eq", "red")
    assert index.ids(red) == [item.id for item in kept if matches(red, item)]
    fresh = ExactIndex(tmp_path / "fresh", "hashing-16", 16)
    put(fresh, kept)
    query = ENCODER.encode_queries(["red boots"])
    assert found(index.search(query, k=30)) == found(fresh.search(query, k=30))
    fresh.close()
    index.close()


def test_failed_compaction_is_harmless(tmp_path, eager, monkeypatch, caplog):
    index = ExactIndex(tmp_path, "hashing-16", 16)
    put(index, SHOP)

    def crash(folder):
        raise OSError("power cut")

    monkeypatch.setattr(compaction, "sync_folder", crash)
    assert index.delete(["s1", "s2", "s3"]) == 3
    index._store.settle()
    assert "power cut" in caplog.text
    assert index.ids() == ["s4", "s5", "s6"]
    monkeypatch.undo()
    index.close()
    index = ExactIndex(tmp_path, "hashing-16", 16)
    assert [path.name for path in tmp_path.glob("vectors-*.f32")] == ["vectors-0.f32"]
    assert index.ids() == ["s4", "s5", "s6"]
    np.testing.assert_allclose(index.vectors(["s5"]), vectors_of([SHOP[4]]), atol=1e-6)
    index.close()


def test_failed_write_leaves_nothing(tmp_path, monkeypatch):
    index = ExactIndex(tmp_path, "hashing-16", 16)
    put(index, SHOP[:2])

    def full(descriptor, data, position):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.pwrite", full)
    with pytest.raises(IndexError_, match="No space left"):
        put(index, SHOP)
    monkeypatch.undo()
    assert index.ids() == ["s1", "s2"]
    put(index, SHOP)
    assert index.ids() == [item.id for item in SHOP]
    index.close()


@pytest.mark.parametrize("id", ["", "a\x00b", "line\nbreak", "\ud800", 7, None])
def test_unusable_id_is_refused(tmp_path, id):
    index = ExactIndex(tmp_path, "hashing-16", 16)
    with pytest.raises(CatalogError, match="expected an id"):
        put(index, [SHOP[0], Item(id, "thing")])
    assert (index.count(), index.get([id]), index.delete([id])) == (0, [], 0)
    index.close()


@pytest.mark.parametrize("value", [None, [["nested"]], ("a", ("b",)), {"a": 1}, object()])
def test_unreadable_field_is_refused(tmp_path, value):
    index = ExactIndex(tmp_path, "hashing-16", 16)
    with pytest.raises(CatalogError, match="item 'x' has 'size' = "):
        put(index, [Item("x", "thing", fields={"size": value})])
    with pytest.raises(CatalogError, match="needs text as title"):
        index.upsert([Item("x", None)], vectors_of(SHOP[:1]))
    assert index.count() == 0
    index.close()


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
@pytest.mark.parametrize("name", ["columns.npz", "bm25/postings.json", "bm25/starts.npy"])
def test_damaged_cache_is_built_anew(tmp_path, eager, name, damage):
    index = ExactIndex(tmp_path, "hashing-16", 16)
    put(index, SHOP)
    before = index.search(text="blue jacket")
    index.close()
    if damage is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(damage)
    index = ExactIndex(tmp_path, "hashing-16", 16)
    assert index.search(text="blue jacket") == before
    assert index.ids(Compare("text", "contains", "blue")) == ["s1", "s4"]
    index.close()


def test_caches_serve_after_later_writes(tmp_path, eager):
    index = ExactIndex(tmp_path, "hashing-16", 16)
    put(index, SHOP)
    index.close()
    index = ExactIndex(tmp_path, "hashing-16", 16)
    index.delete(["s4"])
    put(index, [Item("s7", "Blue kilt", fields={"colour": "Blue", "weight": 2.0})])
    assert index._now().memory.saved == len(SHOP)
    assert sorted(found(index.search(text="blue kilt"))) == ["s1", "s7"]
    assert index.ids(Compare("colour", "eq", "blue")) == ["s1", "s7"]
    assert index.ids(Compare("weight", "exists", True)) == ["s7"]
    index.close()


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda folder: (folder / "items.db").write_bytes(b"not a database" * 100), "cannot use"),
        (lambda folder: sql(folder, "UPDATE meta SET value = 99 WHERE key = 'format'"), "newer"),
        (lambda folder: sql(folder, "DROP TABLE meta"), "not an index"),
        (lambda folder: os.truncate(folder / "vectors-0.f32", 100), "was cut"),
        (lambda folder: (folder / "vectors-0.f32").unlink(), "missing"),
    ],
    ids=["garbage", "newer", "foreign", "cut", "missing"],
)
def test_broken_files_are_named(tmp_path, break_it, message):
    index = ExactIndex(tmp_path, "hashing-16", 16)
    put(index, SHOP)
    index.close()
    break_it(tmp_path)
    with pytest.raises(IndexError_, match=message):
        ExactIndex(tmp_path, "hashing-16", 16)
    with pytest.raises(IndexError_, match=message):  # and the lock was given back
        ExactIndex(tmp_path, "hashing-16", 16)


def sql(folder, statement):
    connection = sqlite3.connect(folder / "items.db")
    with connection:
        connection.execute(statement)
    connection.close()
