"""Quick replies: each leads to what it says, and none leads nowhere."""

from types import SimpleNamespace

import pytest

from agent.desk import Extras
from agent.dialogue import respond
from agent.quick import examples, quick_replies
from agent.state import Constraint
from retrieval.catalog import Facet
from retrieval.filters import And, Compare
from tests.agent.talking import say, shown


@pytest.fixture
def session(parts):
    return parts.store.create_session()


def pressed(parts, session, one):
    *_, done = respond(parts, session, one.text, Extras(press=one.press))
    return done


def by_act(parts, done):
    """Return the quick replies after a turn, by what they do; those that narrow down left out."""
    made = quick_replies(done.state, parts.retriever)
    return {one.press.act: one for one in made if one.press and one.count is None}


def offered(parts, done):
    return [one.label for one in quick_replies(done.state, parts.retriever)]


def test_replies_narrow_down_with_true_counts(parts, session):
    done = say(parts, session, "shoes")
    replies = quick_replies(done.state, parts.retriever)
    counted = [reply for reply in replies if reply.count is not None]
    assert counted
    for reply in counted:
        other = parts.store.create_session()
        say(parts, other, "shoes")
        *_, narrowed = respond(parts, other, reply.text, Extras(press=reply.press))
        assert parts.retriever.index.count(narrowed.state.need.filter()) == reply.count


def test_replies_go_on_from_a_slate(parts, session):
    done = say(parts, session, "under 100")
    by_text = {reply.text: reply for reply in quick_replies(done.state, parts.retriever)}
    compared = pressed(parts, session, by_text["Compare the first two"])
    assert compared.state.focus == tuple(shown(done)[:2])
    prices = [item.fields["price"] for item in done.slate.items]
    cheaper = pressed(parts, session, by_text["Something cheaper"])
    bound = cheaper.state.need.constraint("price")
    assert (bound.high, bound.high_strict) == (min(prices), True)


def test_examples_can_be_met(parts):
    made = examples(parts.retriever)
    assert made
    for example in made:
        done = say(parts, parts.store.create_session(), example.text)
        assert shown(done)
        assert not done.relaxations
        assert parts.retriever.index.count(done.state.need.filter()) == example.count


def test_catalog_without_kinds_opens_with_names():
    names = tuple((name, 9 - place) for place, name in enumerate(("Ann", "Bo", "Cy", "Di", "Ed")))
    facets = (Facet("year", "numeric", "year"),
              Facet("language", "categorical", "language", coverage=0.8, values=names),
              Facet("authors", "list", "authors", values=names))  # fmt: skip
    index = SimpleNamespace(facet=lambda name, where, limit: names[:limit] if name == "authors"
                            else ())  # fmt: skip
    made = examples(SimpleNamespace(facets=facets, index=index))
    assert [(one.text, one.count) for one in made] == list(names[:4])
    assert examples(SimpleNamespace(facets=facets[:1], index=index)) == ()


SAID = (
    ("shoes",), ("black shoes under 100",), ("shoes", "cheaper"), ("novels", "more"),
    ("shoes under 1",), ("anything under 0",), ("shoes", "hide the first two"),
    ("shoes", "like the first one but brown"), ("the cheapest shoes",), ("a zither",),
    ("novels", "cheaper"), ("novels", "cheaper", "cheaper", "cheaper"),
    ("shoes", "compare the first two"),
)  # fmt: skip


@pytest.mark.parametrize("said", SAID, ids=" / ".join)
def test_every_reply_leads_to_items(parts, session, said):
    before = say(parts, session, *said)
    replies = quick_replies(before.state, parts.retriever)
    assert replies
    for reply in replies:
        other = parts.store.create_session()
        say(parts, other, *said)
        after = pressed(parts, other, reply)
        act = reply.press.act if reply.press else "recommend"
        assert shown(after) or act == "compare", reply
        assert not after.relaxations or act == "undo", reply


