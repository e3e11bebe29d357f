"""Which tool a clause means: likeness to what one says who means it, in words and in meaning.

Numbers and codes are the same in all utterances, so that "where is my order A-1234?" is like "where
is my order B-77?". The encoder is the catalog's own; without a real one, words alone decide.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from agent.linking.text import plain
from agent.tools.spec import Tool
from retrieval.query import Vectors

Encode = Callable[[Sequence[str]], Vectors]

ENOUGH = 0.62
"""Likeness from which a tool is meant."""

KEPT = 2_000
"""Vectors of utterances that are kept."""

_SUMMARY = 0.9
"""How much a summary counts, beside what people were said to say."""

_CODE = re.compile(r"\{[^}]*\}|[\w.+-]+@[\w.-]+|#?\b[\w-]*\d[\w-]*\b")
_WORD = re.compile(r"#|[^\W\d_]+(?:['’][^\W\d_]+)?")
_FILLER = re.compile(
    r"\b(?:please|pls|plz|can you|could you|would you|can i|could i|may i|"
    r"i(?:'d| would) like(?: to)?|"
    r"i(?: just)? (?:want|need|wanna)(?: to)?|help me(?: to)?|let me|tell me|hi|hello|hey|thanks|"
    r"thank you|for me|now|just|kindly|actually|also|quickly|go ahead and)\b"
)
_LOOKS = re.compile(
    r"^\W*(?:look(?:s)? up|gets?|fetch(?:es)?|retrieves?|checks?|shows?|quer(?:y|ies)|finds?)\b\W*",
    re.I,
)
"""How summaries begin, and nobody's question."""

_LIGHT = frozenset(
    re.findall(
        r"\S+",
        "a an the my your our this that it its is are was were be been am do does did to of for in "
        "on at and or i you we they me us with by from have has had will would s ' t ll ve re im "
        "as so up out number no nr id code #",
    )
)
_ASKING = frozenset({"what", "where", "when", "how", "which", "who", "why", "can", "could"})
_SAME = {
    "parcel": "order", "package": "order", "shipment": "order", "delivery": "order",
    "purchase": "order", "basket": "cart", "bag": "cart", "trolley": "cart", "locate": "track",
    "find": "track", "send": "return", "undo": "cancel", "stop": "cancel", "bring": "return",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Match:
    """A tool and how well it fits, 0 to 1.

    Args:
        by_number: Whether nothing but a number of its own speaks for it: "it's A-1234".
    """

    tool: Tool
    score: float
    by_number: bool = False


@dataclass(frozen=True, slots=True)
class _Phrase:
    tool: Tool
    text: str
    weight: float


class Matcher:
    """Finds the tool that a clause means. Shared between threads.

    Args:
        encode: Vectors of unit length of texts; None: words alone decide.
    """

    def __init__(self, tools: Sequence[Tool], encode: Encode | None = None) -> None:
        self._phrases = tuple(phrase for tool in tools for phrase in _phrases(tool))
        self._encode = encode
        self._lock = threading.Lock()
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()
        if encode is not None and self._phrases:
            self._vector([phrase.text for phrase in self._phrases])  # so that no turn waits for it

    def rank(self, text: str, others: Sequence[Tool] = ()) -> list[Match]:
        """Return the tools with how well they fit, best first.

        Args:
            others: Further tools, for this once.
        """
        said = normal(text)
        phrases = [*self._phrases, *(phrase for tool in others for phrase in _phrases(tool))]
        if not said or not phrases:
            return []
        best: dict[str, Match] = {}
        meant = self._likeness(said, [phrase.text for phrase in phrases])
        for phrase, meaning in zip(phrases, meant, strict=True):
            score = phrase.weight * blend(overlap(said, phrase.text), meaning)
            found = best.get(phrase.tool.name)
            if found is None or score > found.score:
                best[phrase.tool.name] = Match(phrase.tool, round(score, 4))
        return sorted(best.values(), key=lambda match: -match.score)

    def _likeness(self, said: str, texts: Sequence[str]) -> list[float | None]:
        if self._encode is None:
            return [None] * len(texts)
        own = self._vector([said])[0]
        return [float(own @ vector) for vector in self._vector(texts)]

    def _vector(self, texts: Sequence[str]) -> list[Vectors]:
        assert self._encode is not None
        with self._lock:
            found = {text: self._vectors[text] for text in texts if text in self._vectors}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        if new:
            found |= dict(zip(new, self._encode(new), strict=True))
        with self._lock:
            for text in texts:
                self._vectors[text] = found[text]
                self._vectors.move_to_end(text)
            while len(self._vectors) > KEPT:
                self._vectors.popitem(last=False)
        return [np.asarray(found[text]) for text in texts]


def _phrases(tool: Tool) -> list[_Phrase]:
    named = [] if tool.examples else [re.sub(r"(?<=[a-z])(?=[A-Z])|[_.-]+", " ", tool.name)]
    texts = [(one, 1.0) for one in tool.examples]
    summaries = (one.split(". ")[0] for one in (tool.summary, *named))
    texts += [(_LOOKS.sub("", one), _SUMMARY) for one in summaries]
    return [_Phrase(tool, said, weight) for text, weight in texts if (said := normal(text))]


def normal(text: str) -> str:
    """Return what is compared: in lower case, without courtesies, codes and numbers as "#"."""
    lower = plain(text).replace("’", "'")
    lower = _CODE.sub("#", lower)
    return " ".join(_WORD.findall(_FILLER.sub(" ", lower)))


def blend(words: float, meaning: float | None) -> float:
    """Return one likeness from that of the words and that of the meaning."""
    if meaning is None:
        return words
    scaled = min(1.0, max(0.0, (meaning - 0.25) / 0.6))
    return max(0.5 * words + 0.5 * scaled, 0.92 * words)


@lru_cache(maxsize=4096)
def _bag(text: str) -> dict[str, float]:
    import Stemmer

    stem = Stemmer.Stemmer("english").stemWord
    bag: dict[str, float] = {}
    for word in text.split():
        weight = 0.2 if word in _LIGHT else 0.5 if word in _ASKING else 1.0
        bag[stem(_SAME.get(word, word))] = weight
    return bag


def overlap(one: str, other: str) -> float:
    """Return the share of words that two texts have in common, light words counting little."""
    first, second = _bag(one), _bag(other)
    shared = sum(weight for word, weight in first.items() if word in second)
    return 2 * shared / ((sum(first.values()) + sum(second.values())) or 1.0)
