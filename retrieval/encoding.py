"""Encode many texts so that a crash loses a minute of work, not an hour.

Vectors are kept by the hash of their text in a scratch folder until the caller has stored them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from retrieval.database import errors_of
from retrieval.query import Encoder, Vectors
from retrieval.vector_file import check_vectors, map_rows, write_rows

CHUNK = 2048
DIGEST = 16


class Named(Protocol):
    """What an encoder is known by."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def dimension(self) -> int:
        """Length of its vectors."""
        ...


def digest(text: str) -> bytes:
    """Return the hash a text is known by."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST).digest()


class Scratch:
    """Vectors by text hash, in two append-only files of one encoder."""

    def __init__(self, folder: Path, encoder: Named) -> None:
        self._folder = folder
        self._dimension = encoder.dimension
        self._hashes = folder / "hashes"
        self._vectors = folder / "vectors.f32"
        note = json.dumps([encoder.name, encoder.dimension])
        path = folder / "encoder.json"
        with errors_of(folder):
            if not path.is_file() or path.read_text() != note:
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                path.write_text(note)
        self.rows = self._known()

    def _known(self) -> dict[bytes, int]:
        """Return the row of every text whose vector is wholly on disk."""
        if not self._hashes.is_file() or not self._vectors.is_file():
            return {}
        data = self._hashes.read_bytes()
        rows = min(len(data) // DIGEST, self._vectors.stat().st_size // (4 * self._dimension))
        with self._hashes.open("r+b") as file:
            file.truncate(rows * DIGEST)
        return {data[row * DIGEST : (row + 1) * DIGEST]: row for row in range(rows)}

    def add(self, hashes: Sequence[bytes], vectors: Vectors) -> None:
        """Keep vectors; on disk when this returns."""
        first = len(self.rows)
        with errors_of(self._folder):
            write_rows(self._vectors, first, vectors)
            with self._hashes.open("ab") as file:
                file.write(b"".join(hashes))
                file.flush()
                os.fsync(file.fileno())
        self.rows.update(zip(hashes, range(first, first + len(hashes)), strict=True))

    def vectors(self, hashes: Iterable[bytes]) -> Vectors:
        """Return the vectors of these texts, in this order."""
        kept = map_rows(self._vectors, len(self.rows), self._dimension)
        return np.ascontiguousarray(kept[[self.rows[key] for key in hashes]])

    def remove(self) -> None:
        """Delete the scratch folder."""
        shutil.rmtree(self._folder, ignore_errors=True)


def encode_once(
    texts: Sequence[str], encoder: Encoder, scratch: Scratch, progress: bool = False
) -> int:
    """Encode every distinct text the scratch does not have yet; return how many that were."""
    wanted = {digest(text): text for text in texts}
    # Texts of one length fill a batch without padding.
    pending = sorted(
        ((key, text) for key, text in wanted.items() if key not in scratch.rows),
        key=lambda pair: len(pair[1]),
    )
    columns = [*Progress.get_default_columns()[:3], MofNCompleteColumn(), TimeRemainingColumn()]
    with Progress(*columns, console=Console(stderr=True), disable=not progress) as bar:
        task = bar.add_task("encoding", total=len(pending))
        for start in range(0, len(pending), CHUNK):
            chunk = pending[start : start + CHUNK]
            vectors = encoder.encode_items([text for _, text in chunk])
            what = f"encoder {encoder.name!r}"
            scratch.add(
                [key for key, _ in chunk],
                check_vectors(vectors, len(chunk), encoder.dimension, what),
            )
            bar.advance(task, len(chunk))
    return len(pending)
