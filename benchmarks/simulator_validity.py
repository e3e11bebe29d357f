"""How far the simulator's satisfaction agrees with people's judgements of dialogues.

    python -m benchmarks.simulator_validity

Reads CRSArena's closed set (nine systems, satisfied or frustrated) and the satisfaction ratings of
ReDial and CCPE (1 to 5, three to five raters) from ../shared/data, where they are; and simulates
users over the demo catalog, to compare what the words alone say with what is known of them. Writes
benchmarks/results/simulator_validity.json. Nothing of the dialogues is kept.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

from agent.planner import RulePlanner
from agent.store import Store
from agent.voice import RULES, Voice
from finetune.contestant import Contestant
from finetune.simulator import read_population, simulate
from finetune.simulator.transcripts import Said
from finetune.simulator.validity import Judged, Part, part_of, validity
from ui import wiring
from ui.settings import Settings

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
OUT = ROOT / "benchmarks" / "results" / "simulator_validity.json"
RATED = ("redial", "ccpe")
USERS = 200
OVERALL = "OVERALL"
"""Stands for the judgement of a whole dialogue."""


def read(name: str) -> list[dict[str, Any]]:
    """Return the rows of a data file."""
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def arena() -> list[Judged]:
    """Return CRSArena's dialogues."""
    return [
        Judged(
            dialogue=f"crsarena/{row['id']}", said=said(row["turns"]), system=row["agent"],
            rating=float(row["metadata"]["sentiment"] == "satisfied"),
        )
        for row in read("dialogs_crsarena_closed")
    ]  # fmt: skip


def rated(name: str) -> tuple[list[Judged], list[Judged]]:
    """Return the dialogues of a rated set, and their single turns, each by the user's words."""
    whole, single = [], []
    for row in read(f"{name}_satisfaction"):
        id = f"{name}/{row['id']}"
        turns = [turn for turn in row["turns"] if turn["text"] != OVERALL]
        overall = [turn for turn in row["turns"] if turn["text"] == OVERALL]
        whole += [Judged(id, said(turns), fmean(turn["satisfaction"])) for turn in overall[-1:]]
        single += [
            Judged(id, said([turn]), fmean(turn["satisfaction"]))
            for turn in turns
            if turn["role"] == "user" and turn["satisfaction"]
        ]
    return whole, single


def said(turns: Sequence[dict[str, Any]]) -> tuple[Said, ...]:
    """Return the messages of a dialogue."""
    return tuple(
        Said("user" if turn["role"] == "user" else "system", turn["text"]) for turn in turns
    )


def measured(part: Part) -> dict[str, Any]:
    """Return the figures of one part of the split."""
    sets = {"crsarena": arena()}
    for name in RATED:
        whole, single = rated(name)
        sets |= {f"{name}_dialogues": whole, f"{name}_turns": single}
    found = {}
    for name, judged in sets.items():
        own = [one for one in judged if part_of(one.dialogue) == part]
        dialogues = len({one.dialogue for one in own})
        figures = validity(own, binary=name == "crsarena")
        found[name] = {"n": len(own), "dialogues": dialogues, **figures}
    return found


def simulated() -> dict[str, Any]:
    """Return how the formula read from words agrees with the formula of what really happened."""
    settings = Settings(llm="none")
    retriever = wiring.open_retriever(wiring.demo_project(settings), settings)
    rules = Contestant(RULES, lambda r: Voice(RULES, RulePlanner(r.facets)))
    judged = []
    with TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{Path(folder) / 'sessions.db'}")
        for name in ("plain", "dialect"):
            found = simulate(rules, retriever, store, read_population(name), USERS, 0)
            for one in found.counted:
                words = [(Said("user", line.text), Said("system", line.reply))
                         for line in one.transcript]  # fmt: skip
                judged.append(Judged(f"{name}/{one.user}", sum(words, ()), one.satisfaction))
        store.close()
    retriever.close()
    return {"n": len(judged), **validity(judged)}


def main() -> None:
    """Measure, write, print."""
    if not DATA.is_dir():
        print("no ../shared/data here: nothing to compare with")
        return
    report = {"test": measured("test") | {"simulated": simulated()}, "dev": measured("dev")}
    OUT.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    for name, own in report["test"].items():
        print(name, own["n"])
        for system in ("ours", "constant", "turns", "words"):
            figures = {key: one["value"] for key, one in own[system].items()}
            print("  ", system, figures)


if __name__ == "__main__":
    main()
