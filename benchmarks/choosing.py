"""Time what an adapter's rewards add to a turn: choosing among the head, and comparing two plans.

    python benchmarks/choosing.py [DIR] [--adapter FOLDER] [--rounds N] [--out JSON]

Sessions are held over a project (without DIR: the demo) by the house model in this process, once
as its base alone and once with an adapter beside it; without --adapter one that was never trained,
which costs the same. Every need is new, so nothing is remembered. Told are milliseconds of wall
clock, and of this process's CPU time, which other work on the machine does not change.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from agent.asking import Tagged
from agent.choosing import HEAD
from agent.dialogue import Parts, respond
from agent.linking import Linker
from agent.local_chat import LocalChat
from agent.plan import Act
from agent.planner import PlanRequest
from agent.reward import ImplicitReward
from agent.state import Need, Preference, State
from agent.store import Store
from agent.voice import Voice
from agent.voices import adapted, house_voice
from finetune.bases import HOUSE
from ui.settings import Settings
from ui.wiring import default_project, open_retriever

SAYS = ("something {} for a rainy day", "make it more {}", "rather {} than that", "only {} ones")
WORDS = (
    "warm",
    "light",
    "black",
    "classic",
    "sturdy",
    "simple",
    "elegant",
    "cheap",
    "soft",
    "blue",
)
PLANS = ((Act(act="recommend"),), (Act(act="more"),))

Times = dict[str, list[float]]


def timed(work: Callable[[], object], times: Times) -> None:
    """Do some work and note how long it took, in milliseconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    times.setdefault("wall_ms", []).append(1000 * (time.perf_counter() - wall))
    times.setdefault("cpu_ms", []).append(1000 * (time.process_time() - cpu))


def untrained(folder: Path) -> Path:
    """Write an adapter on the house model that changes nothing, of the usual size."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    config = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    get_peft_model(AutoModelForCausalLM.from_pretrained(HOUSE), config).save_pretrained(folder)
    return folder


def turns(parts: Parts, voice: Voice, rounds: int) -> Times:
    """Return the times of turns that show items, each with words of its own."""
    own = replace(parts, planner=voice.planner, chooser=voice.chooser, voice=voice.name)
    times: Times = {}
    for at in range(rounds):
        session = own.store.create_session()
        for turn, said in enumerate(SAYS):
            text = said.format(WORDS[(at + 3 * turn) % len(WORDS)])
            timed(partial(_take, own, session, text), times)
    return times


def _take(parts: Parts, session: str, text: str) -> None:
    for _ in respond(parts, session, text):
        pass


def choosing(parts: Parts, voice: Voice, rounds: int) -> Times:
    """Return the times of choosing among 12 items, for needs not seen before."""
    chooser, facets, times = voice.chooser, parts.retriever.facets, Times()
    assert chooser is not None
    for at in range(rounds * len(SAYS)):
        word = f"{WORDS[at % len(WORDS)]} {WORDS[at // len(WORDS) % len(WORDS)]} {at}"
        items = [one.item for one in parts.retriever.search(word, k=HEAD)]
        need = Need(preferences=(Preference(text=word),))
        timed(partial(chooser.rewards, need, items, facets), times)
    return times


def comparing(parts: Parts, reward: ImplicitReward, rounds: int) -> Times:
    """Return the times of comparing the rewards of two plans of a turn."""
    asking, times = Tagged(), Times()
    for at in range(rounds * len(SAYS)):
        text = SAYS[at % len(SAYS)].format(WORDS[at % len(WORDS)])
        mentions = parts.linker.link(text, State(), ())
        request = PlanRequest(text, mentions, State(), (), parts.retriever.facets)
        plans = [asking.written(acts, request) for acts in PLANS]
        timed(partial(reward.rewards, asking.messages(request), plans), times)
    return times


def summary(times: Times) -> dict[str, float]:
    """Return median and 95th percentile of each clock."""
    cuts = {name: statistics.quantiles(values, n=20) for name, values in times.items()}
    ends = {"p50": 9, "p95": 18}
    return {f"{name}_{end}": round(cut[at], 1) for name, cut in cuts.items()
            for end, at in ends.items()}  # fmt: skip


def measure(folder: Path, adapter: Path, rounds: int) -> dict[str, Any]:
    """Return every figure over a project."""
    with open_retriever(folder, Settings()) as retriever, LocalChat(HOUSE) as chat:
        plain, tuned = house_voice(chat, retriever), house_voice(chat, retriever, adapter)
        parts = Parts(Store("sqlite://"), retriever, Linker.build(retriever), plain.planner)
        turns(parts, tuned, 1)  # what is made at first use
        found = {
            "turn": summary(turns(parts, plain, rounds)),
            "turn_choosing": summary(turns(parts, tuned, rounds)),
            "choosing": summary(choosing(parts, tuned, rounds)),
            "comparing": summary(
                comparing(parts, ImplicitReward(adapted(chat, adapter), chat), rounds)
            ),
        }
    ratio = found["turn_choosing"]["cpu_ms_p50"] / found["turn"]["cpu_ms_p50"]
    return {"catalog": folder.name, "rounds": rounds, "ratio": round(ratio, 2), **found}


def show(report: dict[str, Any]) -> None:
    """Print the figures as a table."""
    table = Table("", "p50 wall", "p95 wall", "p50 CPU", "p95 CPU", title="milliseconds")
    for name in ("turn", "turn_choosing", "choosing", "comparing"):
        keys = ("wall_ms_p50", "wall_ms_p95", "cpu_ms_p50", "cpu_ms_p95")
        table.add_row(name, *(f"{report[name][key]:.0f}" for key in keys))
    Console().print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR")
    parser.add_argument("--adapter", type=Path, metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/choosing.json"))
    given = parser.parse_args(arguments)
    folder = given.folder or default_project(Settings())
    with tempfile.TemporaryDirectory() as made:
        adapter = given.adapter or untrained(Path(made) / "untrained")
        report = measure(folder, adapter, given.rounds)
    show(report)
    given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
