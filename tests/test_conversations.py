"""Random conversations, a few of the 100,000 that benchmarks/conversations.py holds; and that its
checks do find what they look for."""

import json
from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from agent.dialogue import respond
from agent.state import Constraint, State
from agent.turn import Reason, Relaxation
from benchmarks.conversations import batches
from benchmarks.random_talk.changes import make_change, random_change
from benchmarks.random_talk.checks import CHECKS, Played
from benchmarks.random_talk.play import (
    EXCEPTION,
    KINDS,
    REPLAY,
    converse,
    replay,
    reproduction,
    shrink,
)
from benchmarks.random_talk.shops import names, open_shop
from benchmarks.random_talk.speech import Speaker, Words, phrases

SHOPS = ("demo", "no facets", "only lists", "one item", "unicode", "stop words", "hostile")
EACH = 40


@pytest.fixture(scope="module", params=SHOPS)
def shop(request, tmp_path_factory):
    shop = open_shop(request.param, tmp_path_factory.mktemp("shop"))
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    shop = open_shop("no category", tmp_path_factory.mktemp("small"))
    yield shop
    shop.close()


def words_of(shop):
    return Words.of(shop.retriever.facets, shop.items.values())


def test_random_conversations_break_nothing(shop):
    words = words_of(shop)
    for number in range(EACH):
        talk = converse(shop, words, f"test/{number}")
        for one in talk.violations:
            again = reproduction(shop.name, shrink(shop, talk.steps, one.kind))
            pytest.fail(f"step {one.step}: {one.kind}\n{one.detail}\n{again}")
    assert shop.items == shop.original


def test_catalog_survives_every_change(shop):
    chance = Random(7)
    for _ in range(12):
        change = random_change(chance, shop, tuple(shop.items.values())[:3])
        if change is not None:
            talk = replay(shop, ["show me something", change, "more", "why the first one?"])
            assert not talk.violations
    assert shop.retriever.get_many(list(shop.original)) == list(shop.original.values())


def test_changes_are_kept_as_json(small):
    change = random_change(Random(1), small, tuple(small.items.values())[:5])
    assert json.loads(json.dumps(change)) == change
    make_change(small, change)
    assert small.items != small.original
    small.restore()
    assert small.items == small.original


def played(shop, *texts):
    """Return the last of some turns, as the checks see it."""
    session, before, done = shop.parts.store.create_session(), State(), None
    for text in texts:
        before = done.state if done else before
        events = tuple(respond(shop.parts, session, text))
        done = events[-1]
    facets = shop.retriever.facets
    return Played(before, events, done, shop.items, shop.ever, facets, shop.parts.page)


def found(turn):
    return {kind for kind, check in CHECKS.items() if list(check(turn))}


def with_done(turn, **update):
    done = turn.done.model_copy(update=update)
    return replace(turn, done=done, events=(*turn.events[:-1], done))


def with_need(turn, **update):
    need = turn.done.state.need.model_copy(update=update)
    return with_done(turn, state=turn.done.state.model_copy(update={"need": need}))


def with_slate(turn, items):
    slate = turn.done.slate.model_copy(update={"items": items})
    state = turn.done.state.model_copy(update={"slate": tuple(i.item_id for i in items)})
    changed = with_done(turn, slate=slate, state=state)
    events = [e.model_copy(update={"slate": slate}) if e.kind == "items" else e
              for e in changed.events]  # fmt: skip
    return replace(changed, events=tuple(events))


@pytest.fixture(scope="module")
def turn(small):
    return played(small, "under 150")


def test_honest_turn_passes_every_check(turn):
    assert turn.done.slate.items
    assert found(turn) == set()


def test_strange_item_is_found(turn):
    first, *rest = turn.done.slate.items
    items = (first.model_copy(update={"item_id": "elsewhere"}), *rest)
    assert "item outside the catalog" in found(with_slate(turn, items))


def test_deleted_item_is_found(turn):
    gone = turn.done.slate.items[0].item_id
    items = {id: item for id, item in turn.items.items() if id != gone}
    assert "deleted item shown" in found(replace(turn, items=items))


def test_changed_item_is_found(turn):
    id = turn.done.slate.items[0].item_id
    changed = replace(turn.items[id], title="Another title")
    now = replace(turn, items={**turn.items, id: changed})
    assert "item not as it is now" in found(now)


def test_rejected_item_is_found(turn):
    id = turn.done.slate.items[-1].item_id
    assert found(with_need(turn, rejected=(id,))) == {"rejected item shown"}


def test_broken_constraint_is_found(turn):
    never = Constraint(facet="price", role="price", high=0.5)
    broken = with_need(turn, constraints=(never,))
    assert "hard constraint broken" in found(broken)
    text = "Nothing fits: I left out under 0.50."
    named = with_done(broken, relaxations=(Relaxation(dropped=never, text=text),))
    assert "hard constraint broken" not in found(named)
    assert "relaxation not named" in found(named)


def test_nearer_wish_instead_is_held(turn):
    never = Constraint(facet="price", role="price", high=0.5)
    instead = never.model_copy(update={"high": 1.0})
    given_up = Relaxation(dropped=never, instead=instead, text="Nothing: near 1.")
    broken = with_done(with_need(turn, constraints=(never,)), relaxations=(given_up,))
    assert "hard constraint broken" in found(broken)


def test_needless_relaxation_is_found(turn):
    wish = turn.done.state.need.constraints[0]
    left_out = Relaxation(dropped=wish, text="Nothing fits: I left out the price.")
    assert "needless relaxation" in found(with_done(turn, relaxations=(left_out,)))
    assert "needless relaxation" in found(with_slate(turn, ()))


