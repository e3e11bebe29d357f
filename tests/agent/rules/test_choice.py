"""Choice: one meaning per span, the one most specific to the need."""

from agent.plan import Mention
from agent.rules.choice import choose
from agent.rules.request import PlanRequest
from agent.state import State
from retrieval.catalog import Facet, Item
from tests.agent.shop import state_of, wish

FACETS = (
    Facet("kind", "categorical", "kind", "category", values=(("Mugs", 3), ("Coral", 1))),
    Facet("group", "categorical", "group", "category", values=(("Kitchen", 9),)),
    Facet("colour", "categorical", "colour", "colour", values=(("Coral", 1),)),
    Facet("brand", "categorical", "brand", "brand", values=(("Coral", 1), ("Oak", 1))),
    Facet("cable", "numeric", "cable", coverage=0.2),
    Facet("sheet", "numeric", "sheet", coverage=0.8),
)


def said(id, facet, start=0, score=1.0, kind="value"):
    return Mention(
        id=id, kind=kind, facet=facet, values=("Coral",), start=start, end=start + 5,
        text="coral", score=score,
    )  # fmt: skip


def chosen(*mentions, state=None, slate=()):
    request = PlanRequest("coral coral", mentions, state or State(), slate, FACETS)
    return [mention.id for mention in choose(request)]


def test_only_meaning_is_chosen():
    assert chosen(said("V1", "brand"), said("V2", "colour", 6)) == ["V1", "V2"]


def test_surest_meaning_wins():
    assert chosen(said("V1", "colour", score=0.9), said("V2", "brand")) == ["V2"]


def test_colour_goes_before_brand():
    assert chosen(said("V1", "brand"), said("V2", "colour")) == ["V2"]


def test_category_goes_before_all():
    assert chosen(said("V1", "brand"), said("V2", "colour"), said("V3", "kind")) == ["V3"]


def test_detailed_category_goes_first():
    assert chosen(said("V1", "group"), said("V2", "kind")) == ["V2"]


def test_slate_tells_which_measure():
    slate = (Item("1", "Rope", fields={"cable": 3.0}),)
    pair = (said("D1", "sheet", kind="relative"), said("D2", "cable", kind="relative"))
    assert chosen(*pair) == ["D1"]
    assert chosen(*pair, slate=slate) == ["D2"]


def test_asked_facet_breaks_a_tie():
    pair = (said("D1", "cable", kind="relative"), said("D2", "other", kind="relative"))
    asked = state_of(wish("other", low=1.0))
    assert chosen(*pair, state=asked) == ["D2"]


def test_words_stay_beside_names():
    assert chosen(said("V1", "brand"), said("K1", None, kind="keyword")) == ["V1", "K1"]


def test_places_keep_their_order():
    late, early = said("V1", "brand", 6), said("V2", "colour", 0)
    assert chosen(late, early) == ["V2", "V1"]


def test_nothing_said_nothing_chosen():
    assert chosen() == []


def in_text(text, *mentions, slate=()):
    return [m.id for m in choose(PlanRequest(text, mentions, State(), slate, FACETS))]


def test_list_goes_on_about_one_facet():
    oak = said("V1", "brand", 0).model_copy(update={"end": 3, "values": ("Oak",), "text": "oak"})
    coral = said("V2", "colour", 7), said("V3", "brand", 7)
    assert in_text("oak or coral", oak, *coral) == ["V1", "V3"]
    assert in_text("oak in coral", oak, *coral) == ["V1", "V2"]


def test_refused_is_what_the_item_in_view_has():
    pink = Item("1", "Mug", fields={"brand": "Coral", "colour": "Red"})
    other = Item("2", "Mug", fields={"brand": "Oak", "colour": "Red"})
    both = said("V1", "colour", 8), said("V2", "brand", 8)
    assert in_text("but not coral", *both, slate=(pink,)) == ["V2"]
    assert in_text("but in_ coral", *both, slate=(pink,)) == ["V1"]
    assert in_text("but not coral", *both, slate=(pink, other)) == ["V1"]
