"""What to ask next: the facet that splits the matching items best, and its values in words."""

from __future__ import annotations

import math
from collections.abc import Collection

from agent.languages.tongue import ENGLISH, Tongue
from agent.ports import Retriever
from agent.state import Need
from agent.wording import amount, label, listing, say, worded
from retrieval.catalog import Facet
from retrieval.filters import Filter

_WEIGHT = {"category": 1.5, "audience": 1.3, "colour": 1.0, "material": 0.9, "size": 0.8,
           "brand": 0.8, "language": 0.3, "availability": 0.0}  # fmt: skip
_COVERED = 0.5


def _spread(counts: list[int]) -> float:
    """Return how evenly a facet splits items into a few groups: entropy, at most log 6."""
    total = sum(counts)
    if total == 0 or counts[0] > 0.95 * total:
        return 0.0
    entropy = -sum(n / total * math.log(n / total) for n in counts if n)
    return min(entropy, math.log(6)) * (0.6 if len(counts) > 60 else 1.0)


def splitting(
    retriever: Retriever, need: Need, skip: Collection[str] = ()
) -> tuple[Facet, tuple[str, ...]] | None:
    """Return the facet whose values split the matching items best, with its commonest values.

    Args:
        skip: Facets not to ask about (asked already).
    """
    wanted: Filter = need.filter()
    known = {c.facet for c in need.constraints} | set(skip)
    roles = {c.role for c in need.constraints if c.role in ("category",)}
    best: tuple[float, Facet, tuple[str, ...]] | None = None
    for facet in retriever.facets:
        if facet.kind not in ("categorical", "list") or facet.coverage < _COVERED:
            continue
        if facet.name in known or facet.role in roles:
            continue
        counts = retriever.index.facet(facet.name, wanted, limit=100)
        score = _spread([n for _, n in counts]) * _WEIGHT.get(facet.role or "", 0.6)
        if len(counts) > 1 and score > 0.3 and (best is None or score > best[0]):
            best = (score, facet, tuple(value for value, _ in counts[:4]))
    return (best[1], best[2]) if best else None


def question(
    retriever: Retriever,
    need: Need,
    skip: Collection[str] = (),
    seed: int = 0,
    tongue: Tongue = ENGLISH,
) -> tuple[str, str] | None:
    """Return a useful next question and the facet it is about, or None when nothing splits."""
    found = splitting(retriever, need, skip)
    if found is not None:
        facet, values = found
        options = listing([worded(facet, value, 30, tongue) for value in values], "or", tongue)
        key = "ask.kind" if facet.role == "category" else "ask.which"
        name = label(facet, facet.name, tongue)
        return say(key, seed, tongue.code, facet=name, options=options), facet.name
    return _budget(retriever, need, skip, seed, tongue)


def _budget(
    retriever: Retriever, need: Need, skip: Collection[str], seed: int, tongue: Tongue
) -> tuple[str, str] | None:
    price = next((f for f in retriever.facets if f.role == "price" and f.quantiles), None)
    if price is None or price.name in skip or need.constraint(price.name):
        return None
    ends = (amount(price, price.quantiles[i], retriever.currency, tongue) for i in (0, -1))
    low, high = ends
    return say("ask.budget", seed, tongue.code, low=low, high=high), price.name


def offers(retriever: Retriever, tongue: Tongue = ENGLISH) -> str:
    """Return what the catalog has most of, in words; empty when it has no categories."""
    facet = next((f for f in retriever.facets if f.role == "category"), None)
    counts = retriever.index.facet(facet.name, None, limit=4) if facet else []
    return listing([worded(facet, value, 30, tongue) for value, _ in counts], tongue=tongue)
