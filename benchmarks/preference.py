"""Train on made-up preferences and ask about users, items and sentences that were never seen.

    python -m benchmarks.preference [--only NAME …] [--out JSON]

Each experiment is an adapter of its own for the house model; figures are written as they come, and
an experiment whose figures are there is not run again. Labels for understanding come from
finetune/data/understanding_dev.jsonl, never from the held-out file.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agent.local_chat import LocalChat
from benchmarks.preference_pairs import (
    choice_pairs,
    dialect_pairs,
    dialect_turns,
    write_folder,
)
from finetune.bases import HOUSE
from finetune.labels import read_dialogues
from finetune.planners import Contender, contenders, measure_labels
from finetune.preference import dpo, kto
from finetune.preference.config import DPOConfig, KTOConfig
from finetune.preference.data import Sources
from finetune.rule_parts import by_rules

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks/results/preference.json"
DEV = ROOT / "finetune/data/understanding_dev.jsonl"
HELD = 200
CATALOGS = ("demo", "fashion")
"""Whose dialogues are planned before and after; "demo" where the shared ones are not here."""


def taste(work: Path, pairs: int, **given: Any) -> dict[str, Any]:
    """Learn the taste by DPO from so many choices."""
    folder = write_folder(
        work / "pairs", choice_pairs(pairs, 1, held=False), choice_pairs(HELD, 1, held=True)
    )
    config = DPOConfig(base="house", cpu=True, **given)
    return _told(dpo.train(config, Sources((folder,)), work / "adapter").card.metrics, pairs, given)


def taste_by_verdicts(work: Path, pairs: int, **given: Any) -> dict[str, Any]:
    """Learn the taste by KTO from the same choices, each answer on its own."""
    folder = write_folder(
        work / "pairs", choice_pairs(pairs, 1, held=False), choice_pairs(HELD, 1, held=True)
    )
    config = KTOConfig(base="house", cpu=True, **given)
    return _told(kto.train(config, Sources((folder,)), work / "adapter").card.metrics, pairs, given)


def dialect(work: Path, pairs: int, **given: Any) -> dict[str, Any]:
    """Learn the dialect; plan unseen sentences in it, and ordinary ones, before and after."""
    held = dialect_turns(60, 1, held=True)
    folder = write_folder(
        work / "pairs", dialect_pairs(dialect_turns(pairs, 1, held=False)), dialect_pairs(held)
    )
    config = DPOConfig(base="house", cpu=True, **given)
    adapter = dpo.train(config, Sources((folder,)), work / "adapter")
    found = _told(adapter.card.metrics, pairs, given)
    with LocalChat(HOUSE, threads=1, patience_s=120.0) as chat:
        for name in ("before", "after"):
            model = chat if name == "before" else chat.load_adapter(name, adapter.folder)
            # The model alone: what it would say, not what the rules let through.
            _, alone, both = contenders(model, deadline_s=60.0)
            found[name] = {"dialect": _understood(alone, held), "ordinary": _ordinary(alone, both)}
    return found


def _understood(planner: Contender, held: list[Any]) -> float:
    """Return the share of turns whose plan avoids what is to be avoided, and wants it nowhere."""
    right = 0
    for request, act in held:
        acts = planner.plan(request).acts
        avoided = {id for one in acts for id in one.avoid}
        wanted = {id for one in acts for id in (*one.want, *one.prefer)}
        right += set(act.avoid) <= avoided and not set(act.avoid) & wanted
    return right / len(held)


def _ordinary(*runners: Contender) -> dict[str, Any]:
    make = by_rules()
    dialogues = [
        one for one in read_dialogues(DEV) if one.catalog in CATALOGS and make(one.catalog)
    ]
    found = measure_labels(runners, dialogues, make)
    names = ("state_exact", "act_accuracy")
    return {runner.name: {name: found[runner.name][name] for name in names} for runner in runners}


def _told(metrics: dict[str, float], pairs: int, given: dict[str, Any]) -> dict[str, Any]:
    return {"pairs": pairs, "config": given, **metrics}


EXPERIMENTS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "dialect, 120 pairs": lambda work: dialect(work, 120),
    "taste, 300 pairs": lambda work: taste(work, 300),
    "taste, 100 pairs": lambda work: taste(work, 100),
    "taste, 300 pairs, KTO": lambda work: taste_by_verdicts(work, 300),
    "taste, 300 pairs, S-DPO": lambda work: taste(work, 300, loss="softmax"),
    "taste, 1000 pairs": lambda work: taste(work, 1000),
    "taste, 300 pairs, rank 4": lambda work: taste(work, 300, rank=4),
    "taste, 300 pairs, SFT weight .1": lambda work: taste(work, 300, sft_weight=0.1),
    "taste, 300 pairs, no reference": lambda work: taste(work, 300, reference="none"),
    "taste, 300 pairs, beta .5": lambda work: taste(work, 300, beta=0.5),
}


def main() -> None:
    """Run the experiments that have no figures yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=EXPERIMENTS)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    results = json.loads(given.out.read_text("utf-8")) if given.out.exists() else {}
    for name in given.only or EXPERIMENTS:
        if name in results:
            continue
        began = time.process_time()
        with TemporaryDirectory() as work:
            found = EXPERIMENTS[name](Path(work))
        found["cpu_seconds"] = round(time.process_time() - began, 1)
        results[name] = found
        given.out.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
        print(name, json.dumps(found))


if __name__ == "__main__":
    main()
