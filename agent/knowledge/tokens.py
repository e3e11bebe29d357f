"""How well each word of a question is met by a word of a passage, both seen in their context.

A word's vector in its sentence says more than the word alone. For each token of the question the
closest one of the passage counts (Khattab and Zaharia 2020, https://arxiv.org/abs/2004.12832,
without their training).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np

from agent.knowledge.words import Word, stems_at
from retrieval.query import TokenEncoder, Tokens

KEPT = 400
"""Passages whose tokens are kept."""


class TokenVectors:
    """The tokens of passages; those seen before are kept. Shared between threads."""

    def __init__(self, encoder: TokenEncoder) -> None:
        self._encoder = encoder
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Tokens] = OrderedDict()

    def of(self, text: str) -> Tokens:
        """Return the tokens of a question."""
        return self._encoder.encode_tokens([text])[0]

    def of_passages(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of passages."""
        with self._lock:
            new = [text for text in dict.fromkeys(texts) if text not in self._kept]
        made = self._encoder.encode_tokens(new) if new else []
        with self._lock:
            self._kept.update(zip(new, made, strict=True))
            result = [self._kept[text] for text in texts]
            while len(self._kept) > max(KEPT, len(texts)):
                self._kept.popitem(last=False)
        return result


def met(asked: Tokens, passage: Tokens) -> tuple[float, ...]:
    """Return for each token of a question how close the closest one of a passage is."""
    if not len(asked.vectors) or not len(passage.vectors):
        return ()
    return tuple(float(one) for one in (asked.vectors @ passage.vectors.T).max(axis=1))


def by_word(
    text: str, tokens: Tokens, closeness: Sequence[float], words: Sequence[Word]
) -> Mapping[str, float]:
    """Return for each of some words of a text, by its stem, how close its tokens come on average.

    Args:
        text: Of the question, which the tokens are of.
        closeness: Of each token.
    """
    of: dict[str, list[float]] = {}
    places = stems_at(text)
    for (start, _), close in zip(tokens.spans, closeness, strict=True):
        own = next((stem for first, last, stem in places if first <= start < last), None)
        if own is not None:
            of.setdefault(own, []).append(close)
    found = {}
    for word in words:
        parts = [one for part in word.stems for one in of.get(part, ())]
        if parts:
            found[word.stem] = float(np.mean(parts))
    return found
