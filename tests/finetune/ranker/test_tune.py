import csv
import json
import math
import zlib

import pytest

from finetune.errors import BaseModelError, TrainingError
from finetune.ranker import ltr
from finetune.ranker.cross_encoder import CrossEncoderConfig, Pair, train
from finetune.ranker.data import read_feedback, read_judgements
from finetune.ranker.groups import feedback_groups, judged_groups, linked_context
from finetune.ranker.ltr import LTRConfig
from finetune.ranker.tune import Source, compare, tune_cross_encoder, tune_ltr
from retrieval.reranking.card import BEHAVIOUR, CARD, TREES, read_card
from retrieval.reranking.features import NAMES
from retrieval.reranking.opening import open_reranker
from tests.finetune.ranker.shop import (
    open_shop,
    queries,
    worth,
    write_feedback,
    write_judgements,
)
from tests.retrieval.reranking.goods import tiny_cross_encoder

QUICK = LTRConfig(few_rounds=40, smallest_leaf=5)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    with open_shop(tmp_path_factory.mktemp("things") / "project") as retriever:
        yield retriever


@pytest.fixture(scope="module")
def judged(shop, tmp_path_factory):
    return write_judgements(tmp_path_factory.mktemp("labels") / "ratings.csv", shop)


@pytest.fixture(scope="module")
def clicked(shop, tmp_path_factory):
    return write_feedback(tmp_path_factory.mktemp("labels") / "feedback.jsonl", shop)


def test_judgements_make_a_ranker_that_is_kept(shop, judged, tmp_path):
    outcome = tune_ltr(shop, Source(judgements=judged), QUICK, tmp_path)
    assert outcome.kept == tmp_path
    assert outcome.verdict.ours > outcome.verdict.present + 0.05
    assert outcome.verdict.difference.low > 0
    card = read_card(tmp_path)
    assert (card.kind, card.features, card.encoder) == ("ltr", NAMES, "hashing-32")
    assert card.data["queries"] == len(queries())
    assert len(card.data["hash"]) == 64
    assert card.metrics["ndcg@10"] == outcome.verdict.ours
    assert set(card.libraries) == {"lightgbm"}
    assert card.config["seed"] == 7
    assert not (tmp_path / BEHAVIOUR).exists()


def test_kept_ranker_puts_the_best_first(shop, judged, tmp_path):
    tune_ltr(shop, Source(judgements=judged), QUICK, tmp_path)
    reranker = open_reranker(tmp_path, shop.manifest)
    context_of = linked_context(shop)
    query = "green desk"
    found = shop.search(query, k=30)
    scores = reranker.rank(query, found, context_of(query))
    values = [worth(query, one.item) for one in found]
    best = max(range(len(found)), key=lambda place: scores[place])
    assert values[best] == max(values)


def test_feedback_makes_a_ranker_with_its_counts(shop, clicked, tmp_path):
    outcome = tune_ltr(shop, Source(feedback=clicked), QUICK, tmp_path)
    assert outcome.verdict.better
    assert outcome.verdict.ours > outcome.verdict.present
    told = json.loads((tmp_path / BEHAVIOUR).read_text())
    assert told["total"][0] == 12 * 10 * len(queries())
    assert open_reranker(tmp_path, shop.manifest).rank("red mug", shop.search("red mug", k=5))


def test_labels_by_chance_leave_the_ranking_as_it_is(shop, tmp_path):
    noise = write_judgements(
        tmp_path / "noise.csv", shop, lambda q, i: zlib.crc32(f"{q} {i.id}".encode()) % 2
    )
    outcome = tune_ltr(shop, Source(judgements=noise), QUICK, tmp_path / "out")
    assert outcome.kept is None
    assert not outcome.verdict.better
    assert not (tmp_path / "out").exists()


def test_same_seed_grows_the_same_trees(shop, judged, tmp_path):
    for name in ("one", "two"):
        tune_ltr(shop, Source(judgements=judged), QUICK, tmp_path / name)
    assert (tmp_path / "one" / TREES).read_text() == (tmp_path / "two" / TREES).read_text()


def test_no_query_is_on_both_sides(shop, clicked, monkeypatch):
    found = feedback_groups(shop, read_feedback(clicked), linked_context(shop))
    seen = []
    grow = ltr.grow
    monkeypatch.setattr(ltr, "grow", lambda groups, *a: seen.append(groups) or grow(groups, *a))
    ltr.cross_validate(found.groups, QUICK)
    keys = {group.key for group in found.groups if group.learnable}
    held = [keys - {group.key for group in groups} for groups in seen]
    assert sorted(key for fold in held for key in fold) == sorted(keys)


