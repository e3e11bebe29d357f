"""The store: calls as a plain dict would take them, group commit, compaction, power cuts."""

import shutil
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import compaction, store_writer
from retrieval.catalog import Item
from retrieval.errors import CatalogError, IndexError_
from retrieval.store import ItemStore, StaleError, State

ROOT = Path(__file__).parents[2]
DIMENSION = 4


def vector_of(item):
    values = np.array([len(item.title), *map(float, item.title.encode()[:3].ljust(3))], np.float32)
    return values / np.linalg.norm(values)


def put(store, *items, delete=()):
    vectors = np.zeros((len(items), DIMENSION), np.float32)
    for place, item in enumerate(items):
        vectors[place] = vector_of(item)
    return store.apply(items, vectors, delete)


def live(store):
    """Every item with its vector, by id, in order of first insertion; as a new reader sees it."""
    changes = store.changes(State())
    rows = np.flatnonzero(changes.alive)
    rows = rows[np.argsort(changes.seq[rows], kind="stable")]
    items = store.items_at(changes.state.generation, rows.tolist())
    vectors = store.vectors(changes.state)
    for row, item in items.items():
        np.testing.assert_array_equal(vectors[row], vector_of(item))
    assert [items[row].id for row in rows] == store.ids_at(changes.state.generation, rows)
    return [items[row] for row in rows.tolist()]


@pytest.fixture
def opened(tmp_path):
    store = ItemStore(tmp_path, "encoder", DIMENSION, True)
    yield store
    store.close()


ids = st.sampled_from("abcdef")
items = st.builds(Item, ids, st.text("xyz", max_size=4))
calls = st.tuples(st.lists(items, max_size=4), st.lists(ids, max_size=3))


def expected_of(calls):
    """What calls leave, and how many each deleted, by a dict."""
    shop, deleted = {}, []
    for new, gone in calls:
        deleted.append(sum(shop.pop(id, None) is not None for id in gone))
        shop |= {item.id: item for item in new}
    return list(shop.values()), deleted


@given(st.lists(calls, max_size=12), st.sets(st.integers(0, 12)), st.sampled_from([0, 3, 1000]))
@settings(deadline=None, max_examples=25)
def test_calls_and_compactions_equal_a_dict(tmp_path_factory, calls, compacted, unsynced):
    folder = tmp_path_factory.mktemp("store")
    store = ItemStore(folder, "encoder", DIMENSION, True)
    version = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_writer, "UNSYNCED_ROWS", unsynced)
        patch.setattr(compaction, "STEP", 3)
        deleted = []
        for place, (new, gone) in enumerate(calls):
            deleted.append(put(store, *new, delete=gone))
            assert store.version == version + bool(new or deleted[-1])
            version = store.version
            if place in compacted:
                store.compact()
    assert (live(store), deleted) == expected_of(calls)
    store.close()
    store = ItemStore(folder, "encoder", DIMENSION, False)
    assert live(store) == expected_of(calls)[0]
    store.close()


@given(st.lists(calls, min_size=1, max_size=12))
@settings(deadline=None, max_examples=25)
def test_a_group_equals_single_calls(tmp_path_factory, calls):
    folder = tmp_path_factory.mktemp("group")
    store = ItemStore(folder, "encoder", DIMENSION, True)
    writes = []
    store.writer._group = type("Recorder", (), {"submit": lambda self, call: writes.append(call)})()
    for new, gone in calls:
        store.writer.dead = store.writer.rows = 0
        put(store, *new, delete=gone)
    assert (store.writer._commit(writes), live(store)) == expected_of(calls)[::-1]
    store.close()


def test_threads_share_commits(opened, monkeypatch):
    commits = []
    group = opened.writer._group
    commit = group._commit

    def counted(calls):
        while not (commits or group._waiting):  # the first waits for company
            time.sleep(0.001)
        commits.append(len(calls))
        return commit(calls)

    monkeypatch.setattr(group, "_commit", counted)

    def write(thread):
        for number in range(20):
            put(opened, Item(f"{thread}-{number}", f"t{number}"))
            assert opened.rows_of([f"{thread}-{number}"])[1]

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(live(opened)) == sum(commits) == 160
    assert opened.version == 160
    assert max(commits) > 1


