"""Engine "qdrant-edge": the contract, with graphs from the first item on, and what is its own."""

import importlib.util
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("qdrant_edge", reason="needs attune[edge]")

from retrieval.engines import Place, edge_shard, open_index
from retrieval.engines.edge import EdgeIndex
from retrieval.errors import IndexError_
from retrieval.exact import ExactIndex
from retrieval.filters import Compare, matches
from tests.retrieval.index_contract import *  # noqa: F403
from tests.retrieval.index_contract import found
from tests.retrieval.recall_contract import DIMENSION, SELECTIONS, crowd, queries_near

ROOT = Path(__file__).parents[3]
ITEMS, VECTORS = crowd(1000)
QUERY = queries_near(VECTORS, 1)[0]
KIN = Compare("kind", "eq", "kind 3")


@pytest.fixture
def make_index():
    def make(folder, encoder_name="hashing-16", dimension=16, write=True):
        return EdgeIndex(folder, encoder_name, dimension, write=write)

    return make


def hasten(monkeypatch):
    monkeypatch.setattr("retrieval.engines.edge.EXACT_ROWS", 20)
    monkeypatch.setattr("retrieval.engines.edge.PART_ROWS", 10)
    monkeypatch.setattr("retrieval.engines.edge_shards.TAIL_ROWS", 100)
    monkeypatch.setattr("retrieval.engines.edge_shard.WORTH", 0.0)


@pytest.fixture
def eager(monkeypatch):
    hasten(monkeypatch)


@pytest.fixture
def eager_ann(eager):
    def settle(index):
        index.save()
        assert serving(index).covered == index._now().state.rows

    return settle


def open_crowd(folder, write=True):
    return EdgeIndex(folder, "random-32", DIMENSION, write=write)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as monkeypatch:
        hasten(monkeypatch)
        index = open_crowd(folder)
        index.upsert(ITEMS, VECTORS)
        index.save()
        index.close()
    return folder


@pytest.fixture
def filled(built, tmp_path, eager):
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    index = open_crowd(tmp_path)
    yield index
    index.close()


@pytest.fixture
def asked(monkeypatch):
    """What graphs are asked for: how many neighbours, and whether under a filter."""
    calls = []
    nearest = edge_shard.nearest

    def spy(handle, query, limit, breadth, filter=None):
        calls.append((limit, filter is not None))
        return nearest(handle, query, limit, breadth, filter)

    monkeypatch.setattr(edge_shard, "nearest", spy)
    return calls


def serving(index):
    return index._shards.at(index._now().state.generation)


def spans(index):
    return [(span.first, span.end) for _, span in serving(index).shards]


def graphs(folder):
    return sorted(path.name for path in folder.glob("edge-*"))


def right(items, vectors, query, filter=None, k=10):
    scores = vectors @ query
    rows = [row for row, item in enumerate(items) if matches(filter, item)]
    return [items[row].id for row in sorted(rows, key=lambda row: -scores[row])[:k]]


def test_engine_is_opened_by_name(tmp_path):
    index = open_index("qdrant-edge", Place(tmp_path, "random-32", DIMENSION))
    assert isinstance(index, EdgeIndex)
    index.close()


def test_missing_library_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(IndexError_, match=r"pip install 'attune\[edge\]'"):
        open_crowd(tmp_path)


def test_answers_are_those_of_the_exact_engine(filled, tmp_path, asked):
    filled.close()
    exact = ExactIndex(tmp_path, "random-32", DIMENSION, write=False)
    index = open_crowd(tmp_path, write=False)
    for filter in SELECTIONS.values():
        for text in (None, "kind 3"):
            expected = exact.search(QUERY, text, filter, k=20)
            hits = index.search(QUERY, text, filter, k=20)
            assert found(hits) == found(expected)
            for mine, theirs in zip(hits, expected, strict=True):
                assert mine.score == pytest.approx(theirs.score)
                assert mine.dense == pytest.approx(theirs.dense, abs=1e-6)
                assert mine.lexical == theirs.lexical
    assert asked
    index.close()
    exact.close()


def test_few_matches_are_compared_one_by_one(filled, asked):
    assert found(filled.search(QUERY, filter=SELECTIONS["1 % at random"]))
    assert found(filled.search(text="kind 3"))
    assert asked == []
    assert found(filled.search(QUERY))
    assert asked == [(100, False)]


def test_graph_is_searched_under_labels(filled, asked, monkeypatch):
    monkeypatch.setattr(edge_shard, "MASKED_MOST", 100)
    assert found(filled.search(QUERY, filter=KIN)) == right(ITEMS, VECTORS, QUERY, KIN)
    assert asked == [(100, True)]


