"""How people really ask, as phrase lines: data sets with a free licence, values taken out.

    write_lines(Path("../shared/data"), Path("build/house"))

The data itself is never shipped, nor are the lines: they are made where the data lies. A line is
what `finetune.house.phrases_format` reads, so that a real sentence and a written one are filled
and labelled in one way.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from finetune.errors import LabelError
from finetune.house.human_coffee import coffee
from finetune.house.human_film import ccpe, iard, redial
from finetune.house.human_sgd import sgd
from finetune.house.human_shop import fashioniq, queries, webshop
from finetune.house.human_text import HumanRow, Labelled

Rows = Iterator[dict[str, Any]]

CHATTER = 0.15
"""The part of a source's rows that may be small talk; film talk would be half of it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A data set: its files, its licence, how its rows become lines, and how many to keep.

    Args:
        copies: How often one line may come; above 1, what many people say weighs more.
    """

    files: tuple[str, ...]
    license: str
    read: Callable[[Rows, Random], Iterator[Labelled]]
    cap: int
    copies: int = 2


SOURCES: Mapping[str, Source] = {
    "sgd": Source(("utterances_sgd",), "CC BY-SA 4.0", lambda rows, _: sgd(rows), 8000),
    "webshop": Source(("utterances_webshop",), "MIT", lambda rows, _: webshop(rows), 4000),
    "fashioniq": Source(("utterances_fashioniq",), "CDLA", fashioniq, 2500),
    "iard": Source(("iard_intents",), "MIT", lambda rows, _: iard(rows), 2000),
    "coffee": Source(
        ("dialogs_taskmaster4_sample",), "CC BY 4.0", lambda rows, _: coffee(rows), 1500
    ),
    "redial": Source(
        ("redial_train_part", "redial_valid"), "CC BY 4.0", lambda rows, _: redial(rows), 4000
    ),
    "ccpe": Source(("ccpe_satisfaction",), "CC BY 4.0", lambda rows, _: ccpe(rows), 1000),
    "queries": Source(
        ("queries_shopping",), "Apache-2.0 and MIT", lambda rows, _: queries(rows), 1500, copies=8
    ),
}
"""The parts of the shared data whose licences allow a model to be trained on them and shipped."""


def _read(data: Path, names: tuple[str, ...]) -> Rows:
    for name in names:
        with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            # Test splits stay for measuring (benchmarks/planners.py).
            yield from (row for row in map(json.loads, lines) if row.get("split") != "test")


def human_rows(data: Path, seed: int, caps: Mapping[str, int] | None = None) -> Iterator[HumanRow]:
    """Yield the rows of every source whose files are there, shuffled and capped source by source.

    Args:
        data: Folder with the data sets as `.jsonl.gz`.
        seed: Makes the choice of rows reproducible.
        caps: Other limits than a source's own, by its name; 0 leaves it out.

    Raises:
        LabelError: If `caps` names an unknown source or no source's files are there.
    """
    caps = caps or {}
    if unknown := caps.keys() - SOURCES.keys():
        raise LabelError(f"caps names {sorted(unknown)}; sources are {', '.join(SOURCES)}")
    there = {
        name: source
        for name, source in SOURCES.items()
        if all((data / f"{file}.jsonl.gz").exists() for file in source.files)
    }
    if not there:
        raise LabelError(f"no human data in {str(data)!r}; expected e.g. utterances_sgd.jsonl.gz")
    for name, source in there.items():
        yield from _chosen(name, source, data, Random(f"{seed} {name}"), caps.get(name, source.cap))


def _chosen(name: str, source: Source, data: Path, random: Random, cap: int) -> Iterator[HumanRow]:
    seen: Counter[str] = Counter()
    rows = []
    for acts, text, context in source.read(_read(data, source.files), random):
        row = HumanRow(name, source.license, text, acts, context)
        seen[row.line.lower()] += 1
        if seen[row.line.lower()] <= source.copies:
            rows.append(row)
    random.shuffle(rows)
    chatter = int(CHATTER * min(cap, len(rows)))
    talk = [row for row in rows if row.acts == "chitchat"]
    spared = {id(row) for row in talk[chatter:]}
    yield from [row for row in rows if id(row) not in spared][:cap]


def lines(data: Path, seed: int = 0) -> dict[str, list[str]]:
    """Return the phrase lines of each source."""
    found: dict[str, list[str]] = {}
    for row in human_rows(data, seed):
        found.setdefault(row.source, []).append(row.line)
    return found


def write_lines(data: Path, folder: Path, seed: int = 0) -> dict[str, int]:
    """Write `human_<source>.txt` files into the folder and return how many lines each got."""
    folder.mkdir(parents=True, exist_ok=True)
    found = lines(data, seed)
    for name, text in found.items():
        head = f"# {name}, {SOURCES[name].license}. Made from data that is not shipped."
        path = folder / f"human_{name}.txt"
        path.write_text("\n".join([head, *text]) + "\n", encoding="utf-8")
    return {name: len(text) for name, text in found.items()}
