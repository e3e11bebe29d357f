"""What was found: mentions and references with the tokens they cover, and their ids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agent.linking.text import Token
from agent.plan import PREFIX, Mention

_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Found:
    """A mention with the tokens it covers (end excluded)."""

    mention: Mention
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Span:
    """A reference: token span (end excluded), item ids, what was said about it."""

    first: int
    last: int
    items: tuple[str, ...]
    score: float = 1.0
    note: str = ""

    def found(self, tokens: Sequence[Token]) -> Found:
        """Return the reference as a mention without id."""
        mention = Mention(
            id="", kind="reference", start=tokens[self.first].start,
            end=tokens[self.last - 1].end, text="", items=self.items, score=self.score,
            note=self.note,
        )  # fmt: skip
        return Found(mention, self.first, self.last)


@dataclass(slots=True)
class Findings:
    """The mentions of one utterance so far, and which of its tokens they take."""

    taken: list[bool]
    found: list[Found] = field(default_factory=list)

    def take(self, new: Iterable[Found]) -> None:
        """Keep new mentions on free tokens; several on the very same span stay together."""
        fresh: set[tuple[int, int]] = set()
        for one in new:
            span = (one.first, one.last)
            if span in fresh or not any(self.taken[one.first : one.last]):
                fresh.add(span)
                self.found.append(one)
                self.taken[one.first : one.last] = [True] * (one.last - one.first)


def located(mention: Mention, tokens: Sequence[Token]) -> Found:
    """Return a mention with the tokens within its characters."""
    inside = [i for i, t in enumerate(tokens) if mention.start <= t.start and t.end <= mention.end]
    return Found(mention, inside[0], inside[-1] + 1)


def numbered(utterance: str, found: Iterable[Found]) -> tuple[Mention, ...]:
    """Return mentions with their words and ids, in order of place."""
    counts: dict[str, int] = {}
    mentions = []
    for one in sorted(found, key=lambda f: (f.mention.start, -f.mention.score)):
        letter = PREFIX[one.mention.kind]
        counts[letter] = counts.get(letter, 0) + 1
        text = _SPACES.sub(" ", utterance[one.mention.start : one.mention.end])
        mentions.append(
            one.mention.model_copy(update={"id": f"{letter}{counts[letter]}", "text": text})
        )
    return tuple(mentions)
