"""Headline rows of the learning loop, for the README's table. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

Report = dict[str, Any]
Row = Sequence[str]


def loop_rows(report: Report) -> Iterator[Row]:
    """Yield the headline rows of the demonstration."""
    for name, better in (("success", "rises"), ("turns", "fall")):
        before, after = report[f"{name}_before"], report[f"{name}_after"]
        last = [one for one in report["changes"] if one["measure"] == name][-1]["difference"]
        yield (
            f"{name} of {report['n']} fresh simulated people, {report['rounds']} rounds",
            f"{before['mean']:.2f} → {after['mean']:.2f} ({signed(last)})",
            f"{better}, interval without 0",
        )


def gate_rows(report: Report) -> Iterator[Row]:
    """Yield the headline rows of the gate."""
    refused = report["regressions_refused"]
    told = [f"{refused[name]} {what}" for name, what in (
        ("adapters", "trained adapters"), ("wrappers", "put on from outside"),
    ) if not refused.get(name, "0/0").endswith("/0")]  # fmt: skip
    yield ("seeded regressions that the gate refused", ", ".join(told), "all")


def swap_rows(report: Report) -> Iterator[Row]:
    """Yield the headline rows of swapping adapters under load."""
    own = report["server"]
    yield (
        f"failed requests, {own['swaps']} adapter swaps under load on vLLM",
        f"{own['failed']} of {own['requests']:,}; {own['unknown_voices']} from unknown adapters",
        "0",
    )


def off_policy_rows(report: Report) -> Iterator[Row]:
    """Yield the headline rows of off-policy estimates."""
    for behaviour, aim in (("position-based clicks", "≥ 90 %"), ("one choice a slate", "")):
        held = [row["held"] for row in report["rows"] if row["estimator"] == "snips"
                and row["behaviour"] == behaviour and row["trusted"] >= 0.5]  # fmt: skip
        if held:
            yield (
                f"off-policy estimate holds the truth, {behaviour}",
                f"{sum(held) / len(held):.0%} of replays, {min(held):.0%} to {max(held):.0%} by "
                "setting",
                aim,
            )


def signed(difference: Report) -> str:
    """Return a difference with its interval."""
    return f"{difference['mean']:+.3f}, {difference['low']:+.3f} to {difference['high']:+.3f}"
