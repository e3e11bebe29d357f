"""The graphs of a folder: which rows they cover, building the next one, and following the writer.

All of it can be built again from the store, so nothing here is precious: whatever cannot be read is
left out, and the rows it covered are compared one by one. This module does not know filters.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import retrieval
from retrieval.columns import Columns, Mask
from retrieval.engines.edge_build import Job
from retrieval.engines.edge_labels import choose_labels
from retrieval.engines.edge_shard import Shard, Span, open_shard
from retrieval.errors import IndexError_
from retrieval.ranking import Rows
from retrieval.renumber import places

TAIL_ROWS = 20_000
"""So many rows beyond the graphs are compared one by one before a graph is built for them."""
GROWTH = 2
"""A graph less than so many times as large as what follows it is built anew with it."""
LIVE_SHARE = 0.6
"""A graph of which less is left after compactions is built anew."""
RETRY_S = 60.0
"""How long a build that failed is not tried again."""
MANIFEST = "edge.json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """What graphs are built from: the rows of a generation as of some version."""

    vectors: Path
    dimension: int
    generation: int
    live: Mask
    columns: Columns


@dataclass(frozen=True, slots=True)
class Found:
    """The graphs that serve a generation, in the order of their rows, without gaps from row 0."""

    generation: int
    shards: tuple[tuple[Shard, Span], ...] = ()

    @property
    def covered(self) -> int:
        """How many of the first rows have a graph."""
        return self.shards[-1][1].end if self.shards else 0

    def next_span(self, rows: int) -> tuple[int, int] | None:
        """Return which rows the next graph should cover, None while there are too few."""
        if rows - self.covered < TAIL_ROWS and not any(map(_worn, self.shards)):
            return None
        first = self.covered
        for number, (_, span) in reversed(list(enumerate(self.shards))):
            grown = span.end - span.first < GROWTH * (rows - first)
            if grown or any(map(_worn, self.shards[: number + 1])):
                first = span.first
        return first, rows


def _worn(pair: tuple[Shard, Span]) -> bool:
    shard, span = pair
    return span.end - span.first < LIVE_SHARE * shard.card.points


class Shards:
    """The graphs of a folder, for one index that is open.

    Args:
        generation: The present one of the store.
        write: Build and remove graphs; without it they are only followed.
    """

    def __init__(self, folder: Path, generation: int, *, write: bool) -> None:
        self._folder = folder
        self._write = write
        self._lock = threading.RLock()
        self._building = threading.Lock()
        self._thread: threading.Thread | None = None
        self._child: subprocess.Popen[str] | None = None
        self._closed = False
        self._retry_at = 0.0
        self._stamp = self._manifest_stamp()
        self._found = self._read(generation)
        if write:
            self._sweep()

    # Following

    def at(self, generation: int) -> Found:
        """Return the graphs that serve a generation; none while there are none for it."""
        if not self._write:
            self._watch(generation)
        if self._found.generation + 1 == generation:
            with self._lock:
                if self._found.generation + 1 == generation:
                    self._found = self._renumbered(self._found)
                    self._keep()
        found = self._found
        return found if found.generation == generation else Found(generation)

    def _manifest_stamp(self) -> tuple[int, int]:
        try:
            status = (self._folder / MANIFEST).stat()
        except OSError:
            return (0, 0)
        return (status.st_mtime_ns, status.st_ino)

    def _watch(self, generation: int) -> None:
        """Load what the writer has built since, aside."""
        if self._manifest_stamp() == self._stamp:
            return
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            self._stamp = self._manifest_stamp()
            self._thread = threading.Thread(target=self._reload, args=[generation], daemon=True)
            self._thread.start()

    def _reload(self, generation: int) -> None:
        found = self._read(generation)
        with self._lock:
            if found.generation >= self._found.generation:
                self._found = found

    def _read(self, generation: int) -> Found:
        """Return the graphs that the manifest names, as far as they can be read and used."""
        known = {shard.path.name: shard for shard, _ in getattr(self, "_found", Found(-1)).shards}
        try:
            manifest = json.loads((self._folder / MANIFEST).read_text())
            found = Found(int(manifest["generation"]))
            for entry in manifest["shards"]:
                path = self._folder / entry["name"]
                shard = known.get(path.name) or open_shard(path)
                rows = np.load(path / entry["rows"]) if entry["rows"] else None
                span = Span(int(entry["first"]), int(entry["end"]), rows)
                found = Found(found.generation, (*found.shards, (shard, span)))
        except FileNotFoundError:
            return Found(generation)
        except (IndexError_, OSError, ValueError, KeyError, TypeError) as error:
            logger.warning(
                "a graph in %s is unusable, its items are compared one by one until it is built "
                "anew: %s", self._folder, error,
            )  # fmt: skip
            return Found(generation)
        if found.generation + 1 == generation:
            return self._renumbered(found)
        return found if found.generation == generation else Found(generation)

    def _renumbered(self, found: Found) -> Found:
        """Return graphs for the generation after theirs."""
        generation = found.generation + 1
        try:
            kept: Rows = np.load(self._folder / f"kept-{generation}.npy")
        except (OSError, ValueError):
            return Found(generation)
        shards = tuple((shard, renumbered(span, kept)) for shard, span in found.shards)
        return Found(generation, shards)

    # Building

    def build(self, source: Source, *, polite: bool) -> None:
        """Build the graph that is due, if one is; return when it serves.

        Args:
            polite: Leave the processor to others.

        Raises:
            IndexError_: If it could not be built.
        """
        with self._building:
            span = self.at(source.generation).next_span(len(source.live))
            if span is None or self._closed:
                return
            name = f"edge-{source.generation}-{span[0]}-{span[1]}-{time.time_ns():x}"
            scratch = self._folder / f"{name}.tmp"
            try:
                self._run(scratch, source, span, polite)
                target = scratch.rename(self._folder / name)
                self._publish(open_shard(target), Span(*span), source.generation)
            except OSError as error:
                raise IndexError_(f"cannot build a graph in {self._folder}: {error}") from error
            finally:
                shutil.rmtree(scratch, ignore_errors=True)

    def build_aside(self, source: Source) -> None:
        """Start building the graph that is due, if one is and none is being built."""
        if not self._write or time.monotonic() < self._retry_at:
            return
        with self._lock:
            if self._closed or (self._thread is not None and self._thread.is_alive()):
                return
            self._thread = threading.Thread(target=self._try_build, args=[source], daemon=True)
            self._thread.start()

    def _try_build(self, source: Source) -> None:
        try:
            self.build(source, polite=True)
        except IndexError_ as error:
            self._retry_at = time.monotonic() + RETRY_S
            if not self._closed:
                logger.warning("searches stay slower for now: %s", error)

    def _run(self, scratch: Path, source: Source, span: tuple[int, int], polite: bool) -> None:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        first, end = span
        labels = choose_labels(source.columns, first, end)
        labels.save(source.columns, scratch / "labels.npz")
        of_rows = labels.of_rows(source.columns, first, end)
        np.savez(scratch / "row_labels.npz", starts=of_rows.starts, labels=of_rows.labels)
        np.save(scratch / "rows.npy", first + np.flatnonzero(source.live[first:end]))
        job = Job(
            str(source.vectors), source.dimension, source.generation, first, end,
            os.cpu_count() or 1, polite,
        )  # fmt: skip
        (scratch / "job.json").write_text(json.dumps(asdict(job)))
        module = "retrieval.engines.edge_build"
        command = [sys.executable, "-m", module, str(scratch.resolve()), str(os.getpid())]
        root = Path(retrieval.__file__).parents[1]
        with self._lock:
            if self._closed:
                raise IndexError_("the index was closed while a graph was built")
            self._child = subprocess.Popen(
                command, cwd=root, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )  # fmt: skip
        with self._child as child:
            _, said = child.communicate()
        if child.returncode:
            raise IndexError_(
                f"building a graph ended with {child.returncode}: {said.strip()[-500:] or 'killed'}"
            )

    def _publish(self, shard: Shard, span: Span, generation: int) -> None:
        """Have a new graph serve, in place of those it covers."""
        new = Found(generation, ((shard, span),))
        with self._lock:
            while new.generation < self._found.generation and new.shards:
                new = self._renumbered(new)
            if new.generation != self._found.generation:
                return
            before = self._found.shards
            kept = tuple(pair for pair in before if pair[1].end <= new.shards[0][1].first)
            self._found = Found(new.generation, kept + new.shards)
            self._keep()
            self._sweep()

    def _keep(self) -> None:
        """Write down which graphs there are, and the row numbers that changed."""
        if not self._write:
            return
        entries = []
        for shard, span in self._found.shards:
            name = None
            if span.rows is not None:
                name = f"rows-{self._found.generation}.npy"
                if not (shard.path / name).exists():
                    np.save(shard.path / name, span.rows)
            entries.append(
                {"name": shard.path.name, "first": span.first, "end": span.end, "rows": name}
            )
        scratch = self._folder / f"{MANIFEST}.tmp"
        scratch.write_text(json.dumps({"generation": self._found.generation, "shards": entries}))
        os.replace(scratch, self._folder / MANIFEST)

    def _sweep(self) -> None:
        """Remove graphs that do not serve any more, and what a crash left of building one."""
        wanted = {shard.path for shard, _ in self._found.shards}
        for path in self._folder.glob("edge-*"):
            if path not in wanted and path.is_dir():
                shutil.rmtree(path, ignore_errors=True)

    def settle(self) -> None:
        """Wait for a graph that is being built or loaded."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def close(self) -> None:
        """Give up a graph that is being built; safe to call twice."""
        with self._lock:
            self._closed = True
            if self._child is not None:
                self._child.kill()
        self.settle()


def renumbered(span: Span, kept: Rows) -> Span:
    """Return a span after a compaction that kept these rows (ascending)."""
    place = places(kept, span.end).astype(np.int64)
    if span.rows is None:
        rows = place[span.first : span.end]
    else:
        rows = np.where(span.rows >= 0, place[span.rows], -1)
    first, end = np.searchsorted(kept, [span.first, span.end]).tolist()
    return Span(first, end, rows)
