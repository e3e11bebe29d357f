from __future__ import annotations

import pytest

from agent.recommend import recommend
from agent.relax import ways_out
from agent.state import Constraint, Likeness, Need, State
from retrieval.catalog import Facet, Item

SHIRTS = Constraint(facet="type", role="category", values=("Shirts",))
SHOES = Constraint(facet="type", role="category", values=("Shoes",))
MEN = Constraint(facet="gender", role="audience", values=("Men",))
WOMEN = Constraint(facet="gender", role="audience", values=("Women",))
BLUE = Constraint(facet="colour", role="colour", values=("Blue",), family=("Navy",))
WHITE = Constraint(facet="colour", role="colour", values=("White",))
LINEN = Constraint(facet="material", role="material", values=("Linen",))
LEATHER = Constraint(facet="material", role="material", values=("Leather",))


def under(amount: float) -> Constraint:
    return Constraint(facet="price", role="price", high=amount, high_strict=True)


def over(amount: float) -> Constraint:
    return Constraint(facet="price", role="price", low=amount, low_strict=True)


def texts(found) -> list[str]:
    return [relaxation.text for relaxation in found.relaxations]


@pytest.mark.parametrize(
    ("wishes", "expected", "ids"),
    [
        ((SHIRTS, BLUE, under(30)),
         ["No Shirts are Blue and under €30: the closest is Navy.",
          "No Shirts are Blue and under €30: the closest price is €34."], {"3", "7", "1"}),
        ((BLUE, under(10)), ["Nothing is Blue and under €10: the closest price is €34."],
         {"7", "1"}),
        ((over(150),), ["Nothing is over €150: the closest price is €150."], {"14"}),
        ((SHIRTS, BLUE, LEATHER),
         ["No Shirts are Blue and Leather: setting Leather aside, 3 fit."], {"1", "5", "7"}),
        ((WOMEN, WHITE, LINEN),
         ["Nothing is Women, White and Linen: setting Linen aside, one fits."], {"6"}),
    ],
    ids=["family and bound", "far bound", "lower bound", "left out", "softest first"],
)  # fmt: skip
def test_relaxes_least_and_names_it(clothes, wishes, expected, ids):
    found = recommend(clothes, State(need=Need(constraints=wishes)))
    assert texts(found) == expected
    assert {item.id for item in found.items} == ids
    assert found.matched == 0


def test_audience_and_category_go_last(clothes):
    wishes = (SHOES, WOMEN, Constraint(facet="colour", role="colour", values=("Blue",)))
    found = recommend(clothes, State(need=Need(constraints=wishes)))
    assert [one.dropped.facet for one in found.relaxations] == ["colour"]
    assert {item.fields["gender"] for item in found.items} == {"Women"}


def test_excluded_values_are_kept_when_wanted_go(clothes):
    wish = Constraint(facet="colour", role="colour", values=("Mauve",), excluded=("Blue", "Navy"))
    found = recommend(clothes, State(need=Need(constraints=(SHOES, wish))))
    assert found.relaxations[0].instead == wish.model_copy(update={"values": ()})
    assert not {"Blue", "Navy"} & {item.fields["colour"] for item in found.items}


def test_exclusions_alone_are_never_given_up(clothes):
    every = Constraint(facet="type", role="category", excluded=("Shirts", "Shoes"))
    found = recommend(clothes, State(need=Need(constraints=(every,))))
    assert (found.items, found.relaxations) == ((), ())


def test_two_wishes_go_when_one_is_not_enough(clothes):
    mauve = Constraint(facet="colour", role="colour", values=("Mauve",))
    silk = Constraint(facet="material", role="material", values=("Silk",))
    found = recommend(clothes, State(need=Need(constraints=(SHIRTS, mauve, silk))))
    assert {one.dropped.facet for one in found.relaxations} == {"colour", "material"}
    assert {item.fields["type"] for item in found.items} == {"Shirts"}


def test_what_was_asked_to_change_stays(clothes):
    mauve = Constraint(facet="colour", role="colour", values=("White",))
    wishes = (SHIRTS, mauve, LINEN)
    like = Likeness(item_id="3", changed=("colour",))
    found = recommend(clothes, State(need=Need(constraints=wishes, like=like)))
    assert [one.dropped.facet for one in found.relaxations] == ["material"]


def test_state_keeps_what_was_said(clothes):
    state = State(need=Need(constraints=(SHIRTS, BLUE, under(30))))
    copy = state.model_copy(deep=True)
    recommend(clothes, state)
    assert state == copy


def test_banned_items_do_not_count_as_found(clothes):
    need = Need(constraints=(SHIRTS, MEN, BLUE))
    ways = ways_out(clothes, need, {"1", "7", "3"}, 5)
    assert all(way.relaxations for way in ways)
    found = recommend(clothes, State(need=need), exclude=("1", "7", "3"))
    assert not {"1", "7", "3"} & {item.id for item in found.items}
    assert texts(found)[0].startswith("No more Shirts are Men and Blue")


def test_nearest_date_is_found(shop_of):
    facets = (Facet("published", "date", "published", "date"),)
    items = [Item(str(y), f"book {y}", "", {"published": f"{y}-05-01"}) for y in (2001, 2005, 2011)]
    wish = Constraint(facet="published", role="date", low="2012-01-01")
    found = recommend(shop_of(facets, items), State(need=Need(constraints=(wish,))))
    start = "Nothing is published from 2012-01-01"
    assert texts(found) == [f"{start}: the closest published is 2011-05-01."]
    assert [item.id for item in found.items] == ["2011"]
