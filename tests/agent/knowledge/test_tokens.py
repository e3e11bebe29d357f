"""Words met in their context: by token, by word, kept for passages."""

import numpy as np
import pytest

from agent.knowledge.tokens import TokenVectors, by_word, met
from agent.knowledge.words import words_of
from retrieval.query import Tokens


def tokens(text, *vectors):
    """Return one token for each word of a text."""
    spans, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        spans.append((at, at + len(word)))
    return Tokens(tuple(spans), np.array(vectors, dtype=np.float32))


class Counting:
    """Gives each word the same vector, and counts what it is asked."""

    def __init__(self):
        self.texts = []

    def encode_tokens(self, texts):
        self.texts += texts
        return [tokens(text, *([1.0, 0.0] for _ in text.split())) for text in texts]


def test_closest_token_counts():
    asked = tokens("refund when", [1.0, 0.0], [0.0, 1.0])
    passage = tokens("money back", [0.8, 0.6], [0.6, 0.8])
    assert met(asked, passage) == pytest.approx((0.8, 0.8))
    assert met(asked, Tokens((), np.zeros((0, 2), np.float32))) == ()


def test_tokens_of_a_word_are_taken_together():
    text = "can I send back the dress"
    told = tokens(text, *([1.0, 0.0] for _ in text.split()))
    found = by_word(text, told, (0.1, 0.2, 0.4, 0.8, 0.1, 0.5), words_of(text))
    assert found == pytest.approx({"send back": 0.6, "dress": 0.5})


def test_passages_are_encoded_once():
    encoder = Counting()
    vectors = TokenVectors(encoder)
    first = vectors.of_passages(["one two", "three"])
    assert [len(one.spans) for one in first] == [2, 1]
    assert vectors.of_passages(["three", "four", "one two"])[2] is first[0]
    assert encoder.texts == ["one two", "three", "four"]
