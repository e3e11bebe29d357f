"""Choice: where a span has several meanings, the one most specific to the present need."""

from __future__ import annotations

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

    def rank(mention: Mention) -> tuple[float, int, int, float, float, int]:
        facet = facets.get(mention.facet or "")
        role = _RANK.get(facet.role or "", 9) if facet else 9
        detail = -len(facet.values) if facet else 0
        have_it = facet.coverage if facet and facet.kind in ("numeric", "date") else 0.0
        have = sum(bool(item.values(mention.facet or "")) for item in request.slate)
        return (-mention.score, -have, role, float(mention.facet not in asked), -have_it, detail)

    words = [m for m in group if m.kind in ("keyword", "unknown")]
    names = [m for m in group if m not in words]
    return [min(names, key=rank), *words] if names else words