def test_false_claims_are_found(turn):
    first, *rest = turn.done.slate.items
    claim = first.reasons[0]
    for evidence in (
        claim.evidence[0].model_copy(update={"value": -1.0}),
        claim.evidence[0].model_copy(update={"item_id": rest[0].item_id}),
    ):
        false = claim.model_copy(update={"evidence": (evidence,)})
        items = (first.model_copy(update={"reasons": (false,)}), *rest)
        assert "evidence does not hold" in found(with_slate(turn, items))
    more = claim.model_copy(update={"text": f"{claim.text}, the best of all"})
    items = (first.model_copy(update={"reasons": (more,)}), *rest)
    assert "evidence does not hold" in found(with_slate(turn, items))
    bare = with_done(turn, claims=(Reason(text="nice", evidence=()),))
    assert "evidence does not hold" in found(bare)


def test_wrong_ranks_are_found(turn):
    slate = turn.done.slate.items
    assert "ranks or duplicates" in found(with_slate(turn, slate[::-1]))
    twice = (slate[0], slate[0].model_copy(update={"rank": 2}))
    assert "ranks or duplicates" in found(with_slate(turn, twice))
    assert "ranks or duplicates" in found(replace(turn, page=2))


def test_repeats_of_more_are_found(small):
    turn = played(small, "under 150", "more")
    assert found(turn) == set()
    shown = turn.events[0].state.shown
    again = turn.done.slate.items[0].model_copy(update={"item_id": shown[0]})
    assert "more repeats items" in found(with_slate(turn, (again,)))


def test_wrong_event_order_is_found(turn):
    first, items, *rest = turn.events
    for events in ((items, first, *rest), (first, *rest), (first, items, rest[-1])):
        assert "event order" in found(replace(turn, events=tuple(events)))


def test_wrong_plans_are_found(turn):
    plan = turn.done.plan
    act = plan.acts[0].model_copy(update={"want": ("V9",)})
    assert "plan points at nothing" in found(with_done(turn, plan=plan.model_copy(
        update={"acts": (act,)})))  # fmt: skip
    moved = plan.mentions[0].model_copy(update={"text": "something else"})
    assert "plan points at nothing" in found(with_done(turn, plan=plan.model_copy(
        update={"mentions": (moved,)})))  # fmt: skip


def test_wrong_states_are_found(turn):
    state = turn.done.state
    double = Constraint(facet="price", low=1.0), Constraint(facet="price", high=9.0)
    for update in ({"turn": 5}, {"slate": ()}, {"focus": ("elsewhere",)},
                   {"need": state.need.model_copy(update={"constraints": double})},
                   {"need": state.need.model_copy(update={"constraints": (
                       Constraint(facet="price", high=float("inf")),)})}):  # fmt: skip
        assert "state" in found(with_done(turn, state=state.model_copy(update=update)))


def test_control_characters_are_found(turn):
    assert "control characters" in found(with_done(turn, reply="\x1b[2J"))


def test_exceptions_are_caught_and_told(small, monkeypatch):
    def broken(*args, **kwargs):
        raise ZeroDivisionError("no linking today")

    monkeypatch.setattr(small.parts.linker, "link", broken)
    talk = replay(small, ["hello", "more"])
    assert [one.kind for one in talk.violations] == [EXCEPTION, EXCEPTION]
    assert "no linking today" in talk.violations[0].detail


def test_forgetful_store_is_found(small, monkeypatch):
    kept = small.parts.store.turns
    monkeypatch.setattr(small.parts.store, "turns", lambda id: kept(id)[:1])
    assert REPLAY in {one.kind for one in replay(small, ["hello", "more"]).violations}


def test_cases_shrink_to_what_matters(small, monkeypatch):
    link = small.parts.linker.link

    def picky(utterance, *args):
        if "red" in utterance:
            raise ValueError(utterance)
        return link(utterance, *args)

    monkeypatch.setattr(small.parts.linker, "link", picky)
    steps = ["hello", "under 100", {"delete": ["i3"]}, "in red", "more"]
    assert shrink(small, steps, EXCEPTION) == ["in red"]
    assert shrink(small, ["hello"], EXCEPTION) == ["hello"]
    command = reproduction("demo", ["it's red"])
    assert command.startswith("python benchmarks/conversations.py --replay '{")


def test_same_seed_says_the_same(small):
    words = words_of(small)
    first, second = (converse(small, words, "one/1") for _ in range(2))
    assert first.steps == second.steps
    assert converse(small, words, "one/2").steps != first.steps


def test_speaker_says_all_kinds_of_things(small):
    speaker = Speaker(Random(3), words_of(small))
    said = [speaker.say(["Red shirt 4"]) for _ in range(3000)]
    assert len(set(said)) > 2000
    assert not any("{v}" in text or "{r}" in text for text in said if "%s" not in text)
    for part in ("Red shirt 4", "not ", "under ", "undo", "\x00", "#", "🟦"):
        assert any(part in text for text in said)


def test_every_slot_of_a_phrase_is_known(small):
    speaker = Speaker(Random(4), words_of(small))
    for table in phrases().values():
        for phrase in (one for many in table.values() if isinstance(many, list) for one in many):
            assert "{" not in speaker._fill(phrase, ["A title"])


def test_work_is_shared_among_shops():
    work = batches(1003, 1, ("demo", "unicode", "dates"), "scratch")
    shares = Counter()
    for batch in work:
        shares[batch.shop] += batch.count
    assert shares == {"demo": 335, "unicode": 334, "dates": 334}
    numbers = [n for b in work if b.shop == "demo" for n in range(b.first, b.first + b.count)]
    assert numbers == list(range(335))


def test_unknown_shop_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no shop 'nowhere'; expected one of demo"):
        open_shop("nowhere", tmp_path)
    assert set(SHOPS) <= set(names())
    assert len(set(KINDS)) == len(KINDS)
