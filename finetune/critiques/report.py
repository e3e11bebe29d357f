"""The evaluation of critiques: makes or takes cases, asks every system, and reports.

attune evaluate critiques [--catalog FILE | DIR] [--n 2000] [--seed 0] [--out FILE] [--json]
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import track

from agent.dialogue import Linker
from agent.planner import Planner
from finetune.critiques.cases import CaseMaker
from finetune.critiques.format import Case, Header, catalog_hash
from finetune.critiques.scoring import Outcome, at_equal_change, by_kind, figures, intervals, score
from finetune.critiques.systems import OURS, PLAN_GIVEN, Baselines, Dialogue, PlanGiven, System
from finetune.errors import LabelError
from retrieval.catalog import Item
from retrieval.retriever import Retriever

ANSWERS = "answers given"
_SHOWN_ERRORS = 20


def make_cases(retriever: Retriever, n: int, seed: int) -> tuple[Header, list[Case]]:
    """Return n cases over a catalog with their header.

    Raises:
        FinetuneError: If no critique can be made over this catalog.
    """
    items = list(retriever.items())
    cases = CaseMaker(items, retriever.facets, retriever.name).cases(n, seed)
    header = Header(
        catalog=retriever.name, items=len(items), hash=catalog_hash(items), seed=seed,
        cases=len(cases),
    )  # fmt: skip
    return header, cases


def check_cases(header: Header, cases: Sequence[Case], retriever: Retriever) -> None:
    """Raise LabelError if cases were made over other items than the catalog's."""
    items = list(retriever.items())
    ids = {item.id for item in items}
    missing = next((case.reference for case in cases if case.reference not in ids), None)
    if missing is not None:
        raise LabelError(
            f"the cases are about {header.catalog!r}, whose item {missing!r} is not in "
            f"{retriever.name!r}; give the catalog they were made from with --catalog"
        )
    if catalog_hash(items) != header.hash:
        raise LabelError(
            f"the cases were made over {header.items} items of {header.catalog!r} that differ from "
            f"the {len(items)} of {retriever.name!r}: the gold items would not be right; index the "
            "same file, or make new cases"
        )


def evaluate(
    retriever: Retriever,
    linker: Linker,
    planner: Planner,
    header: Header,
    cases: Sequence[Case],
    *,
    config: Mapping[str, Any],
    answers: Mapping[str, tuple[str, ...]] | None = None,
    progress: bool = False,
    by_case: bool = False,
) -> dict[str, Any]:
    """Return the report: figures of ours, of ours with the plan given, and of each baseline.

    Args:
        by_case: Also what each case adds to the figures of ours.
        answers: Those of a system outside, by id of the case; they stand beside the baselines.
    """
    dialogue = Dialogue.over(retriever, linker, planner)
    systems: dict[str, System] = {
        OURS: dialogue, PLAN_GIVEN: PlanGiven(retriever), **Baselines(retriever).all(),
    }  # fmt: skip
    if answers is not None:
        systems[ANSWERS] = lambda case: answers[case.id]
    items = {item.id: item for item in retriever.items()}
    scored: dict[str, list[Outcome]] = {}
    seconds: dict[str, float] = {}
    for name, system in systems.items():
        began = time.perf_counter()
        given = [system(case) for case in _shown(cases, name, progress)]
        seconds[name] = time.perf_counter() - began
        scored[name] = [score(c, a, items) for c, a in zip(cases, given, strict=True)]
    baselines = [name for name in systems if name not in (OURS, PLAN_GIVEN)]
    seed = header.seed
    return {
        "ours": figures(scored[OURS]),
        "intervals": intervals(scored[OURS], seed),
        "ours_plan_given": figures(scored[PLAN_GIVEN]),
        "baselines": {name: figures(scored[name]) for name in baselines},
        "keep_at_equal_change": {
            name: at_equal_change(scored[OURS], scored[name], seed) for name in baselines
        },
        "by_kind": {name: by_kind(outcomes, seed) for name, outcomes in scored.items()},
        "errors": _errors(scored[OURS], items, dialogue),
        "ms_per_case": {name: round(1000 * s / len(cases), 2) for name, s in seconds.items()},
        "n": len(cases),
        "config": {"catalog": header.catalog, "items": header.items, **config},
        "hash": header.hash,
        "seed": seed,
        **({"cases": _cases(scored[OURS])} if by_case else {}),
    }


def _cases(outcomes: Sequence[Outcome]) -> dict[str, dict[str, list[float]]]:
    """Return what each case adds to the figures; other words or another item are another case."""
    return {
        f"{one.case.id} {one.case.reference} {one.case.text}": {
            name: [value, 1] for name, value in one.figures.items()
        }
        for one in outcomes
    }


def _shown(cases: Sequence[Case], name: str, progress: bool) -> Iterable[Case]:
    return track(cases, name, console=Console(stderr=True), disable=not progress, transient=True)


def _errors(
    outcomes: Sequence[Outcome], items: Mapping[str, Item], dialogue: Dialogue
) -> list[dict[str, Any]]:
    """Return the cases that ours got wrong, worst first, with what was understood."""
    wrong = [one for one in outcomes if one.figures["violation_rate"] or not one.answer]
    wrong += [one for one in outcomes if one not in wrong and one.figures["keep_accuracy"] < 0.8]
    found = []
    for one in wrong[:_SHOWN_ERRORS]:
        need = dialogue.turn(one.case).state.need
        found.append(
            {
                "id": one.case.id, "text": one.case.text, "kind": one.case.kind,
                "asked": {key: getattr(one.case, key) for key in ("change", "negate", "relative")},
                "understood": [
                    c.model_dump(mode="json", exclude_defaults=True, exclude={"family", "turn"})
                    for c in need.constraints
                ],
                "like": need.like.item_id if need.like else None,
                "violated": bool(one.figures["violation_rate"]),
                "keep_accuracy": round(one.figures["keep_accuracy"], 3),
            }
        )  # fmt: skip
    return found
