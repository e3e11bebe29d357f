"""Writing to a Qdrant collection, and keeping it in good order: weights of words, ef.

Knows the order of steps that leaves every item whole after a crash; see `Writer.apply`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrieval.catalog import Item
from retrieval.engines.bm25_terms import Terms, item_terms, item_weights
from retrieval.engines.qdrant_collection import Collection, Precision
from retrieval.engines.qdrant_fields import Fields
from retrieval.engines.qdrant_meta import Lease, Meta, MetaPoint
from retrieval.engines.qdrant_payload import payload_of, point_id
from retrieval.item_json import dump_item, is_usable_id, load_item
from retrieval.query import Vectors

BATCH = 500
DRIFT = 0.05
"""Share by which the mean length of texts may change before weights of words are made anew."""
SMALL = 1000
"""Up to so many items that is done at once, else by `save`."""
NO_WORDS = {0: 1.0}
"""Stands for an item without words, which BM25 counts among the items all the same."""

BEAMS = (128, 256, 512, 1024)
REFERENCE_BEAM = 4096
SCANNED = 2_000_000
"""Up to so many items the reference is comparing all of them, beyond, a very wide beam."""
SAMPLES = 60
MIXED = 3
"""Items whose vectors are added up to one query. Items themselves are found with any beam; people's
queries lie beside them, and those mixtures are a little harder than theirs (docs/engines.md)."""
RECALL = 0.95
CHECK_GROWTH = 1.5

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Old:
    """What is there of the items that are to be written or deleted: place and length by point."""

    seq: dict[str, int]
    length: dict[str, int]


class Writer:
    """Writes to a collection as the holder of its lease."""

    def __init__(self, items: Collection, point: MetaPoint, fields: Fields, lease: Lease) -> None:
        self._items = items
        self._point = point
        self._lease = lease
        self._fields = fields
        self._known = fields.load()

    def apply(self, items: Sequence[Item], vectors: Vectors, delete: Sequence[str]) -> int:
        """Upsert items of different ids and delete others; return how many were deleted.

        An id that is in both is deleted and then added at the end, as the exact engine does it.
        The version grows before the first item is written and after the last, so that nobody who
        looked in between takes that for the end.
        """
        bodies = [dump_item(item) for item in items]
        terms = [item_terms(item) for item in items]
        new = [point_id(item.id) for item in items]
        leaving = list(dict.fromkeys(point_id(id) for id in delete if is_usable_id(id)))
        old = self._old([*new, *leaving])
        deleted = [point for point in leaving if point in old.seq]
        if not items and not deleted:
            self._lease.check()
            return 0
        meta = self._announced(self._point.read(), items, terms, new, old, deleted)
        seq, doomed, written = meta.seq, set(deleted), set(new)
        for start in range(0, len(items), BATCH):
            points = []
            for place in range(start, min(start + BATCH, len(items))):
                kept = old.seq.get(new[place]) if new[place] not in doomed else None
                seq = seq if kept is not None else seq + 1
                length = terms[place].length
                body = payload_of(items[place], bodies[place], kept or seq, length)
                points.append(_point(new[place], vectors[place], terms[place], meta.mean, body))
            self._items.put(points)
        self._items.delete([point for point in deleted if point not in written])
        self._lease.change(version=meta.version + 1)
        after = self._point.read()
        if after.items <= SMALL and _drifted(after):
            self._reweigh()
        return len(deleted)

    def _old(self, points: Sequence[str]) -> Old:
        found = self._items.get(list(dict.fromkeys(points)), ["seq", "length"])
        return Old(
            {point: int(record.payload["seq"]) for point, record in found.items()},
            {point: int(record.payload["length"]) for point, record in found.items()},
        )

    def _announced(
        self,
        meta: Meta,
        items: Sequence[Item],
        terms: Sequence[Terms],
        new: Sequence[str],
        old: Old,
        deleted: Sequence[str],
    ) -> Meta:
        """Store what the write will have changed, and return the state to write with.

        Returned are the version and mean after it, and the places given out before it.
        """
        gone = set(old.seq) & {*new, *deleted}
        count = meta.items + len(new) - len(gone)
        tokens = meta.tokens + sum(one.length for one in terms)
        tokens -= sum(old.length[point] for point in gone)
        mean = meta.mean or tokens / max(count, 1)
        self._lease.change(
            version=meta.version + 1,
            seq=meta.seq + len(new),
            items=count,
            tokens=tokens,
            mean=mean,
        )
        self._fields.learn(self._known, items, count)
        return Meta(meta.encoder, meta.dimension, version=meta.version + 1, seq=meta.seq, mean=mean)

    # Upkeep

    def refresh(self, few: int) -> None:
        """Bring up to date what depends on the whole catalog, where that has changed enough."""
        meta, count = self._point.read(), self._items.count(True)
        self._fields.index_common(self._known, self._items, count)
        if _drifted(meta) or meta.items != count:
            self._reweigh()
        if not self._items.server.local and count > max(few, CHECK_GROWTH * meta.ef_items):
            self._lease.change(ef=checked_beam(self._items, count), ef_items=count)

    def _reweigh(self) -> None:
        """Make every item's weights of words anew with the present mean length.

        Items and tokens are counted anew: a write that a crash cut off may have counted twice.
        """
        meta = self._point.read()
        lengths = [int(record.payload["length"]) for record in self._items.scan(True, ["length"])]
        mean = sum(lengths) / max(len(lengths), 1)
        self._lease.change(mean=mean, items=len(lengths), tokens=sum(lengths), weighing=True)
        weights: dict[str, dict[int, float]] = {}
        for record in self._items.scan(True, ["body"]):
            weights[str(record.id)] = _weights(item_terms(load_item(record.payload["body"])), mean)
            if len(weights) == BATCH:
                self._items.reweigh(weights)
                weights = {}
        if weights:
            self._items.reweigh(weights)
        self._lease.change(weighing=False, version=meta.version + 1)


def _point(
    point: str, vector: Vectors, terms: Terms, mean: float, payload: dict[str, Any]
) -> dict[str, Any]:
    words = _weights(terms, mean)
    return {"id": point, "dense": vector.tolist(), "words": words, "payload": payload}


def _weights(terms: Terms, mean: float) -> dict[int, float]:
    return item_weights(terms, mean) or NO_WORDS


def _drifted(meta: Meta) -> bool:
    """Return whether the weights of words were made with a mean length that is no longer true."""
    mean = meta.tokens / max(meta.items, 1)
    return meta.weighing or abs(mean - meta.mean) > DRIFT * meta.mean


def checked_beam(items: Collection, count: int) -> int:
    """Return the smallest beam whose search of the graph finds enough of the true neighbours."""
    samples = _mixtures(items.sample(SAMPLES * MIXED))
    if not samples:
        return BEAMS[-1]
    truth = Precision() if count <= SCANNED else Precision(False, REFERENCE_BEAM)
    wanted = [{hit.point for hit in hits} for hits in items.rank(samples, True, 10, truth)]
    recall = 0.0
    for beam in BEAMS:
        found = items.rank(samples, True, 10, Precision(False, beam))
        shares = [
            len(own & {hit.point for hit in hits}) / max(len(own), 1)
            for own, hits in zip(wanted, found, strict=True)
        ]
        recall = float(np.mean(shares))
        if recall >= RECALL:
            return beam
    logger.warning("recall@10 is only %.3f with the widest beam (%d)", recall, BEAMS[-1])
    return BEAMS[-1]


def _mixtures(vectors: list[list[float]]) -> list[Any]:
    """Return a unit vector between each `MIXED` vectors; what is left over is not used."""
    if len(vectors) < MIXED:
        return []
    parts = np.array(vectors[: len(vectors) // MIXED * MIXED], np.float32)
    sums = parts.reshape(-1, MIXED, parts.shape[-1]).sum(axis=1)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    mixed: list[Any] = (sums / np.maximum(lengths, 1e-9)).tolist()
    return mixed
