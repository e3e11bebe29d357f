"""Tastes: how much somebody likes an item, whatever they say. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from finetune.simulator.population import Population
from retrieval.catalog import Facet, Item


@dataclass(frozen=True, slots=True)
class Taste:
    """Utilities over facet values, and over the levels of numeric facets.

    Args:
        values: Facet to value to utility; what is not listed is worth 0.
        slopes: Numeric facet to the utility of its highest level; its lowest is worth 0.
        quantiles: Numeric facet to its quantiles in the catalog.
    """

    values: Mapping[str, Mapping[str, float]]
    slopes: Mapping[str, float]
    quantiles: Mapping[str, tuple[float, ...]]

    def of(self, item: Item) -> float:
        """Return the utility of an item: the sum over facets, the mean over values of a list."""
        total = 0.0
        for facet, liked in self.values.items():
            own = item.values(facet)
            total += sum(liked.get(str(value), 0.0) for value in own) / max(1, len(own))
        for facet, slope in self.slopes.items():
            number, points = item.number(facet), self.quantiles.get(facet, ())
            if number is not None and points:
                total += slope * bisect_right(points, number) / len(points)
        return total


def draw_taste(population: Population, facets: Sequence[Facet], random: Random) -> Taste:
    """Return a user's taste: the population's, each value liked a little more or less.

    Args:
        facets: Those that people have a taste on.
    """
    values: dict[str, dict[str, float]] = {
        facet: dict(liked) for facet, liked in population.taste.items()
    }
    for facet in facets:
        shared = values.setdefault(facet.name, {})
        for value, _ in facet.values:
            shared[value] = shared.get(value, 0.0) + random.gauss(0.0, population.spread)
    quantiles = {facet.name: facet.quantiles for facet in facets if facet.quantiles}
    return Taste(values, population.slopes, quantiles)
