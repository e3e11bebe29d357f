from __future__ import annotations

import random
from dataclasses import replace

import pytest

from agent.likeness import changed_facets, edited_title, kept_facets
from agent.recommend import recommend
from agent.state import Constraint, Likeness, Need, Preference, State
from retrieval.catalog import Facet, Item

RED = Constraint(facet="colour", role="colour", values=("Red",))


def need(*constraints: Constraint, id: str = "1", changed: tuple[str, ...] = ()) -> Need:
    return Need(constraints=constraints, like=Likeness(item_id=id, changed=changed))


def test_kept_facets_lead_with_category(clothes):
    kept = kept_facets(clothes.items["1"], need(RED, changed=("colour",)), clothes.facets)
    assert [one.facet.name for one in kept] == ["type", "gender", "brand", "material"]


def test_rare_attributes_weigh_little(clothes):
    rare = tuple(Facet(f"spec{n}", "categorical", f"spec {n}", coverage=0.02) for n in range(40))
    fields = {**clothes.items["1"].fields, **{facet.name: "x" for facet in rare}}
    anchor = replace(clothes.items["1"], fields=fields)
    kept = kept_facets(anchor, need(RED), (*clothes.facets, *rare))
    weights = {one.facet.name: one.weight for one in kept}
    assert sum(weights[facet.name] for facet in rare) < weights["brand"] < weights["type"]


def test_broken_wish_counts_as_changed(clothes):
    assert changed_facets(clothes.items["1"], need(RED)) == {"colour"}
    assert changed_facets(clothes.items["2"], need(RED, id="2")) == frozenset()


@pytest.mark.parametrize(
    ("title", "colour", "constraints", "expected"),
    [
        ("Turtle men navy blue shirt", "Navy Blue", (RED,), "Turtle men Red shirt"),
        ("Turtle men blue shirt", "Navy Blue", (RED,), "Turtle men Red shirt"),
        ("Turtle men shirt", "Navy Blue", (RED,), "Turtle men shirt Red"),
        ("Blues brothers shirt", "Blue", (RED,), "Red brothers shirt"),
        ("Turtle shirt", "Red", (RED,), "Turtle shirt"),
        ("A+ (blue) shirt", "Blue", (RED,), "A+ (Red) shirt"),
        ("Blue shirt", "Blue", (Constraint(facet="colour", excluded=("Blue",)),), "shirt"),
    ],
)
def test_edited_title_swaps_changed_words(title, colour, constraints, expected):
    anchor = Item("1", title, fields={"colour": colour})
    assert edited_title(anchor, need(*constraints)) == expected


def test_category_change_keeps_audience(clothes):
    shoes = Constraint(facet="type", role="category", values=("Shoes",))
    found = recommend(clothes, State(need=need(shoes, id="1", changed=("type",))))
    assert [item.fields["gender"] for item in found.items[:3]] == ["Men"] * 3


def test_price_stays_close_unless_changed(clothes):
    cheap = replace(clothes.items["2"], id="2b", fields={**clothes.items["2"].fields, "price": 9.0})
    clothes.items = {"2b": cheap, **clothes.items}
    found = recommend(clothes, State(need=need(RED, changed=("colour",))), k=2)
    assert [item.id for item in found.items] == ["2", "2b"]


def test_soft_wish_outweighs_small_keeps(clothes):
    wanted = need(id="10").model_copy(update={"preferences": (Preference(text="waterproof"),)})
    assert recommend(clothes, State(need=wanted)).items[0].id in ("9", "14", "13")


COLOURS = ("Blue", "Red", "Green", "Black", "Grey")
KINDS = ("Shirts", "Jackets", "Dresses", "Caps")
USES = ("Casual", "Formal", "Sport")
CLOTHS = ("Cotton", "Wool", "Linen")
FACETS = (
    Facet("kind", "categorical", "kind", "category", values=tuple((k, 1) for k in KINDS)),
    Facet("colour", "categorical", "colour", "colour", values=tuple((c, 1) for c in COLOURS)),
    Facet("usage", "categorical", "usage", values=tuple((u, 1) for u in USES)),
    Facet("cloth", "categorical", "cloth", "material", values=tuple((c, 1) for c in CLOTHS)),
    Facet("price", "numeric", "price", "price", low=5.0, high=200.0),
)
CHOICES = {"kind": KINDS, "colour": COLOURS, "usage": USES, "cloth": CLOTHS}


def generated(seed: int, count: int = 250) -> dict[str, Item]:
    """Return items of random facets, each with a made-up name in its title."""
    chance, items = random.Random(seed), {}
    for n in range(count):
        fields = {name: chance.choice(values) for name, values in CHOICES.items()}
        fields["price"] = float(chance.randint(5, 200))
        items[str(n)] = Item(str(n), _title(f"name{n}", fields), "", fields)
    return items


def _title(name: str, fields) -> str:
    return f"{name} {fields['usage']} {fields['cloth']} {fields['colour']} {fields['kind']}"


@pytest.mark.parametrize("seed", range(3))
def test_gold_twin_ranks_in_top_three(shop_of, seed):
    chance, items = random.Random(seed), generated(seed)
    hits, kept_share, cases = 0, 0.0, 40
    for _ in range(cases):
        anchor = items[str(chance.randrange(len(items)))]
        facet = chance.choice(list(CHOICES))
        value = chance.choice([v for v in CHOICES[facet] if v != anchor.fields[facet]])
        fields = {**anchor.fields, facet: value}
        name = anchor.title.split()[0]
        twin = Item("twin", _title(name, fields), "", fields)
        wish = Constraint(facet=facet, values=(value,))
        wanted = State(need=need(wish, id=anchor.id, changed=(facet,)))
        found = recommend(shop_of(FACETS, [*items.values(), twin]), wanted)
        assert all(item.fields[facet] == value for item in found.items)
        assert anchor.id not in [item.id for item in found.items]
        hits += "twin" in [item.id for item in found.items[:3]]
        others = [f for f in CHOICES if f != facet]
        kept_share += sum(found.items[0].fields[f] == anchor.fields[f] for f in others) / 3
    assert hits == cases
    assert kept_share / cases == pytest.approx(1.0)
