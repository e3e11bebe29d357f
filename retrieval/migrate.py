"""Move a project's index to another engine or place, and prove that it answers as before.

Items and vectors are copied as they are: nothing is read from the catalog again and nothing is
encoded. The manifest is written last, so a failed move leaves the project as it was.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import track

from retrieval import project
from retrieval.catalog import Facet
from retrieval.engines import Place, Target, check_engine, open_index, without_password
from retrieval.errors import IndexError_
from retrieval.exact import ExactIndex
from retrieval.filters import Compare, Filter
from retrieval.project import Manifest
from retrieval.query import Candidate, DurableIndex, Index
from retrieval.recount import recount

CHUNK = 2_000
SAMPLES = 50
DEPTH = 10
AGREEMENT = 0.95
"""Least share of the sampled answers that must be the same."""
BESIDE = ("mapping.toml", "facets.json", "rejects.csv", "words.json", "fusion.json")
"""Files of a project that any index of it needs."""


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What was moved and how it was checked.

    Args:
        counts: Filters whose counts were compared; all agreed.
        dense, lexical: Share of the first ten answers that both indexes gave, over `samples`
            items asked for by vector and by title.
    """

    items: int
    counts: int
    samples: int
    dense: float
    lexical: float
    seconds: float


def migrate(
    folder: Path, target: Target, out: Path | None = None, *, progress: bool = False
) -> MigrationReport:
    """Move the index of a project to another engine, in place or into another project directory.

    Args:
        out: The new project; by default the same folder, whose manifest then names the new engine.

    Raises:
        IndexError_: If the engine is unknown, cannot be reached, holds something else, or answers
            differently from the old index; the project is then as it was.
    """
    began = time.perf_counter()
    manifest = project.read_manifest(folder)
    out = out or folder
    check_engine(target.engine, target.url)
    if out != folder and project.has_manifest(out):
        raise IndexError_(f"{str(out)!r} is a project already; name an empty folder")
    source = _source(folder, manifest)
    try:
        place = Place(out, manifest.encoder, manifest.dimension, target.url,
                      target.collection, target.key)  # fmt: skip
        index = open_index(target.engine, place)
        try:
            if out != folder:
                _copy(source, index, progress)
                _copy_files(folder, out)
            index.save()
            facets, _ = project.read_facets(folder)
            counts, dense, lexical = verify(source, index, facets)
            project.write_facets(out, recount(facets, index), index.version)
        finally:
            index.close()
        items = source.count()
    finally:
        source.close()
    project.write_manifest(
        out,
        replace(
            manifest, engine=target.engine, url=without_password(target.url),
            collection=target.collection, created_by=project.created_by(),
        ),
    )  # fmt: skip
    return MigrationReport(
        items, counts, min(SAMPLES, items), dense, lexical, time.perf_counter() - began
    )


def _source(folder: Path, manifest: Manifest) -> DurableIndex:
    """Return the source of truth where it is here, else the index itself."""
    if (folder / "items.db").is_file():
        return ExactIndex(folder, manifest.encoder, manifest.dimension, write=False)
    place = Place(folder, manifest.encoder, manifest.dimension, manifest.url, manifest.collection)
    return open_index(manifest.engine, place, write=False)


def _copy(source: Index, index: DurableIndex, progress: bool) -> None:
    ids = source.ids()
    for chunk in track(
        list(_chunks(ids)), "copying items", console=Console(stderr=True), disable=not progress
    ):
        index.apply(source.get(chunk), source.vectors(chunk))
    wanted = set(ids)
    index.delete([id for id in index.ids() if id not in wanted])


def _copy_files(folder: Path, out: Path) -> None:
    for name in BESIDE:
        if (folder / name).is_file():
            shutil.copy2(folder / name, out / name)


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _filters(facets: tuple[Facet, ...]) -> list[Filter]:
    """Return a few filters of each kind that these facets allow."""
    filters: list[Filter] = []
    for facet in facets[:20]:
        filters.append(Compare(facet.name, "exists", True))
        if facet.quantiles:
            filters.append(Compare(facet.name, "lte", facet.quantiles[len(facet.quantiles) // 2]))
        elif facet.values:
            filters.append(Compare(facet.name, "eq", facet.values[0][0]))
            filters.append(Compare(facet.name, "ne", facet.values[-1][0]))
    return filters


def verify(source: Index, index: Index, facets: tuple[Facet, ...]) -> tuple[int, float, float]:
    """Compare two indexes of the same items.

    Returns:
        How many counts were compared, and the shares of sampled answers that agree, dense and
        lexical.

    Raises:
        IndexError_: If a count differs, an item does, or too few answers agree.
    """
    filters = _filters(facets)
    for filter in [None, *filters]:
        expected, got = source.count(filter), index.count(filter)
        if expected != got:
            raise IndexError_(
                f"the new index has {got} items where {filter or 'no filter'} is asked, "
                f"the old one {expected}; nothing was switched, try again"
            )
    chance = random.Random(0)
    ids = source.ids()
    sampled = chance.sample(ids, min(SAMPLES, len(ids)))
    if source.get(sampled) != index.get(sampled):
        raise IndexError_("items came back different from the new index; nothing was switched")
    dense = lexical = 1.0
    if sampled:
        shares = [_agreement(source, index, id, chance.choice([None, *filters])) for id in sampled]
        dense = sum(one for one, _ in shares) / len(shares)
        lexical = sum(other for _, other in shares) / len(shares)
    if min(dense, lexical) < AGREEMENT:
        raise IndexError_(
            f"the new index gives {dense:.0%} of the old one's answers by vector and "
            f"{lexical:.0%} by words, expected {AGREEMENT:.0%}; nothing was switched"
        )
    return len(filters) + 1, dense, lexical


def _agreement(source: Index, index: Index, id: str, filter: Filter | None) -> tuple[float, float]:
    """Return the shares of common answers for one item's vector and title under a filter."""
    vector, title = source.vectors([id])[0], source.get([id])[0].title
    by_vector = [one.search(vector, filter=filter, k=DEPTH) for one in (source, index)]
    by_words = [one.search(text=title, filter=filter, k=DEPTH) for one in (source, index)]
    return _share(*by_vector), _share(*by_words)


def _share(expected: list[Candidate], got: list[Candidate]) -> float:
    """Return the share of expected answers that came, ties with the last one counting as well."""
    if not expected:
        return float(not got)
    worst = expected[-1].score - 1e-4
    wanted = {one.item.id for one in expected}
    hits = sum(one.item.id in wanted or one.score >= worst for one in got)
    return min(hits, len(expected)) / len(expected)