def test_what_labels_cannot_tell_is_compared(filled, asked, monkeypatch):
    monkeypatch.setattr(edge_shard, "MASKED_MOST", 30)
    monkeypatch.setattr(edge_shard, "MOST", 100)
    words = Compare("text", "contains", "kind 3")
    assert found(filled.search(QUERY, filter=words)) == right(ITEMS, VECTORS, QUERY, words)
    assert asked == []


def test_graphs_survive_reopening(filled, tmp_path, asked):
    before = filled.search(QUERY, k=20)
    filled.close()
    index = open_crowd(tmp_path)
    assert spans(index) == [(0, 1000)]
    assert index.search(QUERY, k=20) == before
    assert asked
    index.close()


def test_new_rows_are_found_before_a_graph_is(filled):
    items, vectors = crowd(90, seed=5)
    filled.upsert(items, vectors)
    filled.save()
    assert spans(filled) == [(0, 1000)]
    assert found(filled.search(vectors[7], k=1)) == [items[7].id]


def test_graph_is_built_beside_searches(filled):
    items, vectors = crowd(150, seed=5)
    filled.upsert(items, vectors)
    assert found(filled.search(vectors[7], k=1)) == [items[7].id]
    filled.settle()
    assert spans(filled) == [(0, 1000), (1000, 1150)]
    assert found(filled.search(vectors[7], k=1)) == [items[7].id]
    assert found(filled.search(VECTORS[7], k=1)) == [ITEMS[7].id]


def test_small_graphs_are_joined(filled, tmp_path):
    expected = [[(0, 1000), (1000, 1150)], [(0, 1000), (1000, 1300)], [(0, 1600)]]
    for count, then in zip((150, 150, 300), expected, strict=True):
        filled.upsert(*crowd(count, seed=filled.count()))
        filled.save()
        assert spans(filled) == then
        assert len(graphs(tmp_path)) == len(then)


def test_compaction_keeps_the_graphs(filled, tmp_path, asked):
    filled.delete([item.id for item in ITEMS[::4]])
    filled.compact()
    kept = [row for row in range(1000) if row % 4]
    items, vectors = [ITEMS[row] for row in kept], VECTORS[kept]
    assert spans(filled) == [(0, 750)]
    for filter in (None, KIN):
        assert found(filled.search(QUERY, filter=filter)) == right(items, vectors, QUERY, filter)
    filled.close()
    index = open_crowd(tmp_path)
    assert spans(index) == [(0, 750)]
    index.delete([item.id for item in items[::5]])
    index.compact()
    assert spans(index) == [(0, 600)]
    left = [row for row in range(750) if row % 5]
    items, vectors = [items[row] for row in left], vectors[left]
    assert found(index.search(QUERY, filter=KIN)) == right(items, vectors, QUERY, KIN)
    assert asked
    index.close()


def test_worn_graph_is_built_anew(filled):
    filled.delete([item.id for item in ITEMS[:500]])
    filled.compact()
    assert spans(filled) == [(0, 500)]
    filled.save()
    ((shard, _),) = serving(filled).shards
    assert shard.card.points == 500


@pytest.mark.parametrize(
    "damage",
    [
        lambda graph: (graph / "card.json").write_text("{"),
        lambda graph: (graph / "card.json").write_text('{"format": 99}'),
        lambda graph: os.truncate(next(graph.rglob("tq_vectors.dat")), 1000),
        lambda graph: next(graph.rglob("graph.bin")).unlink(),
        lambda graph: next(graph.rglob("segment.json")).write_text("?"),
        lambda graph: (graph.parent / "edge.json").write_text("[]"),
        lambda graph: shutil.rmtree(graph),
    ],
    ids=["card", "newer", "cut", "missing", "segment", "manifest", "all"],
)
def test_damaged_graph_is_done_without(filled, tmp_path, damage, caplog, asked):
    expected = found(filled.search(QUERY))
    filled.close()
    asked.clear()
    damage(next(tmp_path.glob("edge-0-*")))
    reader = open_crowd(tmp_path, write=False)
    assert "built anew" in caplog.text
    assert found(reader.search(QUERY)) == expected
    assert asked == []
    reader.close()
    index = open_crowd(tmp_path)
    index.save()
    assert spans(index) == [(0, 1000)]
    assert found(index.search(QUERY)) == expected
    assert asked
    index.close()


def test_failed_build_is_harmless(filled, monkeypatch, caplog, tmp_path):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    items, vectors = crowd(150, seed=5)
    filled.upsert(items, vectors)
    assert found(filled.search(vectors[7], k=1)) == [items[7].id]
    filled.settle()
    assert "searches stay slower" in caplog.text
    assert found(filled.search(vectors[7], k=1)) == [items[7].id]
    with pytest.raises(IndexError_, match="ended with 1"):
        filled.save()
    assert len(graphs(tmp_path)) == 1


