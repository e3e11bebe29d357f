"""Time every stage of a turn over a real project, at several sizes of the catalog.

    python benchmarks/turns.py [FILE] [--sizes 1000 5000 20000 44000] [--rounds N] [--out JSON]

Scripted sessions (turns.toml) are held over a project directory and a SQLite store with their
default durability, with the rule planner and the real encoder. Also times the second start: from
opening the project to the first prompt, in a fresh process, imports excluded. Without FILE: the
fashion catalog of ../shared/data where it is, else the demo. Prints tables, writes JSON.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from retrieval.catalog import Item
from retrieval.encoder import DEFAULT_ENCODER, make_encoder
from retrieval.loading import LoadedCatalog, infer_facets, load
from retrieval.project import has_manifest
from retrieval.query import Encoder, Vectors
from retrieval.retriever import Retriever
from retrieval.texts import item_text
from ui.settings import Settings
from ui.wiring import Project, demo_project, open_project

ROOT = Path(__file__).parents[1]
FASHION = ROOT.parent / "shared/data/catalog_fashion.csv.gz"
STAGES = ("load", "link", "plan", "apply", "retrieve", "explain", "reply", "store", "whole")
TARGETS = {"whole": 60.0, "link": 5.0, "second start": 3.0}
"""p95 in milliseconds; the second start in seconds."""

Timing = dict[str, float]


class Remembering:
    """An encoder that encodes no text twice, so that the small projects cost nothing more."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Vectors] = {}
        self.name, self.dimension = encoder.name, encoder.dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per query."""
        return self._encoder.encode_queries(texts)

    def encode_items(self, texts: Sequence[str], progress: bool = False) -> Vectors:
        """Return one unit vector per item text."""
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        if new:
            vectors = self._encoder.encode_items(new, progress)
            self._known.update(zip(new, vectors, strict=True))
        return np.stack([self._known[text] for text in texts])

    def learn(self, project: Path) -> None:
        """Take over the vectors of a project that is there already."""
        with Retriever.open(project, self, write=False) as retriever:
            items = list(retriever.items())
            vectors = retriever.index.vectors([item.id for item in items])
            texts = (item_text(item, retriever.manifest.leading) for item in items)
            self._known.update(zip(texts, vectors, strict=True))


def first(loaded: LoadedCatalog, size: int) -> LoadedCatalog:
    """Return a catalog of the first items of another."""
    items: tuple[Item, ...] = loaded.items[:size]
    return replace(loaded, items=items, facets=infer_facets(items, loaded.mapping))


def build_all(
    file: Path | None, sizes: Sequence[int], folder: Path, settings: Settings
) -> list[Path]:
    """Index the catalog at every size, the largest first; return the projects, smallest first."""
    if file is None:
        return [demo_project(settings)]
    loaded = load([file])
    encoder = Remembering(make_encoder(DEFAULT_ENCODER, settings.models))
    for size in sorted(sizes, reverse=True):
        project = folder / f"{file.name.partition('.')[0]}-{size}"
        if has_manifest(project):
            encoder.learn(project)
        else:
            Retriever.build(first(loaded, size), project, encoder=encoder, progress=True)
    return [folder / f"{file.name.partition('.')[0]}-{size}" for size in sorted(sizes)]


def sessions(rounds: int) -> Iterator[list[str]]:
    """Yield the scripted sessions, filled in anew in each round."""
    script = tomllib.loads((ROOT / "benchmarks/turns.toml").read_text(encoding="utf-8"))
    kinds, colours = itertools.cycle(script["kinds"]), itertools.cycle(script["colours"])
    people, amounts = itertools.cycle(script["people"]), itertools.cycle(script["amounts"])
    for _ in range(rounds):
        for lines in script["sessions"]:
            fill = {"k": next(kinds), "j": next(kinds), "c": next(colours), "d": next(colours),
                    "a": next(people), "n": next(amounts)}  # fmt: skip
            yield [line.format(**fill) for line in lines]
        next(kinds), next(people)


class TimedStore:
    """A session store that notes how long its part of a turn takes."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.ms: Timing = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def _timed(self, name: str, call: Any, *given: Any) -> Any:
        began = time.perf_counter()
        result = call(*given)
        self.ms[name] = (time.perf_counter() - began) * 1000
        return result

    def load(self, session_id: str) -> Any:
        """Load a session."""
        return self._timed("load", self._store.load, session_id)

    def record(self, done: Any, **how: Any) -> None:
        """Store a turn, with how its slate was chosen."""
        self._timed("store", partial(self._store.record, **how), done)


def hold(project: Project, lines: list[str]) -> Iterator[Timing]:
    """Hold a session; yield the milliseconds of each turn by stage."""
    from agent.dialogue import respond

    store = TimedStore(project.parts.store)
    parts = replace(project.parts, store=store)  # type: ignore[arg-type]
    session = store.create_session()
    for line in lines:
        cpu, began = time.process_time(), time.perf_counter()
        *_, done = respond(parts, session, line)
        whole, spent = time.perf_counter() - began, time.process_time() - cpu
        assert done.kind == "done"
        yield {**done.timings, **store.ms, "whole": whole * 1000, "whole, cpu": spent * 1000}


