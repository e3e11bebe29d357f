"""Sync: bring a project to what a catalog file says by applying only the differences.

Safe to repeat: what was applied before it broke off is not applied again. This module does not
know whether the differences are written here or sent to the process that holds the project open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from retrieval.build import Difference, compare
from retrieval.catalog import Item
from retrieval.errors import CatalogError
from retrieval.loading.records import LoadedCatalog
from retrieval.retriever import Retriever
from retrieval.texts import TEXT_FORMAT

T = TypeVar("T")

DELETE_SHARE = 0.5
"""Of the items there are, as many may be deleted at once without being asked for."""
AT_ONCE = 100
"""Items of one write: few enough that progress is seen and a server's answer does not take long."""


@dataclass(frozen=True, slots=True)
class Differences:
    """What a catalog file changes in a project.

    Args:
        added, changed: Items to write.
        before: The items to be changed, as they are now, by id.
        deleted: Ids of items that the file does not name.
        kept: How many items the file does not name are kept nevertheless.
        unchanged: How many items are as the file says.
        rejected: How many rows and fields of the file could not be read.
    """

    added: tuple[Item, ...]
    changed: tuple[Item, ...]
    before: dict[str, Item]
    deleted: tuple[str, ...]
    kept: int
    unchanged: int
    rejected: int

    @property
    def writes(self) -> int:
        """Return how many items are written or deleted."""
        return len(self.added) + len(self.changed) + len(self.deleted)


class Sink(Protocol):
    """What takes the differences: a retriever, or a server that has the project open."""

    def upsert(self, items: Sequence[Item]) -> None:
        """Add or replace items."""
        ...

    def delete(self, ids: Sequence[str]) -> int:
        """Delete items; return how many were there."""
        ...


def differences(
    loaded: LoadedCatalog, retriever: Retriever, *, delete: bool = True, allow: float | None = None
) -> Differences:
    """Return what a catalog file changes in a project.

    Args:
        delete: Delete the items that the file does not name.
        allow: Share of the present items that may be deleted. By default half of them, and none
            when rows of the file could not be read, since those may be the very items.

    Raises:
        CatalogError: If more would be deleted than is allowed.
    """
    manifest = retriever.manifest
    same_text = manifest.text_format == TEXT_FORMAT
    found = compare(loaded.items, retriever.index, manifest.leading, same_text)
    ids = [item.id for item in found.changed]
    before = {
        item.id: item
        for start in _starts(ids)
        for item in retriever.get_many(ids[start : start + AT_ONCE])
    }
    broken = sum(reject.kind == "row" for reject in loaded.rejects)
    gone = found.gone if delete and not (broken and allow is None) else []
    _guard(found, gone, DELETE_SHARE if allow is None else allow)
    return Differences(
        tuple(found.added), tuple(found.changed), before, tuple(gone),
        len(found.gone) - len(gone), found.unchanged, len(loaded.rejects),
    )  # fmt: skip


def _guard(found: Difference, gone: Sequence[str], share: float) -> None:
    """Refuse to empty a shop because of an export that was cut off."""
    present = len(found.gone) + len(found.changed) + found.unchanged
    if len(gone) > share * present:
        raise CatalogError(
            f"the file does not name {len(gone):,} of the project's {present:,} items "
            f"({len(gone) / present:.0%}), and at most {share:.0%} are deleted at once; check that "
            f"the file is whole, or give --allow-delete {_above(len(gone) / present)}, or "
            f"--no-delete to keep them"
        )


def _above(share: float) -> str:
    """Return a share rounded up, so that it allows what it was made of."""
    return f"{min(1.0, int(share * 100 + 1) / 100):g}"


def apply(
    found: Differences, sink: Sink, watch: Callable[[Iterable[int]], Iterable[int]] = iter
) -> None:
    """Write the differences, additions first, so that no moment has less than both catalogs share.

    Args:
        watch: Told the number of items of each write as it is done, to show progress.
    """
    for _ in watch(_writes(found, sink)):
        pass


def _writes(found: Differences, sink: Sink) -> Iterator[int]:
    items = [*found.added, *found.changed]
    for start in _starts(items):
        chunk = items[start : start + AT_ONCE]
        sink.upsert(chunk)
        yield len(chunk)
    for start in _starts(found.deleted):
        ids = list(found.deleted[start : start + AT_ONCE])
        sink.delete(ids)
        yield len(ids)


def _starts(values: Sequence[T]) -> range:
    return range(0, len(values), AT_ONCE)


def change(old: Item, new: Item) -> list[str]:
    """Return what differs between two versions of an item, one line for each field."""
    lines = [
        f"{name}: {_shown(before)} → {_shown(after)}"
        for name in ("title", "description", "currency", "image", "url")
        if (before := getattr(old, name)) != (after := getattr(new, name))
    ]
    names = dict.fromkeys((*old.fields, *new.fields))
    lines += [
        f"{name}: {_shown(old.fields.get(name))} → {_shown(new.fields.get(name))}"
        for name in names
        if old.fields.get(name) != new.fields.get(name)
    ]
    return lines or ["text as the encoder sees it"]


def _shown(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
