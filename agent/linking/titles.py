"""Titles: items that are named, on the slate by any telling part, in the catalog in full."""

from __future__ import annotations

import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Protocol

from agent.linking.text import Token, key, key_of, tokenize, word_at
from agent.linking.vocabulary import general
from agent.plan import Mention
from retrieval.catalog import Item
from retrieval.spelling import english

REBUILD_S = 5.0
"""A changed catalog's titles are read again at most this often; values are linked at once."""

_LONGEST = 14
_MAX_SAME = 12
"""Titles that more items share than this name a kind of thing, not an item."""


class Titled(Protocol):
    """What the title linker needs of a retriever."""

    @property
    def version(self) -> int:
        """A number that grows with every change."""
        ...

    def items(self) -> Iterator[Item]:
        """Every item."""
        ...


def _variants(title: str) -> set[str]:
    bare = re.sub(r"\s*[(\[][^)\]]*[)\]]", "", title)
    names = {title, bare, re.split(r":| - ", bare)[0]}
    return {name for name in names if len(tokenize(name)) > 1 or name == title}


class TitleLinker:
    """Finds item titles in an utterance.

    Args:
        catalog: Where the titles come from; followed as it changes.
    """

    def __init__(self, catalog: Titled) -> None:
        self._catalog = catalog
        self._version: Any = None
        self._read_at = 0.0
        self._ids: dict[str, tuple[str, ...]] = {}
        self._lengths: dict[str, int] = {}
        self._lock = threading.Lock()

    def _refresh(self) -> None:
        if self._version == self._catalog.version:
            return
        if self._version is not None and time.monotonic() - self._read_at < REBUILD_S:
            return
        with self._lock:
            version = self._catalog.version
            ids: dict[str, list[str]] = defaultdict(list)
            for item in self._catalog.items():
                self._lengths[item.id] = len(item.title)
                for variant in _variants(item.title):
                    own = ids[key_of(variant)]
                    if len(own) <= _MAX_SAME and item.id not in own:
                        own.append(item.id)
            self._ids = {k: tuple(v) for k, v in ids.items() if k and len(v) <= _MAX_SAME}
            self._version, self._read_at = version, time.monotonic()

    def find(
        self,
        tokens: Sequence[Token],
        slate: Sequence[Item],
        is_value: Callable[[Sequence[str]], bool],
    ) -> list[tuple[Mention, int, int]]:
        """Return item mentions with their token spans.

        Args:
            is_value: Whether norms are the name of a facet value, which then is what was meant.
        """
        self._refresh()
        found = []
        on_slate = {item.id for item in slate}
        telling = _telling_words(slate, is_value)
        i = 0
        while i < len(tokens):
            hit = self._at(tokens, i, is_value, on_slate) or _on_slate(
                tokens, i, slate, telling, is_value
            )
            if hit is None:
                i += 1
                continue
            found.append(hit)
            i = hit[2]
        return found

    def _exact_first(self, ids: tuple[str, ...]) -> tuple[str, ...]:
        """Return ids with the shortest title first: The Firm before The Firm (Level 5)."""
        return tuple(sorted(ids, key=lambda id: (self._lengths.get(id, 0), ids.index(id))))

    def _at(
        self,
        tokens: Sequence[Token],
        i: int,
        is_value: Callable[[Sequence[str]], bool],
        on_slate: Collection[str],
    ) -> tuple[Mention, int, int] | None:
        if not (tokens[i].is_word or tokens[i].is_number):
            return None
        for last in range(min(i + _LONGEST, len(tokens)), i, -1):
            if not (tokens[last - 1].is_word or tokens[last - 1].is_number):
                continue
            part = tokens[i:last]
            ids = self._ids.get(key(token.norm for token in part), ())
            if last < len(tokens) and tokens[last].word in ("ones", "series", "stuff", "thing"):
                continue
            shown = tuple(id for id in ids if id in on_slate)
            if len(part) == 1 and ids and _in_a_name(tokens, i, is_value):
                continue
            if shown and len(part) > 1 and not is_value([token.norm for token in part]):
                return _mention(tokens, i, last, shown[:1], 1.0), i, last
            pointed = _is_pointed(tokens, i)
            if len(ids) > 1 and not pointed:
                continue
            if ids and _names_an_item(part, tokens, i, is_value):
                return _mention(tokens, i, last, self._exact_first(ids)[:1], 1.0), i, last
        return None


def _names_an_item(
    part: Sequence[Token],
    tokens: Sequence[Token],
    i: int,
    is_value: Callable[[Sequence[str]], bool],
) -> bool:
    """Return whether a title match is meant as an item, not as everyday words."""
    norms = [token.norm for token in part]
    if is_value(norms) or _is_initial(part, tokens, i):
        return False
    content = [t for t in part if t.is_word and t.norm not in general().stop]
    capital = [t for t in part if t.is_word and t.text[0].isupper()]
    if not content and len(part) < 4:
        return (
            len(capital) == len([t for t in part if t.is_word])
            and i > 0
            and (len(part) > 1 or part[0].text.isupper())
        )
    if all(is_value([token.norm]) for token in content) and len(part) < 4:
        return False
    pointed = _is_pointed(tokens, i)
    if len(part) == 1:
        last = i + len(part)
        if capital and last < len(tokens) and tokens[last].word == "by":
            return True
        rare = pointed and part[0].word not in english() and len(part[0].word) > 3
        return rare or (bool(capital) and i > 0 and (pointed or tokens[i - 1].word not in _STARTS))
    return len(part) > 3 or pointed or len(capital) >= max(2, len(content) - 1)


