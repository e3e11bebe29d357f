"""Encoding anew and switching: whole or not at all, and back again."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from retrieval import project, reencode
from retrieval.build import build
from retrieval.encoder import HashingEncoder, make_encoder, tuned_folder
from retrieval.errors import EncoderMismatch, IndexError_, IndexLocked, RetrievalError
from retrieval.exact import ExactIndex
from retrieval.loading import load
from retrieval.retriever import Retriever
from retrieval.texts import item_text

ROOT = Path(__file__).parents[2]
OLD, NEW = HashingEncoder(64), HashingEncoder(32)
ROWS = 40


class Counting(HashingEncoder):
    """Counts the texts it encodes; called by another name, with vectors of its own."""

    def __init__(self, dimension=64, name="counting"):
        super().__init__(dimension)
        self.name = name
        self.encoded = 0

    def _vector(self, text):
        return super()._vector(text[::-1])

    def encode_items(self, texts, progress=False):
        self.encoded += len(texts)
        return super().encode_items(texts, progress)


@pytest.fixture
def folder(tmp_path):
    lines = [f"{n},{c} {t} {n},{c},{t}" for n in range(ROWS)
             for c, t in [(("blue", "red", "green")[n % 3], ("boot", "shirt")[n % 2])]]  # fmt: skip
    catalog = tmp_path / "catalog.csv"
    catalog.write_text("\n".join(["id,title,colour,type", *lines]))
    out = tmp_path / "project"
    build(load([catalog]), out, encoder=OLD)
    with Retriever.open(out, OLD) as retriever:
        retriever.delete(["3", "4"])
        retriever.upsert([item_named(retriever, "5", "violet gloves")])
    return out


def item_named(retriever, id, title):
    from dataclasses import replace

    return replace(retriever.get(id), title=title)


def check(folder, encoder):
    """The project opens with an encoder, and every vector is that encoder's."""
    with Retriever.open(folder, encoder, write=False) as retriever:
        ids = retriever.index.ids()
        assert len(ids) == ROWS - 2
        texts = [item_text(item, retriever.manifest.leading) for item in retriever.get_many(ids)]
        vectors = encoder.encode_items(texts)
        np.testing.assert_allclose(retriever.index.vectors(ids), vectors, atol=1e-6)
        assert retriever.search("violet gloves", k=1)[0].item.id == "5"
        assert (retriever.manifest.encoder, retriever.manifest.dimension) == (
            encoder.name,
            encoder.dimension,
        )


@pytest.mark.parametrize("new", [NEW, Counting()], ids=["other dimension", "same dimension"])
def test_switch_gives_every_item_a_new_vector(folder, new):
    done = reencode.reencode(folder, new)
    assert (done.before, done.after, done.items) == (OLD.name, new.name, ROWS - 2)
    assert done.encoded == ROWS - 2
    check(folder, new)
    assert json.loads((folder / "manifest.json").read_text())["encoder"] == new.name
    with pytest.raises(EncoderMismatch, match="was built with"):
        Retriever.open(folder, OLD)


def test_way_back_encodes_only_what_changed(folder):
    reencode.reencode(folder, NEW)
    with Retriever.open(folder, NEW) as retriever:
        retriever.upsert([item_named(retriever, "7", "yellow hat")])
    assert reencode.previous_encoder(folder) == OLD.name
    back = Counting(64, OLD.name)
    back._vector = OLD._vector
    assert reencode.reencode(folder, back).encoded == back.encoded == 1
    check(folder, OLD)
    assert reencode.previous_encoder(folder) == NEW.name


def test_only_the_encoder_before_is_kept(folder):
    for encoder in (NEW, Counting(), HashingEncoder(16)):
        reencode.reencode(folder, encoder)
    assert [path.name for path in folder.glob("encoded-*")] == ["encoded-counting"]
    assert len(list(folder.glob("vectors-*.f32"))) == 1


def test_reader_of_the_old_encoder_is_told(folder):
    new = Counting()
    with Retriever.open(folder, OLD, write=False) as reader:
        vector = OLD.encode_queries(["violet gloves"])[0]
        assert reader.search("violet gloves")
        reencode.reencode(folder, new)
        for read in (
            lambda: reader.search("violet gloves"),
            lambda: reader.search("", dense=vector),
            lambda: reader.get("5"),
            lambda: reader.version,
        ):
            with pytest.raises(EncoderMismatch, match="start again"):
                read()
    check(folder, new)


