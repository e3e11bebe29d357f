"""What a catalog cannot go by: bounds, directions and names of fields that it lacks.

"under 60" where nothing has a price, "better rated" where nothing is rated. Such words are no
wish and no topic of a search; what was said is told instead, so that nobody takes a list for what
it is not. They are found as those of a catalog that has these fields would be.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.linking.amounts import AmountLinker
from agent.linking.facets import FacetNames
from agent.linking.found import Found, located
from agent.linking.measures import is_dated
from agent.linking.text import Token
from agent.plan import Mention
from retrieval.catalog import Facet, Role

_MEASURED = (
    Facet("price", "numeric", "price", "price", low=0.01, high=1e9),
    Facet("rating", "numeric", "rating", "rating", low=0.0, high=100.0),
    Facet("date", "date", "date", "date"),
)
"""Fields of measure that people go by in any catalog."""

_NAMES: dict[str, Role] = {
    "brand": "brand", "manufacturer": "brand", "maker": "brand",
    "rating": "rating", "rated": "rating", "review": "rating", "reviewed": "rating",
    "colour": "colour", "color": "colour", "size": "size",
    "material": "material", "fabric": "material",
}  # fmt: skip
"""Names of fields that are nothing else; "date" is also a fruit and "star" a film's."""


class AbsentLinker:
    """Finds what is said of fields that a catalog lacks.

    Args:
        facets: The catalog's facets.
    """

    def __init__(self, facets: Sequence[Facet]) -> None:
        own = {facet.role for facet in facets}
        if any(is_dated(facet) for facet in facets):
            own.add("date")
        if "popularity" in own:
            own.add("rating")  # "the most popular" is answered by it
        named = {facet.label.casefold() for facet in facets}
        lacking = [facet for facet in _MEASURED if facet.role not in own]
        self._names = FacetNames(lacking)
        self._amounts = AmountLinker(lacking, self._names)
        self._words = {
            word: role for word, role in _NAMES.items() if role not in own and word not in named
        }

    def find(self, tokens: Sequence[Token], taken: Sequence[bool]) -> list[Found]:
        """Return what the catalog cannot go by, as mentions of kind "absent"; values: the role."""
        bounds = (m for m in self._amounts.link(tokens) if m.score == 1.0)
        found = [_absent(located(m, tokens), m.facet or "") for m in bounds]
        found += [_absent(one, one.mention.facet or "") for one in self._names.sortings(tokens)]
        for relative, first, last in self._names.relatives(tokens):
            found.append(_spanning(tokens, first, last, relative.facet))
        for i, token in enumerate(tokens):
            role = self._words.get(token.word) or self._words.get(token.norm)
            if role:
                found.append(_spanning(tokens, i, i + 1, role))
        return [one for one in found if not any(taken[one.first : one.last])]


def _absent(one: Found, role: str) -> Found:
    update = {
        "kind": "absent", "facet": None, "values": (role,), "low": None, "high": None,
        "direction": None, "strict": False, "note": "",
    }  # fmt: skip
    return Found(one.mention.model_copy(update=update), one.first, one.last)


def _spanning(tokens: Sequence[Token], first: int, last: int, role: str) -> Found:
    start, end = tokens[first].start, tokens[last - 1].end
    mention = Mention(id="", kind="absent", start=start, end=end, text="", values=(role,))
    return Found(mention, first, last)
