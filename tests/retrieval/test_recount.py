"""When facets are counted again: always where it is little work, else at intervals."""

import pytest

from retrieval import recount
from retrieval.catalog import Facet, Item
from retrieval.encoder import HashingEncoder
from retrieval.exact import ExactIndex
from retrieval.recount import Pace

COLOUR = Facet("colour", "categorical", "colour")


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def index(tmp_path):
    encoder = HashingEncoder(8)
    index = ExactIndex(tmp_path, encoder.name, 8)
    items = [Item(str(n), "thing", fields={"colour": "red"}) for n in range(4)]
    index.upsert(items, encoder.encode_items(["thing"] * 4))
    yield index
    index.close()


def test_small_catalogs_are_always_counted(index):
    pace = Pace(Clock())
    for _ in range(3):
        assert pace.is_due()
        assert pace.count([COLOUR], index)[0].values == (("red", 4),)


@pytest.mark.parametrize(("took", "rest"), [(0.001, 1.0), (0.1, 2.0), (3.0, 5.0)])
def test_large_catalogs_rest_in_between(index, monkeypatch, took, rest):
    clock = Clock()
    monkeypatch.setattr(recount, "LITTLE_WORK", 3)
    counted = recount.recount

    def slow(facets, index):
        clock.now += took
        return counted(facets, index)

    monkeypatch.setattr(recount, "recount", slow)
    pace = Pace(clock)
    assert pace.is_due()
    pace.count([COLOUR], index)
    clock.now += rest - 0.01
    assert not pace.is_due()
    clock.now += 0.02
    assert pace.is_due()


def test_values_nobody_has_are_left_out(index):
    gone = Facet("size", "list", "size", values=(("XL", 3),))
    assert [facet.name for facet in recount.recount([gone, COLOUR], index)] == ["colour"]
