"""Detail: which field a question is about."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.linking.text import norm, tokenize
from agent.linking.vocabulary import general
from agent.rules.cues import Masked, detail_cues
from retrieval.catalog import Facet

_STAND_IN = 100
"""Place of a facet that has another name for what is asked, behind all that have the name."""


def asked_facet(masked: Masked, facets: Sequence[Facet]) -> str:
    """Return the facet a question asks about, or the asked role where no facet has it, or ""."""
    text = re.sub(r"<[FV]\d+>", " ", masked.text)
    texts = (masked.text, text, masked.raw)
    asked = [name for name, cue in detail_cues() if any(cue.search(one) for one in texts)]
    for name in asked:
        found = [(place, i) for i, facet in enumerate(facets) if (place := _fits(facet, name))]
        if found:
            return facets[min(found)[1]].name
    return asked[0] if asked else ""


def _fits(facet: Facet, name: str) -> int:
    """Return how well a facet answers a question about a role or a word; 0: not at all, 1: best.

    "Size" is asked of "size" before "processing die size"; who made something is also the author.
    """
    if facet.role == name:
        return 1
    norms = [token.norm for token in tokenize(facet.label) if token.is_word]
    if name in norms:
        return 1 + len(norms)
    others = {norm(word) for word in general().roles.get(name, ())}
    return _STAND_IN + len(norms) if others.intersection(norms) else 0
