"""Apply, whatever the plan: what holds after any acts over any mentions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.apply import apply, with_slate
from agent.plan import Act, Plan
from agent.state import State
from retrieval.filters import matches
from tests.agent.saying import EVERY, act, take
from tests.agent.shop import BY_ID, FACETS, ITEMS

NAMES = ("recommend", "refine", "like", "more", "compare", "explain", "detail", "select", "reject",
         "undo", "reset", "elicit", "answer", "handoff", "chitchat")  # fmt: skip
EDITS = ("recommend", "refine", "like")
IDS = [mention.id for mention in EVERY]
POINTING = [id for id in IDS if id[0] in "RT"]
VALUES = [mention for mention in EVERY if mention.kind == "value"]
few = st.lists(st.sampled_from(IDS), max_size=3).map(tuple)


def acts(names=NAMES):
    """Any act over any mentions, sensible or not."""
    return st.builds(
        Act,
        act=st.sampled_from(names),
        want=few, avoid=few, prefer=few, drop=few, change=few,
        refs=st.lists(st.sampled_from(POINTING), max_size=2).map(tuple),
        join=st.sampled_from(["replace", "add"]),
        text=st.sampled_from(["", "", "soft to the touch", "Comfy"]),
        facet=st.sampled_from(["", "colour", "nowhere"]),
    )  # fmt: skip


plans = st.lists(acts(), max_size=3)
slates = st.lists(st.sampled_from([*BY_ID, "gone"]), max_size=5, unique=True)


@st.composite
def sessions(draw):
    """A state some turns and slates into a session."""
    state = State()
    for turn in draw(st.lists(plans, max_size=4)):
        state = take(state, *turn)
        if draw(st.booleans()):
            state = with_slate(state, draw(slates))
    return state


QUICK = settings(max_examples=50, deadline=None)


@QUICK
@given(sessions(), plans)
def test_any_plan_leaves_a_sound_state(state, turn):
    after = take(state, *turn)
    facets = [c.facet for c in after.need.constraints]
    assert len(facets) == len(set(facets))
    assert after.turn == state.turn + 1
    assert (after.slate, after.language) == (state.slate, state.language)
    for own in after.need.constraints:
        assert own.values or own.excluded or own.low is not None or own.high is not None
        assert len(own.values) == len(set(own.values))
        assert not set(own.values) & set(own.excluded)
        assert not set(own.values) & set(own.family)
    assert len(set(after.need.rejected)) == len(after.need.rejected)


@QUICK
@given(sessions())
def test_any_need_is_a_filter(state):
    wanted = state.need.filter()
    for item in ITEMS:
        held = all(matches(own.filter(), item) for own in state.need.constraints)
        assert matches(wanted, item) == held


@QUICK
@given(sessions())
def test_any_state_survives_storage(state):
    assert State.model_validate_json(state.model_dump_json()) == state
    assert State.model_validate(state.model_dump(mode="json")) == state


@QUICK
@given(sessions(), plans)
def test_apply_is_pure(state, turn):
    before = state.model_dump_json()
    assert take(state, *turn) == take(State.model_validate_json(before), *turn)
    assert state.model_dump_json() == before


@QUICK
@given(sessions(), acts((*EDITS, "reject")))
def test_undo_restores_the_need(state, change):
    after = take(state, change)
    undone = take(after, act("undo"))
    if after.need == state.need:
        assert undone.need == (state.earlier[-1] if state.earlier else state.need)
    else:
        assert undone.need == state.need
        assert undone.earlier == state.earlier[-19:]


@QUICK
@given(sessions(), st.lists(acts(EDITS), min_size=1, max_size=6))
def test_undo_walks_all_the_way(state, changes):
    needs = [state.need]
    for change in changes:
        state = take(state, change)
        if state.need != needs[-1]:
            needs.append(state.need)
    for need in reversed(needs[:-1]):
        state = take(state, act("undo"))
        assert state.need == need


@QUICK
@given(sessions(), st.sampled_from(VALUES), st.sampled_from(["replace", "add"]))
def test_wanting_twice_is_wanting_once(state, value, join):
    once = take(state, act(want=(value,), join=join))
    twice = take(once, act(want=(value,), join=join))
    own, again = once.need.constraint(value.facet), twice.need.constraint(value.facet)
    assert again.values == own.values
    assert again.excluded == own.excluded


@QUICK
@given(sessions(), st.sampled_from(VALUES))
def test_wanted_is_never_excluded(state, value):
    own = take(state, act(want=(value,))).need.constraint(value.facet)
    assert set(value.values) <= set(own.values)
    assert not set(value.values) & set(own.excluded)


@QUICK
@given(sessions(), st.sampled_from(VALUES))
def test_drop_takes_a_want_back(state, value):
    wanted = take(state, act(want=(value,)))
    own = take(wanted, act(drop=(value,))).need.constraint(value.facet)
    assert own is None or not set(value.values) & {*own.values, *own.excluded}


@QUICK
@given(sessions(), st.sampled_from([mention for mention in EVERY if mention.kind == "facet"]))
def test_lifted_facet_is_free(state, facet):
    need = take(state, act(drop=(facet,))).need
    assert need.constraint(facet.facet) is None
    assert need.sorting is None or need.sorting.facet != facet.facet


@QUICK
@given(sessions(), st.sampled_from(VALUES))
def test_excluded_values_are_not_shown(state, value):
    after = take(state, act("reset"), act(avoid=(value,)))
    gone = {*value.values, *value.family}
    kept = [item for item in ITEMS if matches(after.need.filter(), item)]
    assert all(not gone & set(item.values(value.facet)) for item in kept)
    assert {item.id for item in ITEMS if not item.values(value.facet)} <= {i.id for i in kept}


@QUICK
@given(sessions(), slates)
def test_slate_is_always_shown(state, ids):
    after = with_slate(state, ids)
    assert after.slate == tuple(ids)
    assert set(ids) <= set(after.shown)
    assert len(set(after.shown)) == len(after.shown)
    assert after.need == state.need


@QUICK
@given(sessions(), plans)
def test_items_may_all_be_gone(state, turn):
    after = apply(state, Plan(acts=tuple(turn), mentions=EVERY), {}, FACETS)
    bounds = [c for c in after.need.constraints if c not in state.need.constraints]
    said = (
        {bound for m in EVERY for bound in (m.low, m.high)}
        | {bound for c in state.need.constraints for bound in (c.low, c.high)}
        | {bound for need in state.earlier for c in need.constraints for bound in (c.low, c.high)}
    )
    assert {b for c in bounds for b in (c.low, c.high)} <= said | {None}


@pytest.mark.parametrize("name", ["more", "compare", "detail", "explain", "select", "answer",
                                  "handoff", "chitchat", "elicit"])  # fmt: skip
@QUICK
@given(state=sessions())
def test_some_acts_never_change_needs(name, state):
    after = take(state, act(name))
    assert (after.need, after.earlier) == (state.need, state.earlier)


@QUICK
@given(sessions())
def test_reset_is_a_fresh_start(state):
    after = take(state, act("reset"))
    assert after.need == State().need
    assert after.focus == ()
    assert (after.selected, after.turn) == (state.selected, state.turn + 1)
