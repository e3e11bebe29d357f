"""The linker, rule planner and apply over a loaded catalog, without an index or an encoder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.apply import apply
from agent.linking import Linker
from agent.planner import RulePlanner
from finetune.catalogs import open_catalog
from finetune.extension import Extension
from finetune.replay import Parts
from finetune.understanding import MakeParts
from retrieval.catalog import Facet, Item
from retrieval.loading import LoadedCatalog


@dataclass(frozen=True, slots=True)
class _InMemory:
    """What the linker needs of a retriever."""

    catalog: LoadedCatalog
    index: Extension
    known: Mapping[str, Item]
    version: int = 1

    @property
    def facets(self) -> tuple[Facet, ...]:
        """Return the catalog's facets."""
        return self.catalog.facets

    def items(self) -> Iterator[Item]:
        """Return every item."""
        return iter(self.catalog.items)

    def get_many(self, ids: Sequence[str]) -> list[Item]:
        """Return the items with these ids."""
        return [self.known[id] for id in ids if id in self.known]


def rule_parts(catalog: LoadedCatalog) -> Parts:
    """Return what understands utterances over a catalog by rules alone."""
    items = {item.id: item for item in catalog.items}
    linker = Linker.build(_InMemory(catalog, Extension(catalog.items), items))
    planner = RulePlanner(catalog.facets)
    return Parts(items, catalog.facets, linker.link, planner.plan, apply)


def by_rules(beside: Path | None = None) -> MakeParts:
    """Return the maker of rule parts for every catalog that label files name."""

    def make(name: str) -> Parts | None:
        catalog = open_catalog(name, beside)
        return None if catalog is None else rule_parts(catalog)

    return make
