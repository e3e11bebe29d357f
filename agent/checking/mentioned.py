"""What a free text names of an item: values and words, found and told apart.

Each is either the item's own (`own`), part of a wish or of the item compared with (`wish`), a
difference (`gap`), the name of an item (`item`), or something else that the catalog knows but the
item has not (`false`). This module finds them; `agent.checking.reading` judges what is said around
them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from agent.checking.amounts import amounts
from agent.checking.scene import OF_WISH, OF_WISH_AFTER, WORD, Found, Part, Scene, label_spans
from agent.telling import words_of
from agent.wording import clean, label
from retrieval.filters import singular, words

_QUOTED = re.compile(r"'([^'\n]{1,60})'(?!\w)")
_STOCK = re.compile(
    r"\b(?P<no>(?:not|isn't|currently not) (?:available|in stock)(?: (?:right )?now)?|unavailable"
    r"|out of stock|sold out)\b|\b(?P<yes>in stock|available)\b",
    re.IGNORECASE,
)
_OWNED = "|".join(rf"(?<=\b{word} )" for word in ("its", "the", "no", "any"))


def found_in(text: str, scene: Scene) -> list[Found]:
    """Return what a sentence names, in order, nothing twice."""
    taken: list[Found] = []

    def free(start: int, end: int) -> bool:
        return not any(one.start < end and start < one.end for one in taken)

    for reader in (_items, _quotes, _flags, _values, _stock, _missing, amounts):
        for one in reader(text, scene):
            if free(one.start, one.end):
                taken.append(one)
    return sorted(taken, key=lambda one: one.start)


def _items(text: str, scene: Scene) -> Iterator[Found]:
    named = [(one, clean(one.title)) for one in (scene.item, *scene.others.values())]
    for item, title in sorted(named, key=lambda pair: -len(pair[1])):
        at = text.find(title) if title else -1
        while at >= 0:
            yield Found(at, at + len(title), "item", value=item.id)
            at = text.find(title, at + 1)


def _quotes(text: str, scene: Scene) -> Iterator[Found]:
    for match in _QUOTED.finditer(text):
        yield Found(match.start(), match.end(), "quoted", ("text",), match[1])


def _stock(text: str, scene: Scene) -> Iterator[Found]:
    names = tuple(f.name for f in scene.vocabulary.facets if f.role == "availability")
    for match in _STOCK.finditer(text) if names else ():
        yield Found(match.start(), match.end(), "stock", names[:1], match["yes"] is not None)


def _missing(text: str, scene: Scene) -> Iterator[Found]:
    """Yield names of facets that the item has no value of: "the catalog doesn't say its size"."""
    folded, known = text.casefold(), words_of("en")
    spoken = [f for f in scene.vocabulary.facets
              if f.role == "rating" or label(f, f.name).casefold() in folded]  # fmt: skip
    there = {label(f, f.name).casefold() for f in spoken if scene.item.values(f.name)}
    owned = [at.span() for name in there for at in re.finditer(re.escape(name), folded)]
    for facet in spoken:
        name = label(facet, facet.name).casefold()
        if name in there:
            continue
        stem = "rat(?:ed|ing)" if facet.role == "rating" else re.escape(name)
        if known and (facet.role == "rating" or set(words(name)) <= known.free):
            # A word such as "fit" or "design" is the name of a field only where it is owned.
            unrated = r"|(?<=\bnot )" if facet.role == "rating" else ""
            stem = rf"(?:{_OWNED}{unrated}){stem}"
        for match in re.finditer(rf"\b{stem}\b", text, re.IGNORECASE):
            if not any(start <= match.start() < end for start, end in owned):
                yield Found(match.start(), match.end(), "missing", (facet.name,))


def _flags(text: str, scene: Scene) -> Iterator[Found]:
    """Yield yes and no of boolean facets, "waterproof: yes"; the wish for one is "not the no"."""
    folded = text.casefold()
    flags = [f for f in scene.vocabulary.facets if f.kind == "boolean"]
    for facet in flags:
        name = label(facet, facet.name)
        if name.casefold() not in folded:
            continue
        for match in re.finditer(rf"\b{re.escape(name)}: (yes|no)\b", text, re.IGNORECASE):
            said = match[1].casefold() == "yes"
            end, value = match.end(), str(said).lower()
            if OF_WISH.search(text[: match.start()].rstrip()) or OF_WISH_AFTER.match(text[end:]):
                part: Part = "own" if scene.item.fields.get(facet.name) is said else "wish"
            else:
                part = "own" if scene.item.fields.get(facet.name) is said else "false"
            yield Found(match.start(), end, part, (facet.name,), value)
    for match in re.finditer(r"\bthe (yes|no)\b(?= you\b)", text, re.IGNORECASE):
        value = "true" if match[1].casefold() == "yes" else "false"
        yield Found(match.start(1), match.end(), "wish", tuple(f.name for f in flags), value)


def _values(text: str, scene: Scene) -> Iterator[Found]:
    tokens = list(WORD.finditer(text))
    free = words_of("en")
    at = 0
    longest, inside = scene.longest(), label_spans(text, scene)
    while at < len(tokens):
        for size in range(min(longest, len(tokens) - at), 0, -1):
            run = tokens[at : at + size]
            start, end = run[0].start(), run[-1].end()
            key = tuple(singular(token[0].casefold()) for token in run)
            of_wish = _is_of_wish(text, start, end, key, scene)
            part = scene.part_of(key, of_wish)
            if re.search(r"\d\s?$", text[:start]) and end - start <= 3:
                continue
            if any(a <= start and end <= b and b - a > end - start for a, b in inside):
                continue
            if part is None or (free and _is_plain(run, text, free.free, part[1], scene)):
                continue
            facets = _told(text, start, end, part[1], scene)
            yield Found(start, end, part[0], facets, text[start:end])
            at += size
            break
        else:
            at += 1


def _is_of_wish(text: str, start: int, end: int, key: tuple[str, ...], scene: Scene) -> bool:
    """Return whether words stand where a wish is named: "not the …", "… you ruled out"."""
    if OF_WISH.search(text[:start].rstrip(" :'")):
        return True
    return not scene.owns(key) and bool(OF_WISH_AFTER.match(text[end:]))


def _is_plain(
    run: Sequence[re.Match[str]],
    text: str,
    free: frozenset[str],
    facets: Iterable[str],
    scene: Scene,
) -> bool:
    """Return whether words that are a value somewhere are mere words here ("set", "light")."""
    before, after = text[: run[0].start()].casefold(), text[run[-1].end() :]
    said = " ".join(token[0] for token in run).casefold()
    measured = re.search(r"\d\s?\w*\s$", before) or re.match(r"\s?[€$£]?\d", after)
    if said in scene.vocabulary.labels and measured:
        return True
    digits = all(re.fullmatch(r"[\d.,]+", token[0]) for token in run)
    if not digits and not all(token[0].casefold() in free for token in run):
        return False
    labels = [_roots(label(scene.vocabulary.by_name.get(n), n)) for n in facets]
    near = _roots(before)
    tail = re.match(r",? as (?:asked|you'd like) \(([^)]*)\)", after)
    if tail and _roots(tail[1]) in labels:
        return False
    if digits:
        # A size such as 43 is a number like any other, but where its facet is spoken of.
        named = any(_heads(name, near) for name in labels)
        return not (named or OF_WISH.search(before.rstrip()))
    if any(near[-len(name) :] == name for name in labels):
        return False
    return not (run[0][0][:1].isupper() and before.strip() and not before.rstrip().endswith("."))


def _roots(text: str) -> tuple[str, ...]:
    return tuple(re.sub(r"e?s?$", "", word) for word in words(text))


def _heads(name: tuple[str, ...], near: tuple[str, ...]) -> bool:
    """Return whether a label stands before, with at most more values of its list between."""
    places = [n for n in range(len(near)) if near[n : n + len(name)] == name]
    return bool(places) and all(len(w) <= 3 for w in near[places[-1] + len(name) :])


def _told(text: str, start: int, end: int, facets: set[str], scene: Scene) -> tuple[str, ...]:
    """Return the facets of a value: the one whose name stands beside it, else all it may be."""
    before, after = text[:start].casefold().rstrip(" :"), text[end:].casefold()
    for name in sorted(facets):
        own = label(scene.vocabulary.by_name.get(name), name).casefold()
        beside = re.match(rf"(?:, as (?:asked|you'd like))? \({re.escape(own)}\)", after)
        if beside or re.search(rf"\b{re.escape(own)}$", before):
            return (name,)
    return tuple(sorted(facets))