def test_nothing_cheaper_is_not_offered(parts, session):
    done = say(parts, session, "under 100")
    assert "Something cheaper" in offered(parts, done)
    while "Something cheaper" in offered(parts, done):
        cheapest = min(item.fields["price"] for item in done.slate.items)
        by_text = {one.text: one for one in quick_replies(done.state, parts.retriever)}
        done = pressed(parts, session, by_text["Something cheaper"])
        assert max(item.fields["price"] for item in done.slate.items) < cheapest
    below = Compare("price", "lt", min(item.fields["price"] for item in done.slate.items))
    assert parts.retriever.index.count(And((done.state.need.filter(), below))) == 0


def test_more_is_offered_until_all_were_shown(parts, session):
    done = say(parts, session, "novels")
    seen = set(shown(done))
    while "more" in by_act(parts, done):
        done = pressed(parts, session, by_act(parts, done)["more"])
        assert seen.isdisjoint(shown(done))
        seen |= set(shown(done))
    assert len(seen) == parts.retriever.index.count(done.state.need.filter())


def test_value_that_all_have_is_not_offered(parts, session):
    done = say(parts, session, "black shoes or t-shirts")
    fitting = parts.retriever.index.count(done.state.need.filter())
    counts = [one.count for one in quick_replies(done.state, parts.retriever) if one.count]
    assert counts
    assert all(0 < count < fitting for count in counts)


def test_hidden_items_are_not_counted(parts, session):
    before = quick_replies(say(parts, session, "shoes").state, parts.retriever)
    narrowing = {one.label: one.count for one in before if one.count}
    done = say(parts, session, "hide the first one")
    gone = parts.retriever.get_many(done.state.need.rejected)[0]
    after = {one.label: one.count for one in quick_replies(done.state, parts.retriever)
             if one.count}  # fmt: skip
    values = {str(value).casefold() for name in gone.fields for value in gone.values(name)}
    fell = [label for label in narrowing if label.casefold() in values]
    assert fell
    assert all(after.get(label, 0) == narrowing[label] - 1 for label in fell)


def test_what_fits_nothing_offers_ways_out(parts, session):
    done = say(parts, session, "black shoes under 1")
    replies = quick_replies(done.state, parts.retriever)
    out = [one for one in replies if one.count]
    assert [one.label for one in out] == ["Without: under €1"]
    after = pressed(parts, session, out[0])
    assert parts.retriever.index.count(after.state.need.filter()) == out[0].count
    assert after.state.need.constraint("price") is None


def test_little_that_fits_offers_more(parts, session):
    done = say(parts, session, "black shoes under 100")
    out = [one for one in quick_replies(done.state, parts.retriever) if one.count]
    assert out
    fitting = parts.retriever.index.count(done.state.need.filter())
    assert all(one.label.startswith("Without: ") and one.count > fitting for one in out)


def test_same_two_are_not_compared_again(parts, session):
    done = say(parts, session, "shoes")
    compare = by_act(parts, done)["compare"]
    assert "compare" not in by_act(parts, pressed(parts, session, compare))


def test_wish_on_a_lost_facet_is_no_hindrance(parts, session):
    state = say(parts, session, "shoes").state
    lost = Constraint(facet="gone", values=("x",))
    need = state.need.model_copy(update={"constraints": (*state.need.constraints, lost)})
    replies = quick_replies(state.model_copy(update={"need": need}), parts.retriever)
    assert [one.count for one in replies if one.count]


def test_asked_budget_can_be_pressed(parts, session):
    state = say(parts, session, "shoes").state.model_copy(update={"asked": ("price",)})
    bounds = [one for one in quick_replies(state, parts.retriever) if one.count]
    assert bounds
    for one in bounds:
        (wish,) = one.press.want
        assert (wish.facet, one.label) == ("price", f"At most €{wish.high:g}")
        left = pressed(parts, parts.store.create_session(), one)
        assert all(item.fields["price"] <= wish.high for item in left.slate.items)