def test_bad_call_fails_alone(opened):
    with pytest.raises(CatalogError, match="expected an id"):
        put(opened, Item("good", "x"), Item("", "y"))
    with pytest.raises(IndexError_, match=r"expected vectors of shape \(1, 4\), got \(1, 5\)"):
        opened.apply([Item("good", "x")], np.zeros((1, 5), np.float32))
    assert live(opened) == []
    assert put(opened, Item("good", "x"), delete=["", "good"]) == 0
    assert opened.version == 1


def test_readers_are_refused_writes(opened):
    reader = ItemStore(opened.folder, "encoder", DIMENSION, False)
    with pytest.raises(IndexError_, match="opened for reading"):
        put(reader, Item("a", "x"))
    reader.close()


def test_changes_follow_a_compaction(opened, monkeypatch):
    monkeypatch.setattr(compaction, "STEP", 2)
    put(opened, *(Item(id, id) for id in "abcde"))
    before = opened.changes(State()).state
    put(opened, Item("c", "new"), delete=["a"])
    opened.compact()
    put(opened, Item("f", "f"), delete=["b"])
    changes = opened.changes(before)
    assert changes.kept.tolist() == [1, 3, 4]  # b d e
    assert (changes.first, changes.died.tolist()) == (3, [0])
    assert changes.alive.tolist() == [True, True]
    assert opened.ids_at(changes.state.generation, range(3, 5)) == ["c", "f"]
    assert opened.changes(changes.state).alive.size == 0
    with pytest.raises(StaleError):
        opened.items_at(before.generation, [0])


def test_older_states_learn_everything(opened):
    put(opened, Item("a", "a"), Item("b", "b"))
    before = opened.changes(State()).state
    for title in ("x", "y"):
        put(opened, Item("a", title))
        opened.compact()
    changes = opened.changes(before)
    assert (changes.kept, changes.first, changes.alive.tolist()) == (None, 0, [True, True])
    (opened.folder / "kept-2.npy").unlink()
    assert opened.changes(State(1, 3, 2)).kept is None


def test_writes_go_on_during_a_compaction(opened, monkeypatch):
    monkeypatch.setattr(compaction, "STEP", 1)
    put(opened, *(Item(str(n), f"t{n}") for n in range(6)), delete=[])
    put(opened, delete=["1"])
    between = compaction.Compaction._step
    turns = []

    def step(self):
        turns.append(len(turns))
        if len(turns) == 3:
            put(opened, Item("0", "new"), Item("9", "nine"), delete=["5"])
        if len(turns) == 5:
            put(opened, Item("2", "two"), delete=["9", "0"])
        return between(self)

    monkeypatch.setattr(compaction.Compaction, "_step", step)
    opened.compact()
    assert [(item.id, item.title) for item in live(opened)] == [
        ("2", "two"), ("3", "t3"), ("4", "t4"),
    ]  # fmt: skip
    assert sorted(path.name for path in opened.folder.glob("*-*")) == [
        "items.db-shm", "items.db-wal", "kept-1.npy", "vectors-1.f32",
    ]  # fmt: skip


def test_many_dead_rows_start_a_compaction(opened, monkeypatch):
    monkeypatch.setattr("retrieval.store.COMPACT_MINIMUM", 3)
    put(opened, *(Item(str(n), "t") for n in range(9)))
    put(opened, delete=["1", "2", "3"])
    opened.settle()
    assert opened.changes(State()).state == State(1, 2, 6)
    assert len(live(opened)) == 6


def test_closing_gives_a_compaction_up(tmp_path, monkeypatch):
    monkeypatch.setattr(compaction, "STEP", 1)
    monkeypatch.setattr("retrieval.store.COMPACT_MINIMUM", 3)
    store = ItemStore(tmp_path, "encoder", DIMENSION, True)
    put(store, *(Item(str(n), "t") for n in range(9)))
    begun = threading.Event()
    between = compaction.Compaction._step
    monkeypatch.setattr(
        compaction.Compaction,
        "_step",
        lambda self: (begun.set(), store._stop.wait(), between(self))[-1],
    )
    put(store, delete=["1", "2", "3"])
    assert begun.wait(10)
    store.close()
    store = ItemStore(tmp_path, "encoder", DIMENSION, False)
    assert (store.changes(State()).state.generation, len(live(store))) == (0, 6)
    assert not list(tmp_path.glob("vectors-1.f32"))
    store.close()


def crashed(store, folder):
    """A copy of an open store's files: what a killed process leaves."""
    shutil.copytree(store.folder, folder)
    return folder