def _is_pointed(tokens: Sequence[Token], i: int) -> bool:
    """Return whether the word before names what follows: "similar to …", not "want to learn …"."""
    before = word_at(tokens, i - 1)
    return before in _NAMING and (before != "to" or word_at(tokens, i - 2) in _BESIDE)


def _is_initial(part: Sequence[Token], tokens: Sequence[Token], i: int) -> bool:
    """Return whether a single letter stands for a name: the S of "C.S. Lewis"."""
    pointed = i + 1 < len(tokens) and tokens[i + 1].word == "." and tokens[i + 1].glued
    return len(part) == 1 and len(part[0].word) == 1 and pointed and i + 2 < len(tokens)


def _telling_words(
    slate: Sequence[Item], is_value: Callable[[Sequence[str]], bool]
) -> dict[str, set[str]]:
    """Return words of slate titles that tell items apart, with the items they tell."""
    holders: dict[str, set[str]] = defaultdict(set)
    for item in slate:
        for token in tokenize(item.title):
            if token.is_word and len(token.norm) > 2 and token.norm not in general().stop:
                holders[token.norm].add(item.id)
    return {
        word: ids
        for word, ids in holders.items()
        if len(ids) < max(2, len(slate)) and not is_value([word])
    }


_NAMING = frozenset(
    {"like", "to", "about", "read", "than", "compare", "and", "or", "vs", "versus", "own", "seen",
     "bought"}
)  # fmt: skip
_BESIDE = frozenset(
    {"similar", "close", "closer", "closest", "compared", "comparable", "identical", "akin",
     "equal", "related", "equivalent", "alternative", "alternatives", "sequel", "prefer", "next",
     "listened", "back", "no", "yes"}
)  # fmt: skip
"""Words before "to" that set something beside a named item."""
_STARTS = frozenset(".!?")
_NAME = 3
"""Words of a value's name within which a word of a title is not looked for."""
_POINTERS = frozenset({"the", "that", "this", "about", "of"})
_NEGATIONS = frozenset({"not", "no", "without", "nothing", "except", "hate", "want"})
_CLOSERS = frozenset({"it", "one"})
_LOOSE_POINTERS = frozenset(
    {"like", "is", "and", "or", "vs", "to", "with", "versus", "compare", "take", "than", "why",
     "from"}
)  # fmt: skip


def _on_slate(
    tokens: Sequence[Token],
    i: int,
    slate: Sequence[Item],
    telling: dict[str, set[str]],
    is_value: Callable[[Sequence[str]], bool],
) -> tuple[Mention, int, int] | None:
    """Find a part of a slate title that only some items have ("the titan", "poang")."""
    if not tokens[i].is_word or tokens[i].norm not in telling or _in_a_name(tokens, i, is_value):
        return None
    last = i + 1
    ids = telling[tokens[i].norm]
    while last < len(tokens) and tokens[last].norm in telling and ids & telling[tokens[last].norm]:
        ids = ids & telling[tokens[last].norm]
        last += 1
    before = tokens[i - 1].word if i > 0 else ""
    whole = any(key_of(v) == tokens[i].norm for s in slate for v in _variants(s.title))
    rare = whole or tokens[i].word not in english()
    if before in _NEGATIONS and not whole:
        return None
    closes = tokens[i + 1].word if i + 1 < len(tokens) else ""
    pointed = before in _POINTERS or (rare and (before in _LOOSE_POINTERS or closes in _CLOSERS))
    if not (pointed or whole) and last - i < 2 and not tokens[i].text[0].isupper():
        return None
    if before not in _POINTERS and is_value([token.norm for token in tokens[i:last]]):
        return None
    ordered = tuple(item.id for item in slate if item.id in ids)
    first = i - 1 if i > 0 and tokens[i - 1].word in ("the", "that", "this") else i
    if last < len(tokens) and tokens[last].word in ("one", "ones"):
        last += 1
    return _mention(tokens, first, last, ordered, 0.9 if len(ordered) == 1 else 0.7), first, last


def _in_a_name(tokens: Sequence[Token], i: int, is_value: Callable[[Sequence[str]], bool]) -> bool:
    """Return whether a word is a part of a value named there: "lite" in "no Tripp Lite"."""
    return any(
        is_value([token.norm for token in tokens[first:last]])
        for first in range(max(0, i - _NAME + 1), i + 1)
        for last in range(max(i + 1, first + 2), min(first + _NAME, len(tokens)) + 1)
    )


def _mention(
    tokens: Sequence[Token], first: int, last: int, ids: tuple[str, ...], score: float
) -> Mention:
    return Mention(
        id="", kind="item", start=tokens[first].start, end=tokens[last - 1].end, text="",
        items=ids, score=score,
    )  # fmt: skip
