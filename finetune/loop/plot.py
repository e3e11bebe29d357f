"""The demonstration as a picture: success and turns after each round, for each seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from finetune.errors import MissingExtra
from finetune.loop.demo import Run, changes

DRAWN = ("success", "turns")


def draw(runs: Sequence[Run], path: Path) -> Path:
    """Write the picture as SVG or PNG, by the path's ending.

    Raises:
        MissingExtra: If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("plots need matplotlib: pip install 'attune[plots]'") from None
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    for axes, measure in zip(figure.subplots(1, 2), DRAWN, strict=True):
        _measure(axes, runs, measure)
    # Without a date the same runs are the same file.
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else {})
    return path


def _measure(axes: Any, runs: Sequence[Run], measure: str) -> None:
    for run in runs:
        points = [run.base, *(one.outcomes for one in run.after)]
        means = [outcomes.estimates()[measure].mean for outcomes in points]
        axes.plot(range(len(points)), means, color="#aab7b8", linewidth=1)
        for place, done in enumerate(run.rounds, start=1):
            mark = "o" if done.promoted else "x"
            axes.plot([place], [means[place]], mark, color="#aab7b8", markersize=4)
    made = [one for one in changes(runs) if one.measure == measure]
    all_seeds = [made[0].before, *(one.after for one in made)]
    axes.errorbar(
        range(len(all_seeds)),
        [one.mean for one in all_seeds],
        yerr=[
            [one.mean - one.low for one in all_seeds], [one.high - one.mean for one in all_seeds],
        ],
        color="#1e8449", marker="o", capsize=3, linewidth=2,
    )  # fmt: skip
    axes.set_xticks(range(len(all_seeds)), ["base", *(f"round {one.round}" for one in made)])
    axes.set_title(f"{measure}, fresh simulated users", fontsize=10, loc="left")
    axes.tick_params(labelsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
