"""The figures of a run's result, whatever it measured, and two runs compared figure by figure.

Knows how the reports of `attune evaluate`, `simulate`, `feedback` and `loop` hold their numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Json = dict[str, Any]
Better = Literal["higher", "lower", ""]
Verdict = Literal["better", "worse", "same", "unclear", "changed"]

MOST = 40
_Z = 1.959964

LOWER = (
    "violation", "failure", "misreading", "repair", "repeat", "false_alarm", "seconds", "ms_",
    "wrong", "psi", "spurious", "turns",
)  # fmt: skip
"""What a figure's name has in it where less of it is better."""

SETTINGS = frozenset({"seed", "alpha"})
"""Numbers of a result that say how it was measured."""

COUNTED = ("sessions", "users", "anonymous", "refused", "slates", "events", "with_feedback", "n",
           "seed", "before", "now", "train", "held", "people", "merged",
           "leaked")  # fmt: skip
"""Figures that are neither good nor bad."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a result.

    Args:
        low, high: Its 95 % interval, where the evaluation gives one.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    better: Better = ""


def figures(result: Any) -> list[Figure]:
    """Return the figures of a result, the first `MOST`; none where it has no numbers."""
    if not isinstance(result, Mapping):
        return []
    named = result.get("ours") if isinstance(result.get("ours"), Mapping) else result
    intervals = result.get("intervals")
    found = list(_figures(named, intervals if isinstance(intervals, Mapping) else {}))
    return [one for one in found if one.name not in SETTINGS][:MOST]


def _figures(named: Any, intervals: Mapping[str, Any], prefix: str = "") -> Iterator[Figure]:
    for name, value in named.items():
        whole = f"{prefix}{name}"
        if isinstance(value, int | float) and not isinstance(value, bool):
            if math.isfinite(value):
                low, high = _pair(intervals.get(name))
                yield Figure(whole, float(value), low, high, better(whole))
        elif isinstance(value, Mapping) and _number(value.get("mean")) is not None:
            yield Figure(whole, float(value["mean"]), _number(value.get("low")),
                         _number(value.get("high")), better(whole))  # fmt: skip
        elif isinstance(value, Mapping) and name in ("kinds", "pairs", "train", "held"):
            yield from _figures(value, {}, f"{whole}.")
        elif isinstance(value, Sequence) and name == "changes":
            for one in value:
                if isinstance(one, Mapping) and _number(one.get("psi")) is not None:
                    yield Figure(f"psi {one.get('signal')}", float(one["psi"]), better="lower")


def _pair(value: Any) -> tuple[float | None, float | None]:
    if isinstance(value, Sequence) and len(value) == 2:
        return _number(value[0]), _number(value[1])
    return None, None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def better(name: str) -> Better:
    """Return which way a figure gets better; "" where it is only a count."""
    parts = name.split(".")
    if parts[-1] in COUNTED or parts[0] in ("kinds", "pairs") or name.endswith("_per_s"):
        return ""
    return "lower" if any(one in name for one in LOWER) else "higher"


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of two runs.

    Args:
        low, high: Interval of second minus first, as if the runs had measured other cases: wider
            than it is where they measured the same.
    """

    name: str
    first: float
    second: float
    difference: float
    low: float | None
    high: float | None
    verdict: Verdict


def compared(first: Sequence[Figure], second: Sequence[Figure]) -> list[Difference]:
    """Return what two results have in common, figure by figure."""
    others = {one.name: one for one in second}
    return [_difference(one, others[one.name]) for one in first if one.name in others]


def _difference(a: Figure, b: Figure) -> Difference:
    low, high = _interval(a, b)
    return Difference(a.name, a.value, b.value, b.value - a.value, low, high, _verdict(a, b, low,
                      high))  # fmt: skip


def _interval(a: Figure, b: Figure) -> tuple[float | None, float | None]:
    bounds = (a.low, a.high, b.low, b.high)
    if any(bound is None for bound in bounds):
        return None, None
    widths = [(one.high or 0.0) - (one.low or 0.0) for one in (a, b)]
    half = _Z * math.hypot(*(width / (2 * _Z) for width in widths))
    difference = b.value - a.value
    return difference - half, difference + half


def _verdict(a: Figure, b: Figure, low: float | None, high: float | None) -> Verdict:
    difference = b.value - a.value
    if difference == 0:
        return "same"
    if not a.better:
        return "changed"
    if low is not None and high is not None and low <= 0 <= high:
        return "unclear"
    gained = difference > 0 if a.better == "higher" else difference < 0
    return "better" if gained else "worse"


def comparison(first: Json, second: Json) -> Json:
    """Return two kept runs side by side, and in a sentence which is better.

    Args:
        first, second: Runs as `ui.owner.runs.Run.to_json` tells them.
    """
    rows = compared([Figure(**one) for one in first["figures"]],
                    [Figure(**one) for one in second["figures"]])  # fmt: skip
    sure = all(one.low is not None for one in rows if one.verdict in ("better", "worse"))
    return {
        "rows": [asdict(one) for one in rows], "said": said(rows, sure=sure),
        "alike": first["name"] == second["name"],
    }  # fmt: skip


def said(rows: Sequence[Difference], *, sure: bool) -> str:
    """Return in a sentence which of two runs is better."""
    counts = {kind: [one.name for one in rows if one.verdict == kind]
              for kind in ("better", "worse", "unclear")}  # fmt: skip
    if not rows:
        return "They have no figure in common."
    if not counts["better"] and not counts["worse"]:
        if not counts["unclear"]:
            return "Nothing that could be better or worse differs."
        return "No difference that could not be chance."
    parts = []
    if counts["better"]:
        parts.append(f"the second is better on {_names(counts['better'])}")
    if counts["worse"]:
        parts.append(f"the second is worse on {_names(counts['worse'])}")
    if counts["unclear"]:
        parts.append(f"{len(counts['unclear'])} could be chance")
    line = "; ".join(parts)
    hint = "" if sure else ". Some figures have no interval: those may be chance"
    return f"{line[0].upper()}{line[1:]}{hint}."


def _names(names: Sequence[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
