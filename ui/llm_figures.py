"""The language model in the loop as tables: pure functions over what benchmarks/llm.py wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ui.figures import MISSING, RESULTS, Report, Row, read, table

WAYS = {"bare": "bare HTTP", "planner": "the planner", "turns": "whole turns"}


def under_load(results: Path = RESULTS) -> str:
    """Return how the same requests fare bare, through the planner and in whole turns."""
    report = read("llm", results)
    if report is None:
        return MISSING
    if "saturation" not in report:
        return f"{_about(report)}\n\nWithout vLLM: {report['skipped']}\n"
    header = ("cores", "clients", "way", "tokens/s", "requests/s", "of bare", "in each run",
              "client ms", "server ms")  # fmt: skip
    rows = [row for run in report["saturation"] for row in _load_rows(run)]
    return f"{_about(report)}\n\n{table(header, rows)}\n{_cache(report)}"


def first_words(results: Path = RESULTS) -> str:
    """Return when the first item and word of a turn come, and where the time goes."""
    report = read("llm", results)
    if report is None:
        return MISSING
    header = ("planner", "turns", "first item ms", "first word ms", "model asked", "first item ms",
              "first word ms")  # fmt: skip
    rows = [
        (name, str(one["turns"]), _both(one["item_ms"]), _both(one["word_ms"]),
         str(one["asked"]["turns"]), _both(one["asked"]["item_ms"]),
         _both(one["asked"]["word_ms"]))
        for name, one in report["first"].items()
    ]  # fmt: skip
    return table(header, rows) + "".join(_stages(report))


def calls(results: Path = RESULTS) -> str:
    """Return calls and tokens per turn."""
    report = read("llm", results)
    if report is None:
        return MISSING
    header = ("turns of", "turns", "calls, median", "mean", "most", "fast path",
              "prompt tokens per call", "written per call", "rules' plan kept")  # fmt: skip
    rows = [
        (f"`{name}`", str(one["turns"]), f"{one['calls']['median']:g}",
         f"{one['calls']['mean']:.2f}", str(one["calls"]["max"]), f"{one['fast_path']:.0%}",
         f"{one['prompt_tokens']['per_call']:.0f}", f"{one['completion_tokens']['per_call']:.1f}",
         ", ".join(f"{why}: {count}" for why, count in one["fallbacks"].items()) or "0")
        for name, one in report["calls"].items()
    ]  # fmt: skip
    return table(header, rows)


def in_process(results: Path = RESULTS) -> str:
    """Return the model in this process beside vLLM."""
    report = read("llm", results)
    if report is None:
        return MISSING
    rows = [
        (name, str(one["clients"]), _both(one["ms"]), f"{one['answers_per_s']:.1f}",
         f"{one['tokens_per_s']:.0f}")
        for name, runs in report["alone"].items()
        for one in runs
    ]  # fmt: skip
    return table(("model", "clients", "plan ms, p50 / p95", "plans/s", "tokens/s"), rows)


def _about(report: Report) -> str:
    vllm = f", vLLM {report['vllm']}" if "vllm" in report else ""
    return (
        f"{report['machine']}, load {report['load_before']} before{vllm}; house model "
        f"`{report['model']}`, catalog {report['catalog']} ({report['items']:,} items), "
        f"{report['turns']} turns with {report['requests']} requests."
    )


def _load_rows(run: Report) -> Iterator[Row]:
    for way, told in WAYS.items():
        one = run[way]
        yield (
            run["placement"], str(run["clients"]), told, f"{one['tokens_per_s']:.0f}",
            f"{one['answers_per_s']:.1f}", f"{one['ratio']:.2f}",
            ", ".join(f"{ratio:.2f}" for ratio in one["ratios"]),
            f"{one['own_ms']:.1f}", f"{one['server_ms']:.1f}",
        )  # fmt: skip


def _cache(report: Report) -> str:
    rows = [
        (f"`{prompt}`", str(one["prompts"]), f"{one['tokens_per_prompt']:.0f}",
         f"{one['hit_rate']:.1%}")
        for prompt, one in report["prefix_cache"].items()
    ]  # fmt: skip
    return table(("prompt", "prompts", "tokens each", "from the prefix cache"), rows)


def _stages(report: Report) -> Iterator[str]:
    for name, one in report["first"].items():
        if stages := one["asked"]["mean_stages_ms"]:
            told = ", ".join(f"{stage} {ms:.1f}" for stage, ms in stages.items())
            yield f"\n{name}, mean ms of the turns that asked the model: {told}.\n"


def _both(spread: Report | None) -> str:
    return "–" if spread is None else f"{spread['p50']:.1f} / {spread['p95']:.1f}"
