"""Detail: which field a question is about."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.linking.text import tokenize
from agent.rules.cues import Masked, detail_cues
from retrieval.catalog import Facet


def asked_facet(masked: Masked, facets: Sequence[Facet]) -> str:
    """Return the facet a question asks about, or the asked role where no facet has it, or ""."""
    text = re.sub(r"<[FV]\d+>", " ", masked.text)
    texts = (masked.text, text, masked.raw)
    asked = [name for name, cue in detail_cues() if any(cue.search(one) for one in texts)]
    for name in asked:
        for facet in facets:
            norms = {token.norm for token in tokenize(facet.label)}
            if facet.role == name or name in norms:
                return facet.name
    return asked[0] if asked else ""
