"""Wishes: the act that carries what an utterance wants, excludes, prefers, lifts and changes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.plan import Act, ActName
from agent.rules import cues
from agent.rules.reading import Reading
from agent.soft import MOST

_FEW = 3
"""Words beside firm wishes up to which all are taken as wishes; more of them may be a story."""

_CLAUSE_END = re.compile(r"[.,;!?]|\b(?:but|so|because|and)\b")

_NAMED = 0.8
"""Score above which a word names a kind of item, and is no part of a longer name."""


def wish_act(reading: Reading, name: ActName, refs: tuple[str, ...]) -> Act:
    """Return an act on some references with all wishes of the utterance."""
    joins = cues.has(reading.masked, "polarity", "add") and not reading.need_cue("fresh")
    want = _without_story(reading, _corrected_want(reading))
    return Act(
        act=name, refs=refs, want=want, avoid=reading.avoid,
        prefer=reading.prefer, drop=reading.drop, change=reading.change,
        join="add" if joins else "replace", text=_modifiers(reading, want),
    )  # fmt: skip


def wishes(reading: Reading, name: ActName) -> list[Act]:
    """Return the act with the wishes of the utterance, if there are any."""
    beside = reading.change or reading.ids("avoid", "facet")  # "another brand than the first"
    act = wish_act(reading, name, reading.refs() if beside else ())
    empty = not (act.want or act.avoid or act.prefer or act.drop or act.change)
    return [] if empty else [act]


def _without_story(reading: Reading, want: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the words of clauses that tell a story, and words beyond the first few."""
    words = [id for id in want if reading.mention(id).kind in ("keyword", "unknown")]
    if len(words) <= _FEW or len(words) == len(want):
        return want
    spans, text = reading.masked.spans, reading.masked.text
    asked = [id for id in words if id in spans and not _in_story(text, spans[id])]
    kept = {*asked[:MOST]}
    return tuple(id for id in want if id not in words or id in kept)


def _in_story(text: str, span: tuple[int, int]) -> bool:
    """Return whether a place is in a clause that tells a story."""
    start = max((m.end() for m in _CLAUSE_END.finditer(text, 0, span[0])), default=0)
    end = _CLAUSE_END.search(text, span[1])
    return cues.said(text[start : end.start() if end else len(text)], "need", "narrates")


def _corrected_want(reading: Reading) -> tuple[str, ...]:
    """Return what is wanted; in a correction only what was said last on a facet."""
    want = _compatible(reading)
    if not reading.need_cue("corrects"):
        return want
    last = {facet: id for id in want if (facet := reading.facet(id))}
    return tuple(
        id
        for id in want
        if not (facet := reading.facet(id))
        or last[facet] == id
        or _joined(reading, id, last[facet], "either")
    )


def _compatible(reading: Reading) -> tuple[str, ...]:
    """Keep, of values of one facet that are not a list, the surest: "toothpaste 4 kids"."""
    kept: list[str] = []
    for id in reading.want:
        if _says_less(reading, id):
            continue
        rivals = [one for one in kept if _says_the_same(reading, one, id)]
        if rivals and _is_purpose(reading, rivals[-1], id):
            continue
        if rivals and _heads(reading, rivals[-1], id):
            kept[kept.index(rivals[-1])] = id
        elif not rivals or _stands_beside(reading, id, rivals):
            kept.append(id)
        elif reading.mention(id).score > reading.mention(rivals[0]).score:
            kept[kept.index(rivals[0])] = id
    return tuple(kept)


def _heads(reading: Reading, modifier: str, id: str) -> bool:
    """Return whether a kind of item right behind another one is what is meant: "laptop bag"."""
    both = {reading.facet(modifier), reading.facet(id)}
    first, last = reading.mention(modifier), reading.mention(id)
    if not both <= reading.categories or set(first.values) & set(last.values):
        return False
    gap = reading.masked.text[reading.masked.spans[modifier][1] : reading.masked.spans[id][0]]
    return gap == " " and last.score > _NAMED


def _is_purpose(reading: Reading, first: str, id: str) -> bool:
    """Return whether a kind of item is what another one is for: "snacks for a lunchbox"."""
    if not {reading.facet(first), reading.facet(id)} <= reading.categories:
        return False
    if set(reading.mention(first).values) & set(reading.mention(id).values):
        return False
    spans = reading.masked.spans
    gap = reading.masked.text[spans[first][1] : spans[id][0]]
    return cues.said(gap, "need", "purpose")


def _modifiers(reading: Reading, want: Sequence[str]) -> str:
    """Return the words of kinds that only say more of another one: the laptop of a laptop bag."""
    given_up = [id for id in reading.want if id not in want]
    kinds = [id for id in want if reading.facet(id)]
    kept = [
        reading.mention(id).text
        for id in given_up
        if any(_heads(reading, id, one) or _is_purpose(reading, one, id) for one in kinds)
    ]
    return " ".join(kept)


def _says_less(reading: Reading, id: str) -> bool:
    """Return whether another wish on the facet is part of this one: "sanderson. brandon …"."""
    own = reading.mention(id)
    others = [reading.mention(other) for other in reading.want if other != id]
    return own.facet is not None and any(
        other.facet == own.facet and set(other.values) < set(own.values) for other in others
    )


def _says_the_same(reading: Reading, one: str, id: str) -> bool:
    """Return whether two wishes are about one facet, or both about what an item is."""
    facet, categories = reading.facet(id), reading.categories
    if not facet:
        return False
    return reading.facet(one) == facet or {reading.facet(one), facet} <= categories


def _stands_beside(reading: Reading, id: str, rivals: Sequence[str]) -> bool:
    """Return whether a wish and earlier ones on its facet can both hold."""
    own, first = reading.mention(id), reading.mention(rivals[0])
    if own.kind != "value" or own.facet in _holding_several(reading):
        return True
    if reading.facet(rivals[-1]) == own.facet and _joined(reading, rivals[-1], id, "listed"):
        return True
    if first.facet != own.facet and own.score == first.score:
        return not _joined(reading, rivals[-1], id, "in_a_list")  # one kind at a time
    end = reading.masked.spans[id][1]
    return cues.follows(reading.masked, end, "need", "closes_list")


def _holding_several(reading: Reading) -> set[str]:
    """Return the facets of which an item has several values at once."""
    facets = reading.request.facets
    return {f.name for f in facets if f.kind == "list" and f.role != "category"}


def _joined(reading: Reading, id: str, other: str, cue: str) -> bool:
    """Return whether a cue, such as "or", stands between two mentions."""
    first, last = reading.masked.spans[id][1], reading.masked.spans[other][0]
    return cues.said(reading.masked.text[first:last], "need", cue)
