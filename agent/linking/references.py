"""References: what "the second one", "#3", "the black one", "it" or "that nike" point at.

Every reference is resolved against the slate as it was shown, or the items in focus; one that
points at nothing is kept with no items, so that the reply can say so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agent.linking.text import Token, phrase_at, word_at
from agent.linking.vocabulary import general
from agent.plan import Mention
from agent.state import State
from retrieval.catalog import Item

ORDINALS = {
    "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4,
    "fifth": 5, "5th": 5, "sixth": 6, "6th": 6, "seventh": 7, "7th": 7, "eighth": 8, "8th": 8,
    "ninth": 9, "9th": 9, "tenth": 10, "10th": 10, "forth": 4, "secnd": 2, "frist": 1,
}  # fmt: skip
COUNTS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "couple": 2, "few": 3,
}  # fmt: skip
_NOUNS = frozenset(
    "one ones item items option options choice choices product products pair thing result results "
    "suggestion pick number no entry listing recommendation".split()
)
_NUMBERED = frozenset({"number", "#", "no", "option", "item", "nr", "num", "choice", "result"})
_PLURAL = frozenset({"these", "those", "them", "they", "all", "both"})
_SINGULAR = frozenset({"it", "this", "that", "it's", "that's", "its"})
_BOUNDING = frozenset(
    ["under", "over", "size", "below", "above", "than", "to", "at", "around", "about", "least",
     "most", "max", "min", "vol", "volume", "part", "age", "for", "only", "<", ">", "=", "$", "€", "£",
     "rating", "rated", "between", "from", "level", "book", "and", "-"]
)  # fmt: skip
_DETERMINERS = frozenset({"the", "that", "this", "those", "these", "ur", "your"})


@dataclass(frozen=True, slots=True)
class Span:
    """A reference: token span (end excluded), item ids, what was said about it."""

    first: int
    last: int
    items: tuple[str, ...]
    score: float = 1.0
    note: str = ""


def _small(word: str) -> bool:
    """Return whether a word is a number short enough to be a position."""
    return word.isascii() and word.isdecimal() and len(word) < 4


def _ordinal_at(tokens: Sequence[Token], i: int) -> tuple[int, int] | None:
    """Return position and tokens taken for an ordinal at i ("2nd" is two tokens); last is -1."""
    word = word_at(tokens, i)
    if phrase_at(tokens, i, ("second", "to", "last")) or phrase_at(
        tokens, i, ("next", "to", "last")
    ):
        return -2, 3
    if word in ORDINALS:
        return ORDINALS[word], 1
    if _small(word) and word_at(tokens, i + 1) in ("st", "nd", "rd", "th"):
        return int(word), 2
    if word in ("last", "final", "bottom"):
        return -1, 1
    if word == "top" and word_at(tokens, i + 1) in ("one", "pick", "option", "item"):
        return 1, 1
    return None


class ReferenceLinker:
    """Finds references in one utterance.

    Args:
        state: Holds the slate and the focus.
        slate: The items of the slate, in rank order.
        describe: Whether the tokens [i, j) describe an item (values, keywords), per item.
        extreme: A superlative that starts at a token: facet, whether upward, end.
    """

    def __init__(
        self,
        tokens: Sequence[Token],
        state: State,
        slate: Sequence[Item],
        describe: Callable[[int, int, Item], bool],
        extreme: Callable[[int], tuple[str, bool, int] | None],
    ) -> None:
        self._tokens = tokens
        self._state = state
        self._slate = slate
        self._describe = describe
        self._extreme = extreme
        self._ids = state.slate or tuple(item.id for item in slate)
        self._known = {item.id for item in slate}

    def find(self) -> list[Span]:
        """Return the references, left to right, longest first at each place."""
        found: list[Span] = []
        i = 0
        while i < len(self._tokens):
            span = self._at(i)
            if span is None:
                i += 1
                continue
            found.append(self._coreferent(span, found))
            i = max(span.last, i + 1)
        return found

    def _coreferent(self, span: Span, found: Sequence[Span]) -> Span:
        """Let "it" after "the second one" be the second one."""
        word = self._tokens[span.first].word
        if span.last - span.first > 2 or not found or word not in (*_SINGULAR, "one"):
            return span
        earlier = found[-1]
        alone = earlier.last - earlier.first == 1 and self._tokens[earlier.first].word in _SINGULAR
        if len(earlier.items) != 1 or alone:
            return span
        return replace(span, items=earlier.items)

    def _at(self, i: int) -> Span | None:
        rules = (
            self._first_n, self._ordinal, self._superlative, self._numbered, self._described,
            self._pronoun,
        )  # fmt: skip
        for rule in rules:
            span = rule(i)
            if span is not None:
                return span
        return None

    def _pick(self, first: int, last: int, positions: Sequence[int]) -> Span:
        size = len(self._ids)
        missing = [p for p in positions if p > size or p == 0 or -p > size]
        items = tuple(self._ids[p - 1 if p > 0 else p] for p in positions if p not in missing)
        note = f"position {missing[0]} of a slate of {size}" if missing else ""
        if any(id not in self._known for id in items):
            items = tuple(id for id in items if id in self._known)
            note = note or "no longer in the catalog"
        return Span(first, last, items, note=note)

    def _first_n(self, i: int) -> Span | None:
        """Read "first two", "the last three", "top 2"."""
        start = i + (word_at(self._tokens, i) in _DETERMINERS)
        word, count = word_at(self._tokens, start), word_at(self._tokens, start + 1)
        n = COUNTS.get(count) or (int(count) if _small(count) else 0)
        if word not in ("first", "last", "top") or n < 2:
            return None
        if word == "top" and not self._ids:
            return None
        n = min(n, len(self._ids)) if self._ids else n
        positions = range(1, n + 1) if word != "last" else range(-n, 0)
        end = start + 2 + (word_at(self._tokens, start + 2) in _NOUNS)
        return self._pick(i, end, list(positions))

    def _ordinal(self, i: int) -> Span | None:
        """Read "the second one", "2nd", "third", "the last"."""
        start = i + (word_at(self._tokens, i) in _DETERMINERS)
        hit = _ordinal_at(self._tokens, start)
        if hit is None or self._not_a_position(i, start, hit[1]):
            return None
        position, taken = hit
        end = start + taken
        noun = word_at(self._tokens, end)
        if noun in _NOUNS:
            end += 1
        elif start == i and position == -1 and word_at(self._tokens, i - 1) not in ("and", "or"):
            return None
        return self._pick(i, end, [position])

    def _superlative(self, i: int) -> Span | None:
        """Read "the cheapest one", "the cheapest of these": an extreme of the slate."""
        start = i + (word_at(self._tokens, i) in _DETERMINERS)
        hit = self._extreme(start) if self._slate else None
        if hit is None:
            return None
        facet, upward, end = hit
        if word_at(self._tokens, end) in ("one", "option"):
            if word_at(self._tokens, end + 1) == "first":
                return None
            end += 1
        elif not phrase_at(self._tokens, end, ("of",)) or (
            word_at(self._tokens, end + 1) not in ("these", "those", "them", "the", "all")
        ):
            return None
        else:
            end += 2
        known = [(item.number(facet), item.id) for item in self._slate]
        values = [(value, id) for value, id in known if value is not None]
        if not values:
            return None
        pick = max(values, key=lambda v: v[0]) if upward else min(values, key=lambda v: v[0])
        return Span(i, end, (pick[1],), 0.9)

    def _not_a_position(self, i: int, start: int, taken: int) -> bool:
        """Return whether an ordinal word is an adverb or a time ("first of all", "last week")."""
        after = word_at(self._tokens, start + taken)
        before = word_at(self._tokens, i - 1)
        if after in ("of", "time", "week", "year", "month", "thing", "name", "hand", "class"):
            nxt = word_at(self._tokens, start + taken + 1)
            return not (after == "of" and nxt in ("these", "those", "them", "the"))
        if before in ("at", "before") and word_at(self._tokens, start) == "last":
            return True
        if start == i and word_at(self._tokens, start) in ("first", "last", "second"):
            alone = not after and before in ("", "and", "or", "take", "not", "than", "no", ",")
            return not (after in _NOUNS or self._list_context(i, start + taken) or alone)
        return False

    def _sorts(self, i: int) -> bool:
        """Return whether a superlative ends at i: "cheapest first"."""
        return any(
            hit is not None and hit[2] == i + 1
            for hit in (self._extreme(j) for j in range(max(0, i - 3), i + 1))
        )

    def _list_context(self, i: int, end: int) -> bool:
        if self._sorts(i - 1) or word_at(self._tokens, i - 1) in ("best", "rated", "ones"):
            return False
        around = {word_at(self._tokens, i - 1), word_at(self._tokens, end)}
        return bool(around & {"and", "or", "vs", "versus", ",", "to", "but", "with", ".", "?", "in",
                              "take", "like", "is"})  # fmt: skip

    def _numbered(self, i: int) -> Span | None:
        """Read "#2", "number three", "option 4", and "1 and 3" where positions are compared."""
        tokens = self._tokens
        word, nxt = word_at(tokens, i), word_at(tokens, i + 1)
        if word in ("the", "item", "option") and nxt in _NUMBERED:
            inner = self._numbered(i + 1)
            return Span(i, inner.last, inner.items, note=inner.note) if inner else None
        if word in _NUMBERED:
            n = int(nxt) if _small(nxt) else COUNTS.get(nxt, 0)
            glued_ok = word != "no" or _small(nxt)
            if n and glued_ok and n <= 20 and nxt not in ("couple", "few"):
                return self._pick(i, i + 2, [n])
            return None
        if self._bare_position(i):
            return self._pick(i, i + 1, [int(word)])
        return None

    def _bare_position(self, i: int) -> bool:
        """Return whether a bare small number is a position: "1 vs 3", "compare 2 and 4", "2?"."""
        word = word_at(self._tokens, i)
        if not _small(word) or not 1 <= int(word) <= len(self._ids) or len(word) > 2:
            return False
        before, after = word_at(self._tokens, i - 1), word_at(self._tokens, i + 1)
        beyond = word_at(self._tokens, i + 2)
        joins = {"vs", "versus", "and", "or", "with", "to", "&"}
        verbs = {"compare", "take", "pick", "choose", "why", "hide", "remove", "about", "like"}
        if before in verbs and (not after or after in joins or after in (".", "?", "!", "but")):
            return True
        if any(token.word in ("compare", "vs", "versus", "diff") for token in self._tokens) and (
            before in joins or after in joins
        ):
            return True
        if len(self._tokens) <= 6 and self._stands_alone(i):
            return True
        if after in joins and _small(beyond) and int(beyond) <= len(self._ids):
            return before in verbs or after in ("vs", "versus") or before in ("", "between", ",")
        left = word_at(self._tokens, i - 2)
        if before in joins and _small(left) and int(left) <= len(self._ids):
            return self._bare_position(i - 2)
        return len(self._tokens) == 1

    def _stands_alone(self, i: int) -> bool:
        """Return whether a number has no unit, bound or noun: "purchase 1", "ok. 1. done"."""
        after = self._tokens[i + 1] if i + 1 < len(self._tokens) else None
        before = word_at(self._tokens, i - 1)
        free = after is None or not (after.is_word or after.is_number or after.word in "-+%")
        return free and i > 0 and before not in _BOUNDING

    def _described(self, i: int) -> Span | None:
        """Read "the black one", "that nike", "the leather shoes": what fits on the slate."""
        determiner = word_at(self._tokens, i)
        if determiner not in _DETERMINERS or not self._slate or self._extreme(i + 1):
            return None
        if determiner == "that" and word_at(self._tokens, i - 1) == "make":
            return None
        end, noun = self._phrase_end(i + 1)
        if end <= i + 1:
            return None
        body = end - 1 if noun else end
        fits = [item.id for item in self._slate if self._describe(i + 1, body, item)]
        negated = word_at(self._tokens, i - 1) in ("not", "no", "without", "hate", "except")
        if negated and word_at(self._tokens, end - 1) == "ones":
            return None
        if word_at(self._tokens, end) in ("thing", "part", "bit", "filter", "stuff", "kind"):
            return None
        if not fits or (len(fits) == len(self._slate) > 1 and not noun):
            return None
        plural = word_at(self._tokens, end - 1) in ("ones", "items", "options") or determiner in (
            "those", "these")  # fmt: skip
        score = 0.95 if noun or len(fits) == 1 else 0.6
        return Span(i, end, tuple(fits) if plural else tuple(fits[:1]), score)

    def _phrase_end(self, start: int) -> tuple[int, bool]:
        """Return where a describing phrase ends, and whether it ends in a noun like "one"."""
        stop = general().stop - {"light", "new"}
        end = start
        while end < len(self._tokens) and end < start + 6:
            token = self._tokens[end]
            if token.word == "in" and end > start and self._valued(end + 1):
                end += 2
                continue
            if token.word in ("one", "ones", "item", "option", "pair") and end > start:
                return end + 1, True
            if not token.is_word or (token.word in stop and token.word not in ("and", "with")):
                break
            end += 1
        while end > start and self._tokens[end - 1].word in ("and", "with"):
            end -= 1
        return end, False

    def _valued(self, i: int) -> bool:
        """Return whether the token is true of some item of the slate, e.g. a colour."""
        return i < len(self._tokens) and any(self._describe(i, i + 1, item) for item in self._slate)

    def _pronoun(self, i: int) -> Span | None:
        """Read "it", "this one", "these", "both of them"."""
        word = word_at(self._tokens, i)
        nxt = word_at(self._tokens, i + 1)
        if word in ("it", "its", "it's") and _expletive(self._tokens, i):
            return None
        if word in ("this", "that") and word_at(self._tokens, i - 1) == "make" and nxt:
            return None
        if word in _SINGULAR:
            end = i + 1 + (nxt in ("one", "pair", "item"))
            if word in ("this", "that") and end == i + 1 and self._attributive(i):
                return None
            return Span(i, end, self._in_focus(), 0.8)
        if word in ("these", "those", "them", "they", "both"):
            return Span(i, i + 1, self._several(word), 0.8)
        if word == "all" and nxt == "of" and word_at(self._tokens, i + 2) in _PLURAL:
            return Span(i, i + 3, self._ids, 0.9)
        return None

    def _attributive(self, i: int) -> bool:
        """Return whether "that"/"this" is not a pronoun here ("that is", "shoes that fit")."""
        nxt = self._tokens[i + 1] if i + 1 < len(self._tokens) else None
        before = word_at(self._tokens, i - 1)
        if before in ("like", "about", "than", "of", "in", "take", "is", "not", "why", "to", "as"):
            return bool(nxt and nxt.is_word and nxt.word not in general().stop)
        if nxt is None or not nxt.is_word or i == 0:
            return bool(nxt and nxt.is_word and nxt.word not in ("but", "in", "with", "or", "and",
                        "looks", "seems", "works", "please", "is", "has", "was", "too"))  # fmt: skip
        return nxt.word not in ("but", "in", "and", "or", "with", "too", "please", "instead")

    def _in_focus(self) -> tuple[str, ...]:
        return self._state.focus[:1] or self._ids[:1]

    def _several(self, word: str) -> tuple[str, ...]:
        if len(self._state.focus) > 1:
            return self._state.focus
        return self._ids[:2] if word == "both" else self._ids


_SAID_OF_IT = frozenset(
    "too not nice great perfect lovely ugly awful a bit price colour color brand size material rating".split()
)


def _expletive(tokens: Sequence[Token], i: int) -> bool:
    """Return whether "it" stands for nothing ("make it blue", "forget it", "keep it under 50")."""
    before, after = word_at(tokens, i - 1), word_at(tokens, i + 1)
    word = word_at(tokens, i)
    if word in ("it's", "its") and after not in _SAID_OF_IT:
        return True
    last = i == len(tokens) - 1
    if (
        last
        and before.endswith(("n't", "isnt", "doesnt"))
        or (after == "is" and i + 2 >= len(tokens))
    ):
        return True
    if before in ("want", "need", "prefer") and after not in ("", ".", ",", "!", "?", "in", "but"):
        return True
    if before in ("do", "does", "doing") and after == "for":
        return True
    if before == "with" and word_at(tokens, i - 2) in ("go", "goes", "going", "match"):
        return True
    if before in ("in", "on") and any(
        word_at(tokens, j) == "with" for j in range(max(0, i - 6), i)
    ):
        return True
    if before in ("cap", "limit", "say", "put") and after in ("at", "to"):
        return True
    if before in ("make", "keep", "keeping", "making") and after not in (
        "", "again", "."):  # fmt: skip
        return True
    if after in ("doesn't", "dont", "does", "should", "needs", "must", "can't", "cannot", "has",
                 "can", "shouldn't", "to", "would", "could") and i == 0:  # fmt: skip
        return word_at(tokens, i + 2) not in ("come", "have", "fit")
    return before in ("forget", "if") or (before == "leave" and after == "")


def to_mention(span: Span, tokens: Sequence[Token]) -> Mention:
    """Return a reference span as a mention without id."""
    return Mention(
        id="", kind="reference", start=tokens[span.first].start, end=tokens[span.last - 1].end,
        text="", items=span.items, score=span.score, note=span.note,
    )  # fmt: skip
