"""Words of a text that are no value of the catalog: superlatives, and properties made up.

A superlative is supported where the item leads the items spoken of; any other word that claims
something must stand in the item's own text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from agent.checking.reading import Status, Verdict
from agent.checking.scene import Scene
from agent.telling import Words, segments_of
from agent.turn import Evidence
from agent.wording import title_of
from retrieval.catalog import Item, Role, primary
from retrieval.filters import text_of, words

_SUPERLATIVE = re.compile(
    r"\b(?:best|cheapest|lowest|highest|dearest|greatest|finest|favou?rite|perfect|unique|only"
    r"|leading|(?<!on )(?<!-)top|unbeatable|ideal|every|all (?:your|the) wishes"
    r"|most \w+|\w{3,}est)\b",
    re.IGNORECASE,
)
_MERE_EST = """rest test request interest west east nest honest harvest forest chest vest guest
modest latest suggest digest invest"""
_NOT_EST = frozenset(_MERE_EST.split())
_LEADING = ("best", "cheapest", "lowest", "highest", "dearest", "greatest", "finest")
_LEADERS: Mapping[str, Role] = {"cheapest": "price", "best": "rating"}
_LEFT = re.compile(r"\b[FWG]\d+\b|\bT\b|\bxother\d+\b")
_STRANGE = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*|\d+")
_TEMPLATE = frozenset(("yet", "people", "hid", "nope"))


def superlatives(sentence: str, scene: Scene, items: Sequence[Item]) -> Iterator[Verdict]:
    """Yield verdicts on superlatives: only what leads the items spoken of is supported."""
    bare = re.sub(r"'[^'\n]{1,60}'(?!\w)", " ", sentence)
    own = set(words(text_of(scene.item)))
    for item in (scene.item, *scene.others.values()):
        bare = bare.replace(title_of(item), " ")
    for match in _SUPERLATIVE.finditer(bare):
        said = match[0].casefold()
        if said in _NOT_EST or (said == "only" and "not only" in bare):
            continue
        if said.endswith("est") and said not in _LEADING and set(words(said)) <= own:
            continue
        role = _LEADERS.get(said)
        if role == "rating" and not re.match(r"best[ -]rated", bare[match.start() :], re.I):
            role = None
        yield _leads(said, role, scene, items)


def _leads(said: str, role: Role | None, scene: Scene, items: Sequence[Item]) -> Verdict:
    facet = primary(scene.vocabulary.facets, role) if role else None
    mine = scene.item.number(facet.name) if facet else None
    rest = [n for one in items if one.id != scene.item.id and facet
            and (n := one.number(facet.name)) is not None]  # fmt: skip
    if facet is None or mine is None or not rest:
        return Verdict(said, "unsupported", "nothing in the catalog says so")
    leads = all(mine < n if role == "price" else mine > n for n in rest)
    evidence = Evidence(kind="field", item_id=scene.item.id, facet=facet.name, value=mine)
    return Verdict(said, "supported" if leads else "contradicted", "", (evidence,))


def strange(text: str, scene: Scene, labels: set[str], known: Words) -> Iterator[Verdict]:
    """Yield verdicts on words that neither the language's list nor a field accounts for."""
    own = set(words(text_of(scene.item)))
    for segment in segments_of(text, known):
        for word in _STRANGE.findall(_LEFT.sub(" ", segment.text)):
            if word in known.free or set(words(word)) <= labels | _TEMPLATE:
                continue
            if _SUPERLATIVE.fullmatch(word):
                continue
            there = set(words(word)) <= own
            evidence = Evidence(kind="text", item_id=scene.item.id, value=word)
            denied = re.search(known.patterns["negation"][0], segment.text) is not None
            if there and not denied:
                yield Verdict(word, "supported", "in the item's text", (evidence,))
            else:
                status: Status = "contradicted" if there else "unsupported"
                yield Verdict(word, status, "nothing in the catalog says so")
