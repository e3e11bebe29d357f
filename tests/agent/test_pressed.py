"""Turns made by pressing: exact plans, through the whole flow."""

import pytest

from agent.desk import Extras
from agent.dialogue import respond
from agent.errors import UserInputError
from agent.plan import ORDER
from agent.pressed import Press, PressedWish, plan_of
from retrieval.filters import TEXT
from tests.agent.talking import say, shown


def wish(facet, *values, **more):
    return PressedWish(facet=facet, values=values, **more)


@pytest.fixture
def session(parts):
    return parts.store.create_session()


@pytest.fixture
def press(parts, session):
    """Press in the session and return the turn."""

    def press(act, text="pressed", **wishes):
        extras = Extras(press=Press(act=act, **wishes))
        *_, done = respond(parts, session, text, extras)
        return done

    return press


def facets_of(done):
    return {one.facet: one for one in done.state.need.constraints}


def test_facet_dropped_is_forgotten(parts, session, press):
    say(parts, session, "black leather shoes under 100")
    done = press("refine", "any price", drop=[wish("price")])
    assert set(facets_of(done)) == {"colour", "material", "kind"}
    assert done.utterance == "any price"
    assert done.plan.planner == "rules"


def test_one_value_dropped_leaves_others(parts, session, press):
    say(parts, session, "black or white shoes")
    done = press("refine", drop=[wish("colour", "Black")])
    assert facets_of(done)["colour"].values == ("White",)


def test_word_dropped_is_forgotten(parts, session, press):
    done = press("refine", want=[wish(TEXT, "waterproof")])
    assert [one.text for one in done.state.need.preferences] == ["waterproof"]
    done = press("refine", drop=[wish(TEXT, "waterproof")])
    assert done.state.need.preferences == ()


def test_order_dropped_is_forgotten(parts, session, press):
    assert say(parts, session, "the cheapest shoes").state.need.sorting is not None
    assert press("refine", drop=[wish(ORDER)]).state.need.sorting is None


def test_like_this_but_changes_a_facet(parts, session, press):
    first = say(parts, session, "black shoes").slate.items[0].item_id
    done = press("like", "like this, but brown", items=[first], want=[wish("colour", "Brown")])
    assert done.state.need.like.item_id == first
    assert done.state.need.like.changed == ("colour",)
    assert facets_of(done)["colour"].values == ("Brown",)
    assert first not in shown(done)


def test_cheaper_than_this_bounds_the_price(parts, session, press):
    first = say(parts, session, "shoes").slate.items[0]
    cheaper = [wish("price", direction="down")]
    done = press("like", "cheaper", items=[first.item_id], want=cheaper)
    assert facets_of(done)["price"].high == first.fields["price"]
    assert facets_of(done)["price"].high_strict


def test_bounds_are_taken_as_pressed(press):
    done = press("refine", want=[wish("price", low=30.0, high=60.0)])
    assert (facets_of(done)["price"].low, facets_of(done)["price"].high) == (30.0, 60.0)
    assert all(30 <= item.fields["price"] <= 60 for item in done.slate.items)


def test_item_is_hidden_and_brought_back(parts, session, press):
    first = say(parts, session, "shoes").slate.items[0].item_id
    assert first not in shown(press("reject", items=[first]))
    assert press("undo").state.need.rejected == ()


def test_likeness_is_let_go(parts, session, press):
    first = say(parts, session, "shoes").slate.items[0].item_id
    press("like", items=[first], want=[wish("colour", "Brown")])
    done = press("refine", drop=[wish("item", first)])
    assert done.state.need.like is None
    assert facets_of(done)["colour"].values == ("Brown",)


def test_hidden_item_is_let_back(parts, session, press):
    first = say(parts, session, "shoes").slate.items[0].item_id
    press("reject", items=[first])
    assert first in shown(press("refine", drop=[wish("item", first)]))


def test_items_are_compared(parts, session, press):
    items = shown(say(parts, session, "shoes"))[:2]
    done = press("compare", items=items)
    assert done.state.focus == tuple(items)
    assert shown(done) == []


def test_item_not_shown_is_explained(parts, session, press):
    say(parts, session, "shoes under 60")
    done = press("why_not", items=["s1"])
    (act,) = done.plan.acts
    assert (act.act, act.why_not) == ("explain", True)
    assert done.reply


def test_item_that_is_gone_is_told(press):
    done = press("like", "more like this", items=["nothing"])
    assert "no longer" in done.reply
    assert done.state.need.like is None


def test_pressed_words_are_not_linked(press):
    done = press("refine", "red shirts please", want=[wish("colour", "Black")])
    assert facets_of(done)["colour"].values == ("Black",)
    assert "kind" not in facets_of(done)


@pytest.mark.parametrize(
    ("pressed", "said"),
    [
        (wish("size of heart", "big"), "no facet 'size of heart'"),
        (wish("price", "cheap"), "takes low or high"),
        (wish("colour", low=3.0), "takes values"),
        (wish("colour"), "takes values"),
        (wish(TEXT, "a", "b"), "one word or phrase"),
        (wish(TEXT, "  "), "one word or phrase"),
    ],
)
def test_wish_that_does_not_fit_is_refused(parts, pressed, said):
    with pytest.raises(UserInputError, match=said):
        plan_of(Press(act="refine", want=[pressed]), "x", parts.retriever.facets)
