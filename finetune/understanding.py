"""How well utterances are understood, measured on hand-labelled dialogues.

    attune evaluate understanding [--json]

`state_exact` is joint goal accuracy: the whole hard state after a turn is right, with the system's
own earlier errors still in it. Labels and their format: finetune/data/README.md.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from finetune.extension import Extension
from finetune.labels import Dialogue, Expect, LabelledTurn, read_dialogues
from finetune.phenomena import phenomena
from finetune.replay import BASELINES, Outcome, Parts, replay
from finetune.scoring import (
    Fault,
    TurnScore,
    Yardstick,
    acts_match,
    faults_of,
    refs_match,
    unscorable,
)
from finetune.scoring import soft_found as is_soft_found

MakeParts = Callable[[str], Parts | None]
"""Catalog name, as in the labels, to what understands it; None: that catalog is not here."""

METRICS = ("state_exact", "reference_accuracy", "act_accuracy", "soft_recall")
RESAMPLES = 1000


def _ratio(hits: int, total: int) -> float | None:
    return hits / total if total else None


def figures(scores: Sequence[TurnScore]) -> dict[str, float | None]:
    """Return the four figures of some turns; None where no turn has what is measured."""
    refs = [score.refs for score in scores if score.refs is not None]
    soft_total = sum(score.soft_total for score in scores)
    return {
        "state_exact": _ratio(sum(score.state for score in scores), len(scores)),
        "reference_accuracy": _ratio(sum(refs), len(refs)),
        "act_accuracy": _ratio(sum(score.acts for score in scores), len(scores)),
        "soft_recall": _ratio(sum(score.soft_found for score in scores), soft_total),
    }


def _by_dialogue(scores: Sequence[TurnScore]) -> list[list[TurnScore]]:
    groups: dict[str, list[TurnScore]] = {}
    for score in scores:
        groups.setdefault(score.dialogue, []).append(score)
    return list(groups.values())


def intervals(scores: Sequence[TurnScore], seed: int) -> dict[str, tuple[float, float] | None]:
    """Return bootstrap 95 % intervals; dialogues are resampled, since their turns hang together."""
    groups, random = _by_dialogue(scores), np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {metric: [] for metric in METRICS}
    for _ in range(RESAMPLES if groups else 0):
        chosen = random.integers(len(groups), size=len(groups))
        sample = figures([score for group in chosen for score in groups[group]])
        for metric, value in sample.items():
            if value is not None:
                drawn[metric].append(value)
    return {metric: _central(values) for metric, values in drawn.items()}


def _central(values: list[float]) -> tuple[float, float] | None:
    if not values:
        return None
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class UnderstandingReport:
    """Scores of every turn, those of the baselines, and which catalogs were not there."""

    name: str
    scores: tuple[TurnScore, ...]
    baselines: Mapping[str, tuple[TurnScore, ...]] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)
    seed: int = 0

    def breakdown(self, key: Callable[[TurnScore], Sequence[str]]) -> dict[str, dict[str, Any]]:
        """Return figures and turn count per group, largest group first."""
        groups: dict[str, list[TurnScore]] = {}
        for score in self.scores:
            for name in key(score):
                groups.setdefault(name, []).append(score)
        ranked = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
        return {name: {"n": len(group), **figures(group)} for name, group in ranked}

    def fault_counts(self) -> dict[str, int]:
        """Return how often each kind of error was newly made, most frequent first."""
        kinds = Counter(kind for score in self.scores for kind, _ in score.fresh)
        return dict(kinds.most_common())

    def unscored(self) -> dict[str, int]:
        """Return, per catalog and role without a facet there, how many turns' labels name it."""
        found = Counter(f"{score.catalog}: {r}" for score in self.scores for r in score.unscorable)
        return dict(found)

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "ours": figures(self.scores),
            "intervals": intervals(self.scores, self.seed),
            "baselines": {name: figures(scores) for name, scores in self.baselines.items()},
            "n": {
                "dialogues": len(_by_dialogue(self.scores)),
                "turns": len(self.scores),
                "references": sum(score.refs is not None for score in self.scores),
            },
            "by_catalog": self.breakdown(lambda score: (score.catalog,)),
            "by_phenomenon": self.breakdown(lambda score: score.phenomena),
            "errors": {"kinds": self.fault_counts(), "list": [*map(_error, self._wrong())]},
            "skipped": dict(self.skipped),
            "unscored_wishes": self.unscored(),
        }

    def cases(self) -> dict[str, dict[str, list[int]]]:
        """Return what each dialogue adds to the figures: hits, and what they are counted among."""
        return {
            group[0].dialogue: {
                "state_exact": [sum(one.state for one in group), len(group)],
                "reference_accuracy": [sum(one.refs or 0 for one in group),
                                       sum(one.refs is not None for one in group)],
                "act_accuracy": [sum(one.acts for one in group), len(group)],
                "soft_recall": [sum(one.soft_found for one in group),
                                sum(one.soft_total for one in group)],
            }
            for group in _by_dialogue(self.scores)
        }  # fmt: skip

    def _wrong(self) -> list[TurnScore]:
        return [score for score in self.scores if score.faults]


