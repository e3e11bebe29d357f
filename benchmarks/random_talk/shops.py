"""Shops to talk to: small catalogs indexed for real, whose items may change in mid-conversation."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from agent.dialogue import Parts
from agent.linking import Linker
from agent.planner import RulePlanner
from agent.store import Store
from benchmarks.random_talk.odd import ODD, Rows
from retrieval.catalog import Item
from retrieval.demo import make_demo
from retrieval.encoder import HashingEncoder
from retrieval.loading import load
from retrieval.retriever import Retriever

SHARED = Path(__file__).parents[2].parent / "shared/data"
SAMPLE = 300
SAMPLES = {
    "fashion": "catalog_fashion.csv.gz",
    "electronics": "catalog_electronics.jsonl.gz",
    "grocery": "catalog_grocery.csv.gz",
    "furniture": "catalog_furniture_ikea.csv.gz",
    "books": "catalog_books.csv.gz",
    "courses": "catalog_courses.csv.gz",
}
DEMO = ("demo", "demo, whole")


@dataclass
class Shop:
    """A catalog that can be talked to, and the truth about it.

    Args:
        original: The items as indexed; `restore` brings them back.
        items: The items as they are now. Replaced, never changed: turns keep the one they saw.
        ever: Every id that was in the catalog at some time.
    """

    name: str
    parts: Parts
    retriever: Retriever
    original: Mapping[str, Item]
    items: Mapping[str, Item]
    ever: set[str]

    def delete(self, ids: Iterable[str]) -> None:
        """Delete items by id."""
        gone = set(ids)
        self.retriever.delete(list(gone))
        self.items = {id: item for id, item in self.items.items() if id not in gone}

    def upsert(self, items: list[Item]) -> None:
        """Add or replace items."""
        self.retriever.upsert(items)
        self.items = {**self.items, **{item.id: item for item in items}}
        self.ever |= {item.id for item in items}

    def restore(self) -> None:
        """Bring back the items as they were indexed."""
        added = [id for id in self.items if id not in self.original]
        if added:
            self.delete(added)
        changed = [item for id, item in self.original.items() if self.items.get(id) is not item]
        if changed:
            self.upsert(changed)

    def close(self) -> None:
        """Release files and locks."""
        self.retriever.close()
        self.parts.store.close()


def names() -> tuple[str, ...]:
    """Return the shops there are: the shared samples only where their files are."""
    shared = tuple(name for name, file in SAMPLES.items() if (SHARED / file).exists())
    return (*DEMO, *shared, *ODD)


def open_shop(name: str, folder: Path) -> Shop:
    """Index a shop in a folder of its own and open it, with a session store in memory."""
    project = folder / "project"
    catalog = load([_source(name, folder)])
    encoder = HashingEncoder(32)
    Retriever.build(catalog, project, encoder=encoder)
    retriever = Retriever.open(project, encoder)
    planner = RulePlanner(retriever.facets)
    parts = Parts(Store("sqlite://"), retriever, Linker.build(retriever), planner)
    items = {item.id: item for item in retriever.items()}
    return Shop(name, parts, retriever, items, items, set(items))


def _source(name: str, folder: Path) -> Path:
    """Write the catalog of a shop and return its file."""
    if name in SAMPLES:
        return _sampled(SHARED / SAMPLES[name], folder)
    if name in ODD:
        return _written(ODD[name](Random(name)), folder / f"{name.replace(' ', '_')}.jsonl")
    if name not in DEMO:
        raise ValueError(f"no shop {name!r}; expected one of {', '.join(names())}")
    whole = make_demo(folder / "catalog")
    rows = [json.loads(line) for line in whole.read_text(encoding="utf-8").splitlines()]
    return whole if name == "demo, whole" else _written(_some(rows), folder / "demo.jsonl")


def _some(rows: Rows) -> Rows:
    return Random(1).sample(rows, min(SAMPLE, len(rows)))


def _sampled(file: Path, folder: Path) -> Path:
    """Write a few rows of a shared file, in its own format."""
    opened = partial(gzip.open, file, "rt", encoding="utf-8", newline="")
    if ".jsonl" in file.name:
        with opened() as lines:
            return _written(_some([json.loads(line) for line in lines]), folder / file.stem)
    with opened() as lines:
        header, *rows = csv.reader(lines)
    out = folder / file.stem
    with out.open("w", encoding="utf-8", newline="") as text:
        csv.writer(text).writerows([header, *_some(rows)])
    return out


def _written(rows: Iterable[Any], out: Path) -> Path:
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return out
