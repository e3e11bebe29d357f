"""Build a project from a loaded catalog, or bring an existing one up to date.

Readers see the old items until one transaction puts all new ones in place. A crash before that
leaves the old project and the vectors encoded so far; the next build goes on from there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retrieval import project
from retrieval.catalog import Item
from retrieval.encoding import Scratch, digest, encode_once
from retrieval.engines import EMBEDDED, Target, default_engine, open_index, without_password
from retrieval.errors import EncoderMismatch, IndexError_
from retrieval.loading.describe import write_rejects
from retrieval.loading.records import LoadedCatalog
from retrieval.project import Manifest
from retrieval.query import DurableIndex, Encoder, Index, Vectors
from retrieval.spelling import write_words
from retrieval.texts import TEXT_FORMAT, item_text, leading_facets

CHUNK = 1000
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did.

    Args:
        changed: Items that were there and differ now, in text or only in a field.
        encoded: Distinct texts that had to be encoded for it.
        rejected: Rows of the source that were not taken.
        encode_seconds: The part of `seconds` that the encoder took.
    """

    name: str
    added: int
    changed: int
    unchanged: int
    deleted: int
    encoded: int
    rejected: int
    seconds: float
    encode_seconds: float

    @property
    def items(self) -> int:
        """Return how many items the project has now."""
        return self.added + self.changed + self.unchanged


@dataclass(frozen=True, slots=True)
class Difference:
    """What a catalog has that the index has not, and the other way round."""

    added: list[Item]
    changed: list[Item]
    reusable: frozenset[str]
    """Ids of changed items whose text, and so whose vector, is the same."""
    gone: list[str]
    unchanged: int


def build(
    loaded: LoadedCatalog,
    out: Path,
    *,
    encoder: Encoder,
    target: Target | None = None,
    progress: bool = False,
) -> BuildReport:
    """Bring the project at `out` to what the catalog says, encoding only what changed.

    Args:
        target: Where the index is to be; by default where it is, and for a new project the
            embedded engine for so many items.

    Raises:
        IndexError_: If the project has another engine than asked for, or it cannot be reached.
        EncoderMismatch: If the project was built with another encoder.
        IndexLocked: If another process is writing to it.
    """
    began = time.perf_counter()
    leading = leading_facets(loaded.facets)
    old = _present(out, encoder)
    target = _target(out, old, target, len(loaded.items))
    index = open_index(target.engine, target.place(out, encoder))
    try:
        same_text = old is not None and (old.leading, old.text_format) == (leading, TEXT_FORMAT)
        found = compare(loaded.items, index, leading, same_text)
        scratch = Scratch(out / "encoding", encoder)
        fresh = [item for item in found.added + found.changed if item.id not in found.reusable]
        texts = [item_text(item, leading) for item in fresh]
        started = time.perf_counter()
        encoded = encode_once(texts, encoder, scratch, progress)
        encode_seconds = time.perf_counter() - started
        kept = [item for item in found.changed if item.id in found.reusable]
        index.apply(fresh + kept, _vectors(scratch, texts, index, kept), found.gone)
        index.save()
        _describe(out, loaded, encoder, target, index.version)
        scratch.remove()
    finally:
        index.close()
    return BuildReport(
        loaded.name, len(found.added), len(found.changed), found.unchanged, len(found.gone),
        encoded, len(loaded.rejects), time.perf_counter() - began, encode_seconds,
    )  # fmt: skip


def _present(out: Path, encoder: Encoder) -> Manifest | None:
    if not project.has_manifest(out):
        return None
    manifest = project.read_manifest(out)
    if (manifest.encoder, manifest.dimension) != (encoder.name, encoder.dimension):
        raise EncoderMismatch(
            f"the project at {str(out)!r} was built with {manifest.encoder!r} "
            f"({manifest.dimension} dimensions), got {encoder.name!r} ({encoder.dimension}); "
            f"index with that encoder, or into another folder"
        )
    return manifest


def compare(
    items: Sequence[Item], index: Index, leading: Sequence[str], same_text: bool
) -> Difference:
    """Return how a catalog differs from an index.

    Args:
        same_text: Whether the index encoded its items' text as we would; if not, all are changed.
    """
    added: list[Item] = []
    changed: list[Item] = []
    reusable: set[str] = set()
    wanted = {item.id: item for item in items}
    ids = list(wanted)
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        known = {item.id: item for item in index.get(chunk)}
        for new in (wanted[id] for id in chunk):
            old = known.get(new.id)
            if old is None:
                added.append(new)
            elif old != new or not same_text:
                changed.append(new)
                if same_text and item_text(old, leading) == item_text(new, leading):
                    reusable.add(new.id)
    gone = [id for id in index.ids() if id not in wanted]
    unchanged = len(wanted) - len(added) - len(changed)
    return Difference(added, changed, frozenset(reusable), gone, unchanged)


def _vectors(
    scratch: Scratch, texts: Sequence[str], index: DurableIndex, kept: Sequence[Item]
) -> Vectors:
    fresh = scratch.vectors(digest(text) for text in texts)
    if not kept:
        return fresh
    return np.concatenate([fresh, index.vectors([item.id for item in kept])])


def _target(out: Path, old: Manifest | None, wanted: Target | None, items: int) -> Target:
    """Return where the index is to be.

    Raises:
        IndexError_: If it is elsewhere already.
    """
    if old is None:
        return wanted or Target(default_engine(items))
    there = Target(old.engine, old.url, old.collection)
    if wanted is None:
        return there
    if {wanted.engine, there.engine} <= EMBEDDED:  # one store serves both
        return wanted
    if (wanted.engine, wanted.collection) != (there.engine, there.collection):
        raise IndexError_(
            f"the project at {str(out)!r} has engine {there.engine!r}, got {wanted.engine!r}; "
            f"move it with `attune migrate-index {out} --engine {wanted.engine}`"
        )
    return wanted


def _describe(
    out: Path, loaded: LoadedCatalog, encoder: Encoder, target: Target, version: int
) -> None:
    """Write the files beside the index, the manifest last."""
    project.replace_file(out / "mapping.toml", loaded.mapping.to_toml())
    project.write_facets(out, loaded.facets, version)
    write_rejects(out / "rejects.csv", loaded.rejects)
    write_words(out, loaded.items)
    project.write_manifest(
        out,
        Manifest(
            name=loaded.name,
            encoder=encoder.name,
            dimension=encoder.dimension,
            currency=loaded.currency,
            leading=leading_facets(loaded.facets),
            created_by=project.created_by(),
            engine=target.engine,
            url=without_password(target.url),
            collection=target.collection,
        ),
    )
