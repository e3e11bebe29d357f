"""Choice: where a span has several meanings, the one most specific to the present need."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from agent.plan import Mention
from agent.rules.request import PlanRequest
from retrieval.catalog import Facet

_RANK = {"category": 0, "colour": 1, "audience": 2, "brand": 3, "material": 4, "size": 5}


def choose(request: PlanRequest) -> list[Mention]:
    """Return one mention per span, in order of place; beside it the words it was guessed from."""
    spans: dict[tuple[int, int], list[Mention]] = defaultdict(list)
    for mention in request.mentions:
        spans[(mention.start, mention.end)].append(mention)
    facets = {facet.name: facet for facet in request.facets}
    return [one for _, group in sorted(spans.items()) for one in _best(group, request, facets)]


def _best(
    group: Sequence[Mention], request: PlanRequest, facets: dict[str, Facet]
) -> list[Mention]:
    asked = {constraint.facet for constraint in request.state.need.constraints}
    listed, refused = _listed_beside(group[0], request), _refused(group, request)

    def rank(mention: Mention) -> tuple[bool, bool, float, int, int, float, float, int]:
        facet = facets.get(mention.facet or "")
        role = _RANK.get(facet.role or "", 9) if facet else 9
        detail = -len(facet.values) if facet else 0
        have_it = facet.coverage if facet and facet.kind in ("numeric", "date") else 0.0
        have = sum(bool(item.values(mention.facet or "")) for item in request.slate)
        first = (mention.facet not in refused, mention.facet not in listed)
        return (
            *first,
            -mention.score,
            -have,
            role,
            float(mention.facet not in asked),
            -have_it,
            detail,
        )

    words = [m for m in group if m.kind in ("keyword", "unknown")]
    names = [m for m in group if m not in words]
    return [min(names, key=rank), *words] if names else words


_LISTS = re.compile(r"\s*(?:,|/|\bor\b|\band\b)\s*(?:either\s*)?")
_REFUSES = re.compile(r"\b(?:not|no|without|except|anything but)(?: (?:in|for|from|by))?\s*$")


def _listed_beside(mention: Mention, request: PlanRequest) -> set[str | None]:
    """Return the facets of names that stand in a list with a span and mean one thing only."""
    beside: dict[tuple[int, int], set[str | None]] = defaultdict(set)
    for other in request.mentions:
        first, last = sorted((mention, other), key=lambda one: one.start)
        if other.kind == "value" and _LISTS.fullmatch(request.utterance[first.end : last.start]):
            beside[other.start, other.end].add(other.facet)
    return {facet for facets in beside.values() if len(facets) == 1 for facet in facets}


def _refused(group: Sequence[Mention], request: PlanRequest) -> set[str | None]:
    """Return the facets on which the one item in view has what is refused: "not skin" of a bra."""
    if len(request.slate) != 1 or not _REFUSES.search(request.utterance[: group[0].start].lower()):
        return set()
    own = request.slate[0]
    return {m.facet for m in group if m.facet and set(m.values) & set(own.values(m.facet))}
