"""The learning loop as tables: pure functions over what its demonstration and benchmarks wrote."""

from __future__ import annotations

from pathlib import Path

from ui.figures import MISSING, RESULTS, Report, Row, read, table
from ui.loop_rows import signed


def loop(results: Path = RESULTS) -> str:
    """Return the demonstration round by round."""
    report = read("loop", results)
    if report is None:
        return MISSING
    rows = [
        (str(one["round"]), one["measure"], f"{one['before']['mean']:.3f}",
         f"{one['after']['mean']:.3f}", signed(one["difference"]),
         ", ".join(f"{value:+.2f}" for value in one["by_seed"].values()))
        for one in report["changes"]
    ]  # fmt: skip
    header = ("after round", "measure", "base", "now", "difference (95 % interval)", "by seed")
    config = report["config"]
    text = (
        f"{len(report['seeds'])} seeds, {config['teachers']} people teach in each round, "
        f"{report['n']} fresh people judge (the same for the base and every round, paired "
        f"bootstrap). Promoted: {report['promoted']} of "
        f"{len(report['seeds']) * report['rounds']} rounds; seeded regressions refused: "
        f"{report['regressions_refused']}.\n"
    )
    return f"{text}\n{table(header, rows)}\n{_rounds(report)}"


def _rounds(report: Report) -> str:
    rows = []
    for run in report["runs"]:
        for one in run["rounds"]:
            pairs = ", ".join(f"{count} {kind}" for kind, count in one["pairs"].items())
            accuracy = one["metrics"].get("reward_accuracy")
            told = "–" if accuracy is None else f"{accuracy:.2f}"
            rows.append((str(run["seed"]), str(one["number"]), pairs, told, one["ending"],
                         one["reasons"][0].replace("|", "/")))  # fmt: skip
    header = ("seed", "round", "pairs", "held-out pairs right", "ending", "first reason")
    return table(header, rows)


def off_policy(results: Path = RESULTS) -> str:
    """Return how often intervals of off-policy estimates held the simulated truth."""
    report = read("off_policy", results)
    if report is None:
        return MISSING
    rows: list[Row] = []
    for row in report["rows"]:
        rows.append((
            f"{row['share']:.0%}", row["target"], row["behaviour"], row["estimator"],
            f"{row['truth']:.3f}", f"{row['mean']:.3f}", f"{row['held']:.0%}",
            f"{row['width']:.3f}", f"{row['trusted']:.0%}",
        ))  # fmt: skip
    header = ("explored", "target ranking", "behaviour", "estimator", "truth", "mean estimate",
              "held", "width", "trusted")  # fmt: skip
    config = report["config"]
    text = (
        f"`python -m benchmarks.off_policy`: {config['replays']} replays of about "
        f"{config['slates']:,} slates from {config['contexts']} simulated contexts. *Held*: share "
        "of replays whose 95 % interval holds the truth, of those that ask to be trusted (all, "
        "where none does).\n"
    )
    return f"{text}\n{table(header, rows)}"
