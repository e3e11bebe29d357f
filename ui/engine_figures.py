"""Engines as tables: pure functions over what benchmarks/engines.py wrote."""

from __future__ import annotations

from pathlib import Path

from ui.figures import MISSING, RESULTS, Report, Row, read, table

_HEAD = ("engine", "items", "build s", "disk MB", "serving MB", "open s", "recall@10",
         "dense p95 ms", "hybrid p50 ms", "hybrid p95 ms", "queries/s")  # fmt: skip
_AT_SHARES = (("recall@10", ".3f"), ("dense_p95_ms", ".1f"), ("hybrid_p50_ms", ".1f"),
              ("hybrid_p95_ms", ".1f"))  # fmt: skip
_ORDER = ("exact", "qdrant-edge", "pgvector")


def engines(results: Path = RESULTS) -> str:
    """Return every engine at every size; figures with slashes are by share of items that match."""
    report = read("engines", results)
    if report is None:
        return MISSING
    keys = sorted(report["results"], key=lambda key: (int(key.split("@")[1]), _place(key)))
    text = table(_HEAD, [_row(key, report["results"][key]) for key in keys])
    note = f"\n{report['note']}.\n" if "note" in report else ""
    return f"{text}\nFour figures: all / 10 % / 1 % / 0.1 % of the items match.\n{note}"


def _place(key: str) -> int:
    return _ORDER.index(key.split("@")[0])


def _row(key: str, one: Report) -> Row:
    engine, size = key.split("@")
    shares = one["selectivity"].values()
    server = f" + {one['server_mb']:,.0f} server" if "server_mb" in one else ""
    return (
        f"`{engine}`", f"{int(size):,}", f"{one['write_s'] + one['finish_s']:,.0f}",
        f"{one['disk_mb'] + one.get('server_disk_mb', 0):,.0f}",
        f"{one['after_queries']['rss_mb']:,.0f}{server}", f"{one['open_s']:.1f}",
        *(" / ".join(f"{share[name]:{form}}" for share in shares) for name, form in _AT_SHARES),
        f"{one['qps_2_threads']:.0f}",
    )  # fmt: skip
