"""Open the index of a project with the engine it names. Knows no engine's library."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args
from urllib.parse import urlsplit, urlunsplit

from retrieval.engines.kept import KeptIndex
from retrieval.errors import IndexError_
from retrieval.query import DurableIndex, Encoder

if TYPE_CHECKING:
    from retrieval.engines.kept import MarkedIndex

Engine = Literal["exact", "qdrant-edge", "qdrant", "pgvector"]
ENGINES: tuple[str, ...] = get_args(Engine)
REMOTE = frozenset({"qdrant", "pgvector"})
EMBEDDED = frozenset(ENGINES) - REMOTE

EXACT_ITEMS = 200_000
"""Up to so many items, comparing all of them is quick enough."""


@dataclass(frozen=True, slots=True)
class Place:
    """What an engine is opened with.

    Args:
        folder: The project directory, also where a remote engine's source of truth is.
        url: Of the server, for engines that have one.
        name: Of the collection or the tables there.
        key: API key of the server.
    """

    folder: Path
    encoder_name: str
    dimension: int
    url: str = field(default="", repr=False)
    name: str = ""
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Target:
    """Which engine a project's index is in, and where."""

    engine: str = "exact"
    url: str = field(default="", repr=False)
    collection: str = ""
    key: str = field(default="", repr=False)

    def place(self, folder: Path, encoder: Encoder) -> Place:
        """Return what the engine is opened with."""
        return Place(folder, encoder.name, encoder.dimension, self.url, self.collection, self.key)


def _exact(place: Place, write: bool) -> DurableIndex:
    from retrieval.exact import ExactIndex

    return ExactIndex(place.folder, place.encoder_name, place.dimension, write=write)


def _pgvector(place: Place, write: bool) -> DurableIndex:
    from retrieval.engines.pgvector import PgvectorIndex

    return PgvectorIndex(place.url, place.name, place.encoder_name, place.dimension, write=write)


def _qdrant(place: Place, write: bool) -> DurableIndex:
    from retrieval.engines.qdrant import QdrantIndex

    return QdrantIndex(
        place.url, place.name, place.encoder_name, place.dimension, write=write, api_key=place.key
    )


def _edge(place: Place, write: bool) -> DurableIndex:
    from retrieval.engines.edge import EdgeIndex

    return EdgeIndex(place.folder, place.encoder_name, place.dimension, write=write)


_OPENERS: dict[str, Callable[[Place, bool], DurableIndex]] = {
    "exact": _exact,
    "pgvector": _pgvector,
    "qdrant": _qdrant,
    "qdrant-edge": _edge,
}


def check_engine(engine: str, url: str) -> None:
    """Check that an engine is known and has the URL it needs, and only then.

    Raises:
        IndexError_: If not.
    """
    if engine not in ENGINES:
        raise IndexError_(f"unknown engine {engine!r}; expected one of {', '.join(ENGINES)}")
    if engine in REMOTE and not url:
        raise IndexError_(
            f"engine {engine!r} needs the URL of a server, got none; give --url or ATTUNE_INDEX_URL"
        )
    if engine not in REMOTE and url:
        raise IndexError_(f"engine {engine!r} keeps its index in the project folder, got a URL")


def default_engine(items: int) -> str:
    """Return the embedded engine for so many items."""
    edge = items > EXACT_ITEMS and importlib.util.find_spec("qdrant_edge") is not None
    return "qdrant-edge" if edge else "exact"


def without_password(url: str) -> str:
    """Return a URL that may be written down: user and host, but no password."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}{at}{host}"))


def open_index(engine: str, place: Place, *, write: bool = True) -> DurableIndex:
    """Return the index of a project.

    A remote engine is opened with its source of truth when it is to be written.

    Raises:
        IndexError_: If the engine is unknown, or what it needs is missing or cannot be reached.
        EncoderMismatch: If the index was built with another encoder or dimension.
        IndexLocked: If another process is writing.
    """
    check_engine(engine, place.url)
    index = _OPENERS[engine](place, write)
    if engine not in REMOTE or not write:
        return index
    try:
        return KeptIndex(place.folder, cast("MarkedIndex", index))
    except BaseException:
        index.close()
        raise
