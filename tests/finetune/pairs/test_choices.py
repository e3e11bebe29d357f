from collections import Counter

import pytest

from agent.choice_prompt import choice_messages, choice_text
from agent.logged import Shown
from finetune.pairs.choices import CLIP, Choice, choices, inverse_propensity
from finetune.pairs.grades import Grade, engaged, graded
from finetune.pairs.rows import Dropped, Unpaired
from tests.agent import shop

SHOWS = ("d1", "d2", "d3", "t3", "t4")


def line(id: str) -> str:
    item = shop.BY_ID[id]
    return choice_text(item.fields, shop.FACETS, item.title)


def pairs(talk):
    """Return what was chosen, over what, by item id."""
    ids = {line(id): id for id in shop.BY_ID}
    found = [one.pair for one in choices(talk.session, shop.FACETS)
             if isinstance(one, Choice)]  # fmt: skip
    return [(ids[p.chosen], [ids[x] for x in (p.rejected, *p.others)]) for p in found]


def dropped(talk):
    found = choices(talk.session, shop.FACETS)
    return [one.reason for one in found if isinstance(one, Dropped)]


@pytest.fixture
def dresses(talk):
    return talk().says("dresses", shows=SHOWS)


GRADES = [
    ([], Grade.SKIPPED),
    ([("impression", None)], Grade.SKIPPED),
    ([("click", None)], Grade.CLICKED),
    ([("click", None), ("dwell", 3)], Grade.BOUNCED),
    ([("click", None), ("dwell", 12)], Grade.CLICKED),
    ([("click", None), ("dwell", 45)], Grade.LIKED),
    ([("dwell", 3), ("select", None)], Grade.SELECTED),
    ([("select", None), ("dwell", 3)], Grade.SELECTED),
    ([("select", None), ("purchase", 55.0), ("click", None)], Grade.PURCHASED),
    ([("rating", 3)], Grade.SKIPPED),
    ([("rating", 4)], Grade.LIKED),
    ([("rating", 2)], Grade.DISLIKED),
    ([("purchase", None), ("rating", 1)], Grade.DISLIKED),
    ([("reject", None), ("select", None)], Grade.SELECTED),
    ([("select", None), ("reject", None)], Grade.REJECTED),
]  # fmt: skip


@pytest.mark.parametrize(("signs", "grade"), GRADES, ids=str)
def test_signs_add_up_to_a_grade(dresses, signs, grade):
    for kind, value in signs:
        dresses.does(kind, "d2", value)
    session = dresses.session
    by_id = {one.shown.item_id: one for one in graded(session, session.slates[0])}
    assert by_id["d2"].grade is grade
    assert {one.grade for id, one in by_id.items() if id != "d2"} == {Grade.SKIPPED}
    assert engaged(session, session.turns[0]) is (grade > 0)


def test_taken_is_preferred_to_skipped_above(dresses):
    assert pairs(dresses.does("click", "d3")) == [("d3", ["d1", "d2"])]


def test_prompt_is_the_one_the_chooser_asks(dresses):
    dresses.does("click", "d3")
    (choice,) = (c for c in choices(dresses.session, shop.FACETS) if isinstance(c, Choice))
    need = dresses.turns[0].state.need
    assert choice.pair.prompt == choice_messages(need, shop.FACETS)
    assert choice.pair.events == ("session-1-e1",)


def test_turned_down_loses_wherever_it_stands(dresses):
    dresses.does("reject", "t4").does("rating", "t3", 1).does("select", "d2")
    assert pairs(dresses) == [("d2", ["t4", "t3", "d1"])]


def test_items_taken_do_not_lose_to_each_other(dresses):
    dresses.does("click", "d2").does("purchase", "t3").does("click", "t3")
    assert pairs(dresses) == [("t3", ["d1", "d3"]), ("d2", ["d1"])]


def test_stronger_sign_weighs_more(talk):
    weights = []
    for kind in ("click", "rating", "select", "purchase"):
        one = talk().says("dresses", shows=SHOWS).does(kind, "d2", 5 if kind == "rating" else None)
        weights += [c.pair.weight for c in choices(one.session, shop.FACETS)
                    if isinstance(c, Choice)]  # fmt: skip
    assert weights == [0.4, 0.6, 0.8, 1.0]


def test_first_taken_has_nothing_to_lose_to(dresses):
    dresses.does("click", "d1")
    assert pairs(dresses) == []
    assert dropped(dresses) == ["nothing was passed over: unpaired"]