def spread(values: Sequence[float]) -> Timing:
    """Return p50, p95 and the largest."""
    p50, p95 = np.percentile(values, [50, 95])
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2), "max": round(max(values), 2)}


def measure(folder: Path, rounds: int) -> dict[str, Any]:
    """Hold all sessions over a project of its own copy of the store; return the figures."""
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(store=f"sqlite:///{scratch}/sessions.db")
        project = open_project(folder, settings)
        try:
            list(hold(project, ["hello", "blue", "more"]))
            scripted = list(sessions(rounds))
            timings = [
                one
                for lines in track(scripted, f"{folder.name}", console=Console(stderr=True))
                for one in hold(project, lines)
            ]
            items = project.retriever.index.count()
        finally:
            project.parts.store.close()
            project.retriever.close()
    stages = {
        stage: spread([one[stage] for one in timings if stage in one])
        for stage in (*STAGES, "whole, cpu")
    }
    return {"items": items, "turns": len(timings), "stages_ms": stages,
            "second_start": starts(folder)}  # fmt: skip


_START = """
import sys, time
from pathlib import Path
import numpy, sqlalchemy, alembic.command, onnxruntime, tokenizers, bm25s, Stemmer, babel.numbers
from ui.settings import Settings
from ui.wiring import open_project, session
import agent.dialogue, agent.linking, retrieval.onnx_encoder
began, cpu = time.perf_counter(), time.process_time()
project = open_project(Path(sys.argv[1]), Settings())
session(project, None)
print(time.perf_counter() - began, time.process_time() - cpu)
"""


def starts(folder: Path, times: int = 3) -> Timing:
    """Return the seconds from opening a project to the first prompt, in fresh processes."""
    found = []
    for _ in range(times + 1):
        command = [sys.executable, "-c", _START, str(folder)]
        out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        found.append([float(number) for number in out.stdout.split()])
    # The first made the session store.
    wall, cpu = (sorted(values) for values in zip(*found[1:], strict=True))
    return {"median_s": round(wall[times // 2], 2), "median_cpu_s": round(cpu[times // 2], 2)}


def table(outcome: dict[str, Any]) -> Table:
    """Return one size as a table."""
    title = f"{outcome['items']:,} items, {outcome['turns']} turns: milliseconds"
    shown = Table("stage", "p50", "p95", "max", "target p95", title=title)
    for stage, one in outcome["stages_ms"].items():
        target = f"< {TARGETS[stage]:g}" if stage in TARGETS else ""
        missed = bool(target) and one["p95"] >= TARGETS[stage]
        cells = [f"{one[name]:.2f}" for name in ("p50", "p95", "max")]
        shown.add_row(stage, *cells, target, style="red" if missed else "")
    start = outcome["second_start"]["median_s"]
    shown.add_section()
    shown.add_row("second start, s", f"{start:.2f}", "", "", f"< {TARGETS['second start']:g}")
    return shown


def growth(outcomes: list[dict[str, Any]]) -> Table:
    """Return how the p95 of each stage grows with the catalog."""
    shown = Table("p95 ms", *(f"{one['items']:,}" for one in outcomes), title="Growth")
    for stage in outcomes[0]["stages_ms"]:
        shown.add_row(stage, *(f"{one['stages_ms'][stage]['p95']:.2f}" for one in outcomes))
    starts = (f"{one['second_start']['median_s']:.2f}" for one in outcomes)
    shown.add_row("second start, s", *starts)
    return shown


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Time every stage of a turn.")
    parser.add_argument("file", nargs="?", type=Path, default=FASHION if FASHION.exists() else None)
    parser.add_argument("--sizes", nargs="+", type=int, default=[44_000])
    parser.add_argument("--rounds", type=int, default=2, help="168 turns each")
    parser.add_argument("--work", type=Path, help="keep the projects here for the next run")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/turns.json")
    return parser.parse_args()


def main() -> None:
    """Index, hold the sessions, print the tables and write the figures down."""
    given, console = arguments(), Console()
    with tempfile.TemporaryDirectory() as scratch:
        projects = build_all(given.file, given.sizes, given.work or Path(scratch), Settings())
        outcomes = []
        for folder in projects:
            before = os.getloadavg()[0]
            outcomes.append({**measure(folder, given.rounds), "load_before": round(before, 1)})
            console.print(table(outcomes[-1]))
    if len(outcomes) > 1:
        console.print(growth(outcomes))
    about = {
        "catalog": given.file.name if given.file else "demo",
        "encoder": DEFAULT_ENCODER,
        "planner": "rules",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, python {sys.version.split()[0]}",
        "targets": {"whole p95 ms": 60, "link p95 ms": 5, "second start s": 3},
        "sizes": outcomes,
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(about, indent=2) + "\n")


if __name__ == "__main__":
    main()
