"""Candidates and a tiny trained model, for tests of rerankers."""

from __future__ import annotations

from functools import cache

import numpy as np

from retrieval.catalog import Facet, Item
from retrieval.query import Candidate
from retrieval.reranking.features import NAMES
from retrieval.reranking.protocol import Context, Wanted

FACETS = (
    Facet("kind", "categorical", "kind", "category", values=(("Shirt", 2), ("Shoe", 2))),
    Facet("colour", "categorical", "colour", "colour", values=(("Blue", 2), ("Red", 1))),
    Facet("price", "numeric", "price", "price", low=10.0, high=100.0),
    Facet("rating", "numeric", "rating", "rating", low=1.0, high=5.0,
          quantiles=(2.0, 3.0, 4.0, 4.5, 5.0)),
    Facet("reviews", "numeric", "reviews", "popularity", low=0.0, high=1000.0,
          quantiles=(0.0, 5.0, 20.0, 100.0, 500.0)),
    Facet("released", "date", "released", "date", low=738_000.0, high=739_000.0),
    Facet("stock", "boolean", "stock", "availability", values=(("true", 3), ("false", 1))),
)  # fmt: skip


def candidate(id, title, score=0.0, dense=None, lexical=None, description="", **fields):
    return Candidate(Item(id, title, description, fields), score, dense, lexical)


SHIRT = candidate("a", "Blue running shirt", 0.033, 0.8, 5.0, "light and quick", kind="Shirt",
                  colour="Blue", price=20.0, rating=4.5, reviews=999.0, stock=True,
                  released="2021-07-27")  # fmt: skip
SHOE = candidate("b", "Running shoe, red", 0.032, 0.7, 8.0, "for blue days", kind="Shoe",
                 colour="Red", price=80.0, rating=2.0, reviews=0.0, stock=False)  # fmt: skip
SOCK = candidate("c", "Sock 4x4", 0.016, 0.2, None)
BAD = candidate("d", "", float("nan"), float("inf"), float("nan"), price="cheap", rating="good",
                released="soon")  # fmt: skip
CANDIDATES = (SHIRT, SHOE, SOCK, BAD)
CONTEXT = Context(FACETS, (Wanted("colour", ("blue", "navy")), Wanted("kind", ("Shirt",))), 40.0)


@cache
def trees(names=NAMES) -> str:
    """Return a model that prefers titles with the query's words, then high cosines."""
    import lightgbm

    random = np.random.default_rng(3)
    matrix = random.random((400, len(names)), dtype=np.float32)
    worth = 2 * matrix[:, NAMES.index("title_words")] + matrix[:, NAMES.index("dense")]
    data = lightgbm.Dataset(matrix, np.rint(worth * 3), group=[20] * 20, feature_name=list(names))
    settings = {"objective": "lambdarank", "verbosity": -1, "num_threads": 1, "num_leaves": 4}
    return str(lightgbm.train(settings, data, 30).model_to_string())


def tiny_cross_encoder(folder):
    """Save a cross-encoder with random weights over the words of the goods; return its folder."""
    from sentence_transformers import CrossEncoder
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast, set_seed

    set_seed(5)
    words = ["blue", "running", "shirt", "shoe", "red", "sock", "for", "light", "kind"]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    base = folder / "base"
    base.mkdir(parents=True)
    (base / "vocab.txt").write_text("\n".join(vocabulary))
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64, num_labels=1,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(base)
    BertTokenizerFast(vocab=str(base / "vocab.txt"), model_max_length=64).save_pretrained(base)
    model = CrossEncoder(str(base), max_length=48, num_labels=1, local_files_only=True)
    model.save_pretrained(str(folder / "model"))
    return folder / "model"
