from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.recommend import recommend
from agent.state import Constraint, Likeness, Need, Preference, Sorting, State
from retrieval.filters import And, matches

SHIRTS = Constraint(facet="type", role="category", values=("Shirts",))
SHOES = Constraint(facet="type", role="category", values=("Shoes",))
MEN = Constraint(facet="gender", role="audience", values=("Men",))
BLUE = Constraint(facet="colour", role="colour", values=("Blue",), family=("Navy",))


def price(**bounds) -> Constraint:
    return Constraint(facet="price", role="price", **bounds)


def state(*constraints: Constraint, **need) -> State:
    return State(need=Need(constraints=constraints, **need))


def ids(recommendation) -> list[str]:
    return [candidate.item.id for candidate in recommendation.candidates]


@pytest.mark.parametrize(
    ("constraints", "expected", "matched"),
    [
        ((SHIRTS, BLUE), {"1", "5", "7"}, 3),
        ((SHOES, price(high=42.0)), {"12", "13"}, 2),
        ((SHOES, price(high=42.0, high_strict=True)), {"12"}, 1),
        ((SHIRTS, Constraint(facet="material", excluded=("Cotton",))), {"3", "5", "7"}, 3),
        ((Constraint(facet="text", values=("waterproof",)),), {"9", "13", "14"}, 3),
        ((SHOES, Constraint(facet="text", excluded=("formal",))), {"10", "12", "13"}, 3),
    ],
    ids=["values", "bound", "strict", "excluded", "text", "not text"],
)
def test_shows_exactly_what_fits(clothes, constraints, expected, matched):
    found = recommend(clothes, state(*constraints))
    assert set(ids(found)) == expected
    assert (found.matched, found.relaxations) == (matched, ())


def test_available_items_come_first(clothes):
    assert ids(recommend(clothes, state(SHIRTS, BLUE)))[-1] == "7"


def test_no_wish_ranks_by_quality(clothes):
    found = ids(recommend(clothes, State()))
    assert found[0] == "14"
    assert len(found) == 5
    assert not {"7", "13"} & set(found)


def test_excluded_and_rejected_never_shown(clothes):
    found = recommend(clothes, state(SHIRTS, rejected=("1", "2")), k=9, exclude=("3",))
    assert set(ids(found)) == {"4", "5", "6", "7", "8"}
    assert found.matched == 8


def test_deleted_item_vanishes(clothes):
    stale = clothes.search
    clothes.search = lambda *args, **kwargs: [
        *stale(*args, **kwargs),
        replace(stale("")[0], item=replace(stale("")[0].item, id="ghost")),
    ]
    assert "ghost" not in ids(recommend(clothes, state(SHIRTS), k=20))


def test_changed_item_is_checked_again(clothes):
    old = clothes.items["1"]
    stale = clothes.search("", k=20)
    clothes.items["1"] = replace(old, fields={**old.fields, "colour": "Red"})
    clothes.search = lambda *args, **kwargs: stale
    assert "1" not in ids(recommend(clothes, state(BLUE), k=20))


def test_all_soft_words_come_first(clothes):
    found = recommend(clothes, state(SHOES, preferences=(Preference(text="waterproof formal"),)))
    assert set(ids(found)[:2]) == {"9", "14"}
    assert found.not_carried == ()


def test_soft_facet_wish_boosts(clothes):
    wish = Preference(text="linen", facet="material", values=("Linen",))
    found = recommend(clothes, state(SHIRTS, preferences=(wish,)))
    assert set(ids(found)[:2]) <= {"3", "5", "7"}


@pytest.mark.parametrize(("direction", "first"), [("down", "12"), ("up", "14")])
def test_sorting_orders_by_facet(clothes, direction, first):
    found = recommend(clothes, state(SHOES, sorting=Sorting(facet="price", direction=direction)))
    prices = [c.item.fields["price"] for c in found.candidates]
    assert ids(found)[0] == first
    assert prices == sorted(prices, reverse=direction == "up")


def test_cheapest_keeps_to_what_is_relevant(clothes):
    need = {
        "preferences": (Preference(text="running"),),
        "sorting": Sorting(facet="price", direction="down"),
    }
    assert ids(recommend(clothes, state(**need))) == ["12", "13"]


def test_unknown_words_are_named(clothes):
    wishes = (Preference(text="unicorn saddle"),)
    assert recommend(clothes, state(preferences=wishes)).candidates == ()
    found = recommend(clothes, state(SHOES, preferences=wishes))
    assert found.not_carried == ("unicorn saddle",)
    assert len(found.candidates) == 5


def test_partly_unknown_words_are_named(clothes):
    found = recommend(clothes, state(preferences=(Preference(text="waterproof gizmo"),)))
    assert found.not_carried == ("gizmo",)
    assert set(ids(found)[:3]) == {"9", "13", "14"}


def test_like_but_other_colour(clothes):
    red = Constraint(facet="colour", role="colour", values=("Red",))
    found = recommend(clothes, state(red, like=Likeness(item_id="1", changed=("colour",))))
    assert ids(found)[0] == "2"
    assert "1" not in ids(found)
    assert {c.item.fields["colour"] for c in found.candidates} == {"Red"}