def test_verdicts_are_unpaired_rows_too(dresses):
    dresses.does("click", "d3").does("reject", "t3").does("dwell", "t4", 2)
    found = [one for one in choices(dresses.session, shop.FACETS) if isinstance(one, Unpaired)]
    assert [(one.completion, one.label, one.weight) for one in found] == [
        (line("d3"), True, 0.4), (line("t3"), False, 0.6)
    ]  # fmt: skip


def test_item_taken_is_no_loser_elsewhere(dresses):
    # The same need twice: d3 was taken first, then passed over for d1.
    dresses.does("click", "d3").says("ok", shows=("d3", "d2", "d1")).does("click", "d1")
    assert pairs(dresses) == [("d3", ["d2"]), ("d1", ["d2"])]


def test_later_verdict_on_an_item_stands(dresses):
    dresses.does("click", "d3").says("ok", shows=("d3", "d2", "d1"))
    dresses.does("reject", "d3").does("click", "d1")
    assert pairs(dresses) == [("d1", ["d3", "d2"])]
    found = [one for one in choices(dresses.session, shop.FACETS) if isinstance(one, Unpaired)]
    assert [(one.completion, one.label) for one in found] == [
        (line("d3"), False), (line("d1"), True)
    ]  # fmt: skip


def test_other_need_is_another_context(dresses):
    dresses.does("click", "d3").says("under 60", shows=("d3", "d1")).does("click", "d1")
    assert pairs(dresses) == [("d3", ["d1", "d2"]), ("d1", ["d3"])]


def test_chosen_in_words_counts_like_a_click(dresses):
    dresses.says("I'll take the third one")
    assert pairs(dresses) == [("d3", ["d1", "d2"])]


def test_turned_down_in_words_counts_too(dresses):
    dresses.says("not the second one", shows=("d1", "d3")).does("click", "d3", slate=0)
    assert ("d3", ["d2", "d1"]) in pairs(dresses)


def test_turning_all_down_prefers_nothing(dresses):
    dresses.says("none of these", shows=("d3",))
    assert Counter(one.grade for one in graded(dresses.session, dresses.slates[0])) == {0: 5}


def test_items_that_read_alike_are_no_pair(dresses):
    last = dresses.slates[-1]
    same = last.items[1].model_copy(update={"fields": last.items[2].fields})
    dresses.slates[-1] = last.model_copy(update={"items": (last.items[0], same, last.items[2])})
    assert pairs(dresses.does("click", "d3")) == [("d3", ["d1"])]


def test_feed_without_a_turn_is_told(dresses):
    last = dresses.slates[-1]
    dresses.slates[-1] = last.model_copy(update={"turn_id": None})
    assert dropped(dresses.does("click", "d3")) == ["a feed: no need was told"]


def test_slate_nobody_touched_says_nothing(dresses):
    assert list(choices(dresses.session, shop.FACETS)) == []


@pytest.mark.parametrize(
    ("policy", "rank", "chance", "weight"),
    [("greedy", 3, 1.0, None), ("greedy+taste-2", 3, 1.0, None),
     ("interleave:ABBA+taste-2", 3, 1.0, None), ("explore:0.1", 1, 0.5, 2.0),
     ("explore:0.1+taste", 2, 0.5, 4.0), ("explore:0.1", 1, 1.0, 1.0),
     ("explore:0.1", 3, 0.01, CLIP)],
)  # fmt: skip
def test_explored_choice_weighs_its_inverse_chance(dresses, policy, rank, chance, weight):
    id = SHOWS[rank - 1]
    dresses.draws(policy, **{id: chance})
    shown = dresses.slates[-1].item(id)
    assert inverse_propensity(shown, dresses.slates[-1].policy) == weight


def test_weights_undo_what_the_policy_shows():
    # Two items, liked alike; the policy puts the first above nine times of ten. Whoever looks at
    # rank 2 (half of them) takes what is there, which skips the one above.
    share, look = 0.9, 0.5
    shown = shop_shown("a", share), shop_shown("b", 1 - share)
    below_b, below_a = (inverse_propensity(one, "explore:0.1") for one in shown)
    assert share * look * below_b == pytest.approx((1 - share) * look * below_a)


def shop_shown(id: str, chance: float):
    return Shown(item_id=id, rank=2, score=1.0, fields={}, propensity=chance)
