"""Describing: whether a phrase like "black leather" is true of an item."""

from __future__ import annotations

from collections.abc import Sequence

from agent.linking.lexicon import LONGEST, Entry, Lexicon
from agent.linking.text import Token, key
from agent.linking.vocabulary import general
from retrieval.catalog import Item
from retrieval.filters import words

_FACET_WORDS = frozenset(word for said in general().roles.values() for word in said)


def describes(lexicon: Lexicon, tokens: Sequence[Token], item: Item) -> bool:
    """Return whether a phrase is true of an item; names of facets alone say nothing."""
    if all(token.norm in _FACET_WORDS for token in tokens):
        return False
    text = set(words(" ".join([item.title, item.description, *_texts(item)])))
    i, seen = 0, False
    while i < len(tokens):
        if tokens[i].word in ("and", "with", "in") or not tokens[i].is_word:
            i += 1
            continue
        last, holds = _fits(lexicon, tokens, i, item, text)
        if not holds:
            return False
        seen, i = True, last
    return seen


def _fits(
    lexicon: Lexicon, tokens: Sequence[Token], i: int, item: Item, text: set[str]
) -> tuple[int, bool]:
    """Return where the longest name at i ends, and whether it, or the word, is true of the item."""
    for last in range(min(i + LONGEST, len(tokens)), i, -1):
        entries = lexicon.lookup(key(token.norm for token in tokens[i:last]))
        if entries:
            in_text = last == i + 1 and tokens[i].norm in text
            return last, in_text or any(_has(entry, item) for entry in entries)
    return i + 1, tokens[i].norm in text


def _has(entry: Entry, item: Item) -> bool:
    own = {str(value).casefold() for value in item.values(entry.facet)}
    return any(value.casefold() in own for value in (*entry.values, *entry.family))


def _texts(item: Item) -> list[str]:
    texts = [str(v) for v in item.fields.values() if isinstance(v, str)]
    return texts + [part for v in item.fields.values() if isinstance(v, tuple) for part in v]
