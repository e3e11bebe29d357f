"""Queries made from a catalog: what they are made of, and what they should find."""

import pytest

from retrieval.catalog import Facet, Item
from retrieval.encoder import HashingEncoder
from retrieval.exact import ExactIndex
from retrieval.probes import make_probes

FACETS = (
    Facet("colour", "categorical", "colour"),
    Facet("tags", "list", "tags"),
    Facet("price", "numeric", "price"),
)
TOLD = "A light shoe for long runs on any road, made of wool and kept dry by wax in all weather."


@pytest.fixture
def index(tmp_path):
    items = [
        Item(str(n), f"Northern trail runner {n} extra", f"{TOLD} Model {n}.",
             {"colour": ["Blue", "Red"][n % 2], "tags": (f"tag{n % 25}",), "price": 9.0})
        for n in range(100)
    ]  # fmt: skip
    encoder = HashingEncoder(16)
    found = ExactIndex(tmp_path, encoder.name, 16)
    found.upsert(items, encoder.encode_items([item.title for item in items]))
    yield found
    found.close()


def test_every_kind_is_made(index):
    probes = make_probes(index, FACETS, 5, seed=1)
    kinds = [probe.kind for probe in probes]
    assert kinds == sorted(kinds, key=["title", "misspelt", "description", "values"].index)
    assert set(kinds) == {"title", "misspelt", "description", "values"}
    assert len({probe.text for probe in probes}) == len(probes)


def test_same_seed_makes_the_same(index):
    assert make_probes(index, FACETS, 5, 1) == make_probes(index, FACETS, 5, 1)
    assert make_probes(index, FACETS, 5, 1) != make_probes(index, FACETS, 5, 2)


def test_title_words_keep_their_order(index):
    for probe in make_probes(index, FACETS, 20, 1):
        if probe.kind == "title":
            (id,) = probe.relevant
            own = iter(f"Northern trail runner {id} extra".split())
            assert all(word in own for word in probe.text.split())
            assert 2 <= len(probe.text.split()) <= 4


def test_misspelt_word_is_in_no_title(index):
    known = {"Northern", "trail", "runner", "extra", *map(str, range(100))}
    for probe in make_probes(index, FACETS, 20, 1):
        if probe.kind == "misspelt":
            assert len([word for word in probe.text.split() if word not in known]) <= 1


def test_passages_stand_in_the_description(index):
    for probe in make_probes(index, FACETS, 20, 1):
        if probe.kind == "description":
            (id,) = probe.relevant
            assert probe.text in f"{TOLD} Model {id}."


def test_values_find_all_that_have_both(index):
    found = [probe for probe in make_probes(index, FACETS, 20, 1) if probe.kind == "values"]
    assert found
    for probe in found:
        assert len(probe.relevant) in (2, 4)
        for item in index.get(sorted(probe.relevant)):
            own = {item.fields["colour"], *item.fields["tags"]}
            assert own == set(probe.text.split())


@pytest.mark.parametrize(
    "item",
    [Item("1", ""), Item("1", "Blue"), Item("1", "The of a", "too short"), Item("1", "?!", "?")],
    ids=["empty", "one word", "stop words", "no words"],
)
def test_items_without_words_make_none(tmp_path, item):
    encoder = HashingEncoder(16)
    found = ExactIndex(tmp_path, encoder.name, 16)
    found.upsert([item], encoder.encode_items([item.title]))
    assert make_probes(found, FACETS, 5, 1) == []
    found.close()
