"""Encode a project's items anew with another encoder, and switch to it in one step.

The new vectors are written beside the old ones; one SQLite transaction then names their file and
their encoder. Whoever reads sees the old whole or the new whole, and after a crash anywhere before
that transaction the old one works as if nothing had been tried. The old vectors are kept by the
hash of their text, so that going back encodes only what changed since. Knows nothing of training.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from retrieval import project
from retrieval.columns import Mask
from retrieval.database import errors_of, transaction
from retrieval.encoding import Scratch, digest, encode_once
from retrieval.errors import IndexError_
from retrieval.exact import ExactIndex
from retrieval.lock import WriterLock
from retrieval.project import Manifest
from retrieval.query import Encoder
from retrieval.store import ItemStore, State, meta_of
from retrieval.texts import item_text
from retrieval.vector_file import sync_file, sync_folder, write_rows

CHUNK = 2048
PREVIOUS = "previous_encoder"
"""Key of the store's meta that names the encoder before the present one."""
KEPT = "encoded-"
"""Folders of vectors by the hash of their text begin so."""


@dataclass(frozen=True, slots=True)
class Switch:
    """What a switch did.

    Args:
        encoded: Distinct texts that had to be encoded for it.
    """

    before: str
    after: str
    items: int
    encoded: int


@dataclass(frozen=True, slots=True)
class _Stored:
    name: str
    dimension: int


@dataclass(frozen=True, slots=True)
class _Rows:
    """All rows of a generation: which are alive, and the hash of the text of each that is."""

    state: State
    alive: Mask
    hashes: list[bytes]


def reencode(folder: Path, encoder: Encoder, *, progress: bool = False) -> Switch:
    """Encode every item of a project with another encoder and switch to it.

    Takes the writer's lock from the first text to the switch: items cannot change meanwhile.

    Raises:
        IndexError_: If the project has this encoder already, its index is not in its folder, or it
            cannot be read or written.
        IndexLocked: If another process is writing to it.
    """
    manifest = project.read_manifest(folder)
    check_can_switch(folder, manifest, encoder.name)
    old = _Stored(manifest.encoder, manifest.dimension)
    lock = WriterLock(folder)
    try:
        store = ItemStore(folder, old.name, old.dimension, True)
        try:
            store.sweep()
            rows, texts = _read(store, manifest)
            scratch = Scratch(kept_folder(folder, encoder.name), encoder)
            encoded = encode_once(texts, encoder, scratch, progress)
            _keep_old(store, rows, Scratch(kept_folder(folder, old.name), old))
            _write_vectors(store, rows, scratch, encoder.dimension)
            switch(store, old.name, encoder)
            store.sweep()
        finally:
            store.close()
    finally:
        lock.release()
    _tidy(folder, manifest, encoder, keep=old.name)
    return Switch(old.name, encoder.name, len(rows.hashes), encoded)


def check_can_switch(folder: Path, manifest: Manifest, name: str) -> None:
    """Check that a project can be switched to another encoder.

    Raises:
        IndexError_: If it has that encoder, or its index is not in its folder.
    """
    if manifest.encoder == name:
        raise IndexError_(f"the project at {str(folder)!r} has the encoder {name!r} already")
    if manifest.engine != "exact":
        raise IndexError_(
            f"the index of {str(folder)!r} is in engine {manifest.engine!r}, whose vectors cannot "
            f"be switched in one step; move it with `attune migrate-index {folder} --engine "
            f"exact`, change its encoder, and move it back"
        )


def previous_encoder(folder: Path) -> str | None:
    """Return the name of the encoder a project had before its present one, if it had another."""
    found = meta_of(folder).get(PREVIOUS)
    return None if found is None else str(found)


def kept_folder(folder: Path, encoder: str) -> Path:
    """Return where a project keeps the vectors of an encoder that does not serve just now."""
    return folder / (KEPT + re.sub(r"[^\w.-]+", "_", encoder)[-60:])


def _read(store: ItemStore, manifest: Manifest) -> tuple[_Rows, list[str]]:
    """Return the rows of a store, and the texts of those alive, in row order."""
    changes = store.changes(State())
    state = changes.state
    texts: list[str] = []
    row = 0
    for items in store.items_between(state.generation, 0, state.rows):
        for item in items:
            if changes.alive[row]:
                texts.append(item_text(item, manifest.leading))
            row += 1
    return _Rows(state, changes.alive, [digest(text) for text in texts]), texts


def _keep_old(store: ItemStore, rows: _Rows, kept: Scratch) -> None:
    """Keep the present vectors by the hash of their text."""
    vectors = store.vectors(rows.state)
    missing: dict[bytes, int] = {}
    for row, key in zip(np.flatnonzero(rows.alive).tolist(), rows.hashes, strict=True):
        if key not in kept.rows:
            missing[key] = row
    keys = list(missing)
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        kept.add(chunk, vectors[[missing[key] for key in chunk]])


def _write_vectors(store: ItemStore, rows: _Rows, scratch: Scratch, dimension: int) -> None:
    """Write the vectors of the next generation, which nobody reads before the switch."""
    path = store.writer.vector_path(rows.state.generation + 1)
    path.unlink(missing_ok=True)
    done = 0
    with errors_of(path):
        write_rows(path, 0, np.zeros((0, dimension), np.float32))
        for start in range(0, rows.state.rows, CHUNK):
            alive = rows.alive[start : start + CHUNK]
            vectors = np.zeros((len(alive), dimension), np.float32)
            vectors[:, 0] = 1.0  # nobody sees a dead row's vector, but it has length 1 too
            count = int(alive.sum())
            if count:
                vectors[alive] = scratch.vectors(rows.hashes[done : done + count])
            write_rows(path, start, vectors, sync=False)
            done += count
        sync_file(path)
        sync_folder(store.folder)


def switch(store: ItemStore, before: str, encoder: Encoder) -> None:
    """Make the vectors of the next generation the present ones: the one step that counts."""
    writer = store.writer
    with writer.lock, errors_of(store.folder), transaction(writer.connection):
        writer.connection.executemany(
            "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
            [
                ("generation", writer.meta().generation + 1),
                ("encoder", encoder.name),
                ("dimension", encoder.dimension),
                (PREVIOUS, before),
            ],
        )


def _tidy(folder: Path, manifest: Manifest, encoder: Encoder, keep: str) -> None:
    """Write what makes the next open quick, and remove what neither encoder needs.

    All of it may be missing: the store says which encoder there is, whatever the manifest says.
    """
    project.write_manifest(
        folder, replace(manifest, encoder=encoder.name, dimension=encoder.dimension)
    )
    index = ExactIndex(folder, encoder.name, encoder.dimension)
    try:
        index.save()
    finally:
        index.close()
    for path in folder.glob(f"{KEPT}*"):
        if path != kept_folder(folder, keep):
            shutil.rmtree(path, ignore_errors=True)
