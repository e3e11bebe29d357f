"""Checking free text about items: is what it states so, by the catalog and the wishes?

`check` takes any text, whoever wrote it. A text is cut into statements; values, numbers and names
in them are found (`agent.checking.mentioned`) and compared with the item and the wishes, and what
is said around them is read as for a model's sentences (`agent.telling`). What cannot be tied to a
field, a wish or the item's own text is unsupported, never taken on trust.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from agent.checking.own_words import strange, superlatives
from agent.checking.reading import Reading, Verdict
from agent.checking.scene import Scene, Vocabulary
from agent.state import State
from agent.telling import words_of
from agent.turn import Reason
from agent.wording import clean, label, title_of
from retrieval.catalog import Facet, Item
from retrieval.filters import words

__all__ = ["Checker", "Verdict", "check"]

_CUT = re.compile(r"(?<=[.!?])\s+|\n+")


class Checker:
    """Checks texts about the items of one catalog; made once, used for many texts."""

    def __init__(self, facets: Sequence[Facet], currency: str | None = None) -> None:
        self.vocabulary = Vocabulary(facets)
        self.currency = currency
        self._labels = {word for facet in facets for word in words(label(facet, facet.name))}

    def check(
        self,
        text: str,
        items: Sequence[Item],
        state: State,
        claims: Sequence[Reason] | None = None,
        others: Mapping[str, Item] | None = None,
    ) -> tuple[Verdict, ...]:
        """Return a verdict on each statement of an English text.

        Args:
            items: What the text is about; a sentence is about the item named last.
            claims: Where given, statements on fields that no claim is about are unsupported.
            others: More items that the text may compare with, by id.
        """
        if not items:
            raise ValueError("expected one item or more that the text is about, got none")
        known = {**(others or {}), **{item.id: item for item in items}}
        about = {e.facet for claim in claims or () for e in claim.evidence}
        subject, found = items[0], []
        for sentence in _sentences(text, _whole(known.values(), state)):
            subject = _subject(sentence, items) or subject
            rest = {id: one for id, one in known.items() if id != subject.id}
            scene = Scene(subject, state, self.vocabulary, self.currency, rest)
            for verdict in self._verdicts(sentence, scene, items):
                facets = {e.facet for e in verdict.evidence}
                if claims is not None and verdict.status == "supported" and not facets & about:
                    verdict = replace(verdict, status="unsupported", why="no claim says it")
                found.append(verdict)
        return tuple(found)

    def _verdicts(self, sentence: str, scene: Scene, items: Sequence[Item]) -> Iterator[Verdict]:
        known = words_of("en")
        assert known is not None
        reading = Reading(sentence, scene)
        yield from reading.verdicts()
        yield from superlatives(sentence, scene, items)
        yield from strange(reading.text, scene, self._labels, known)


def check(
    text: str,
    items: Sequence[Item],
    state: State,
    facets: Sequence[Facet],
    currency: str | None = None,
    claims: Sequence[Reason] | None = None,
    others: Mapping[str, Item] | None = None,
) -> tuple[Verdict, ...]:
    """Return a verdict on each statement of a text; see `Checker` for many texts."""
    return Checker(facets, currency).check(text, items, state, claims, others)


def _whole(items: Iterable[Item], state: State) -> Iterator[str]:
    """Yield what no sentence ends within: titles, and values such as "U.S. Polo Assn."."""
    for item in items:
        yield title_of(item)
        for value in item.fields.values():
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, str) and "." in one:
                    yield clean(one, 60)
    for constraint in state.need.constraints:
        yield from (value for value in (*constraint.values, *constraint.excluded) if "." in value)


def _sentences(text: str, titles: Iterable[str]) -> Iterator[str]:
    inside = [
        (at.start(), at.end())
        for title in titles
        if title
        for at in re.finditer(re.escape(title), text)
    ]
    begin = 0
    for cut in _CUT.finditer(text):
        if not any(start < cut.start() < end for start, end in inside):
            yield from filter(None, [text[begin : cut.start()].strip()])
            begin = cut.end()
    yield from filter(None, [text[begin:].strip()])


def _subject(sentence: str, items: Sequence[Item]) -> Item | None:
    """Return the item that a sentence names first."""
    places = [(sentence.find(title_of(item)), -len(title_of(item)), n)
              for n, item in enumerate(items)]  # fmt: skip
    named = sorted(place for place in places if place[0] >= 0)
    return items[named[0][2]] if named else None