def test_search_under_way_sees_one_encoder_only(folder):
    index = ExactIndex(folder, OLD.name, OLD.dimension, write=False)
    view = index._now()
    before = view.vectors.copy()
    reencode.reencode(folder, Counting())
    np.testing.assert_array_equal(view.vectors, before)
    index.close()


def test_nothing_is_switched_while_another_writes(folder):
    with Retriever.open(folder, OLD), pytest.raises(IndexLocked, match="being written"):
        reencode.reencode(folder, NEW)
    check(folder, OLD)


@pytest.mark.parametrize(
    ("engine", "encoder", "message"),
    [
        ("exact", OLD, "has the encoder 'hashing-64' already"),
        ("qdrant-edge", NEW, "attune migrate-index"),
    ],
)
def test_switch_that_cannot_be_is_refused(folder, engine, encoder, message):
    manifest = project.read_manifest(folder)
    project.write_manifest(
        folder,
        project.Manifest(
            **{name: getattr(manifest, name) for name in manifest.__slots__} | {"engine": engine}
        ),
    )
    with pytest.raises(IndexError_, match=message):
        reencode.reencode(folder, encoder)


def test_no_project_is_refused(tmp_path):
    with pytest.raises(IndexError_, match="no project at"):
        reencode.reencode(tmp_path, NEW)
    assert reencode.previous_encoder(tmp_path) is None


KILLED = """
import os, signal, sys
from pathlib import Path
from retrieval import reencode
from tests.retrieval.test_reencode import Counting

def die(*given, **more):
    os.kill(os.getpid(), signal.SIGKILL)

where, folder = sys.argv[1:]
encoder = Counting()
if where == "encoding":
    real, calls = encoder.encode_items, []
    def encode_items(texts, progress=False):
        calls.append(1)
        return die() if len(calls) > 1 else real(texts)
    encoder.encode_items = encode_items
    import retrieval.encoding
    retrieval.encoding.CHUNK = 10
elif where == "committing":
    meta = reencode.transaction
    def transaction(connection):
        connection.set_trace_callback(lambda line: die() if line == "COMMIT" else None)
        return meta(connection)
    reencode.transaction = transaction
else:
    setattr(reencode, where, die)
reencode.reencode(Path(folder), encoder)
"""


@pytest.mark.parametrize(
    ("where", "switched"),
    [
        ("encoding", False),
        ("_keep_old", False),
        ("_write_vectors", False),
        ("sync_file", False),
        ("switch", False),
        ("committing", False),
        ("_tidy", True),
        ("ExactIndex", True),
    ],
)
def test_kill_leaves_one_encoder_whole(folder, where, switched):
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, where, str(folder)], cwd=ROOT, capture_output=True, text=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    check(folder, Counting() if switched else OLD)
    with Retriever.open(folder, Counting() if switched else OLD) as retriever:
        retriever.upsert([item_named(retriever, "8", "pink scarf")])
        retriever.upsert([item_named(retriever, "8", "blue boot 8")])
    again = NEW if switched else Counting()
    done = reencode.reencode(folder, again)
    assert done.encoded <= ROWS - 2
    if where == "encoding":
        assert done.encoded < ROWS - 5
    check(folder, again)
    assert len(list(folder.glob("vectors-*.f32"))) == 1
    assert os.listdir(folder).count("encoding") == 0


def test_tuned_encoder_is_found_in_its_project(tmp_path):
    name = "tuned:0123456789ab"
    assert tuned_folder("all-MiniLM-L6-v2", None) is None
    with pytest.raises(RetrievalError, match="say in which"):
        make_encoder(name)
    with pytest.raises(RetrievalError, match="--rollback"):
        make_encoder(name, project=tmp_path)
    (tmp_path / "encoder-0123456789ab").mkdir()
    (tmp_path / "encoder-0123456789ab" / "modules.json").write_text("[]")
    assert tuned_folder(name, tmp_path) == tmp_path / "encoder-0123456789ab"
