"""What is particular to one kind of reranker."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from retrieval.errors import RerankerError
from retrieval.reranking.behaviour import Behaviour, Counts
from retrieval.reranking.cross_encoder import MAX_CHARACTERS, CrossEncoderReranker
from retrieval.reranking.features import NAMES
from retrieval.reranking.ltr import LTRReranker
from tests.retrieval.reranking.goods import CONTEXT, SHIRT, SHOE, tiny_cross_encoder, trees

KEPT = Behaviour({"a": Counts(10, 1)}, {}, Counts(10, 1))
NEWER = Behaviour({"a": Counts(20, 9)}, {}, Counts(20, 9))


@pytest.fixture
def asked(monkeypatch):
    """The contexts that features were asked for."""
    contexts = []

    def features(query, candidates, context):
        contexts.append(context)
        return np.zeros((len(candidates), len(NAMES)), dtype=np.float32)

    monkeypatch.setattr("retrieval.reranking.ltr.features", features)
    return contexts


def test_newer_behaviour_goes_before_what_was_kept(asked):
    reranker = LTRReranker(trees(), KEPT)
    reranker.rank("x", [SHIRT], CONTEXT)
    reranker.rank("x", [SHIRT], replace(CONTEXT, behaviour=NEWER))
    assert [context.behaviour for context in asked] == [KEPT, NEWER]
    assert asked[0].wanted == CONTEXT.wanted


def test_trees_prefer_what_they_were_taught():
    scores = LTRReranker(trees()).rank("running shoe", [SHIRT, SHOE])
    assert scores[1] > scores[0]
    scores = LTRReranker(trees()).rank("running shirt", [SHIRT, SHOE])
    assert scores[0] > scores[1]


def test_a_missing_library_is_told_with_the_pip_line(monkeypatch):
    text = trees()
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(RerankerError, match=r"needs lightgbm: pip install -e '\.\[rank\]'"):
        LTRReranker(text)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return tiny_cross_encoder(tmp_path_factory.mktemp("cross"))


def test_cross_encoder_reads_title_and_leading_facets_first(tiny, monkeypatch):
    reranker = CrossEncoderReranker(str(tiny), ("kind", "colour"))
    seen = []

    def predict(pairs, **options):
        seen.extend(pairs)
        return np.array([0.5, 0.1, float("nan")])

    monkeypatch.setattr(reranker._model, "predict", predict)
    long = replace(SHOE, item=replace(SHOE.item, description="word " * 1000))
    scores = reranker.rank("red shoe", [SHIRT, long, SHIRT])
    assert seen[0] == ("red shoe", "Blue running shirt. Shirt. Blue. light and quick. 2021-07-27")
    assert len(seen[1][1]) == MAX_CHARACTERS
    assert scores[0] > scores[1] > scores[2] == float("-inf")


def test_cross_encoder_counts_twice_beside_the_search(tiny, monkeypatch):
    reranker = CrossEncoderReranker(str(tiny))
    goods = [replace(SHIRT, score=score) for score in (0.1, 0.3)]
    for own, expected in [([1.0, 5.0], [-3, 3]), ([5.0, 1.0], [1, -1]), ([2.0, 2.0], [-1, 1])]:
        monkeypatch.setattr(reranker._model, "predict", lambda *a, own=own, **k: np.array(own))
        assert reranker.rank("x", goods) == pytest.approx(expected)


def test_a_classifier_of_several_labels_is_refused(tiny, tmp_path):
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(
        str(tiny), num_labels=3, local_files_only=True,
        model_kwargs={"ignore_mismatched_sizes": True},
    )  # fmt: skip
    model.save_pretrained(str(tmp_path / "three"))
    with pytest.raises(RerankerError, match="gives 3 scores for a pair; expected"):
        CrossEncoderReranker(str(tmp_path / "three"))