WRITERS = """
    import sys, threading
    from pathlib import Path
    import numpy as np
    from retrieval.catalog import Item
    from retrieval.store import ItemStore
    store = ItemStore(Path(sys.argv[1]), "encoder", 4, True)
    def write(thread):
        for number in range(100_000):
            vector = np.array([[thread, number, 1, 0]], np.float32)
            store.apply([Item(f"{thread}-{number}", "t")], vector, [f"{thread}-{number - 2}"])
            sys.stdout.write(f"{thread} {number}\\n")
            sys.stdout.flush()
    for thread in range(8):
        threading.Thread(target=write, args=(thread,), daemon=True).start()
    threading.Event().wait()
"""


def test_acknowledged_by_threads_survives_kill(tmp_path):
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITERS), str(tmp_path)],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    lines = [writer.stdout.readline() for _ in range(120)]
    writer.kill()
    lines += writer.stdout.read().split("\n")
    writer.wait()
    writer.stdout.close()
    last = {}
    for thread, number in (line.split() for line in lines if len(line.split()) == 2):
        last[thread] = int(number)
    store = ItemStore(tmp_path, "encoder", DIMENSION, True)
    state = store.changes(State()).state
    for thread, number in last.items():
        rows = store.rows_of([f"{thread}-{number - 1}", f"{thread}-{number}"])[1]
        assert f"{thread}-{number}" in rows or f"{thread}-{number + 2}" in rows
        assert store.rows_of([f"{thread}-{number - 2}"])[1] == {}
        for id, row in rows.items():
            expected = [int(thread), int(id.split("-")[1]), 1, 0]
            assert store.vectors(state)[row].tolist() == expected
    store.close()


def test_cut_off_compaction_is_swept(opened, tmp_path_factory, monkeypatch):
    monkeypatch.setattr(compaction, "STEP", 1)
    put(opened, Item("a", "a"), Item("b", "b"), Item("c", "c"), delete=[])
    copies = []
    between = compaction.Compaction._step

    def step(self):
        done = between(self)
        copies.append(crashed(opened, tmp_path_factory.mktemp("c") / "x"))
        return done

    monkeypatch.setattr(compaction.Compaction, "_step", step)
    opened.compact()
    monkeypatch.undo()
    for folder in copies:
        store = ItemStore(folder, "encoder", DIMENSION, True)
        store.sweep()
        assert [item.id for item in live(store)] == ["a", "b", "c"]
        generation = store.changes(State()).state.generation
        assert [path.name for path in folder.glob("vectors-*")] == [f"vectors-{generation}.f32"]
        store.compact()
        store.close()


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_power_cut_loses_no_vector(opened, tmp_path_factory, lost):
    put(opened, Item("a", "a"))
    for title in ("b", "c", "d"):
        put(opened, Item(title, title))
    folder = crashed(opened, tmp_path_factory.mktemp("cut") / "x")
    with (folder / "vectors-0.f32").open("r+b") as file:
        file.truncate((4 - lost) * DIMENSION * 4)
    with pytest.raises(IndexError_, match="after a power cut"):
        ItemStore(folder, "encoder", DIMENSION, False)
    ItemStore(folder, "encoder", DIMENSION, True).close()
    reader = ItemStore(folder, "encoder", DIMENSION, False)
    assert [item.id for item in live(reader)] == ["a", "b", "c", "d"]
    reader.close()


@pytest.mark.parametrize("size", [0, 8])
def test_damaged_vectors_are_not_made_up(opened, tmp_path_factory, size):
    put(opened, Item("a", "a"))
    put(opened, Item("b", "b"))
    folder = crashed(opened, tmp_path_factory.mktemp("cut") / "x")
    with (folder / "vectors-0.f32").open("r+b") as file:
        file.truncate(size)
    store = ItemStore(folder, "encoder", DIMENSION, True)
    with pytest.raises(IndexError_, match="the file was cut"):
        live(store)
    store.close()


def test_failed_compaction_rests(opened, monkeypatch, caplog):
    monkeypatch.setattr("retrieval.store.COMPACT_MINIMUM", 1)
    tries = []

    def full(path):
        tries.append(path)
        raise OSError("no space")

    monkeypatch.setattr(compaction, "sync_folder", full)
    put(opened, Item("a", "a"), Item("b", "b"))
    for id in ("a", "b"):
        put(opened, delete=[id])
        opened.settle()
    assert (len(tries), live(opened)) == (1, [])
    assert "no space" in caplog.text
