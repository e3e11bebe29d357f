"""Open the index of a project with the engine it names. Knows no engine's library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from retrieval.errors import IndexError_
from retrieval.query import DurableIndex

Engine = Literal["exact", "qdrant-edge", "qdrant", "pgvector"]
ENGINES: tuple[str, ...] = get_args(Engine)


@dataclass(frozen=True, slots=True)
class Place:
    """What an engine is opened with.

    Args:
        url: Of the server, for engines that have one.
        name: Of the collection or the tables there.
    """

    folder: Path
    encoder_name: str
    dimension: int
    url: str = ""
    name: str = ""


def _exact(place: Place, write: bool) -> DurableIndex:
    from retrieval.exact import ExactIndex

    return ExactIndex(place.folder, place.encoder_name, place.dimension, write=write)


_OPENERS: dict[str, Callable[[Place, bool], DurableIndex]] = {"exact": _exact}


def open_index(engine: str, place: Place, *, write: bool = True) -> DurableIndex:
    """Return the index of a project.

    Raises:
        IndexError_: If the engine is unknown, or what it needs is missing or cannot be reached.
        EncoderMismatch: If the index was built with another encoder or dimension.
        IndexLocked: If another process is writing.
    """
    if engine not in _OPENERS:
        raise IndexError_(f"unknown engine {engine!r}; expected one of {', '.join(ENGINES)}")
    return _OPENERS[engine](place, write)