def test_like_but_cheaper_keeps_kind(clothes):
    cheaper = price(high=90.0, high_strict=True)
    found = recommend(clothes, state(cheaper, like=Likeness(item_id="9", changed=("price",))))
    assert ids(found)[0] in ("10", "13")
    assert all(c.item.fields["price"] < 90 for c in found.candidates)


def test_like_a_deleted_item_still_answers(clothes):
    found = recommend(clothes, state(SHIRTS, like=Likeness(item_id="nowhere")))
    assert len(found.candidates) == 5


def test_near_duplicates_do_not_fill_slate(clothes):
    twin = clothes.items["1"]
    for size in range(6):
        clothes.items[f"1-{size}"] = replace(twin, id=f"1-{size}", title=f"{twin.title} {size}")
    found = recommend(clothes, state(SHIRTS, MEN), k=4)
    assert sum(id.startswith("1") for id in ids(found)) <= 2


def test_facet_gone_from_catalog_is_named(clothes):
    sleeve = Constraint(facet="sleeve", values=("Long",))
    found = recommend(clothes, state(SHIRTS, sleeve))
    assert found.candidates
    assert found.relaxations[0].dropped == sleeve
    assert "sleeve" in found.relaxations[0].text


def test_all_seen_relaxes_with_new_items(clothes):
    found = recommend(clothes, state(SHIRTS, BLUE), exclude=("1", "5", "7"))
    assert found.matched == 3
    assert ids(found) == ["3"]
    assert found.relaxations[0].dropped == BLUE
    assert found.relaxations[0].text.startswith("No more Shirts are Blue")


COLOURS = ("Blue", "Navy", "Red", "Black", "White", "Mauve")
some_values = st.lists(st.sampled_from(COLOURS), max_size=2, unique=True).map(tuple)
bounds = st.one_of(st.none(), st.floats(0, 200, width=32))
constraint_sets = st.tuples(
    st.one_of(st.none(), st.sampled_from([SHIRTS, SHOES])),
    st.one_of(
        st.none(),
        st.builds(
            Constraint,
            facet=st.just("colour"),
            role=st.just("colour"),
            values=some_values,
            family=some_values,
            excluded=some_values,
        ),
    ),
    st.one_of(st.none(), st.builds(price, low=bounds, high=bounds)),
    st.one_of(
        st.none(),
        st.builds(
            Constraint,
            facet=st.just("text"),
            excluded=st.sampled_from([("formal",), ("waterproof", "soft")]),
        ),
    ),
)
needs = st.builds(
    Need,
    constraints=constraint_sets.map(lambda parts: tuple(p for p in parts if p is not None)),
    preferences=st.lists(
        st.sampled_from(["waterproof", "unicorn", "formal", "🦄", ""]).map(
            lambda text: Preference(text=text)
        ),
        max_size=2,
    ).map(tuple),
    like=st.one_of(
        st.none(),
        st.builds(
            Likeness,
            item_id=st.sampled_from(["1", "9", "99"]),
            changed=st.sampled_from([(), ("colour",), ("price",)]),
        ),
    ),
    sorting=st.one_of(
        st.none(),
        st.builds(Sorting, facet=st.just("price"), direction=st.sampled_from(["up", "down"])),
    ),
    rejected=st.lists(st.sampled_from(["1", "2", "9", "gone"]), max_size=3).map(tuple),
)
EXAMPLES = settings(max_examples=300)


def widened(need: Need, relaxations) -> And:
    """Return what must still hold: every constraint, or what was said to stand in for it."""
    dropped = {r.dropped.facet for r in relaxations}
    return And(tuple(c.filter() for c in need.constraints if c.facet not in dropped))


@given(need=needs, gone=st.sets(st.sampled_from([str(n) for n in range(1, 15)]), max_size=6))
@EXAMPLES
def test_slate_never_breaks_unrelaxed_constraint(clothes, need, gone):
    kept = {id: item for id, item in clothes.items.items() if id not in gone}
    shop = replace(clothes, items=kept)
    found = recommend(shop, State(need=need), exclude=("3",))
    asked = widened(need, found.relaxations)
    for item in found.items:
        assert shop.items[item.id] == item
        assert item.id not in (*need.rejected, "3")
        assert matches(asked, item)
        assert found.relaxations or matches(need.filter(), item)
    assert len(set(found.items and ids(found))) == len(found.candidates)
    for one in found.relaxations:
        stand_ins = [r.instead for r in found.relaxations if r.dropped == one.dropped]
        for item in found.items:
            assert (
                any(i is None or matches(i.filter(), item) for i in stand_ins)
                or len(found.relaxations) > 1
            )


@given(need=needs)
@EXAMPLES
def test_excluded_values_stay_excluded(clothes, need):
    found = recommend(clothes, State(need=need))
    for one in need.constraints:
        only = one.model_copy(update={"values": (), "low": None, "high": None})
        if one.excluded:
            assert all(matches(only.filter(), item) for item in found.items)
