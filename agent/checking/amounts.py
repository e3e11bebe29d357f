"""Numbers and dates in a text: whose they are, and what they measure. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agent.checking.scene import OF_WISH, Found, Scene, label_spans
from agent.wording import label
from retrieval.catalog import Facet

_AMOUNT = re.compile(
    r"(?P<date>\b\d{4}-\d\d-\d\d\b)|(?P<before>[€$£₹¥]|\b[A-Z]{3} )?\s?"
    r"(?!\d{4}-\d\d-\d\d)(?P<number>(?<![\w.-])-?\d+(?:,\d{3})*(?:\.\d+)?)(?![\w.]*\d)"
    r"(?P<after>\s?[^\W\d_]+\b|\s?[%\"€$£](?!\d))?"
)
_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "₹": "INR", "¥": "JPY"}
_BOUND_BEFORE = re.compile(
    r"\b(?:your|you (?:set|named|gave|wanted|asked for)|(?:limit|budget|bound|range|most|least) of"
    r"|(?:under|below|than|above|over|beyond|exceeds|clears|to|at) the|stays under|keeps below"
    r"|(?:your|of|the|from) (?:[€$£₹¥]|[A-Z]{3} )?[\d.,]+(?: ?[^\W\d_]{1,8})? to"
    r"|between (?:[€$£₹¥]|[A-Z]{3} )?[\d.,]+(?: ?[^\W\d_]{1,8})? and"
    r"|(?:under|below|than|beyond|over|above))(?: (?:limit|budget|bound|range|of|own))*\s*$",
    re.IGNORECASE,
)
_BOUND_AFTER = re.compile(
    r"^\s?(?:(?:limit|budget)\b|(?:that )?you (?:set|named|gave|asked|wanted|did not want))", re.I
)
_GAP_AFTER = re.compile(
    r"^\s(?:over|above|below|under|short of|beyond|cheaper|dearer|less|more|too)\b", re.IGNORECASE
)
_UNIT_NAMES = """cm mm m km in ft kg g lb oz l ml w v hz gb tb mb mah hours minutes usd eur gbp inr
jpy %"""
_UNITS = frozenset(_UNIT_NAMES.split())


def amounts(text: str, scene: Scene) -> Iterator[Found]:
    inside = label_spans(text, scene)
    for match in _AMOUNT.finditer(text):
        start, end = match.start(), match.end()
        if any(a < match.start("number") < b for a, b in inside if not match["date"]):
            continue
        start += len(match[0]) - len(match[0].lstrip())
        if match["date"]:
            yield _number(text, start, end, match["date"], _dated(scene), scene)
            continue
        unit = (match["after"] or "").strip()
        facets, end = _measured(text, match, unit, scene)
        yield _number(text, start, end, float(match["number"].replace(",", "")), facets, scene)


def _dated(scene: Scene) -> list[str]:
    return [facet.name for facet in scene.vocabulary.facets if facet.kind == "date"]


def _measured(
    text: str, match: re.Match[str], unit: str, scene: Scene
) -> tuple[list[str] | None, int]:
    """Return the facets a number can be of, None for a unit that is not the catalog's."""
    numeric = [f for f in scene.vocabulary.facets if f.kind == "numeric"]
    currency = _SIGNS.get((match["before"] or "").strip(), (match["before"] or "").strip())
    currency = currency or _SIGNS.get(unit, "")
    end = match.end("number")
    if currency:
        known = [f.name for f in numeric if f.role == "price" or f.unit == currency]
        right = currency == (scene.item.currency or scene.currency or currency)
        return (known if right else None), (match.end() if unit in _SIGNS else end)
    by_unit = [f for f in numeric if unit and f.unit and f.unit.casefold() == unit.casefold()]
    if by_unit:
        return _labelled(text, match.start(), match.end(), by_unit) or [
            f.name for f in by_unit
        ], match.end()
    named = _labelled(text, match.start(), match.end("number"), numeric)
    if named:
        return named, end
    bare = [f.name for f in numeric if not f.unit]
    if unit and len(unit) <= 4 and unit.casefold() in _UNITS:
        return None, match.end()
    rated = re.search(r"\brat(?:ed|ing)(?: of| is|:)? ?$", text[: match.start()], re.IGNORECASE)
    wanted = [f.name for f in numeric if f.role == "rating"] if rated else bare
    if re.search(r"\bby $", text[: match.start("number")]):
        wanted = [f.name for f in numeric if f.role == "popularity"]
    return wanted or bare, end


def _labelled(text: str, start: int, end: int, facets: Sequence[Facet]) -> list[str]:
    before, after = text[:start].casefold().rstrip(" :€$£₹"), text[end:].casefold()
    found = []
    for facet in facets:
        own = label(facet, facet.name).casefold()
        if own not in before and own not in after:
            continue
        if re.match(rf"\s?{re.escape(own)}\b", after) or re.search(rf"\b{re.escape(own)}$", before):
            found.append(facet.name)
    return found


def _number(
    text: str,
    start: int,
    end: int,
    value: float | str,
    facets: list[str] | None,
    scene: Scene,
) -> Found:
    if facets is None:
        return Found(start, end, "false", (), value)
    if _GAP_AFTER.match(text[end:]) and not isinstance(value, str):
        return Found(start, end, "gap", tuple(facets), value)
    bound = _BOUND_BEFORE.search(text[:start].rstrip(" ")) or _BOUND_AFTER.match(text[end:])
    if bound:
        return Found(start, end, "wish", tuple(facets), value)
    if OF_WISH.search(text[:start].rstrip()):
        olds = [name for name in facets for other in scene.others.values()
                if _equals(other.fields.get(name), value)]  # fmt: skip
        if olds:
            return Found(start, end, "wish", tuple(olds), value)
    own = [name for name in facets if _equals(scene.item.fields.get(name), value)]
    return Found(start, end, "own" if own else "false", tuple(own or facets), value)


def _equals(own: object, said: float | str) -> bool:
    if isinstance(own, bool | tuple):
        return False
    if isinstance(own, int | float) and not isinstance(said, str):
        return abs(own - said) < 0.006
    return isinstance(own, str) and own[:10] == said
