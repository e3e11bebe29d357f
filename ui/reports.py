"""Reports of evaluations as text for people: pure functions over their JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_KINDS = 12


def figure(value: float | None, interval: Sequence[float] | None = None) -> str:
    """Return a figure with its interval as text; a dash where there is none."""
    if value is None:
        return "–"
    around = f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else ""
    return f"{value:.3f}{around}"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _figures(report: Mapping[str, Any]) -> list[str]:
    intervals, baselines = report["intervals"], report["baselines"]
    head = ("", "ours", *baselines)
    rows = [
        (name, figure(value, intervals.get(name)), *(figure(b[name]) for b in baselines.values()))
        for name, value in report["ours"].items()
    ]
    return table([head, *rows])


def _by_catalog(report: Mapping[str, Any]) -> list[str]:
    names = list(report["ours"])
    rows = [
        (catalog, str(own["n"]), *(figure(own[name]) for name in names))
        for catalog, own in report["by_catalog"].items()
    ]
    return table([("catalog", "turns", *names), *rows])


def understanding_text(report: Mapping[str, Any]) -> str:
    """Return the report of `evaluate understanding` as text."""
    n = report["n"]
    lines = [f"{n['turns']} turns in {n['dialogues']} dialogues", "", *_figures(report), ""]
    lines += [*_by_catalog(report), ""] if report["by_catalog"] else []
    kinds = list(report["errors"]["kinds"].items())[:_KINDS]
    lines += [f"errors: {', '.join(f'{kind} {count}' for kind, count in kinds) or 'none'}"]
    for catalog, turns in report["skipped"].items():
        lines.append(f"skipped: {turns} turns on {catalog!r}, whose catalog is not here")
    return "\n".join(lines)


def explanations_text(report: Mapping[str, Any]) -> str:
    """Return the report of `evaluate explanations` as text."""
    checker, sentences, n = report["checker"], report["sentences"], report["n"]
    names = list(report["ours"])
    lines = [f"{n['explanations']} explanations", "", *_figures(report), ""]
    rows = [(name, str(own["n"]), *(figure(own[key]) for key in names))
            for name, own in report["by_catalog"].items()]  # fmt: skip
    lines += [*table([("catalog", "n", *names), *rows]), ""]
    if sentences.get("kept_share") is not None:
        shares = ", ".join(
            f"{key} {figure(sentences[f'{key}_share'])}" for key in ("kept", "rewritten", "dropped")
        )
        lines += [f"sentences of the model: {shares}; {sentences['fallbacks']} all by template", ""]
    caught, kept = (figure(checker[key]) for key in ("false_claims_caught", "true_claims_kept"))
    lines += [
        f"checker: {caught} of {n['false_claims']:,} false claims caught, "
        f"{kept} of {checker['true_claims']:,} true ones kept"
    ]
    kinds = [(kind, str(own["n"]), figure(own["caught"]))
             for kind, own in checker["by_kind"].items()]  # fmt: skip
    return "\n".join([*lines, *table([("false claim", "n", "caught"), *kinds])])