def test_closing_gives_up_a_build(filled, monkeypatch, tmp_path, caplog):
    sleeper = tmp_path / "sleeper"
    sleeper.write_text("#!/bin/sh\nexec sleep 600\n")
    sleeper.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(sleeper))
    items, vectors = crowd(150, seed=5)
    filled.upsert(items, vectors)
    filled.search(QUERY)
    filled.close()
    assert caplog.text == ""
    assert len(graphs(tmp_path)) == 1


def test_remains_of_a_build_are_swept(filled, tmp_path):
    filled.close()
    (tmp_path / "edge-0-0-9.tmp").mkdir()
    (tmp_path / "edge-0-0-9-abc").mkdir()
    open_crowd(tmp_path, write=False).close()
    assert len(graphs(tmp_path)) == 3
    open_crowd(tmp_path).close()
    assert len(graphs(tmp_path)) == 1


def test_reader_takes_up_new_graphs(filled, tmp_path, asked):
    reader = open_crowd(tmp_path, write=False)
    items, vectors = crowd(150, seed=5)
    filled.upsert(items, vectors)
    assert found(reader.search(vectors[7], k=1)) == [items[7].id]
    filled.save()
    reader.search(QUERY)
    reader.settle()
    assert spans(reader) == [(0, 1000), (1000, 1150)]
    assert found(reader.search(vectors[7], k=1)) == [items[7].id]
    filled.delete([item.id for item in ITEMS[::4]])
    filled.compact()
    kept = [row for row in range(1000) if row % 4]
    expected = right(
        [*(ITEMS[row] for row in kept), *items], np.concatenate([VECTORS[kept], vectors]), QUERY
    )
    asked.clear()
    assert found(reader.search(QUERY)) == expected
    assert asked
    reader.settle()
    assert found(reader.search(QUERY)) == expected
    reader.close()


WRITER = """
    import sys
    from pathlib import Path
    import numpy as np
    from retrieval.engines import edge, edge_shard, edge_shards
    from tests.retrieval.recall_contract import DIMENSION, crowd
    edge.EXACT_ROWS, edge.PART_ROWS, edge_shards.TAIL_ROWS, edge_shard.WORTH = 20, 10, 100, 0.0
    index = edge.EdgeIndex(Path(sys.argv[1]), "random-32", DIMENSION)
    for turn in range(10_000):
        items, vectors = crowd(60, seed=turn)
        index.upsert(items, vectors)
        assert index.search(vectors[0], k=1)[0].item.id == items[0].id
        print(turn, flush=True)
"""


@pytest.mark.parametrize("turns", [3, 12])
def test_acknowledged_items_survive_a_kill(tmp_path, eager, turns):
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(tmp_path)],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    for _ in range(turns):
        assert writer.stdout.readline().strip()
    reader = open_crowd(tmp_path, write=False)
    for seed in range(turns):
        items, vectors = crowd(60, seed=seed)
        assert found(reader.search(vectors[9], k=1)) == [items[9].id]
    os.kill(writer.pid, signal.SIGKILL)
    writer.stdout.read()
    writer.wait()
    writer.stdout.close()
    for index in (reader, open_crowd(tmp_path)):
        for seed in range(turns):
            items, vectors = crowd(60, seed=seed)
            assert found(index.search(vectors[9], k=1)) == [items[9].id]
        index.close()
    assert not list(tmp_path.glob("*.tmp"))
    manifest = tmp_path / "edge.json"
    named = json.loads(manifest.read_text())["shards"] if manifest.exists() else []
    assert graphs(tmp_path) == sorted(entry["name"] for entry in named)


def resident_kb(path):
    maps = Path("/proc/self/smaps").read_text().split("Rss:")
    sizes = [after for before, after in itertools.pairwise(maps) if str(path) in before]
    return sum(int(size.split()[0]) for size in sizes)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_of_vectors_is_given_back(tmp_path, monkeypatch):
    index = open_crowd(tmp_path)
    index.upsert(ITEMS, VECTORS)
    file = tmp_path / "vectors-0.f32"
    before = [one.dense for one in index.search(QUERY, k=20)]
    assert resident_kb(file) > 0
    monkeypatch.setattr("retrieval.engines.edge.RESIDENT_BYTES", -(2**40))
    index.search(text="nothing like it")
    assert resident_kb(file) == 0
    assert [one.dense for one in index.search(QUERY, k=20)] == before
    index.close()
