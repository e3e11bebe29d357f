"""Titles: items named in full in the catalog, or by a telling part on the slate."""

import pytest

from agent.linking.text import tokenize
from agent.linking.titles import TitleLinker
from agent.state import State
from retrieval.catalog import Item
from tests.agent.shop import SHOWN

SLATE = State(slate=SHOWN, shown=SHOWN)


class Shelf:
    """Titled items that may change."""

    def __init__(self, *titles):
        self.version = 1
        self.list = [Item(str(n), title) for n, title in enumerate(titles, start=1)]

    def items(self):
        return iter(self.list)


def named(shelf, text, slate=(), values=()):
    """Return (span, items) of the titles in a text."""
    linker = shelf if isinstance(shelf, TitleLinker) else TitleLinker(shelf)
    found = linker.find(tokenize(text), slate, lambda norms: " ".join(norms) in values)
    return [(text[m.start : m.end], m.items) for m, _, _ in found]


BOOKS = Shelf("The Silver Mountain", "Dune", "Lays of the Elder Shore (Annotated)",
              "Solar: A Novel", "The Firm", "The Firm (Level 5)", "It", "Red")  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("something like The Silver Mountain", [("The Silver Mountain", ("1",))]),
        ("books like the silver mountain", [("the silver mountain", ("1",))]),
        ("have you read Lays of the Elder Shore?", [("Lays of the Elder Shore", ("3",))]),
        ("similar to lays of the elder shore (annotated)", ("3",)),
        ("a book like Dune", [("Dune", ("2",))]),
        ("more like Solar: A Novel", ("4",)),
        ("i want a red mountain bike", []),
        ("sand dunes", []),
        ("is it good", []),
        ("Red shoes", []),
        ("", []),
    ],
)
def test_titles_are_found(text, expected):
    found = named(BOOKS, text)
    if isinstance(expected, tuple):
        assert [items for _, items in found] == [expected]
    else:
        assert found == expected


def test_shortest_of_same_titles_wins():
    assert named(BOOKS, "something like The Firm") == [("The Firm", ("5",))]


def test_values_are_not_titles():
    assert named(BOOKS, "something like Dune", values=("dune",)) == []


def test_title_of_a_kind_is_no_item():
    shelf = Shelf(*["Plain Cotton Shirt"] * 40)
    assert named(shelf, "something like Plain Cotton Shirt") == []


def test_same_title_on_slate_wins():
    shelf = Shelf("Plain Cotton Shirt", "Plain Cotton Shirt", "Silk Scarf")
    assert named(shelf, "is the Plain Cotton Shirt nice", [shelf.list[1]]) == [
        ("Plain Cotton Shirt", ("2",))
    ]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("is the zephyr waterproof?", ("s1",)),
        ("compare the Nimbus and the Terrex", ("s2", "s3")),
        ("like the ignite loafers but blue", ("c1",)),
        ("why not the terrex peak?", ("s3",)),
        ("tell me about that harbour one", ("c2",)),
    ],
)
def test_slate_items_by_telling_part(mind, text, items):
    found = [m for m in mind.link(text, SLATE) if m.kind in ("item", "reference")]
    assert tuple(id for mention in found for id in mention.items) == items


@pytest.mark.parametrize("text", ["nike road shoes", "running shoes for men", "a trail for summer"])
def test_everyday_words_are_no_items(mind, text):
    assert [m for m in mind.link(text, SLATE) if m.kind == "item"] == []


def test_brand_on_slate_is_no_title(mind):
    kinds = {m.kind for m in mind.link("puma shoes", SLATE)}
    assert "item" not in kinds


def test_part_of_a_named_value_is_no_title():
    slate = [Item("1", "Tripp Lite battery"), Item("2", "Zebra printer")]
    shelf, values = Shelf(), {"tripp lite"}
    assert named(shelf, "but not by Tripp Lite", slate, values) == []
    assert named(shelf, "but not by Tripp Lite", slate) != []
    assert named(shelf, "the Lite", slate, values) == [("the Lite", ("1",))]


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("something like The Night Sentinels", "b3"),
        ("similar to Gods of the Crossroads but cheaper", "b4"),
        ("do you have Practical Python Scripting?", "k1"),
    ],
)
def test_catalog_titles_without_slate(mind, text, item):
    assert [m.items for m in mind.link(text) if m.kind == "item"] == [(item,)]


def test_new_titles_are_read(monkeypatch):
    shelf = Shelf("Dune Messiah Stories")
    linker = TitleLinker(shelf)
    monkeypatch.setattr("agent.linking.titles.REBUILD_S", 0.0)
    assert named(linker, "like Lost Harbour Tales") == []
    shelf.list.append(Item("9", "Lost Harbour Tales"))
    shelf.version += 1
    assert named(linker, "like Lost Harbour Tales") == [("Lost Harbour Tales", ("9",))]


def test_deleted_titles_are_forgotten(monkeypatch):
    shelf = Shelf("Dune Messiah Stories", "Lost Harbour Tales")
    linker = TitleLinker(shelf)
    monkeypatch.setattr("agent.linking.titles.REBUILD_S", 0.0)
    named(linker, "hello")
    shelf.list.pop()
    shelf.version += 1
    assert named(linker, "like Lost Harbour Tales") == []


def test_unchanged_titles_are_read_once():
    shelf = Shelf("Dune Messiah Stories")
    reads = []
    items = shelf.items
    shelf.items = lambda: reads.append(1) or items()
    linker = TitleLinker(shelf)
    for _ in range(3):
        named(linker, "like Dune Messiah Stories")
    assert len(reads) == 1


@pytest.mark.parametrize("title", ["", "   ", "🙂", "!!!", "a" * 5000, "(x)", ": -"])
def test_odd_titles_break_nothing(title):
    assert named(Shelf(title, "Dune Messiah Stories"), "like Dune Messiah Stories") == [
        ("Dune Messiah Stories", ("2",))
    ]
