"""A verdict as a picture: the difference of every metric with its interval (a forest plot)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from finetune.errors import MissingExtra
from finetune.gate.decision import Judged, Verdict
from finetune.gate.report import WORD, mark

_COLOURS = {"refused": "#c0392b", "improved": "#1e8449", "held": "#5d6d7e"}


def draw(verdict: Verdict, path: Path) -> Path:
    """Write the forest plot as SVG or PNG, by the path's ending; gains lie to the right.

    Raises:
        MissingExtra: If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("plots need matplotlib: pip install 'attune[plots]'") from None
    rows = list(reversed(verdict.metrics))
    figure = Figure(figsize=(8, 1.2 + 0.32 * max(1, len(rows))), layout="constrained")
    axes = figure.subplots()
    for at, one in enumerate(rows):
        _row(axes, at, one)
    axes.axvline(0, color="#999999", linewidth=0.8)
    axes.set_yticks(range(len(rows)), [one.metric for one in rows], fontsize=8)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xlabel("gain of the candidate with its interval; tick: tolerated loss", fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_title(WORD[verdict.promote], fontsize=11, loc="left")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    # Without a date the same verdict is the same file.
    dated = {"Date": None} if path.suffix == ".svg" else {}
    figure.savefig(path, metadata=dated)
    return path


def _row(axes: Any, at: int, one: Judged) -> None:
    sign, colour = one.rule.sign, _COLOURS[mark(one)]
    low, high = sorted((sign * one.low, sign * one.high))
    axes.plot([low, high], [at, at], color=colour, linewidth=2)
    axes.plot([sign * one.difference], [at], "o", color=colour)
    if one.rule.margin is not None:
        axes.plot([-one.rule.margin], [at], "|", color="#222222")