def test_many_queries_stop_early(shop, judged):
    found = judged_groups(shop, read_judgements(judged), linked_context(shop))
    config = LTRConfig(few=1, patience=3, rounds=400, smallest_leaf=5)
    rounds = ltr.cross_validate(found.groups, config).rounds
    assert len(rounds) == config.folds
    assert all(1 <= count < 400 for count in rounds)


def test_present_ranking_against_itself_is_no_better(shop, judged):
    found = judged_groups(shop, read_judgements(judged), linked_context(shop))
    flat = [[0.0] * len(group.candidates) for group in found.groups]
    verdict = compare(found.groups, flat, seed=0)
    assert (verdict.difference.mean, verdict.better) == (0.0, False)
    assert verdict.ours == verdict.present


def test_best_order_has_ndcg_of_one(shop, judged):
    found = judged_groups(shop, read_judgements(judged), linked_context(shop))
    verdict = compare(found.groups, [group.grades for group in found.groups], seed=0)
    assert verdict.ours == pytest.approx(1.0)


def test_too_few_queries_are_told_with_how_many(shop, tmp_path):
    path = tmp_path / "few.csv"
    found = shop.search("red mug", k=2)
    with path.open("w", newline="") as file:
        rows = [["red mug", one.item.id, place] for place, one in enumerate(found)]
        csv.writer(file).writerows([["query", "id", "rating"], *rows])
    with pytest.raises(TrainingError, match="1 queries have found items that are rated diff"):
        tune_ltr(shop, Source(judgements=path), QUICK)


@pytest.mark.parametrize("both", [True, False])
def test_one_source_of_labels_is_expected(tmp_path, both):
    path = tmp_path / "x" if both else None
    with pytest.raises(TrainingError, match="expected a file of judgements or one of feedback"):
        Source(path, path)


def pairs():
    return [Pair(f"red {i}", f"red shirt {i}", 1.0) for i in range(24)] + [
        Pair(f"red {i}", f"sock kind {i}", 0.0) for i in range(24)
    ]


@pytest.mark.slow
def test_cross_encoder_learns_pairs(tmp_path):
    base = tiny_cross_encoder(tmp_path / "tiny")
    config = CrossEncoderConfig(
        base=str(base), epochs=15, learning_rate=5e-3, batch_size=8, max_length=16
    )
    done = train(pairs(), tmp_path / "out", config)
    assert done["steps"] == 15 * 48 / 8
    assert done["loss"] < math.log(2)
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(str(tmp_path / "out"), local_files_only=True)
    good, bad = model.predict(
        [("red 1", "red shirt 1"), ("red 1", "sock kind 1")], show_progress_bar=False
    )
    assert good > 0.8 > 0.2 > bad


@pytest.mark.parametrize(
    ("wrong", "error", "told"),
    [
        ({"base": "/no/such/base"}, BaseModelError, "base '/no/such/base' can't be loaded"),
        ({"max_length": 0}, TrainingError, "max_length=0: expected more than 0"),
        ({"learning_rate": -1.0}, TrainingError, "learning_rate=-1.0: expected more than 0"),
    ],
)
def test_what_can_not_be_trained_is_refused(tmp_path, wrong, error, told):
    with pytest.raises(error, match=told):
        train(pairs(), tmp_path / "out", CrossEncoderConfig(**wrong))


def test_pairs_of_one_label_are_refused(tmp_path):
    with pytest.raises(TrainingError, match="24 pairs with one and the same label"):
        train(pairs()[:24], tmp_path / "out", CrossEncoderConfig())


def test_a_cross_encoder_that_is_no_better_is_not_kept(shop, judged, tmp_path):
    base = tiny_cross_encoder(tmp_path / "tiny")
    config = CrossEncoderConfig(base=str(base), epochs=0)
    outcome = tune_cross_encoder(shop, Source(judgements=judged), config, tmp_path / "out")
    assert outcome.kept is None
    assert not (tmp_path / "out" / CARD).exists()
    assert outcome.verdict.difference.n == len(queries()) // 5


def test_a_better_cross_encoder_is_kept_by_name(shop, judged, tmp_path, monkeypatch):
    base = tiny_cross_encoder(tmp_path / "tiny")
    monkeypatch.setattr(
        "finetune.ranker.tune.CrossEncoderReranker",
        lambda name, leading: Knowing(),
    )
    config = CrossEncoderConfig(base=str(base), epochs=0)
    outcome = tune_cross_encoder(shop, Source(judgements=judged), config, tmp_path / "out")
    assert outcome.kept == tmp_path / "out"
    assert read_card(tmp_path / "out").model == str(base)
    assert open_reranker(tmp_path / "out", shop.manifest).name == "cross-encoder"


class Knowing:
    """Ranks as the labels say."""

    name = "cross-encoder"

    def rank(self, query, candidates, context=None):
        return [worth(query, one.item) for one in candidates]
