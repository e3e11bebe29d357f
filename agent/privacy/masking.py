"""Masks personal data: each mail address, phone number, card … gives way to its kind, "[mail]".

Numbers are known by their check digits and the ways countries write them, names and addresses by
the words around them. What the catalog calls by a name (brands, authors, titles, item ids) stays.
Knows no catalog: it asks whether words are the name of something.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from agent.privacy.addresses import addresses
from agent.privacy.births import births
from agent.privacy.cards import cards, ibans
from agent.privacy.chinese import chinese
from agent.privacy.found import Found, Kind
from agent.privacy.marks import ids, machines, mails
from agent.privacy.names import names
from agent.privacy.phones import phones
from agent.privacy.reading import Reading, read

ORDER: tuple[Kind, ...] = (
    "mail", "iban", "card", "birth", "id", "ip", "address", "phone", "name",
)  # fmt: skip
"""Of two kinds on the same words, the earlier one counts."""

_MOST_ROUNDS = 5
_DIGIT = re.compile(r"\d")


def _nothing(words: str) -> bool:
    return False


class PersonalDataMasker:
    """Masks personal data; see `agent.privacy.port.Masker`. Safe to share between threads.

    Args:
        is_other: Whether words are the name of something in the catalog.
    """

    def __init__(self, is_other: Callable[[str], bool] = _nothing) -> None:
        self._is_other = is_other

    def mask(self, text: str) -> str:
        """Return a text with what is personal masked. Masking again changes nothing."""
        for _ in range(_MOST_ROUNDS):
            found = self.find(text)
            if not found:
                break
            text = _replaced(text, found)
        return text

    def find(self, text: str) -> list[Found]:
        """Return what is personal in a text, in its order."""
        reading = read(text)
        spans = [reading.placed(one) for one in self._spans(reading) if one.end > one.start]
        spans.sort(key=lambda one: (ORDER.index(one.kind), one.start - one.end))
        taken: list[Found] = []
        for one in spans:
            if all(one.end <= other.start or other.end <= one.start for other in taken):
                taken.append(one)
        return sorted(taken, key=lambda one: one.start)

    def _spans(self, reading: Reading) -> Iterator[Found]:
        text, eastern = reading.text, reading.text != reading.apart
        yield from mails(reading)
        if _DIGIT.search(text):
            for kind in (ibans, cards, ids, machines, phones):
                yield from self._own(text, kind(reading))
            yield from self._own(text, addresses(reading.apart))
            yield from births(text)
        yield from names(text, self._is_other)
        if eastern:
            yield from self._own(text, chinese(text))

    def _own(self, text: str, found: Iterable[Found]) -> Iterator[Found]:
        return (one for one in found if not self._is_other(text[one.start : one.end]))


def _replaced(text: str, found: Iterable[Found]) -> str:
    parts, at = [], 0
    for one in found:
        parts += [text[at : one.start], f"[{one.kind}]"]
        at = one.end
    return "".join([*parts, text[at:]])
