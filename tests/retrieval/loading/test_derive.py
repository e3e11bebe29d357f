"""Facets read out of texts: colours, brands, categories, and where the evidence is too weak."""

import random

import pytest

from retrieval.loading import load
from retrieval.loading.brands import learn_brands
from retrieval.loading.categories import learn_categories
from retrieval.loading.colours import colours_in, is_colour
from retrieval.loading.derive import Deriver, head_of
from retrieval.loading.mapping import Derived

BRANDS = [
    "Nordwind",
    "Peter Elm",
    "Red Tape",
    "Union of Looms",
    "s.Oliver",
    "John Mills",
    "John Poles",
]
COLOURS = ["Black", "Red", "Navy Blue", "White", "Green"]
TYPES = ["Shirts", "Jeans", "Casual Shoes"]


def clothes(count=600):
    pick = random.Random(5)
    rows = []
    for n in range(count):
        brand, colour, kind = pick.choice(BRANDS), pick.choice(COLOURS), pick.choice(TYPES)
        who = pick.choice(["Men", "Women", "Boys"])
        style = pick.choice(["Check ", "Party ", "Slim ", ""])
        title = f"{brand} {who} {style}{colour} {kind.rstrip('s')}"
        rows.append({"id": n, "gender": who, "type": kind, "colour": colour, "name": title})
    return rows


@pytest.mark.parametrize(
    ("text", "colours"),
    [
        ("bar table in outdoor black", ("black",)),
        ("sofa light beige / dark-blue legs", ("light beige", "beige", "dark blue", "blue")),
        ("grey-green, gray", ("grey", "green")),
        ("Orange juice with cream", ()),
        ("blackboard", ()),
        ("Navy Blue", ("navy", "blue")),
    ],
)
def test_colours_of_a_text(text, colours):
    assert colours_in(text) == colours


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Navy Blue", True), ("Dark", False), ("Rose Gold", True), ("Blue jeans", False), ("", False)],
)
def test_is_colour_takes_colours_only(text, expected):
    assert is_colour(text) is expected


def test_brands_end_before_known_words():
    rows = clothes()
    found = learn_brands([row["name"] for row in rows], {"Men", "Women", "Boys", *COLOURS, *TYPES})
    assert sorted(found) == sorted(BRANDS)


@pytest.mark.parametrize(
    "titles",
    [
        [f"The {w} of {n}" for w in ("House", "Art", "End") for n in range(40)],
        [f"{w}" for w in ("BESTA", "PAX", "IVAR") for _ in range(40)],
        [f"Learn {w} in {n} days" for w in ("Excel", "Piano") for n in range(40)],
        [],
    ],
    ids=["books", "one word", "courses", "none"],
)
def test_weak_evidence_gives_no_brands(titles):
    assert learn_brands(titles, {"Web Development", "Red"}) == ()


def gadgets():
    pick = random.Random(7)
    kinds = ["toner cartridge", "notebook case", "patch cable", "audio cable", "notebook"]
    rows = []
    for n in range(800):
        brand, kind = pick.choice(["Acme", "Bolt", "Corex"]), pick.choice(kinds)
        code = f"{pick.choice('XYZ')}{n}"
        shown = kind.title() if n % 5 == 0 else kind
        rows.append((f"{brand} {code} {shown} {pick.choice(COLOURS)} {n % 9} pc(s)", brand, kind))
    return rows


def test_categories_are_found_across_brands():
    titles, brands, kinds = zip(*gadgets(), strict=True)
    found = learn_categories(titles, brands)
    assert set(kinds) <= set(found) <= {*kinds, "cable", "case", "cartridge"}
    finder = Deriver(Derived("category", "category", "phrase", ("title",), found))
    assert all(kind in finder.find(title) for title, kind in zip(titles, kinds, strict=True))
    assert "notebook" not in finder.find("Acme X1 notebook case Black")
    assert finder.find("Bolt 3m Patch Cables for Notebooks") == ("patch cable", "cable")


def test_weak_evidence_gives_no_categories():
    titles = [f"Some Fine Novel {n}" for n in range(200)]
    assert learn_categories(titles, ["A", "B"] * 100) == ()


@pytest.mark.parametrize(
    ("title", "head"),
    [
        ("Cable for camera", "Cable"),
        ("Lamp (LED), black", "Lamp "),
        ("Case - fits 15 in", "Case"),
        ("for you", "for you"),
    ],
)
def test_head_of_titles(title, head):
    assert head_of(title) == head


def test_derived_facets_reach_items_and_facets(tmp_path):
    path = tmp_path / "clothes.csv"
    rows = clothes()
    lines = [
        "id,gender,type,name",
        *(f"{r['id']},{r['gender']},{r['type']},{r['name']}" for r in rows),
    ]
    path.write_text("\n".join(lines))
    loaded = load([path], strict=True)
    found = {facet.name: facet for facet in loaded.facets}
    assert found["brand"].role == "brand"
    assert found["brand"].derived_from == found["colour"].derived_from == "name"
    assert {value for value, _ in found["brand"].values} >= {"Nordwind", "Peter Elm"}
    assert loaded.items[0].fields["colour"]


def test_colour_words_in_few_titles_are_no_facet(tmp_path):
    path = tmp_path / "books.csv"
    titles = ["Black Beauty", *(f"Novel number {n}" for n in range(30))]
    path.write_text("id,title\n" + "".join(f"{n},{t}\n" for n, t in enumerate(titles)))
    assert load([path]).facets == ()


def test_ignored_facets_are_not_derived(tmp_path):
    path, file = tmp_path / "c.csv", tmp_path / "m.toml"
    path.write_text("id,title\n" + "".join(f"{n},Red thing {n}\n" for n in range(30)))
    assert [facet.name for facet in load([path]).facets] == ["colour"]
    file.write_text('[columns]\nignore = ["colour"]')
    assert load([path], mapping=file).facets == ()
