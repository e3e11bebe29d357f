"""One point about a collection: what it is of, how far it is, and who writes it.

It is kept in a collection of its own, `<name>__meta`. The writer's lease is two of its fields: a
token that only its holder knows and a beat that the holder counts up. Whoever wants to write waits
for a sign of life: if the beat moves, the holder lives and the other is refused; if it stands still
for `LEASE_SECONDS`, the lease is taken over. No clocks are compared, so they need not agree. Every
write is made only where the token still is the writer's own (a filter on the update, which Qdrant
applies with it), so that one that was taken for dead cannot go on as if nothing was.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from retrieval.engines.qdrant_server import Server
from retrieval.errors import EncoderMismatch, IndexError_, IndexLocked

FORMAT = 1
BEAT_SECONDS = 3.0
LEASE_SECONDS = 12.0
POINT = 1

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Meta:
    """What is known about a collection.

    Args:
        version: Grows with every change.
        mark: Version of the source of truth that was applied last; -1 for none.
        seq: Places in the order of insertion that were given out.
        items, tokens: How many items there are, and the length of their texts together.
        mean: Length of a text that the stored weights of words were made with; 0 before the first.
        weighing: Whether making them anew has begun and not ended.
        ef, ef_items: Beam of the graph search, and how many items there were when it was checked.
    """

    encoder: str
    dimension: int
    format: int = FORMAT
    version: int = 0
    mark: int = -1
    seq: int = 0
    items: int = 0
    tokens: int = 0
    mean: float = 0.0
    weighing: bool = False
    ef: int = 512
    ef_items: int = 0


def check_encoder(meta: Meta, encoder: str, dimension: int, where: str) -> None:
    """Check that a collection is of this encoder and of a format that is known.

    Raises:
        EncoderMismatch, IndexError_: If not.
    """
    if meta.format > FORMAT:
        raise IndexError_(
            f"{where} was written by a newer version (format {meta.format}, this one reads "
            f"{FORMAT}); update attune"
        )
    if (meta.encoder, meta.dimension) != (encoder, dimension):
        raise EncoderMismatch(
            f"{where} was built with encoder {meta.encoder!r} of dimension {meta.dimension}, "
            f"got {encoder!r} of dimension {dimension}; use that encoder, or index the catalog "
            f"again under another name"
        )


class MetaPoint:
    """The point in its collection, read anew each time."""

    def __init__(self, server: Server, name: str) -> None:
        self._server = server
        self.name = f"{name}__meta"
        self.where = f"the collection {name!r} at {server.address.url}"

    def exists(self) -> bool:
        """Return whether the collection of the point is there."""
        return bool(self._server.ask("collection_exists", collection_name=self.name))

    def raw(self) -> dict[str, Any] | None:
        """Return what is stored; None before it was created."""
        found = self._server.ask(
            "retrieve", collection_name=self.name, ids=[POINT], with_payload=True
        )
        return dict(found[0].payload) if found else None

    def read(self) -> Meta:
        """Return what is known about the collection.

        Raises:
            IndexError_: If nothing is, or it cannot be read.
        """
        stored = self.raw()
        if stored is None:
            raise IndexError_(f"{self.where} is not an index, or was deleted; index again")
        try:
            return Meta(**{one.name: stored[one.name] for one in fields(Meta)})
        except KeyError as error:
            if stored.get("format", 0) > FORMAT:
                return Meta("", 0, format=int(stored["format"]))
            raise IndexError_(
                f"{self.where} is damaged: {error} is missing; index the catalog again under "
                f"another name"
            ) from error

    def create(self, meta: Meta) -> None:
        """Store the first state."""
        from qdrant_client import models

        payload = {**asdict(meta), "token": "", "beat": 0, "owner": ""}
        self._server.ask(
            "upsert",
            collection_name=self.name,
            points=[models.PointStruct(id=POINT, vector={}, payload=payload)],
            wait=True,
        )

    def change(self, where: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
        """Store changes, if the point still has the values in `where`; read again to know."""
        from qdrant_client import models

        conditions: list[dict[str, Any]] = [{"has_id": [POINT]}]
        conditions += [{"key": key, "match": {"value": value}} for key, value in where.items()]
        self._server.ask(
            "set_payload",
            collection_name=self.name,
            payload=dict(changes),
            points=models.Filter.model_validate({"must": conditions}),
            wait=True,
            ordering=models.WriteOrdering.STRONG,
        )


class Lease:
    """The right to write, from construction until `release`; kept up by a thread.

    Raises:
        IndexLocked: If another writer is alive.
    """

    def __init__(self, point: MetaPoint) -> None:
        self._point = point
        self._token = uuid.uuid4().hex
        self._beats = 0
        self._stop = threading.Event()
        self._take(self._free(point.raw() or {}))
        self._thread = threading.Thread(target=self._keep, name="index lease", daemon=True)
        self._thread.start()

    def _free(self, seen: dict[str, Any]) -> dict[str, Any]:
        """Return the state of a lease that nobody holds, or whose holder gave no sign of life."""
        end = time.monotonic() + LEASE_SECONDS
        while seen.get("token") and time.monotonic() < end:
            time.sleep(BEAT_SECONDS / 3)
            now = self._point.raw() or {}
            if now.get("token") and _sign(now) != _sign(seen):
                raise self._locked(now)
            seen = now
        return seen

    def _take(self, seen: dict[str, Any]) -> None:
        owner = f"process {os.getpid()} on {socket.gethostname()}"
        mine = {"token": self._token, "beat": 0, "owner": owner}
        self._point.change({"token": seen.get("token", ""), "beat": seen.get("beat", 0)}, mine)
        self.check()

    def _locked(self, now: Mapping[str, Any]) -> IndexLocked:
        return IndexLocked(
            f"{self._point.where} is being written by {now.get('owner') or 'another process'}; "
            f"wait until it is done, stop that process, or open the index for reading only"
        )

    def _keep(self) -> None:
        while not self._stop.wait(BEAT_SECONDS):
            self._beats += 1
            try:
                self._point.change({"token": self._token}, {"beat": self._beats})
            except IndexError_ as error:
                logger.warning("the right to write could not be renewed: %s", error)

    def check(self) -> None:
        """Check that the lease is still held.

        Raises:
            IndexLocked: If another process took it.
        """
        now = self._point.raw() or {}
        if now.get("token") != self._token:
            raise self._locked(now)

    def change(self, **changes: Any) -> None:
        """Store changes as the holder of the lease.

        Raises:
            IndexLocked: If another process took it.
        """
        self._point.change({"token": self._token}, changes)
        self.check()

    def release(self) -> None:
        """Let the next writer in; safe to call twice."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._thread.join()
        try:
            self._point.change({"token": self._token}, {"token": "", "owner": ""})
        except IndexError_ as error:
            logger.warning("the next writer has to wait %g seconds: %s", LEASE_SECONDS, error)


def _sign(seen: Mapping[str, Any]) -> tuple[Any, Any]:
    return seen.get("token"), seen.get("beat")
