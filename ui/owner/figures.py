"""The figures of a run's result, whatever it measured, and two runs compared figure by figure.

Knows how the reports of `attune evaluate`, `simulate`, `feedback` and `loop` hold their numbers.
Where two runs measured the same cases (simulated people, dialogues, critiques), their difference
is that of the cases in pairs: what made a case easy or hard for both does not blur it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from finetune.gate.metrics import Mean
from finetune.gate.pairing import difference as resampled
from finetune.gate.pairing import paired

Json = dict[str, Any]
Better = Literal["higher", "lower", ""]
Verdict = Literal["better", "worse", "same", "unclear", "changed"]

CASES = "cases"
"""Where a report holds what each case added to its figures: {case: {figure: [sum, count]}}."""

RESAMPLES = 2_000
MOST = 40
_Z = 1.959964

LOWER = (
    "violation", "failure", "misreading", "repair", "repeat", "false_alarm", "seconds", "ms_",
    "wrong", "psi", "spurious", "turns",
)  # fmt: skip
"""What a figure's name has in it where less of it is better."""

SETTINGS = frozenset({"seed", "alpha"})
"""Numbers of a result that say how it was measured."""

COUNTED = ("with_feedback", "consent", "sessions", "users", "events", "n", "train", "held")
"""Figures that are neither good nor bad, as whole numbers are, which count something."""


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
                way = "" if isinstance(value, int) else better(whole)
                yield Figure(whole, float(value), low, high, way)
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
        low, high: 95 % interval of second minus first.
        cases: How many cases both measured, where the interval is of those in pairs; None where it
            is as if they had measured other cases: wider than it is where they are the same.
    """

    name: str
    first: float
    second: float
    difference: float
    low: float | None
    high: float | None
    verdict: Verdict
    cases: int | None = None


def compared(
    first: Sequence[Figure], second: Sequence[Figure], cases: tuple[Json, Json] = ({}, {})
) -> list[Difference]:
    """Return what two results have in common, figure by figure.

    Args:
        cases: What each case added to the figures of the first, and of the second.
    """
    others = {one.name: one for one in second}
    return [_difference(one, others[one.name], cases) for one in first if one.name in others]


def _difference(a: Figure, b: Figure, cases: tuple[Json, Json]) -> Difference:
    found = _in_pairs(a.name, *cases)
    low, high, n = found or (*_interval(a, b), None)
    return Difference(a.name, a.value, b.value, b.value - a.value, low, high,
                      _verdict(a, b, low, high), n)  # fmt: skip


def _in_pairs(name: str, first: Json, second: Json) -> tuple[float, float, int] | None:
    """Return the interval of a difference in pairs, and how many; None without the same cases."""
    before, after = _readings(first, name), _readings(second, name)
    if not before or before.keys() != after.keys():
        return None
    both = paired("mean", name, after, before)
    if both is None:
        return None
    found = resampled(both, seed=0, resamples=RESAMPLES)
    return (*found.interval(0.95), both.units) if len(found.draws) else None


def _readings(cases: Json, name: str) -> dict[str, dict[str, Mean]]:
    return {case: {name: Mean(float(own[name][0]), float(own[name][1]))}
            for case, own in cases.items() if name in own}  # fmt: skip


def cases_of(result: Any) -> Json:
    """Return what each case added to the figures of a result; nothing where it does not tell."""
    found = result.get(CASES) if isinstance(result, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else {}


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
    """Return two kept runs side by side.

    Args:
        first, second: Runs as `ui.owner.runs.Run.to_json` tells them whole.
    """
    rows = compared([Figure(**one) for one in first["figures"]],
                    [Figure(**one) for one in second["figures"]],
                    (cases_of(first["result"]), cases_of(second["result"])))  # fmt: skip
    return {"rows": [asdict(one) for one in rows], "alike": first["name"] == second["name"]}