def _error(score: TurnScore) -> dict[str, Any]:
    return {
        "turn": f"{score.dialogue}:{score.index + 1}",
        "text": score.text,
        "new": [" ".join(fault).strip() for fault in score.fresh],
        "carried": [" ".join(f).strip() for f in score.faults if f not in score.fresh],
        "expected": score.expected,
        "understood": score.understood,
    }


def _expected(expect: Expect) -> str:
    shown = expect.model_dump(by_alias=True, exclude_defaults=True, mode="json")
    return ", ".join(f"{key}={value}" for key, value in shown.items())


def _understood(outcome: Outcome) -> str:
    need = outcome.state.need.model_dump(exclude_defaults=True, mode="json")
    acts = [act.act for act in outcome.plan.acts]
    return outcome.failure or f"acts={acts}, refs={list(outcome.refs)}, {need}"


def _score(
    outcome: Outcome, catalog: str, before: Expect | None, earlier: set[Fault], stick: Yardstick
) -> TurnScore:
    label, need = outcome.label, outcome.state.need
    faults = faults_of(outcome, stick)
    fresh = {fault for fault in faults if fault not in earlier or fault[0] in _NEVER_CARRIED}
    return TurnScore(
        dialogue=outcome.dialogue,
        index=outcome.index,
        catalog=catalog,
        text=label.text,
        phenomena=phenomena(label, before),
        state=not outcome.failure and any(stick.state_matches(need, r) for r in label.readings),
        refs=refs_match(outcome),
        acts=any(acts_match(outcome.plan, reading) for reading in label.readings),
        soft_found=sum(is_soft_found(need, wish) for wish in label.expect.soft),
        soft_total=len(label.expect.soft),
        faults=tuple(sorted(faults)),
        fresh=tuple(sorted(fresh)),
        expected=_expected(label.expect),
        understood=_understood(outcome),
        unscorable=unscorable(label.expect, stick.facets),
    )


_NEVER_CARRIED = ("wrong reference", "spurious reference", "wrong act", "crash")


def score_dialogue(dialogue: Dialogue, parts: Parts, stick: Yardstick) -> list[TurnScore]:
    """Return the score of every turn of a dialogue."""
    scores: list[TurnScore] = []
    before: LabelledTurn | None = None
    for outcome in replay(dialogue, parts):
        earlier = set(scores[-1].faults) if scores else set()
        expect = before.expect if before else None
        scores.append(_score(outcome, dialogue.catalog, expect, earlier, stick))
        before = outcome.label
    return scores


def evaluate(
    dialogues: Sequence[Dialogue], make_parts: MakeParts, name: str = "labels", seed: int = 0
) -> UnderstandingReport:
    """Replay labelled dialogues and score every turn, ours and each baseline's."""
    ours: list[TurnScore] = []
    baselines: dict[str, list[TurnScore]] = {name: [] for name in BASELINES}
    skipped: Counter[str] = Counter()
    for catalog in dict.fromkeys(dialogue.catalog for dialogue in dialogues):
        own = [dialogue for dialogue in dialogues if dialogue.catalog == catalog]
        parts = make_parts(catalog)
        if parts is None:
            skipped[catalog] = sum(len(dialogue.turns) for dialogue in own)
            continue
        stick = Yardstick(Extension(list(parts.items.values())), parts.facets)
        for dialogue in own:
            ours += score_dialogue(dialogue, parts, stick)
            for baseline, change in BASELINES.items():
                baselines[baseline] += score_dialogue(dialogue, change(parts), stick)
    frozen = {baseline: tuple(scores) for baseline, scores in baselines.items()}
    return UnderstandingReport(name, tuple(ours), frozen, dict(skipped), seed)


def pooled(reports: Sequence[UnderstandingReport], seed: int) -> UnderstandingReport:
    """Return the turns of several reports as one."""
    skipped: Counter[str] = Counter()
    for report in reports:
        skipped.update(report.skipped)
    return UnderstandingReport(
        "all",
        tuple(score for report in reports for score in report.scores),
        {b: tuple(s for report in reports for s in report.baselines[b]) for b in BASELINES},
        dict(skipped),
        seed,
    )


def evaluate_files(
    files: Mapping[str, Path],
    make_parts: MakeParts,
    config: Mapping[str, Any],
    seed: int = 0,
    apart: Collection[str] = (),
    by_case: bool = False,
) -> dict[str, Any]:
    """Return the JSON report of several label files: together, and each under `sets`.

    Args:
        apart: Names of files that are only reported under `sets`, not in the figures of all.
        by_case: Also what each dialogue adds to the figures of all.
    """
    reports = [
        evaluate(read_dialogues(path), make_parts, name, seed) for name, path in files.items()
    ]
    together = [report for report in reports if report.name not in apart] or reports
    config = {**config, "pooled": [report.name for report in together]}
    whole = pooled(together, seed)
    return {
        **whole.to_json(),
        **({"cases": whole.cases()} if by_case else {}),
        "sets": {report.name: report.to_json() for report in reports},
        "config": dict(config),
        "hash": {name: _digest(path) for name, path in files.items()},
        "seed": seed,
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
