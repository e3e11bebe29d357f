"""Retrieval as tables: pure functions over what benchmarks/retrieval_quality.py wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ui.figures import MISSING, RESULTS, Report, Row, read, table
from ui.retrieval_quality import SYSTEMS

NAMES = {
    "ndcg@10": "nDCG@10",
    "ndcg@10_condensed": "nDCG@10 condensed",
    "recall@10": "recall@10",
    "rated@10": "rated in top 10",
}
"""What is shown of a set, and how it is called."""
COMPARED = ("ndcg@10", "ndcg@10_condensed")
SETS = {
    "electronics": "Electronics, the whole catalog",
    "homedepot": "Home Depot, the judged titles",
    "homedepot_catalog": "Home Depot, all titles",
}


def retrieval(results: Path = RESULTS) -> str:
    """Return every system on every set, and ours minus each floor with its interval."""
    report = read("retrieval", results)
    if report is None:
        return MISSING
    parts = [part for name, one in report["sets"].items() for part in _set(name, one)]
    parts += [f"Skipped: {name} ({why})." for name, why in report["skipped"].items()]
    return "\n\n".join([*parts, _tuning(report.get("tuning", {}))]).rstrip() + "\n"


def _set(name: str, one: Report) -> Iterator[str]:
    n = one["n"]
    yield (
        f"**{SETS.get(name, name)}**: {n['queries']:,} queries, {n['judged_pairs']:,} judged "
        f"pairs; {one['about']}."
    )
    names = [key for key in NAMES if key in one["ours"]]
    systems = {"ours": one["ours"], "with_labels": one["with_labels"], **one["baselines"]}
    rows = [(SYSTEMS[key], *(_figure(own[what]) for what in names))
            for key, own in systems.items()]  # fmt: skip
    yield table(("", *(NAMES[what] for what in names)), rows).rstrip()
    yield table(("ours minus", "", "all queries", "queries never looked at"), _minus(one)).rstrip()


def _figure(one: Mapping[str, float]) -> str:
    return f"{one['mean']:.3f}"


def _minus(one: Report) -> list[Row]:
    half = one.get("held_out", {}).get("ours_minus", {})
    return [
        (SYSTEMS[floor], NAMES[what], _interval(own[what]),
         _interval(half[floor][what]) if floor in half else "–")
        for floor, own in one["ours_minus"].items()
        for what in COMPARED
        if what in own
    ]  # fmt: skip


def _interval(one: Mapping[str, float]) -> str:
    return f"{one['mean']:+.4f} ({one['low']:+.4f} to {one['high']:+.4f})"


def _tuning(tuned: Report) -> str:
    if not tuned:
        return ""
    rows = [
        (name, f"{one['items']:,}", str(one["queries"]), f"{one['dense']:g}", *_ends(one),
         f"{one['seconds']:.0f}")
        for name, one in tuned.items()
    ]  # fmt: skip
    head = ("catalog", "items", "made queries", "weight of meaning", "words alone", "chosen",
            "meaning alone", "seconds")  # fmt: skip
    return f"Weights by queries made from a catalog, nDCG@10 of them:\n\n{table(head, rows)}"


def _ends(one: Report) -> Iterator[str]:
    curves = list(one["curves"].values())
    last = len(curves[0]) - 1
    for place in (0, round(one["dense"] * last), last):
        yield f"{sum(curve[place] for curve in curves) / len(curves):.3f}"
