"""How a catalog was understood, as text for people, and its rejects as a file."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from retrieval.catalog import Facet
from retrieval.loading.mapping import Column
from retrieval.loading.records import LoadedCatalog, Reject

FACETS = 40
VALUES = 6
WIDTH = 110


def describe(loaded: LoadedCatalog) -> str:
    """Return the mapping, the facets, the warnings and the rejects of a catalog as a table."""
    money = f", prices in {loaded.currency}" if loaded.currency else ""
    lines = [f"{loaded.name}: {len(loaded.items):,} items{money}", "", *_uses(loaded), ""]
    rows: list[tuple[str, ...]] = [("facet", "kind", "means", "filled", "values")]
    rows += [_facet_row(facet) for facet in loaded.facets[:FACETS]]
    lines += _table(rows)
    if len(loaded.facets) > FACETS:
        lines.append(f"… and {len(loaded.facets) - FACETS} more facets")
    lines += [f"note: {warning}" for warning in loaded.warnings]
    return "\n".join(lines + _rejects(loaded.rejects))


def _uses(loaded: LoadedCatalog) -> list[str]:
    mapping = loaded.mapping
    uses = ("id", "title", "price", "description", "image", "url", "currency", "map", "ignore")
    rows = []
    for use in uses:
        columns = [c for c in mapping.using(use) if c.within is None]  # type: ignore[arg-type]
        if columns:
            name = {"map": "flattened", "ignore": "not used"}.get(use, use)
            rows.append((name, " + ".join(map(_column_text, columns))))
    return _table(rows)


def _column_text(column: Column) -> str:
    if column.use != "price":
        return column.name
    notes = [column.unit or "currency unknown"]
    notes += ["in cents"] if column.scale == 0.01 else []
    notes += ["decimal comma"] if column.decimal == "," else []
    return f"{column.name} ({', '.join(notes)})"


def _facet_row(facet: Facet) -> tuple[str, ...]:
    unit = f" ({facet.unit})" if facet.unit and facet.unit != facet.label else ""
    source = f" from {facet.derived_from}" if facet.derived_from else ""
    means = f"{facet.role or ''}{source}".strip()
    filled = f"{facet.coverage:.0%}" if facet.coverage > 0.005 or not facet.coverage else "<1%"
    return (facet.label + unit, facet.kind, means, filled, _values_text(facet))


def _values_text(facet: Facet) -> str:
    if facet.kind == "numeric" and facet.low is not None and facet.high is not None:
        low, high = _number(facet.low), _number(facet.high)
        middle = f", mostly {_number(facet.quantiles[1])} to {_number(facet.quantiles[3])}"
        return f"{low} to {high}" + (middle if low != high else "")
    if facet.kind == "date" and facet.low is not None and facet.high is not None:
        first, last = (date.fromordinal(int(day)) for day in (facet.low, facet.high))
        return f"{first} to {last}"
    shown = ", ".join(f"{value} {count:,}" for value, count in facet.values[:VALUES])
    return f"{len(facet.values):,}: {shown}" + ("…" if len(facet.values) > VALUES else "")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.6g}"


def _rejects(rejects: Sequence[Reject]) -> list[str]:
    if not rejects:
        return []
    rows = sum(reject.kind == "row" for reject in rejects)
    fields = len(rejects) - rows
    said = [
        f"{count:,} {kind}{'' if count == 1 else 's'}"
        for count, kind in ((rows, "row"), (fields, "single field"))
        if count
    ]
    lines = [f"{' and '.join(said)} left out:"]
    lines += [f"  {reject}" for reject in rejects[:VALUES]]
    return lines + ([f"  … and {len(rejects) - VALUES:,} more"] if len(rejects) > VALUES else [])


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as aligned columns; the last is cut to the width."""
    if not rows:
        return []
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]) - 1)]
    lines = []
    for row in rows:
        start = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        room = max(WIDTH - len(start) - 2, 20)
        last = row[-1] if len(row[-1]) <= room else row[-1][: room - 1] + "…"
        lines.append(f"{start}  {last}".rstrip())
    return lines


def write_rejects(path: Path, rejects: Iterable[Reject]) -> None:
    """Write rejects as CSV: source, row, column, kind, reason, excerpt."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("source", "row", "column", "kind", "reason", "excerpt"))
        for r in rejects:
            told = map(_inert, (r.column, r.kind, r.reason, r.excerpt))
            writer.writerow((r.source, r.row, *told))


def _inert(text: str) -> str:
    """Return other people's text as a spreadsheet shows it: no cell of it is a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
