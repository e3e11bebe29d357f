"""Tokens: an utterance cut into words, numbers and signs, with their offsets.

Every token has a `norm`: folded, without accents or possessive, in the singular. Keys of the
lexicon are norms joined without blanks, so that "t-shirt", "T shirts" and "Tshirts" are one key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from retrieval.filters import singular

_TOKEN = re.compile(
    r"""[^\W\d_]+\d[^\W_]*|\d+[^\W\d_]+\d[^\W_]*"""  # c2g, 1q84
    r"""|[^\W\d_]+(?:['’][^\W\d_]+)*|\d+(?:[.,]\d+)*"""
    r"""|[€$£₹¥#&+%<>=/~\-–—"”,.;:!?()]"""
)
_POSSESSIVE = re.compile(r"['’]s?$")

IGNORABLE = frozenset("-–—&/'’")
"""Signs that may stand inside a name without changing it."""

BREAKS = frozenset(".;:!?()")
"""Signs that end a clause."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or sign of an utterance.

    Args:
        word: As typed, case-folded and without accents, e.g. "shirts'" -> "shirts".
        norm: What is looked up: the singular of `word`, or its spelling correction.
        glued: Whether it follows the token before it without a blank.
    """

    text: str
    start: int
    end: int
    word: str
    norm: str
    glued: bool = False
    corrected: bool = False

    @property
    def is_word(self) -> bool:
        """Whether the token is made of letters."""
        return any(char.isalpha() for char in self.text)

    @property
    def is_number(self) -> bool:
        """Whether the token is made of digits."""
        plain = self.text.replace(".", "").replace(",", "")
        return plain.isascii() and plain.isdecimal() and len(plain) < 16


def plain(text: str) -> str:
    """Return text case-folded and without accents."""
    folded = text.casefold()
    if folded.isascii():
        return folded
    return "".join(_unaccented(char) for char in unicodedata.normalize("NFC", folded))


def _unaccented(char: str) -> str:
    """Return a Latin letter without its accents; marks of other scripts make another letter."""
    if char.isascii():
        return char
    parts = unicodedata.normalize("NFKD", char)
    latin = parts[:1].isascii()
    return "".join(c for c in parts if not unicodedata.combining(c)) if latin else char


def norm(word: str) -> str:
    """Return the form of a word that is looked up: plain, no possessive, singular."""
    bare = _POSSESSIVE.sub("", plain(word)).replace("’", "'")
    return singular(bare)


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a text in order."""
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        raw = match.group()
        word = plain(raw).replace("’", "'")
        tokens.append(
            Token(
                text=raw,
                start=match.start(),
                end=match.end(),
                word=word,
                norm=norm(raw) if any(char.isalpha() for char in raw) else word,
                glued=bool(tokens) and tokens[-1].end == match.start(),
            )
        )
    return tokens


def key(norms: Iterable[str]) -> str:
    """Return the lexicon key of a sequence of norms."""
    return "".join(part.replace("'", "") for part in norms if part[:1].isalnum())


def key_of(text: str) -> str:
    """Return the lexicon key of a text."""
    return key(token.norm for token in tokenize(text))


def word_at(tokens: Sequence[Token], index: int) -> str:
    """Return the word at an index, or "" outside the utterance."""
    return tokens[index].word if 0 <= index < len(tokens) else ""


def phrase_at(tokens: Sequence[Token], index: int, phrase: Sequence[str]) -> bool:
    """Return whether a phrase (words, as typed) starts at an index."""
    if index < 0 or index + len(phrase) > len(tokens):
        return False
    return all(tokens[index + i].word == word for i, word in enumerate(phrase))
