"""Which words name what a catalog sells: "can I return the dress" is about returns, not dresses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.knowledge.words import words_of
from retrieval.catalog import Facet, Role

_ROLES: frozenset[Role | None] = frozenset(
    ("category", "brand", "colour", "material", "audience", "size")
)


class Sold:
    """The words of a catalog's categories, brands and colours; follows the catalog.

    Words that service desks use ("gift", "return") are never among them.

    Args:
        facets: Gives the catalog's facets as they are now.
    """

    def __init__(self, facets: Callable[[], Sequence[Facet]]) -> None:
        self._facets = facets
        self._of: Sequence[Facet] | None = None
        self._stems: frozenset[str] = frozenset()

    def __call__(self, word: str) -> bool:
        """Return whether a word names something of the catalog."""
        facets = self._facets()
        if facets is not self._of:
            values = [
                value for facet in facets if facet.role in _ROLES for value, _ in facet.values
            ]
            found = (one for value in values for one in words_of(value))
            self._stems = frozenset(one.stem for one in found if one.group is None)
            self._of = facets
        return any(one.stem in self._stems for one in words_of(word))
