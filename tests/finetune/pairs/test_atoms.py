import pytest

from agent.plan import Mention
from agent.state import Likeness, Need, Preference, Sorting
from finetune.pairs.atoms import Atom, about, atoms, can_say, groups, hard_filter, of_group
from retrieval.filters import matches
from tests.agent import shop

RED = Mention(id="V1", kind="value", start=0, end=3, text="red", facet="colour",
              values=("Red",), family=("Maroon",))  # fmt: skip
UNDER = Mention(id="N1", kind="number", start=0, end=8, text="under 60", facet="price", high=60.0)
SECOND = Mention(id="R1", kind="reference", start=0, end=3, text="2nd", items=("d1",))
CHEAPER = Mention(id="D1", kind="relative", start=0, end=7, text="cheaper", facet="price",
                  direction="down")  # fmt: skip
WARM = Mention(id="K1", kind="keyword", start=0, end=4, text="Warm", values=("warm",))
COLOUR = Mention(id="F1", kind="facet", start=0, end=6, text="colour", facet="colour")


def test_need_is_taken_apart():
    need = Need(
        constraints=(shop.wish("colour", "Red", excluded=("Blue",)),
                     shop.wish("price", high=60.0, high_strict=True, low=10.0)),
        preferences=(Preference(text="Warm"), Preference(text="vegan", known=False),
                     Preference(text="cotton", facet="material", values=("Cotton",))),
        like=Likeness(item_id="d1"), sorting=Sorting(facet="price", direction="down"),
        rejected=("d2",),
    )  # fmt: skip
    assert atoms(need) == {
        Atom("want", "colour", "Red"), Atom("avoid", "colour", "Blue"),
        Atom("high", "price", 60.0, True), Atom("low", "price", 10.0), Atom("soft", "text", "warm"),
        Atom("soft", "material", "Cotton"), Atom("like", "", "d1"), Atom("sort", "price", "down"),
        Atom("reject", "", "d2"),
    }  # fmt: skip


def test_wording_and_time_are_left_out():
    one = Need(constraints=(shop.wish("colour", "Red", label="red", turn=1),))
    other = Need(constraints=(shop.wish("colour", "Red", label="in red", turn=4),))
    assert atoms(one) == atoms(other)


@pytest.mark.parametrize(
    ("mention", "atom", "said"),
    [
        (RED, Atom("want", "colour", "Red"), True),
        (RED, Atom("avoid", "colour", "Maroon"), True),
        (RED, Atom("want", "colour", "Blue"), False),
        (RED, Atom("want", "brand", "Red"), False),
        (RED, Atom("avoid", "text", "red"), True),
        (UNDER, Atom("low", "price", 60.0), True),
        (UNDER, Atom("high", "price", 50.0), False),
        (SECOND, Atom("like", "", "d1"), True),
        (SECOND, Atom("reject", "", "d2"), False),
        (CHEAPER, Atom("high", "price", 55.0, True), True),
        (CHEAPER, Atom("sort", "price", "down"), True),
        (CHEAPER, Atom("sort", "price", "up"), False),
        (WARM, Atom("soft", "text", "warm"), True),
        (WARM, Atom("soft", "text", "cold"), False),
        (COLOUR, Atom("avoid", "colour", "Red"), True),
    ],
)
def test_atom_comes_of_a_mention(mention, atom, said):
    assert can_say(mention, atom) is said


@pytest.mark.parametrize(
    ("mention", "atom"),
    [(RED, Atom("want", "colour", "Blue")), (SECOND, Atom("like", "", "d9")),
     (WARM, Atom("avoid", "text", "warm")), (CHEAPER, Atom("sort", "rating", "up"))],
)  # fmt: skip
def test_mention_is_about_its_group(mention, atom):
    assert about(mention, atom.group)
    assert not about(mention, ("facet", "brand"))


def test_words_and_items_are_groups_of_their_own():
    red, blue = Atom("want", "colour", "Red"), Atom("avoid", "colour", "Blue")
    warm, soft = Atom("soft", "text", "warm"), Atom("soft", "text", "soft")
    assert groups([red, warm], [blue, soft]) == [
        ("facet", "colour"), ("word", "soft"), ("word", "warm")
    ]  # fmt: skip
    assert of_group(frozenset([red, blue, warm]), red.group) == {red, blue}


def test_filter_of_atoms_is_that_of_the_need():
    need = Need(
        constraints=(shop.wish("kind", "Dresses", "T-Shirts"),
                     shop.wish("colour", excluded=("Red", "Blue")),
                     shop.wish("price", low=20.0, low_strict=True, high=60.0))
    )  # fmt: skip
    found = [item.id for item in shop.ITEMS if matches(hard_filter(atoms(need)), item)]
    assert found == [item.id for item in shop.ITEMS if matches(need.filter(), item)]
    assert found == ["t4", "d3"]
