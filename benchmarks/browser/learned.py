"""A project in which something was learned, made up: adapters, gates' reports, pairs, experiments.

For tests and pictures of the owner's pages; the adapters have no use but to be listed.
"""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from agent.feedback import FeedbackEvent
from agent.logged import LoggedSession, LoggedSlate, LoggedTurn, Shown
from agent.plan import Act, Plan
from agent.state import State
from finetune.adapters import CONFIG, WEIGHTS, Card, write_card
from finetune.bases import Base, resolve
from finetune.pairs.rows import Pair, write_made
from finetune.registry import Registry
from finetune.weights import file_hash

METRICS = (
    ("held.preferred", 0.50, 0.03), ("understanding.state_exact", 0.80, 0.01),
    ("understanding.act_accuracy", 0.94, 0.004), ("critiques.change_accuracy", 0.97, 0.004),
    ("critiques.violation_rate", 0.012, -0.002), ("explanations.statement_precision", 0.985, 0.002),
)  # fmt: skip
"""Name, what the base has, and what an adapter after n rounds has more, times n."""


def write_adapter(folder: Path, number: int, base: Base | None = None) -> Path:
    """Write an adapter of a base; other numbers have other weights."""
    base = base or resolve("house")
    folder.mkdir(parents=True)
    values = np.full((2, 4), number, np.float32)
    save_file({"model.q_proj.lora_A.weight": values}, folder / WEIGHTS, {"format": "pt"})
    (folder / CONFIG).write_text(json.dumps({"r": 2, "base_model_name_or_path": base.name}))
    card = Card(
        name=folder.name, method="dpo", base=base.name, base_fingerprint=base.fingerprint,
        data_hash=f"{number:064x}", data={"rows": 40 * number}, prompts=("plan@2",),
        metrics={"eval_loss": 0.69 - number / 20}, config={}, libraries={},
        weights_hash=file_hash(folder / WEIGHTS), created="2026-11-20",
    )  # fmt: skip
    return write_card(folder, card).folder


def write_report(path: Path, name: str, number: int, beside: str, *, passed: bool = True) -> Path:
    """Write a gate's report on an adapter beside another one."""
    gain = number if passed else -3 * number
    ours = {metric: round(base + gain * step, 4) for metric, base, step in METRICS}
    since = number - 1 if passed else 1
    before = {metric: round(base + since * step, 4) for metric, base, step in METRICS}
    judged = {
        metric: {"candidate": ours[metric], "baseline": before[metric],
                 "interval": [round(ours[metric] - before[metric] - abs(step), 4),
                              round(ours[metric] - before[metric] + abs(step), 4)],
                 "improved": passed and metric == "held.preferred",
                 "against": [] if passed or step < 0 else ["may be worse"]}
        for metric, _, step in METRICS
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({
        "verdict": "promote" if passed else "refuse", "ours": ours, "baselines": {beside: before},
        "reasons": ["held.preferred improved"] if passed else ["understanding may be worse"],
        "metrics": judged, "config": {"candidate": name, "baseline": beside},
    }))  # fmt: skip
    return path


def add_adapters(project: Path, work: Path, base: Base | None = None) -> list[str]:
    """Add three adapters: the first was promoted, the second passed, the third was refused."""
    found = base or resolve("house")
    with Registry(project / "adapters", who="made up") as registry:
        names = [
            registry.add(write_adapter(work / f"round-{number}", number, found), found)
            for number in (1, 2, 3)
        ]
        first, second, third = names
        registry.promote(first, write_report(work / "gate-1.json", first, 1, "base"))
        registry.judge(second, write_report(work / "gate-2.json", second, 2, first))
        registry.judge(third, write_report(work / "gate-3.json", third, 3, first, passed=False))
    return names


def write_pairs(folder: Path, count: int = 12) -> None:
    """Write a set of pairs with its report."""
    chance = random.Random(7)
    folder.mkdir(parents=True)
    colours = ("black", "navy", "green", "red", "grey")
    pairs = []
    for number in range(count):
        good, bad = chance.sample(colours, 2)
        asked = f"a {good} jacket under {80 + 10 * number}"
        pairs.append(Pair(
            prompt=({"role": "system", "content": "plan"}, {"role": "user", "content": asked}),
            chosen=f"1. Rain jacket, {good}", rejected=f"1. Rain jacket, {bad}", kind="choice",
            session=f"s{number}", weight=1 + number / 10,
        ))  # fmt: skip
    write_made(folder / "train.jsonl", pairs[:-2])
    write_made(folder / "held.jsonl", pairs[-2:])
    none = {"plan": 0, "choice": 0, "explanation": 0}
    (folder / "report.json").write_text(json.dumps({
        "sessions": count, "people": count - 2, "hash": "0" * 64,
        "pairs": {"train": {**none, "choice": count - 2}, "held": {**none, "choice": 2}},
        "kto": {"train": none, "held": none},
        "dropped": {"plan": {"nothing was corrected": 9}, "choice": {}, "explanation": {}},
    }))  # fmt: skip


def shopped(
    number: int | str,
    voice: str,
    *,
    bought: bool,
    policy: str = "greedy",
    begun: datetime | None = None,
    said: str = "shoes",
) -> LoggedSession:
    """Return a session of somebody of their own: one turn, two items shown, one perhaps bought."""
    begun = begun or datetime.now(UTC) - timedelta(minutes=5)
    name = f"{voice[:20]}-{policy[-4:]}-{number}".replace(":", "-").replace("+", "-")
    items = tuple(Shown(item_id=str(n), rank=n, score=1.0, fields={}) for n in (1, 2))
    plan = Plan(acts=(Act(act="recommend"),), utterance=said)
    turn = LoggedTurn(
        id=f"{name}-t", number=1, time=begun, utterance=said, reply="Here.", plan=plan,
        state=State(turn=1), slate_id=f"{name}-s", voice=voice,
    )  # fmt: skip
    slate = LoggedSlate(id=f"{name}-s", turn_id=turn.id, policy=policy, time=begun, items=items)
    event = FeedbackEvent(slate_id=slate.id, item_id="2", kind="select", time=begun)
    return LoggedSession(
        id=name, user=f"user-{name}", created=begun, turns=(turn,),
        slates=(slate,), events=(event,) if bought else (),
    )  # fmt: skip
