"""Weight files by their content: the hash of one, and what identifies many of them.

This module does not know what is in the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

BLOCK = 1 << 16
BLOCKS = 256
"""What a fingerprint reads of a file: 16 MiB spread over it, all of a shorter one."""


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(paths: Sequence[Path]) -> str:
    """Return what identifies weight files by their content, in a second also for large ones.

    Blocks spread evenly over each file are hashed: two trainings of one architecture differ in
    every tensor, so they differ in these.
    """
    digest = hashlib.sha256()
    for path in sorted(paths, key=lambda path: path.name):
        size = path.stat().st_size
        digest.update(f"{path.name} {size}\n".encode())
        with path.open("rb") as file:
            if size <= BLOCK * BLOCKS:
                digest.update(file.read())
                continue
            for block in range(BLOCKS):
                file.seek(block * (size - BLOCK) // (BLOCKS - 1))
                digest.update(file.read(BLOCK))
    return digest.hexdigest()
