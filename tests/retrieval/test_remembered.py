import numpy as np

from retrieval import remembered
from retrieval.catalog import Facet, Item, by_role
from retrieval.exact import ExactIndex
from retrieval.filters import Compare
from retrieval.remembered import Remembered


def item(id, **fields):
    return Item(id=id, title=id, fields=fields)


def index_of(folder, *items):
    index = ExactIndex(folder, "none", 1)
    index.upsert(items, np.ones((len(items), 1), np.float32))
    return index


def test_value_is_made_once():
    found, made = Remembered(), []
    for _ in range(3):
        assert found.get("a", lambda: made.append(1) or len(made)) == 1
    assert found.get("b", lambda: None) is None


def test_entries_are_let_go_when_many(monkeypatch):
    monkeypatch.setattr(remembered, "ENTRIES", 3)
    monkeypatch.setattr(remembered, "ROWS", 3)
    found = Remembered()
    for number in range(10):
        assert found.get(number, lambda number=number: number * 2) == number * 2
        found.add_rows({str(number): number})
    assert len(found._values) <= 3
    assert found.rows(["9", "0"]) == {"9": 9}


def test_filters_that_are_equal_to_python_differ(tmp_path):
    index = index_of(tmp_path, item("a", x=True), item("b", x=1.0))
    asked = [index.ids(Compare("x", "eq", value)) for value in (True, 1.0, True, 1)]
    assert asked == [["a"], ["b"], ["a"], ["b"]]
    index.close()


def test_writes_are_seen_after_what_is_remembered(tmp_path):
    index = index_of(tmp_path, item("a", x="old"), item("b", x="old"))
    old = Compare("x", "eq", "old")
    for _ in range(2):
        assert index.count(old) == 2
        assert index.facet("x") == [("old", 2)]
        assert [one.fields["x"] for one in index.get(["a", "b", "c"])] == ["old", "old"]
    index.upsert([item("a", x="new"), item("c", x="new")], np.ones((2, 1), np.float32))
    assert [one.fields["x"] for one in index.get(["a", "b", "c"])] == ["new", "old", "new"]
    assert (index.count(old), index.facet("x")) == (1, [("new", 2), ("old", 1)])
    index.delete(["a"])
    assert index.get(["a"]) == []
    index.close()


def test_writes_of_others_are_seen(tmp_path):
    index = index_of(tmp_path, item("a", x="old"))
    reader = ExactIndex(tmp_path, "none", 1, write=False)
    assert reader.get(["a"])[0].fields["x"] == "old"
    index.upsert([item("a", x="new")], np.ones((1, 1), np.float32))
    assert reader.get(["a"])[0].fields["x"] == "new"
    reader.close()
    index.close()


def test_roles_are_those_of_each_catalog():
    few = Facet("kind", "categorical", "kind", "category", values=(("a", 1),))
    many = Facet("type", "categorical", "type", "category", values=(("a", 1), ("b", 1)))
    for facets in ((few,), (few, many), (), (many,)) * 30:
        own = tuple(list(facets))
        assert by_role(own, "category") == tuple(sorted(own, key=lambda f: -len(f.values)))
        assert by_role(own, "brand") == ()
