"""Promote or refuse: what two contestants made of the same units, against the thresholds. Pure.

A candidate is promoted when every loss above its margin can be ruled out, every limit holds, and
at least one metric has improved. Losses: all the tests must pass, so none is made easier by there
being many of them, and no correction is due (intersection-union test; Berger, Technometrics 1982).
Gains: one is enough, so their p-values are corrected (Holm, Scand. J. Statist. 1979).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from finetune.errors import GateError
from finetune.gate.metrics import METRICS, suite_of
from finetune.gate.pairing import Paired, difference, worse_units
from finetune.gate.thresholds import Rule, Thresholds
from retrieval.metrics import holm

_ROUNDING = 1e-9
_NAMED = 8


@dataclass(frozen=True, slots=True)
class Judged:
    """One metric of both contestants, and what is held against the candidate.

    Args:
        low, high: Interval of candidate minus baseline.
        loss: Upper end of the loss: negative where the candidate is surely better.
        p: Of "no better" after Holm's correction; None where a gain here is no reason to promote.
        against: Why the metric speaks against the candidate, in words; empty: it does not.
    """

    metric: str
    rule: Rule
    candidate: float
    baseline: float
    low: float
    high: float
    units: int
    p: float | None = None
    improved: bool = False
    against: tuple[str, ...] = ()

    @property
    def difference(self) -> float:
        """Return candidate minus baseline."""
        return self.candidate - self.baseline

    @property
    def loss(self) -> float:
        """Return the largest loss that the interval leaves possible."""
        return -self.low if self.rule.better == "higher" else self.high


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says.

    Args:
        reasons: In words: everything against the candidate, else what speaks for it.
        metrics: Those measured, in the order of the thresholds.
        skipped: What was not measured, and why: suites, and metrics by their name.
        config: What was run: contestants, catalogs, seed, thresholds.
    """

    promote: bool
    reasons: tuple[str, ...]
    metrics: tuple[Judged, ...]
    skipped: Mapping[str, str]
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def caught_by(self) -> tuple[str, ...]:
        """Return the metrics that speak against the candidate."""
        return tuple(one.metric for one in self.metrics if one.against)


def decide(
    measured: Mapping[str, Paired],
    thresholds: Thresholds,
    *,
    skipped: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Verdict:
    """Return the verdict on what was measured.

    Args:
        measured: By metric.
        skipped: Suites that were not run, and why.

    Raises:
        GateError: If a metric is unknown, or a metric with a rule was neither measured nor skipped.
    """
    missing = dict(skipped or {})
    for name in measured:
        if name not in METRICS:
            raise GateError(f"unknown metric {name!r}; expected one of {', '.join(METRICS)}")
    judged, suites = list[Judged](), {suite_of(name) for name in measured}
    for name, rule in thresholds.metrics.items():
        both, suite = measured.get(name), suite_of(name)
        if suite not in suites and suite not in missing:
            raise GateError(
                f"the thresholds ask for {name!r}, but suite {suite!r} was neither run nor skipped"
            )
        if both is not None and both.units >= thresholds.least_units:
            judged.append(_judged(name, rule, both, thresholds, seed))
        elif suite in suites:
            missing[name] = _lacking(both, thresholds)
    return _verdict(_corrected(judged, thresholds), missing, thresholds)


def _lacking(both: Paired | None, thresholds: Thresholds) -> str:
    if both is None:
        return "no unit has a value"
    return f"{both.units} units, fewer than {thresholds.least_units}"


def _judged(name: str, rule: Rule, both: Paired, thresholds: Thresholds, seed: int) -> Judged:
    found = difference(both, seed, thresholds.resamples)
    low, high = found.interval(thresholds.confidence)
    p = found.p_better(rule.sign) if rule.improves else None
    one = Judged(name, rule, found.candidate, found.baseline, low, high, both.units, p)
    return replace(one, against=_against(one, both))


def _against(one: Judged, both: Paired) -> tuple[str, ...]:
    """Return what a metric has against the candidate, in words."""
    rule, said = one.rule, list[str]()
    if rule.margin is not None and one.loss > rule.margin + _ROUNDING:
        surely = one.high < 0 if rule.better == "higher" else one.low > 0
        how = "is worse" if surely else "may be worse"
        said.append(
            f"{how}: {moved(one)}, a loss of up to {one.loss:.3g} where {rule.margin:.3g} "
            "is tolerated"
        )
    if rule.at_most is not None and one.candidate > rule.at_most:
        said.append(f"is {one.candidate:.3g}, above the limit of {rule.at_most:.3g}")
    if rule.at_least is not None and one.candidate < rule.at_least:
        said.append(f"is {one.candidate:.3g}, below the limit of {rule.at_least:.3g}")
    if rule.new_at_most is not None:
        new = worse_units(both, rule.sign)
        if len(new) > rule.new_at_most:
            more = ", …" if len(new) > _NAMED else ""
            said.append(
                f"has {len(new)} new failures where {rule.new_at_most} are allowed: "
                f"{', '.join(new[:_NAMED])}{more}"
            )
    return tuple(said)


def moved(one: Judged) -> str:
    """Return from where to where a metric moved, with the interval of the difference."""
    return (
        f"{one.baseline:.3g} to {one.candidate:.3g}, "
        f"{one.difference:+.3g} [{one.low:+.3g}, {one.high:+.3g}]"
    )


def _corrected(judged: Sequence[Judged], thresholds: Thresholds) -> list[Judged]:
    """Return metrics with Holm's p where a gain is a reason to promote."""
    adjusted = holm({one.metric: one.p for one in judged if one.p is not None})
    return [
        replace(one, p=adjusted[one.metric], improved=adjusted[one.metric] <= thresholds.alpha)
        if one.metric in adjusted
        else one
        for one in judged
    ]


def _verdict(
    judged: Sequence[Judged], missing: Mapping[str, str], thresholds: Thresholds
) -> Verdict:
    against = [f"{one.metric} {why}" for one in judged for why in one.against]
    measured = {suite_of(one.metric) for one in judged}
    for suite in thresholds.required:
        if suite not in measured:
            why = missing.get(suite) or "too few units"
            against.append(f"{suite} is required and was not measured: {why}")
    gains = [f"{one.metric} improved: {moved(one)}" for one in judged if one.improved]
    if thresholds.must_improve and not gains:
        against.append(_no_gain([one.metric for one in judged if one.rule.improves]))
    reasons = against or gains or ["nothing got worse by more than is tolerated"]
    return Verdict(not against, tuple(reasons), tuple(judged), dict(missing))


def _no_gain(names: Sequence[str]) -> str:
    if not names:
        return "nothing improved: no metric that may improve was measured"
    return f"nothing improved: no gain can be told from chance in {', '.join(names)}"
