"""The source of truth beside a remote index: what a crash leaves out is replayed."""

import numpy as np
import pytest

from retrieval.catalog import Item
from retrieval.engines.kept import KeptIndex
from retrieval.errors import IndexError_, IndexLocked
from retrieval.exact import ExactIndex
from retrieval.store import ItemStore
from tests.retrieval.index_contract import *  # noqa: F403
from tests.retrieval.index_contract import ENCODER, SHOP, put, vectors_of


class Remote(ExactIndex):
    """Stands for a server: remembers its mark, and can be out of reach."""

    def __init__(self, folder, encoder_name="hashing-16", dimension=16):
        super().__init__(folder, encoder_name, dimension)
        self.out_of_reach = False

    @property
    def mark(self):
        path = self.folder / "mark"
        return int(path.read_text()) if path.exists() else -1

    def set_mark(self, version):
        (self.folder / "mark").write_text(str(version))

    def apply(self, items, vectors, delete=()):
        if self.out_of_reach:
            raise IndexError_("the server does not answer")
        return super().apply(items, vectors, delete)


@pytest.fixture
def make_index():
    def make(folder, encoder_name="hashing-16", dimension=16, write=True):
        remote = Remote(folder.with_name(f"{folder.name}-server"), encoder_name, dimension)
        try:
            return KeptIndex(folder, remote)
        except BaseException:
            remote.close()
            raise

    return make


def state_of(index):
    return [(item.id, item.title) for item in index.get(index.ids())]


def test_write_that_does_not_arrive_is_replayed(make_index, tmp_path):
    index = make_index(tmp_path / "a")
    put(index, SHOP[:3])
    index._index.out_of_reach = True
    with pytest.raises(IndexError_, match=r"1 items.*safe.*does not answer.*next write"):
        put(index, [Item("late", "Late hat")])
    assert index.get(["late"]) == []
    index._index.out_of_reach = False
    put(index, [SHOP[4]])
    assert index.ids() == ["s1", "s2", "s3", "late", "s5"]
    np.testing.assert_allclose(index.vectors(["late"]), vectors_of(index.get(["late"])), atol=1e-6)
    index.close()


def test_crash_between_the_two_is_made_good_at_open(make_index, tmp_path):
    index = make_index(tmp_path / "a")
    put(index, SHOP)
    index.close()
    store = ItemStore(tmp_path / "a", "hashing-16", 16, True)
    store.apply([Item("new", "New hat"), Item("s2", "Other boots")], ENCODER.encode_items(["", ""]),
                ["s1", "s4"])  # fmt: skip
    store.close()
    index = make_index(tmp_path / "a")
    expected = [("s2", "Other boots"), ("s3", SHOP[2].title), ("s5", SHOP[4].title),
                ("s6", SHOP[5].title), ("new", "New hat")]  # fmt: skip
    assert state_of(index) == expected
    assert index.catch_up() == 0
    index.close()


def test_deletions_survive_a_compaction(make_index, tmp_path):
    index = make_index(tmp_path / "a")
    put(index, SHOP)
    index.close()
    store = ItemStore(tmp_path / "a", "hashing-16", 16, True)
    store.apply([], np.zeros((0, 16), np.float32), ["s1", "s3"])
    store.compact()
    store.close()
    index = make_index(tmp_path / "a")
    assert index.ids() == ["s2", "s4", "s5", "s6"]
    index.close()


def test_empty_server_is_filled_from_the_folder(make_index, tmp_path):
    index = make_index(tmp_path / "a")
    put(index, SHOP)
    before = state_of(index)
    index.close()
    (tmp_path / "a-server").rename(tmp_path / "lost")
    index = make_index(tmp_path / "a")
    assert state_of(index) == before
    index.close()


def test_index_of_another_project_is_refused(make_index, tmp_path):
    index = make_index(tmp_path / "a")
    put(index, SHOP)
    index._index.set_mark(99)
    index.close()
    with pytest.raises(IndexError_, match=r"version 99.*another project"):
        make_index(tmp_path / "a")


def test_second_writer_is_refused(tmp_path):
    index = KeptIndex(tmp_path / "a", Remote(tmp_path / "one"))
    other = Remote(tmp_path / "two")
    with pytest.raises(IndexLocked):
        KeptIndex(tmp_path / "a", other)
    other.close()
    index.close()
