"""A second reader of explanations, for measuring: strings and numbers against the catalog row.

It shares no code with what makes or checks explanations, on purpose: it knows the raw fields and
wishes, looks for their values in the words as they stand, and reads a dozen cues. A statement is a
value or number that a text names, with the cue of its clause.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.state import Constraint, State
from retrieval.catalog import Facet, Item

_NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?![\d])")
_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_CLAUSE = re.compile(r"[;:]\s|\.\s|\.$|,\s|\b(?:but|though|although|however|while|and)\b")
_KEPT = re.compile(
    r"as (?:you )?(?:asked|wanted|wished|requested)|what you (?:asked|want|were|are|had)"
    r"|(?:is|are|so that wish is) met\b|\b(?:meets|matches|fits|keeps to|ticks)\b|within your"
)
_BROKEN = re.compile(
    r"ruled out|\bmiss(?:es)?\b|exceeds|not met|trade-off|does not fit|did not want"
    r"|falls short|\bnot the .* you (?:asked|wanted|named)"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a text says in one place, and whether the row bears it out."""

    text: str
    true: bool


class Oracle:
    """Reads explanations of the items of one catalog."""

    def __init__(self, facets: Sequence[Facet]) -> None:
        self._known = {value for facet in facets for value, _ in facet.values if _tells(value)}

    def statements(
        self, text: str, item: Item, state: State, others: Mapping[str, Item]
    ) -> list[Statement]:
        """Return the statements of an explanation of an item, each true or false by its row."""
        for one in (item, *others.values()):
            text = _without_title(text, one)
        known = {value for value in self._known if value in text}
        return [*_named(text, item, state, others, known), *_counted(text, item, state, others)]


def _without_title(text: str, item: Item) -> str:
    title = " ".join(item.title.split())
    cut = title if title in text else title[: max(20, len(title) // 2)]
    at = text.find(cut) if cut else -1
    while at >= 0:
        end = text.find("…", at, at + 75) + 1 if title not in text else at + len(cut)
        text = f"{text[:at]} ITEM {text[max(end, at + len(cut)) :]}"
        at = text.find(cut, at + 6)
    return text


def _strings(item: Item) -> dict[str, set[str]]:
    """Return the text values of a row with the fields they stand in."""
    found: dict[str, set[str]] = {}
    for name, value in item.fields.items():
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, str) and one.strip():
                found.setdefault(" ".join(one.split()), set()).add(name)
    return found


def _named(
    text: str, item: Item, state: State, others: Mapping[str, Item], known: set[str]
) -> Iterator[Statement]:
    own, wished = _strings(item), _wished(state)
    foreign = {v for other in others.values() for v in _strings(other)}
    spans: list[tuple[int, int]] = []
    for value in sorted({*own, *wished, *foreign, *known}, key=len, reverse=True):
        if len(value) < 2 or value in ("true", "false", "yes", "no"):
            continue
        for at in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", text):
            if any(a < at.end() and at.start() < b for a, b in spans):
                continue
            spans.append(at.span())
            true = value in own or value in wished or value in foreign
            if value in own:
                true = _agrees(text, at.start(), at.end(), own[value], item, state)
            elif value in wished and value not in foreign:
                true = not _claims_kept(text, at.start(), at.end())
            yield Statement(value, true)


def _tells(value: str) -> bool:
    """Return whether a value of some other item can be told from a mere word."""
    return len(value) > 3 and (value[:1].isupper() or " " in value)


def _wished(state: State) -> set[str]:
    found: set[str] = set()
    for wish in state.need.constraints:
        found |= {" ".join(value.split()) for value in (*wish.values, *wish.excluded)}
    return found


def _around(text: str, start: int, end: int) -> str:
    """Return the clause of a place with the tail that follows it ("Blue, as asked")."""
    cuts = [0, *(match.end() for match in _CLAUSE.finditer(text)), len(text)]
    first = max(cut for cut in cuts if cut <= start)
    later = [cut for cut in cuts if cut >= end]
    tail = text[end : later[1]] if len(later) > 1 else text[end:]
    keeps = re.match(r",? (?:just |exactly )?(?:as|what|which|so|not) [^,.;]*", tail)
    return text[first:end] + (keeps[0] if keeps else text[end : later[0]])


def _agrees(text: str, start: int, end: int, names: set[str], item: Item, state: State) -> bool:
    """Return whether the cue beside a value fits how the row stands to the wish on its field."""
    clause = _around(text, start, end)
    wishes = [wish for wish in state.need.constraints if wish.facet in names]
    broken, kept = bool(_BROKEN.search(clause)), bool(_KEPT.search(clause))
    if not wishes or broken is kept:
        return True
    holds = [_holds(wish, item) for wish in wishes]
    return any(holds) if kept else not all(holds)


def _claims_kept(text: str, start: int, end: int) -> bool:
    """Return whether a wished value that the row lacks is told as if it were there."""
    clause = _around(text, start, end)
    denied = re.search(r"\b(?:not|no|instead of|rather than|n't|clear of|avoid)", clause)
    return bool(_KEPT.search(clause)) and not (_BROKEN.search(clause) or denied)


def _holds(wish: Constraint, item: Item) -> bool:
    value = item.fields.get(wish.facet)
    values = {str(one).casefold() for one in (value if isinstance(value, tuple) else (value,))}
    if wish.values and not values & {one.casefold() for one in wish.values}:
        return False
    if values & {one.casefold() for one in wish.excluded}:
        return False
    for bound, strict, sign in ((wish.high, wish.high_strict, 1), (wish.low, wish.low_strict, -1)):
        if bound is None:
            continue
        if isinstance(bound, str) or not isinstance(value, int | float):
            fine = str(value) <= str(bound) if sign > 0 else str(value) >= str(bound)
        else:
            fine = sign * value < sign * bound if strict else sign * value <= sign * bound
        if not fine:
            return False
    return True


def _counted(
    text: str, item: Item, state: State, others: Mapping[str, Item]
) -> Iterator[Statement]:
    numbers = [float(v) for v in item.fields.values() if isinstance(v, int | float)]
    dates = {v[:10] for v in item.fields.values() if isinstance(v, str)}
    bounds = [b for w in state.need.constraints for b in (w.low, w.high) if b is not None]
    theirs = [v for other in others.values() for v in other.fields.values()]
    dates |= {str(b)[:10] for b in (*bounds, *theirs) if isinstance(b, str)}
    for match in _DATE.finditer(text):
        yield Statement(match[0], match[0] in dates)
    numeric = [float(b) for b in (*bounds, *theirs) if isinstance(b, int | float)]
    allowed = {*numbers, *numeric, *(abs(a - b) for a in numbers for b in numeric)}
    written = " ".join([item.title, item.description, *map(str, item.fields.values()),
                        *(str(w) for wish in state.need.constraints for w in wish.values),
                        *(str(w) for wish in state.need.constraints for w in wish.excluded),
                        *map(str, theirs)])  # fmt: skip
    bare = _DATE.sub(lambda match: " " * len(match[0]), text)
    for match in _NUMBER.finditer(bare):
        said = float(match[0].replace(",", ""))
        missed = [w for w in state.need.constraints if said in (w.low, w.high)
                  and not _holds(w, item) and item.fields.get(w.facet) != said]  # fmt: skip
        if missed and said not in numbers and _claims_kept(bare, match.start(), match.end()):
            yield Statement(match[0], False)
            continue
        near = any(abs(said - one) < 0.0051 for one in allowed)
        yield Statement(match[0], near or re.search(rf"\b{match[0]}\b", written) is not None)
