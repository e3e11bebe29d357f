"""The gate against adapters that are bad on purpose, against itself, and against a good one.

    python -m benchmarks.gate [--work DIR] [--seeds 20] [--out benchmarks/results/gate.json]

Trains one adapter on the house model for each fault of `finetune.gate.regressions` and judges it
with the small gate; so is one that was taught well ("good"). The gate is then shown the same
contestant twice, with the chance flips of a sampling model on both sides, once for every seed:
whatever it refuses there is refused wrongly. No part of this runs in a test.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.local_chat import LocalChat
from agent.planner import RulePlanner
from agent.voice import Voice
from agent.voices import house_voice
from finetune.bases import HOUSE
from finetune.contestant import Contestant
from finetune.gate import Verdict, evaluate_gate, read_thresholds
from finetune.gate.bench import Opened
from finetune.gate.faults import FAULTS, jittered, spoiled
from finetune.gate.regressions import BAD, GOOD, make_bad, write_held
from retrieval.retriever import Retriever
from ui import wiring
from ui.settings import Settings

CHEAP = ("understanding", "critiques", "behaviour")
"""Suites that take seconds by rules alone, on which many seeds are tried."""

FLIPS = 0.02
"""Share of the turns that a sampling model plans otherwise the next time."""

RESULTS = Path(__file__).parent / "results" / "gate.json"


def main() -> None:
    """Run all of it and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/gate"))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--suites", nargs="*", help="Judge adapters by these only; default: all.")
    parser.add_argument("--faults", nargs="*", default=[*BAD, GOOD], help="Adapters to judge.")
    parser.add_argument("--only", nargs="*", default=["adapters", "wrappers", "same"])
    args = parser.parse_args()
    logging.disable(logging.WARNING)
    settings = Settings()
    found = json.loads(args.out.read_text("utf-8")) if args.out.is_file() else {}
    retriever = wiring.open_retriever(wiring.demo_project(settings), settings)
    try:
        if "wrappers" in args.only:
            found["wrappers"] = wrappers(retriever)
            write(args.out, found)
        if "same" in args.only:
            found["same"] = same(retriever, args.seeds)
            write(args.out, found)
        if "adapters" in args.only:
            for name, own in adapters(retriever, args.work, args.faults, args.suites):
                found.setdefault("adapters", {})[name] = own
                write(args.out, found)
    finally:
        retriever.close()


def write(path: Path, found: dict[str, Any]) -> None:
    """Write the figures so far, with the sums that are quoted."""
    bad = {name: own for name, own in found.get("adapters", {}).items() if name in BAD}
    wrapped = found.get("wrappers", {})
    found["regressions_refused"] = {
        "adapters": _share([not own["promoted"] for own in bad.values()]),
        "adapters, by a loss": _share([bool(own["caught_by"]) for own in bad.values()]),
        "wrappers": _share([not own["promoted"] for own in wrapped.values()]),
    }
    path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(json.dumps(found["regressions_refused"]), flush=True)


def _share(refused: Sequence[bool]) -> str:
    return f"{sum(refused)}/{len(refused)}"


def adapters(
    retriever: Retriever, work: Path, faults: Sequence[str], suites: Sequence[str] | None
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield what the gate says of each adapter."""
    catalog, asked = Opened(retriever), read_thresholds()
    held = write_held(work / "held", catalog)
    if suites is not None:
        required = tuple(name for name in asked.required if name in suites)
        asked = asked.model_copy(update={"required": required})
    with LocalChat(HOUSE, name="house", threads=1, patience_s=300) as chat:
        chat.wait(300)  # the libraries of training must not be imported at the same time
        base = Contestant("base", lambda one: house_voice(chat, one, explains=True))
        for name in faults:
            began = time.perf_counter()
            folder = make_bad(name, catalog, work)
            trained = time.perf_counter() - began
            spoilt = Contestant(
                name, lambda one, own=folder: house_voice(chat, one, own, explains=True)
            )
            verdict = evaluate_gate(
                base, spoilt, retriever, pairs=held, thresholds=asked, small=True, suites=suites
            )
            yield name, {**told(verdict), "training_seconds": round(trained, 1)}


def wrappers(retriever: Retriever) -> dict[str, Any]:
    """Return what the gate says of the faults put on the rules from outside."""
    rules = Contestant("rules", lambda one: Voice("rules", RulePlanner(one.facets)))
    asked = read_thresholds().model_copy(update={"must_improve": False})
    return {
        fault: told(
            evaluate_gate(rules, spoiled(rules, fault), retriever, thresholds=asked, small=True)
        )
        for fault in FAULTS
    }


def same(retriever: Retriever, seeds: int) -> dict[str, Any]:
    """Return how often the gate refuses a contestant beside itself: wrongly, each time."""
    rules = Contestant("rules", lambda one: Voice("rules", RulePlanner(one.facets)))
    asked = read_thresholds().model_copy(update={"must_improve": False, "required": CHEAP})
    refused: dict[str, list[str]] = {}
    gained = 0
    for seed in range(seeds):
        ours, theirs = (jittered(rules, FLIPS, f"{side} {seed}") for side in ("ours", "theirs"))
        verdict = evaluate_gate(
            theirs, ours, retriever, thresholds=asked, small=True, seed=seed, suites=CHEAP
        )
        gained += any(one.improved for one in verdict.metrics)
        if not verdict.promote:
            refused[str(seed)] = list(verdict.caught_by)
        print(f"seed {seed}: {verdict.reasons[0]}", flush=True)
    return {"seeds": seeds, "flips": FLIPS, "suites": CHEAP, "refused": len(refused),
            "by": refused, "gains_seen": gained}  # fmt: skip


def told(verdict: Verdict) -> Mapping[str, Any]:
    """Return what is kept of a verdict."""
    return {
        "promoted": verdict.promote,
        "caught_by": list(verdict.caught_by),
        "reasons": list(verdict.reasons),
        "differences": {
            one.metric: [round(value, 4) for value in (one.difference, one.low, one.high)]
            for one in verdict.metrics
        },
        "candidate": {one.metric: round(one.candidate, 4) for one in verdict.metrics},
        "seconds": verdict.config["seconds"],
    }


if __name__ == "__main__":
    main()
