"""Coded columns on disk, so that opening an index does not read every item. A cache, not a truth:
whoever cannot read it builds the columns anew."""

from __future__ import annotations

import json
import logging
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.columns import Column, Columns, Pairs, Words

FORMAT = 2
logger = logging.getLogger(__name__)


def _text(value: Any) -> NDArray[np.uint8]:
    return np.frombuffer(json.dumps(value).encode(), dtype=np.uint8)


def save_columns(columns: Columns, generation: int, path: Path) -> None:
    """Write columns to a file, replacing it in one step."""
    n = columns.n
    names = list(columns.fields)
    about = {"format": FORMAT, "generation": generation, "n": n, "names": names}
    arrays: dict[str, Any] = {
        "about": _text(about),
        "words": _text(list(columns.text.vocabulary)),
        "text": np.stack(columns.text.pairs.upto(n)),
        "main": np.stack(columns.main_words.upto(n)),
    }
    for number, name in enumerate(names):
        arrays[f"values{number}"] = _text(columns.fields[name].values)
        arrays[f"pairs{number}"] = np.stack(columns.fields[name].pairs.upto(n))
    scratch = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with scratch.open("wb") as file:
        np.savez(file, **arrays)
    os.replace(scratch, path)


def load_columns(path: Path, generation: int, n: int) -> Columns:
    """Return the saved columns, or empty ones when none fit a store with n rows."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            about = json.loads(arrays["about"].tobytes())
            fits = about["format"] == FORMAT and about["generation"] == generation
            return _read(arrays, about) if fits and about["n"] <= n else Columns()
    except FileNotFoundError:
        return Columns()
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        logger.warning("%s is unusable and is built anew: %s", path, error)
        return Columns()


def _read(arrays: Any, about: dict[str, Any]) -> Columns:
    columns = Columns()
    columns.n = about["n"]
    columns.text = Words(json.loads(arrays["words"].tobytes()), Pairs(*arrays["text"]))
    columns.text.n = columns.n
    columns.main_words = Pairs(*arrays["main"])
    for number, name in enumerate(about["names"]):
        values = json.loads(arrays[f"values{number}"].tobytes())
        columns.fields[name] = Column(values, Pairs(*arrays[f"pairs{number}"]))
    return columns
