"""The figures of `benchmarks/llm.py` as tables for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table

Figures = dict[str, Any]


def tables(report: Figures) -> Iterator[Table | str]:
    """Yield what was measured, and what was not."""
    yield f"{report['model']}, {report['machine']}, load {report['load_before']} before"
    if "saturation" in report:
        yield saturation(report["saturation"], report["targets"]["ratio"])
    yield first(report["first"])
    yield calls(report["calls"], report["targets"]["median calls"])
    yield alone(report["alone"])
    if "prefix_cache" in report:
        for prompt, one in report["prefix_cache"].items():
            yield (f"prefix cache, {prompt}: {one['hit_rate']:.1%} of the tokens of "
                   f"{one['prompts']} prompts of {one['tokens_per_prompt']:.0f}")  # fmt: skip
    if "skipped" in report:
        yield f"left out what needs vLLM: {report['skipped']}"


def saturation(runs: list[Figures], target: float) -> Table:
    """Return the rates under load beside those of the bare client; red below the target."""
    shown = Table("cores", "clients", "way", "tokens/s", "answers/s", "of bare", "p50 / p95 ms",
                  "own ms", "server ms", title="The same requests to vLLM")  # fmt: skip
    for run in runs:
        for way in ("bare", "planner", "turns"):
            one = run[way]
            shown.add_row(
                run["placement"], str(run["clients"]), way, f"{one['tokens_per_s']:.0f}",
                f"{one['answers_per_s']:.1f}", f"{one['ratio']:.2f}", _both(one["ms"]),
                f"{one['own_ms']:.1f}", f"{one['server_ms']:.1f}",
                style="red" if one["ratio"] < target else "",
            )  # fmt: skip
        shown.add_section()
    return shown


def first(by_planner: Figures) -> Table:
    """Return when the first item and word of a turn come."""
    shown = Table("planner", "turns", "first item ms", "first word ms", "asked", "item", "word",
                  title="Of a turn, p50 / p95")  # fmt: skip
    for planner, one in by_planner.items():
        asked = one["asked"]
        shown.add_row(
            planner, str(one["turns"]), _both(one["item_ms"]), _both(one["word_ms"]),
            str(asked["turns"]), _both(asked["item_ms"]), _both(asked["word_ms"]),
        )  # fmt: skip
    return shown


def calls(by_set: Figures, target: float) -> Table:
    """Return calls and tokens per turn; red above the target."""
    shown = Table("turns of", "n", "calls, median", "mean", "max", "fast path", "prompt tokens",
                  "written", "fallbacks", title="Asked of the model, per turn")  # fmt: skip
    for name, one in by_set.items():
        own = one["calls"]
        shown.add_row(
            name, str(one["turns"]), f"{own['median']:g}", f"{own['mean']:.2f}", str(own["max"]),
            f"{one['fast_path']:.0%}", f"{one['prompt_tokens']['per_turn']:.0f}",
            f"{one['completion_tokens']['per_turn']:.1f}", str(sum(one["fallbacks"].values())),
            style="red" if own["median"] > target else "",
        )  # fmt: skip
    return shown


def alone(by_model: Figures) -> Table:
    """Return the model in this process beside vLLM."""
    shown = Table("model", "clients", "plans/s", "tokens/s", "p50 / p95 ms", title="Plans")
    for model, runs in by_model.items():
        for one in runs:
            shown.add_row(model, str(one["clients"]), f"{one['answers_per_s']:.1f}",
                          f"{one['tokens_per_s']:.0f}", _both(one["ms"]))  # fmt: skip
    return shown


def _both(spread: dict[str, float] | None) -> str:
    return "–" if spread is None else f"{spread['p50']:.1f} / {spread['p95']:.1f}"
