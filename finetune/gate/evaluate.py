"""The gate from end to end: suites made, run for both contestants, judged.

evaluate_gate(baseline, candidate, retriever, small=True) -> Verdict
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from finetune.contestant import Contestant
from finetune.critiques.format import catalog_hash
from finetune.errors import GateError
from finetune.gate.bench import Bench, Opened, once
from finetune.gate.decision import Verdict, decide
from finetune.gate.pairing import Paired
from finetune.gate.suite import NotMeasured, Suite, run
from finetune.gate.suites import SUITES
from finetune.gate.thresholds import Thresholds, read_thresholds
from finetune.simulator.population import Population
from retrieval.retriever import Retriever


def evaluate_gate(
    baseline: Contestant,
    candidate: Contestant,
    retriever: Retriever,
    *,
    others: Sequence[Retriever] = (),
    pairs: Path | None = None,
    thresholds: Thresholds | None = None,
    population: Population | None = None,
    users: int | None = None,
    small: bool = False,
    seed: int = 0,
    suites: Sequence[str] | None = None,
    progress: bool = False,
) -> Verdict:
    """Return whether a candidate may replace a baseline, with everything measured.

    Args:
        retriever: The catalog that critiques, explanations and users are made over.
        others: Further catalogs, for the labelled dialogues over them.
        pairs: Folder of pairs; its held.jsonl is replayed.
        thresholds: By default the project's own, finetune/gate/thresholds.toml.
        users: How many simulated users there are, if not as many as `small` says.
        small: A sample that is done in about a minute.
        suites: Names of the suites to run; by default all there are.
        progress: Show bars on stderr.

    Raises:
        GateError: If a suite is unknown, or the thresholds do not fit.
    """
    asked = thresholds or read_thresholds()
    named = tuple(SUITES) if suites is None else tuple(suites)
    unknown = [name for name in named if name not in SUITES]
    if unknown:
        raise GateError(f"unknown suite {unknown[0]!r}; expected some of {', '.join(SUITES)}")
    left_out = {name: "not asked for" for name in SUITES if name not in named}
    catalogs = tuple(map(Opened, (retriever, *others)))
    with ExitStack() as stack:
        bench = Bench(catalogs, pairs, small, seed, population, users, stack)
        measured, skipped, seconds = _measured(
            named, bench, once(candidate), once(baseline), progress
        )
    judged_by = asked.of_small() if small else asked
    verdict = decide(measured, judged_by, skipped=left_out | skipped, seed=seed)
    config = {
        "candidate": candidate.name, "baseline": baseline.name,
        "catalogs": [one.name for one in catalogs], "small": small,
        "pairs": pairs.name if pairs else None,
        "population": population.name if population else "plain", "seed": seed,
        "hash": {
            "thresholds": asked.hash,
            **{one.name: catalog_hash(list(one.items.values())) for one in catalogs},
        },
        "seconds": seconds,
    }  # fmt: skip
    return replace(verdict, config=config)


def _measured(
    named: Iterable[str],
    bench: Bench,
    candidate: Contestant,
    baseline: Contestant,
    progress: bool,
) -> tuple[dict[str, Paired], dict[str, str], dict[str, float]]:
    """Return what was measured by metric, which suites were skipped and why, and what each took."""
    measured: dict[str, Paired] = {}
    skipped: dict[str, str] = {}
    seconds: dict[str, float] = {}
    for name in named:
        began = time.perf_counter()
        try:
            suite = SUITES[name](bench)
        except NotMeasured as reason:
            skipped[name] = str(reason)
            continue
        measured |= run(suite, candidate, baseline, _bar(suite, progress))
        seconds[name] = round(time.perf_counter() - began, 2)
    return measured, skipped, seconds


def _bar(suite: Suite, shown: bool) -> Callable[[Sequence[str]], Iterable[str]]:
    from tqdm import tqdm

    bar: Callable[[Sequence[str]], Iterable[str]] = partial(
        tqdm, desc=suite.name, disable=not shown, leave=False
    )
    return bar
