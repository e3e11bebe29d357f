"""What is said, and what a sensible model makes of it: labelled dialogues over the demo catalog.

Whoever plays the model finds the turn by the words in its prompt, whatever the prompt looks like.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "finetune" / "data"
SETS = ("dev", "dev2", "test", "heldout")
SHOWING = {"recommend", "refine", "like", "more", "reject", "undo", "reset"}
"""Acts after which a sensible agent searches; the rest it answers from what it has shown."""


@dataclass(frozen=True)
class Said:
    """One utterance, and the search that a sensible agent makes for it, if any."""

    text: str
    search: dict[str, Any] | None


@dataclass(frozen=True)
class Talk:
    """One conversation."""

    id: str
    turns: tuple[Said, ...]


def talks() -> list[Talk]:
    """Return the labelled conversations over the demo catalog."""
    found = []
    for name in SETS:
        lines = (DATA / f"understanding_{name}.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [row for row in map(json.loads, lines) if row["catalog"] == "demo"]
        found += [Talk(row["id"], tuple(map(_said, row["turns"]))) for row in rows]
    return found


def _said(turn: dict[str, Any]) -> Said:
    expect = turn["expect"]
    acts = {one if isinstance(one, str) else one[0] for one in expect["acts"]}
    return Said(turn["text"], _search(expect) if acts & SHOWING else None)


def _search(expect: dict[str, Any]) -> dict[str, Any]:
    words, filters = list(expect.get("soft", ())), []
    for one in expect["constraints"]:
        if "in" in one:
            words += map(str, one["in"])
        for key, op in (("max", "lte"), ("min", "gte")):
            if key in one:
                filters.append({"facet": one["facet"], "op": op, "value": one[key]})
        if "not_in" in one:
            words += [f"not {value}" for value in one["not_in"]]
    return {"query": " ".join(words) or "anything", "filters": filters}


def locate(prompt: str, known: list[Talk]) -> Said | None:
    """Return the turn that a prompt is about: the latest whose words are in it."""
    for talk in known:
        if talk.turns[0].text in prompt:
            return max(talk.turns, key=lambda said: prompt.rfind(said.text))
    return None
