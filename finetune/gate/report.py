"""A verdict as JSON and as Markdown. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from finetune.gate.decision import Judged, Verdict
from finetune.gate.metrics import METRICS

WORD = {True: "PROMOTE", False: "REFUSE"}


def to_json(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as plain JSON values: `ours` is the candidate, `baselines` the other."""
    config = dict(verdict.config)
    return {
        "verdict": "promote" if verdict.promote else "refuse",
        "reasons": list(verdict.reasons),
        "caught_by": list(verdict.caught_by),
        "ours": {one.metric: one.candidate for one in verdict.metrics},
        "baselines": {
            str(config.get("baseline", "baseline")): {o.metric: o.baseline for o in verdict.metrics}
        },
        "metrics": {one.metric: _judged(one) for one in verdict.metrics},
        "n": {one.metric: one.units for one in verdict.metrics},
        "skipped": dict(verdict.skipped),
        "seed": config.pop("seed", 0),
        "hash": config.pop("hash", {}),
        "seconds": config.pop("seconds", {}),
        "config": config,
    }


def _judged(one: Judged) -> dict[str, Any]:
    rule = one.rule.model_dump(exclude_defaults=True)
    return {
        "candidate": one.candidate, "baseline": one.baseline, "difference": one.difference,
        "interval": [one.low, one.high], "n": one.units, "rule": rule, "p": one.p,
        "improved": one.improved, "against": list(one.against),
    }  # fmt: skip


def to_markdown(verdict: Verdict, plot: str | None = None) -> str:
    """Return a verdict for people.

    Args:
        plot: Name of the picture beside it, where one was drawn.
    """
    config = verdict.config
    names = f"{config.get('candidate', 'candidate')} against {config.get('baseline', 'baseline')}"
    lines = [f"# {WORD[verdict.promote]}: {names}", ""]
    lines += [f"- {reason}" for reason in verdict.reasons] + [""]
    lines += [f"![Differences with their intervals]({plot})", ""] if plot else []
    lines += [*_table(verdict), ""]
    if verdict.skipped:
        lines += ["Not measured:", ""]
        lines += [f"- {name}: {why}" for name, why in verdict.skipped.items()] + [""]
    lines += ["What was run:", ""]
    lines += [f"- {key}: {_plain(value)}" for key, value in config.items()]
    return "\n".join(lines) + "\n"


def _table(verdict: Verdict) -> list[str]:
    head = ("metric", "baseline", "candidate", "difference", "interval", "asked", "n", "")
    rows = [head, ("---",) * len(head)]
    for one in verdict.metrics:
        rows.append(
            (
                f"`{one.metric}`", _figure(one.baseline), _figure(one.candidate),
                f"{one.difference:+.3f}", f"[{one.low:+.3f}, {one.high:+.3f}]", asked(one),
                str(one.units), mark(one),
            )
        )  # fmt: skip
    lines = [f"| {' | '.join(row)} |" for row in rows]
    texts = [f"- `{one.metric}`: {METRICS[one.metric].text}" for one in verdict.metrics]
    return [*lines, "", *texts]


def mark(one: Judged) -> str:
    """Return what a metric says of the candidate, in a word."""
    if one.against:
        return "refused"
    return "improved" if one.improved else "held"


def asked(one: Judged) -> str:
    """Return what is asked of a metric, in short."""
    rule, less = one.rule, "less" if one.rule.better == "higher" else "more"
    said = [f"{rule.better} is better"]
    said += [f"{rule.margin:.3g} {less} tolerated"] if rule.margin is not None else []
    said += [f"at most {rule.at_most:.3g}"] if rule.at_most is not None else []
    said += [f"at least {rule.at_least:.3g}"] if rule.at_least is not None else []
    said += [f"{rule.new_at_most} new failures"] if rule.new_at_most is not None else []
    return ", ".join(said)


def _figure(value: float) -> str:
    return f"{value:.3f}"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(one)}" for key, one in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
