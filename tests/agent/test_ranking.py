from __future__ import annotations

import logging

import pytest

from agent.ranking import by_relevance, context_of, reranked
from agent.recommend import recommend
from agent.state import Constraint, Need, Preference, Sorting, State
from retrieval.catalog import Item
from retrieval.query import Candidate
from retrieval.reranking import NoReranker, Wanted
from retrieval.reranking.protocol import DEPTH

SHIRTS = Constraint(facet="type", role="category", values=("Shirts",))
BLUE = Constraint(facet="colour", role="colour", values=("Blue",), family=("Navy",))


class Liking:
    """Scores the items it likes highest, the first of them most; remembers what it was asked."""

    name = "liking"

    def __init__(self, *ids: str) -> None:
        self.ids = ids
        self.asked: list[tuple[str, int]] = []

    def rank(self, query, candidates, context=None):
        self.asked.append((query, len(candidates)))
        places = {id: len(self.ids) - place for place, id in enumerate(self.ids)}
        return [float(places.get(one.item.id, 0)) for one in candidates]


def soft(*texts: str) -> tuple[Preference, ...]:
    return tuple(Preference(text=text) for text in texts)


def ids(found) -> list[str]:
    return [candidate.item.id for candidate in found.candidates]


def ask(shop, *constraints, k=5, **need):
    return recommend(shop, State(need=Need(constraints=constraints, **need)), k=k)


def test_a_reranker_decides_what_is_relevant(clothes):
    before = ids(ask(clothes, SHIRTS, preferences=soft("cotton shirt")))
    assert before[0] != "4"
    clothes.reranker = Liking("4", "2")
    after = ids(ask(clothes, SHIRTS, preferences=soft("cotton shirt")))
    assert after[0] == "4"
    assert clothes.reranker.asked[0][0].startswith("cotton shirt")


def test_wishes_count_beside_the_reranker(clothes):
    clothes.reranker = Liking("12", "10")
    found = ids(ask(clothes, preferences=soft("waterproof formal")))
    assert set(found[:2]) == {"9", "14"}
    wish = Preference(text="linen", facet="material", values=("Linen",))
    clothes.reranker = Liking("8")
    assert set(ids(ask(clothes, SHIRTS, preferences=(wish,)))[:2]) <= {"3", "5", "7"}


def test_hard_constraints_hold_whatever_is_liked(clothes):
    clothes.reranker = Liking("9", "14", "2")
    found = ask(clothes, SHIRTS, BLUE, preferences=soft("breathable"), rejected=("5",))
    assert set(ids(found)) == {"1", "7"}


def test_a_reranker_can_bring_back_nothing_deleted(clothes):
    gone = clothes.items.pop("1")
    stale = clothes.search
    clothes.search = lambda *a, **more: [*stale(*a, **more), Candidate(gone, 0.0)]
    clothes.reranker = Liking("1")
    assert "1" not in ids(ask(clothes, SHIRTS, preferences=soft("cotton")))


def test_cheapest_chooses_among_what_the_reranker_finds_relevant(clothes):
    clothes.reranker = Liking("13", "12")
    down = Sorting(facet="price", direction="down")
    assert ids(ask(clothes, preferences=soft("running"), sorting=down)) == ["12", "13"]


def test_scores_are_told_with_the_features(clothes, caplog):
    clothes.reranker = Liking("3", "1")
    with caplog.at_level(logging.INFO, logger="agent.recommend"):
        found = ask(clothes, SHIRTS, preferences=soft("slim"))
    told = found.features["3"]
    assert told["rerank"] == 2.0
    assert {"relevance", "words", "quality"} < set(told)
    assert "by liking: relevance" in caplog.text
    assert "rerank 2" in caplog.text


def test_scores_change_only_the_order(clothes):
    found = clothes.search("blue shirt", k=20)
    need = Need(preferences=soft("blue shirt"))
    plain = by_relevance(found, need, clothes.facets)
    scored = by_relevance(found, need, clothes.facets, {found[0].item.id: 1e9})
    assert [one.candidate for one in scored] == [one.candidate for one in plain]


def test_no_reranker_keeps_the_order_of_the_search(clothes):
    found = clothes.search("blue shirt", k=20)
    order, scores = reranked(NoReranker(), "blue shirt", found, Need(), clothes.facets)
    assert order == found
    assert list(scores) == [one.item.id for one in found]


def test_what_lies_deep_stays_behind():
    found = [Candidate(Item(str(number), "x"), 1.0 / (1 + number)) for number in range(DEPTH + 20)]
    liking = Liking(str(DEPTH + 1), "7")
    order, scores = reranked(liking, "x", found, Need(), ())
    assert order[0].item.id == "7"
    assert order[DEPTH:] == found[DEPTH:]
    assert (liking.asked, len(scores)) == ([("x", DEPTH)], DEPTH)


@pytest.mark.parametrize(
    ("low", "high", "amount"),
    [(None, 60.0, 60.0), (20.0, 60.0, 40.0), (20.0, None, 20.0), (None, None, None)],
)
def test_context_holds_values_and_the_amount(clothes, low, high, amount):
    price = Constraint(facet="price", role="price", low=low, high=high)
    words = Constraint(facet="text", values=("waterproof",))
    wish = Preference(text="linen", facet="material", values=("Linen",))
    need = Need(constraints=(SHIRTS, price, words), preferences=(wish, *soft("x")))
    context = context_of(need, clothes.facets)
    assert context.wanted == (Wanted("type", ("Shirts",)), Wanted("material", ("Linen",)))
    assert context.amount == amount
    assert context.facets == clothes.facets


def test_dates_and_other_bounds_are_no_amount(clothes):
    date = Constraint(facet="price", role="price", low="2020-01-01")
    width = Constraint(facet="width", low=30.0)
    assert context_of(Need(constraints=(date, width)), clothes.facets).amount is None
