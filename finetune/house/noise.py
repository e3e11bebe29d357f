"""Noise: the slips of people who type, which leave the words of slots alone."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

_SHORT = {
    "you": "u", "your": "ur", "please": "pls", "and": "n", "are": "r", "okay": "ok",
    "something": "sth", "because": "cuz", "with": "w/", "about": "abt", "i'm": "im",
    "don't": "dont", "i'd": "id", "it's": "its", "that's": "thats", "what's": "whats",
    "can't": "cant", "i'll": "ill", "the": "teh", "want": "wanna",
    "going": "gonna", "doesn't": "doesnt", "isn't": "isnt",
}  # fmt: skip

Span = tuple[int, int]


def noisy(text: str, spans: Sequence[Span], random: Random) -> tuple[str, list[Span]]:
    """Return a text with slips outside the spans, and where the spans are then."""
    pieces, at = [], 0
    moved: list[Span] = []
    slips = random.random() < 0.2
    length = 0
    for begin, end in spans:
        before = _slip(text[at:begin], random) if slips else text[at:begin]
        pieces += [before, text[begin:end]]
        moved.append((length + len(before), length + len(before) + end - begin))
        length += len(before) + end - begin
        at = end
    tail = _slip(text[at:], random) if slips else text[at:]
    pieces.append(tail if random.random() < 0.85 else tail.rstrip(".!?"))
    said = "".join(pieces)
    # Nobody's shift key changes how long a text is, so the spans stay.
    if random.random() < 0.1:
        raised = said[:1].upper() + said[1:]
        return (raised if len(raised) == len(said) else said), moved
    return said, moved


def _slip(text: str, random: Random) -> str:
    return " ".join(_word(word, random) for word in text.split(" "))


def _word(word: str, random: Random) -> str:
    if random.random() < 0.25 and word.lower() in _SHORT:
        return _SHORT[word.lower()]
    if len(word) < 5 or not word.isalpha() or random.random() > 0.08:
        return word
    at = random.randrange(1, len(word) - 1)
    kind = random.random()
    if kind < 0.4:
        return word[:at] + word[at + 1 :]
    if kind < 0.7:
        return word[:at] + word[at] + word[at:]
    return word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]
