"""Append-only file of float32 vectors. A row counts only once the database says so."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

import numpy as np

from retrieval.errors import IndexError_
from retrieval.query import Vectors

UNIT_TOLERANCE = 1e-2


def check_vectors(vectors: Vectors, count: int, dimension: int, what: str) -> Vectors:
    """Return vectors as float32 unit rows of shape (count, dimension).

    Raises:
        IndexError_: If the shape is another one, or a vector has NaN, is zero or not of length 1.
    """
    try:
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise IndexError_(f"{what}: expected a matrix of numbers, got {error}") from error
    if vectors.shape != (count, dimension):
        raise IndexError_(
            f"{what}: expected vectors of shape {(count, dimension)}, got {vectors.shape}"
        )
    lengths = np.linalg.norm(vectors, axis=1)
    wrong = np.flatnonzero(~(np.abs(lengths - 1) <= UNIT_TOLERANCE))
    if len(wrong):
        raise IndexError_(
            f"{what}: vector {wrong[0]} has length {lengths[wrong[0]]:.4g}, expected 1; "
            f"use an encoder that returns unit vectors without NaN"
        )
    return vectors


def map_rows(path: Path, rows: int, dimension: int) -> Vectors:
    """Return the first rows of a vector file, memory-mapped.

    Raises:
        IndexError_: If the file is shorter than that.
    """
    if rows == 0:
        return np.zeros((0, dimension), dtype=np.float32)
    size = rows * dimension * 4
    if path.stat().st_size < size:
        raise IndexError_(
            f"{str(path)!r} has {path.stat().st_size} bytes where {rows} vectors of "
            f"{dimension} need {size}: the file was cut; index the catalog again"
        )
    # A plain array over the map: np.memmap's own bookkeeping slows small reads down.
    return np.asarray(np.memmap(path, dtype=np.float32, mode="r", shape=(rows, dimension)))


def let_go(vectors: Vectors) -> None:
    """Give back the memory of rows that `map_rows` mapped; they are mapped again when read."""
    base: object = vectors
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)


def mapped_bytes() -> int:
    """Return the memory that pages of files take in this process; 0 where that isn't told."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[2]
    except OSError:
        return 0
    return int(pages) * mmap.PAGESIZE


def write_rows(path: Path, first: int, vectors: Vectors, *, sync: bool = True) -> None:
    """Write vectors from row `first` on; on disk when this returns, unless that is for later."""
    data = memoryview(vectors.tobytes())
    position = first * vectors.shape[1] * 4
    new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while data:
            written = os.pwrite(descriptor, data, position)
            data, position = data[written:], position + written
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if new and sync:
        sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Make what was written to a file, or the entries of a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make new and renamed files of a folder survive a power cut."""
    sync_file(folder)
