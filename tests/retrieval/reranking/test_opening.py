import json
import logging
from dataclasses import replace

import pytest

from retrieval.errors import RerankerError
from retrieval.project import Manifest
from retrieval.reranking.behaviour import Behaviour, Counts, to_json
from retrieval.reranking.card import (
    BEHAVIOUR,
    CARD,
    TREES,
    RankerCard,
    read_card,
    text_hash,
    write_card,
)
from retrieval.reranking.cross_encoder import CrossEncoderReranker
from retrieval.reranking.features import NAMES
from retrieval.reranking.ltr import LTRReranker
from retrieval.reranking.opening import open_reranker
from tests.retrieval.reranking.goods import CANDIDATES, SHIRT, tiny_cross_encoder, trees

MANIFEST = Manifest("shop", "hashing-16", 16, leading=("kind",))


def keep(folder, text=None, **changes):
    text = trees() if text is None else text
    (folder / TREES).write_text(text)
    card = RankerCard(kind="ltr", model=TREES, model_hash=text_hash(text), features=NAMES,
                      encoder="hashing-16", metrics={"ndcg@10": 0.5})  # fmt: skip
    write_card(folder, replace(card, **changes))


def test_without_a_card_nothing_is_reranked(tmp_path):
    assert open_reranker(tmp_path, MANIFEST).name == "none"
    assert read_card(tmp_path) is None


def test_kept_trees_score_as_they_did(tmp_path):
    keep(tmp_path)
    opened = open_reranker(tmp_path, MANIFEST)
    assert opened.name == "ltr"
    expected = LTRReranker(trees()).rank("running shirt", CANDIDATES)
    assert opened.rank("running shirt", CANDIDATES) == expected
    assert expected[0] == max(expected)
    assert read_card(tmp_path).metrics == {"ndcg@10": 0.5}


def test_kept_behaviour_is_looked_up(tmp_path, monkeypatch):
    keep(tmp_path)
    table = Behaviour({"a": Counts(9, 8, 7, 6)}, {}, Counts(9, 8, 7, 6))
    (tmp_path / BEHAVIOUR).write_text(json.dumps(to_json(table)))
    seen = []
    monkeypatch.setattr(
        "retrieval.reranking.ltr.features",
        lambda query, candidates, context: seen.append(context) or np_row(),
    )
    open_reranker(tmp_path, MANIFEST).rank("x", [SHIRT])
    assert seen[0].behaviour == table


def np_row():
    import numpy as np

    return np.zeros((1, len(NAMES)), dtype=np.float32)


def test_a_cross_encoder_is_found_in_the_project(tmp_path):
    tiny_cross_encoder(tmp_path / "made").rename(tmp_path / "ranker")
    write_card(tmp_path, RankerCard(kind="cross-encoder", model="ranker"))
    opened = open_reranker(tmp_path, MANIFEST)
    assert isinstance(opened, CrossEncoderReranker)
    assert len(set(opened.rank("blue shirt", CANDIDATES[:3]))) == 3


def test_another_encoder_since_puts_trees_aside(tmp_path, caplog):
    keep(tmp_path, encoder="other")
    with caplog.at_level(logging.WARNING):
        assert open_reranker(tmp_path, MANIFEST).name == "none"
    assert "trained with encoder 'other', the project now has 'hashing-16'" in caplog.text


def test_trees_of_other_features_are_refused(tmp_path):
    old = ("old_score", *NAMES[1:])
    keep(tmp_path, trees(old))
    with pytest.raises(RerankerError, match=r"unknown now: \['old_score'\], new: \['dense'\]"):
        open_reranker(tmp_path, MANIFEST)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: (folder / TREES).unlink(), "can't be read: FileNotFoundError"),
        (lambda folder: (folder / TREES).write_text("tree"), "is not the file that ranker.json"),
        (lambda folder: keep(folder, "no trees"), "the trees of the reranker are broken"),
        (lambda folder: (folder / BEHAVIOUR).write_text("{}"), "can't be read: KeyError"),
        (lambda folder: (folder / CARD).write_text("{"), "is broken"),
        (lambda folder: (folder / CARD).write_text("{}"), "is broken: KeyError"),
        (lambda folder: (folder / CARD).write_text('{"format": 9}'), "has format 9, this version"),
        (lambda folder: keep(folder, kind="magic"), "unknown kind of reranker 'magic'; expected"),
        (lambda folder: keep(folder, kind="cross-encoder", model="/no/such"), "cannot load the"),
    ],
    ids=["no trees", "other trees", "broken trees", "behaviour", "card", "empty card", "newer",
         "kind", "no cross-encoder"],
)  # fmt: skip
def test_what_is_damaged_is_told(tmp_path, spoil, told):
    keep(tmp_path)
    spoil(tmp_path)
    with pytest.raises(RerankerError, match=told):
        open_reranker(tmp_path, MANIFEST)
