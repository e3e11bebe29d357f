import numpy as np
import pytest

from finetune.errors import DataError
from finetune.ranker.data import Impression, Judged, Shown
from finetune.ranker.groups import (
    MOST_WEIGHT,
    feedback_groups,
    judged_groups,
    linked_context,
)
from finetune.ranker.ltr import lists
from retrieval.reranking.features import NAMES
from retrieval.reranking.protocol import NO_CONTEXT, Wanted
from tests.finetune.ranker.shop import open_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    with open_shop(tmp_path_factory.mktemp("things")) as retriever:
        yield retriever


def nothing(query):
    return NO_CONTEXT


def column(group, name):
    return group.matrix[:, NAMES.index(name)].tolist()


def test_only_what_the_search_finds_is_learned_from(shop):
    found = shop.search("blue lamp", k=100)
    unfound = next(id for id in shop.index.ids() if id not in {c.item.id for c in found})
    grades = {found[0].item.id: 1.0, found[7].item.id: 3.0, unfound: 2.0}
    gathered = judged_groups(shop, [Judged("blue lamp", grades)], nothing)
    (group,) = gathered.groups
    assert [c.item.id for c in group.candidates] == [found[0].item.id, found[7].item.id]
    assert (group.grades.tolist(), group.learnable, gathered.unfound) == ([1, 3], True, 1)
    assert group.gains[unfound] == 3.0
    assert column(group, "fused_reciprocal_rank") == pytest.approx([1, 1 / 8])


def test_the_linker_tells_facets_and_amounts(shop):
    context = linked_context(shop)("blue lamp under 40 euro")
    assert context.wanted == (Wanted("colour", ("blue",)),)
    assert context.amount == 40.0
    assert context.facets == shop.facets
    assert linked_context(shop)("lamp").wanted == ()


def test_labels_of_another_catalog_are_refused(shop):
    with pytest.raises(DataError, match=r"2 of 3 items are not in the catalog at .*'x1', 'x2'"):
        judged_groups(shop, [Judged("lamp", {"x1": 1, "x2": 0, "1": 2})], nothing)


def impression(shop, query, *grades):
    slate = shop.search(query, k=len(grades))
    items = tuple(
        Shown(one.item.id, rank, grade == 1, grade == 2, grade == 3, propensity=1 / rank)
        for rank, (one, grade) in enumerate(zip(slate, grades, strict=True), start=1)
    )
    return Impression(query, items)


def test_behaviour_counts_only_what_came_before(shop):
    shows = [impression(shop, "red mug", 0, 1), impression(shop, "red mug", 0, 0),
             impression(shop, "red mug", 3, 0)]  # fmt: skip
    gathered = feedback_groups(shop, shows, nothing)
    first, last = gathered.groups
    assert column(first, "item_clicked_count") == [0, 0]
    assert column(first, "pair_clicked_rate") == [0, 0]
    assert column(last, "item_clicked_count") == [0, 1]
    assert column(last, "pair_clicked_count") == [0, 1]
    assert column(last, "item_purchased_count") == [0, 0]
    assert gathered.behaviour.total.shown == 6
    assert gathered.behaviour.total.purchased == 1


def test_rare_looks_weigh_more_up_to_a_limit(shop):
    (group,) = feedback_groups(shop, [impression(shop, "red mug", *[1] * 12)], nothing).groups
    assert group.weights.tolist() == [*range(1, 10), *[MOST_WEIGHT] * 3]


def test_each_click_is_compared_with_less_valued_items(shop):
    (group,) = feedback_groups(shop, [impression(shop, "red mug", 0, 1, 0, 3)], nothing).groups
    places = {c.item.id: at for at, c in enumerate(group.candidates)}
    order = [places[c.item.id] for c in shop.search("red mug", k=4)]
    click, purchase = lists(group)
    assert click.rows.tolist() == [order[1], order[0], order[2]]
    assert (click.grades.tolist(), click.weight) == ([1, 0, 0], 2.0)
    assert purchase.rows.tolist() == [order[3], order[0], order[1], order[2]]
    assert (purchase.grades.tolist(), purchase.weight) == ([3, 0, 0, 0], 4.0)


def test_judgements_make_one_list(shop):
    grades = {one.item.id: float(at) for at, one in enumerate(shop.search("red mug", k=3))}
    (group,) = judged_groups(shop, [Judged("red mug", grades)], nothing).groups
    (whole,) = lists(group)
    assert (whole.rows.tolist(), whole.grades.tolist(), whole.weight) == ([0, 1, 2], [0, 1, 2], 1)
    assert np.isnan(column(group, "item_clicked_rate")).all()
