"""Load a catalog: sources in, items, facets and rejects out.

A sample of rows (all of them in a catalog of ordinary size) decides the mapping; every row is then
read by it, one at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from retrieval.catalog import Item
from retrieval.errors import CatalogError, RowError
from retrieval.loading.checks import check
from retrieval.loading.facets import infer_facets
from retrieval.loading.infer import infer_mapping
from retrieval.loading.learn import learn_derived
from retrieval.loading.mapping import PRICE, Mapping
from retrieval.loading.merge import merge, mergeable
from retrieval.loading.override import override
from retrieval.loading.profile import profiles
from retrieval.loading.records import LoadedCatalog, Reject, Row, excerpt
from retrieval.loading.rows import LONGEST_CELL, RowReader
from retrieval.loading.sources import name_of, rows

SAMPLE = 50_000
"""Rows that decide the mapping."""
SHOWN = 5


def load(
    sources: Sequence[str | Path],
    *,
    mapping: Path | None = None,
    strict: bool = False,
    progress: bool = False,
) -> LoadedCatalog:
    """Return the catalog that files and queries (URL::SELECT …) hold together.

    Args:
        mapping: TOML file whose statements go before what names and contents suggest.
        strict: Refuse a catalog with any reject instead of loading the rest.

    Raises:
        CatalogError: If nothing can be loaded: says which source or column, and what to do.
    """
    if not sources:
        raise CatalogError("no source given; expected files or URL::SELECT … queries")
    with ExitStack() as stack:
        streams = [stack.enter_context(_closing(rows(source))) for source in sources]
        sampled = [list(islice(stream, max(1, SAMPLE // len(streams)))) for stream in streams]
        sample = [r.cells for part in sampled for r in part if isinstance(r, Row)]
        plan = _mapping(sample, sources, sampled, mapping)
        records = chain.from_iterable(chain(a, b) for a, b in zip(sampled, streams, strict=True))
        catalog = _Loading(plan)
        catalog.take(_watched(records) if progress else records)
    return catalog.result(name_of(sources[0]), strict)


class _closing:
    """Closes a stream of rows, and with it the file behind it."""

    def __init__(self, stream: Iterator[Row | Reject]) -> None:
        self._stream = stream

    def __enter__(self) -> Iterator[Row | Reject]:
        return self._stream

    def __exit__(self, *error: object) -> None:
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()


def _mapping(
    sample: list[dict[str, Any]],
    sources: Sequence[str | Path],
    sampled: list[list[Row | Reject]],
    file: Path | None,
) -> Mapping:
    if not sample:
        first = next((r for part in sampled for r in part if isinstance(r, Reject)), None)
        shown = ", ".join(repr(name_of(source)) for source in sources)
        raise CatalogError(f"{shown}: no row could be read" + (f"; {first}" if first else ""))
    sane = [row for row in sample if not _huge(row)]
    found = profiles(sane)
    plan = infer_mapping(found)
    if file is not None:
        plan = override(plan, file, found)
    check(plan, found)
    plan = mergeable(plan, sane)
    if plan.currency is None:
        price = plan.facet(PRICE)
        plan = replace(plan, currency=price.unit if price else None)
    derived = learn_derived(sane, plan)
    named = {one.facet for one in plan.derived}
    return replace(plan, derived=plan.derived + tuple(d for d in derived if d.facet not in named))


def _huge(row: dict[str, Any]) -> bool:
    return any(isinstance(cell, str) and len(cell) > LONGEST_CELL for cell in row.values())


def _watched(records: Iterable[Row | Reject]) -> Iterator[Row | Reject]:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    shown = (SpinnerColumn(), TextColumn("reading rows {task.completed:,.0f}"))
    with Progress(*shown, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("rows", total=None)
        for number, record in enumerate(records, 1):
            if number % 500 == 0:
                bar.update(task, completed=number)
            yield record


class _Loading:
    """Items and rejects so far; knows every id."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._reader = RowReader(mapping)
        self._lists = frozenset(c.facet for c in mapping.columns if c.kind == "list")
        self._items: dict[str, Item] = {}
        self._rejects: list[Reject] = []
        self._repeats = 0

    def take(self, records: Iterable[Row | Reject]) -> None:
        """Read all records."""
        for record in records:
            if isinstance(record, Reject):
                self._rejects.append(record)
                continue
            try:
                item, problems = self._reader.read(record.cells)
            except RowError as error:
                self._reject(record, error)
                continue
            if self._add(record, item):
                for problem in problems:
                    self._reject(record, problem, kind="field")

    def _reject(self, row: Row, error: RowError, kind: Any = "row") -> None:
        self._rejects.append(
            Reject(row.source, row.number, error.column, error.reason, error.excerpt, kind)
        )

    def _add(self, row: Row, item: Item) -> bool:
        known = self._items.get(item.id)
        if known is None:
            self._items[item.id] = item
            return True
        merged = merge(known, item, self._lists)
        if merged is None:
            ids = self._mapping.using("id")
            column = ids[0].name if ids else "id"
            reason = "duplicate id of a different item; the first one is kept"
            self._reject(row, RowError(column, reason, excerpt(item.id)))
            return False
        self._repeats += merged == known
        self._items[item.id] = merged
        return True

    def result(self, name: str, strict: bool) -> LoadedCatalog:
        """Return the loaded catalog, or refuse it."""
        rejects = tuple(reject for reject in self._rejects if reject.kind != "note")
        if strict and rejects:
            raise CatalogError(_refusal(rejects))
        if not self._items:
            raise CatalogError(f"no row of {name!r} is a usable item: {_refusal(rejects)}")
        items = tuple(self._items.values())
        warnings = [f"{n.source}: {n.reason}" for n in self._rejects if n.kind == "note"]
        if self._repeats:
            warnings.append(f"{self._repeats} rows repeat an item word for word; kept once")
        currencies = Counter(item.currency for item in items if item.currency)
        if len(currencies) > 1:
            shown = ", ".join(f"{code} ({n})" for code, n in currencies.most_common(5))
            warnings.append(f"prices in several currencies are compared as numbers: {shown}")
        if not currencies and any(PRICE in item.fields for item in items):
            warnings.append("the currency of the prices is not stated; set it in a mapping file")
        main = self._mapping.currency or (currencies.most_common(1)[0][0] if currencies else None)
        facets = infer_facets(items, self._mapping)
        return LoadedCatalog(name, items, facets, self._mapping, rejects, main, tuple(warnings))


def _refusal(rejects: Sequence[Reject]) -> str:
    first = "; ".join(str(reject) for reject in rejects[:SHOWN])
    more = f"; and {len(rejects) - SHOWN} more" if len(rejects) > SHOWN else ""
    return f"{len(rejects)} rejects: {first}{more}"
