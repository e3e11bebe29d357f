import pytest

from agent.choice_prompt import choice_messages
from finetune.pairs.choices import Choice, choices
from finetune.pairs.earlier import LIKELY, MOST, PASSED, looked_at
from tests.agent import shop
from tests.finetune.pairs.test_choices import line


def pairs(talk):
    """Return what was chosen over what, with its weight and inverse propensity, by item id."""
    ids = {line(id): id for id in shop.BY_ID}
    found = [one for one in choices(talk.session, shop.FACETS) if isinstance(one, Choice)]
    return [
        (ids[c.pair.chosen], [ids[x] for x in (c.pair.rejected, *c.pair.others)], c.pair.weight,
         c.inverse)
        for c in found
    ]  # fmt: skip


@pytest.fixture
def browsing(talk):
    """Return a session with a first slate of three dresses and a shirt."""
    return talk().says("dresses", shows=("d1", "d2", "d3", "t1"))


def test_item_left_on_an_earlier_slate_loses_by_less(browsing):
    browsing.says("more", shows=("t4",)).does("purchase", "t4")
    weights = {tuple(lost): weight for _, lost, weight, _ in pairs(browsing)}
    assert weights == {("d1",): PASSED * looked_at(1), ("d2",): PASSED * looked_at(2)}


def test_prompt_is_the_need_when_it_was_taken(browsing):
    browsing.says("under 60", shows=("d3",)).does("select", "d3")
    found = [c.pair for c in choices(browsing.session, shop.FACETS) if isinstance(c, Choice)]
    assert [pair.prompt for pair in found] == [choice_messages(browsing.state.need, shop.FACETS)]
    # The gown costs 70: it was no choice any more.
    assert [pair.rejected for pair in found] == [line("d1")]
    assert found[0].weight == pytest.approx(0.8 * PASSED)


def test_ranks_less_likely_seen_are_left_out(browsing):
    browsing.says("more", shows=("t4",)).does("purchase", "t4")
    assert looked_at(3) < LIKELY
    assert ["d3"] not in [lost for _, lost, _, _ in pairs(browsing)]


def test_touch_below_shows_that_a_rank_was_seen(browsing):
    browsing.does("dwell", "t1", 2).says("more", shows=("t4",)).does("purchase", "t4")
    weights = {tuple(lost): weight for _, lost, weight, _ in pairs(browsing)}
    assert weights == {(id,): PASSED for id in ("d1", "d2", "d3")}


@pytest.mark.parametrize("kind", ["click", "select"])
def test_item_that_was_liked_before_does_not_lose(browsing, kind):
    browsing.does(kind, "d1").says("more", shows=("t4",)).does("purchase", "t4")
    assert ["d1"] not in [lost for _, lost, _, _ in pairs(browsing)]


def test_item_shown_again_is_judged_where_it_was_taken_from(browsing):
    browsing.says("more", shows=("d1", "d3")).does("purchase", "d3")
    assert [lost for _, lost, _, _ in pairs(browsing)] == [["d1"], ["d2"]]


def test_click_alone_says_nothing_of_earlier_slates(browsing):
    browsing.says("more", shows=("t4",)).does("click", "t4")
    assert pairs(browsing) == []


def test_later_slates_are_not_earlier(browsing):
    browsing.does("purchase", "d1").says("more", shows=("d3", "d2"))
    assert pairs(browsing) == []


def test_losers_of_earlier_slates_are_few(talk):
    one = talk().says("cotton", shows=("d1", "t1", "t2")).does("dwell", "t2", 2)
    one.says("more", shows=("t3", "c1", "c2")).does("dwell", "c2", 2)
    one.says("more", shows=("s1", "s2", "s3")).does("dwell", "s3", 2)
    one.says("something", shows=("d2",)).does("purchase", "d2")
    assert len(pairs(one)) <= MOST


def test_seen_below_and_left_loses_where_slates_are_drawn(browsing):
    browsing.draws("explore:0.1", d1=0.5).does("purchase", "d1").does("dwell", "t1", 2)
    assert pairs(browsing) == [("d1", ["t1"], 1.0, 2.0), ("d1", ["d2", "d3"], PASSED, 2.0)]


def test_below_is_unknown_on_greedy_slates(browsing):
    browsing.does("purchase", "d1").does("dwell", "t1", 2)
    assert pairs(browsing) == [("d1", ["t1"], 1.0, None)]


def test_below_is_unknown_without_a_touch(browsing):
    browsing.draws("explore:0.1", d1=0.5).does("purchase", "d1")
    assert pairs(browsing) == []
