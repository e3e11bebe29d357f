"""The judged sets of `attune evaluate retrieval`: those of the shared sample data, or a user's own.

The shared files lie beside the repository and are not part of it; what is not there is skipped.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from finetune.catalogs import FILES, SHARED
from finetune.ranker.data import read_judgements
from finetune.retrieval_quality import Grades, JudgedSet, numbered
from retrieval.loading import LoadedCatalog, load

SAMPLE = 500
"""Home Depot queries that the whole catalog is searched for."""

GAIN = "gain 2^g - 1"


@dataclass(frozen=True, slots=True)
class Source:
    """A catalog with the sets that are judged over it.

    Args:
        files: What the figures depend on, for their hash.
        project: A project directory to open instead of indexing what is loaded.
    """

    name: str
    files: tuple[Path, ...]
    load: Callable[[], LoadedCatalog]
    sets: Callable[[], tuple[JudgedSet, ...]]
    project: Path | None = None

    @property
    def missing(self) -> list[Path]:
        """Return the files that are not here."""
        return [path for path in self.files if not path.is_file()]

    def digest(self) -> str:
        """Return the hash of the files' contents."""
        found = hashlib.sha256()
        for path in self.files:
            with path.open("rb") as file:
                found.update(hashlib.file_digest(file, "sha256").digest())
        return found.hexdigest()


def grades_of(path: Path) -> Grades:
    """Return the grades of a file of judgements, the lowest rating of the file being 0."""
    return {one.query: dict(one.grades) for one in read_judgements(path)}


def own_source(catalog: Path, judgements: Path) -> Source:
    """Return a user's own catalog file, or project directory, with judgements over it."""
    project = catalog if catalog.is_dir() else None
    about = f"{catalog.name}: the whole catalog is ranked; grade = rating - lowest, {GAIN}"
    return Source(
        catalog.resolve().name.partition(".")[0],
        (project / "manifest.json" if project else catalog, judgements),
        lambda: load([catalog]),
        lambda: (JudgedSet(judgements.name, grades_of(judgements), "catalog", about),),
        project,
    )


def shared_sources(sample: int = SAMPLE, seed: int = 0, folder: Path = SHARED) -> list[Source]:
    """Return the sets of the shared sample data, whether they are here or not."""
    catalog, ratings = folder / FILES["electronics"], folder / "search_electronics_ratings.csv.gz"
    homedepot = folder / "search_homedepot.csv.gz"
    return [
        Source("electronics", (catalog, ratings), lambda: load([catalog]),
               lambda: (_electronics(ratings),)),
        Source("homedepot", (homedepot,), lambda: _titles(homedepot),
               lambda: _homedepot(homedepot, sample, seed)),
    ]  # fmt: skip


def _electronics(path: Path) -> JudgedSet:
    about = (
        f"the whole catalog of 19,406 items is ranked; grade = rating (0-3), {GAIN}; unrated items "
        "gain 0 in ndcg@10 and are left out in ndcg@10_condensed"
    )
    return JudgedSet("electronics", grades_of(path), "catalog", about, halved=True)


def _homedepot(path: Path, sample: int, seed: int) -> tuple[JudgedSet, ...]:
    grades = grades_of(path)
    queries = sorted(grades)
    chosen = np.random.default_rng(seed).choice(
        len(queries), min(sample, len(queries)), replace=False
    )
    told = f"grade = relevance - 1 (0-2), {GAIN}"
    return (
        JudgedSet("homedepot", grades, "judged",
                  f"each query's judged titles are ranked; {told}; queries whose titles all have "
                  "one relevance are left out", halved=True),
        JudgedSet("homedepot_catalog", {queries[place]: grades[queries[place]] for place in chosen},
                  "catalog", f"all 45,851 titles are ranked, for {len(chosen)} queries drawn by "
                  f"chance; {told}; titles not judged for the query gain 0 in ndcg@10 and are left "
                  "out in ndcg@10_condensed", halved=True),
    )  # fmt: skip


def _titles(path: Path) -> LoadedCatalog:
    """Return the distinct titles as a catalog, read as a file of them would be."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        titles = {row["product_id"]: row["product_title"] for row in csv.DictReader(file)}
    with tempfile.TemporaryDirectory() as scratch:
        written = Path(scratch) / "homedepot.csv"
        with written.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("id", "title"), *titles.items()])
        loaded = load([written])
    return replace(loaded, items=numbered(loaded.items))


def here(sources: Sequence[Source]) -> tuple[list[Source], dict[str, str]]:
    """Return the sources whose files are all here, and why the others are not measured."""
    skipped = {one.name: f"no file {one.missing[0].name}" for one in sources if one.missing}
    return [one for one in sources if not one.missing], skipped
