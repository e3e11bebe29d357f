"""What a round is reminded of, so that it does not forget: earlier pairs and ordinary turns.

Earlier pairs come from the folders of earlier rounds as they are now: rows that were taken out of
them because a user left are not remembered here either. Ordinary turns are phrases filled from the
catalog, as the house model was taught with. This module trains nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

from agent.linking import Linker
from finetune.house.examples import Losses
from finetune.house.make import written_phrases
from finetune.house.rows import Row, plan_rows
from finetune.house.worlds import World
from finetune.pairs.rows import Pair, read_pairs
from retrieval.retriever import Retriever

TRAIN = "train.jsonl"

EARLIER = 1.0
"""Earlier pairs for each pair of the round: half of what is learned is new."""
ORDINARY = 0.5
"""Ordinary turns for each pair of the round."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The rows a round is trained on beside its own.

    Args:
        path: JSONL of all of them.
        earlier, ordinary: How many of each there are.
    """

    path: Path
    earlier: int
    ordinary: int


def write_replay(
    out: Path, retriever: Retriever, folders: Iterable[Path], pairs: int, seed: int
) -> Replay:
    """Write what a round of so many pairs is reminded of.

    Args:
        folders: Folders of pairs of earlier rounds.
    """
    earlier = earlier_pairs(folders, round(EARLIER * pairs), seed)
    ordinary = ordinary_rows(retriever, round(ORDINARY * pairs), seed)
    rows = [*(pair.row() for pair in earlier), *ordinary]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return Replay(out, len(earlier), len(ordinary))


def earlier_pairs(folders: Iterable[Path], most: int, seed: int) -> list[Pair]:
    """Return at most so many pairs of earlier rounds, every round and kind with its share.

    Which ones is decided by their hashes: the same in every run, and a pair that was chosen once
    tends to be chosen again.
    """
    groups: dict[tuple[str, str], list[Pair]] = {}
    seen: set[str] = set()
    for folder in folders:
        if not (folder / TRAIN).is_file():
            continue
        for pair in read_pairs(folder / TRAIN, []):
            if pair.id not in seen:
                seen.add(pair.id)
                groups.setdefault((folder.name, pair.kind), []).append(pair)
    for group in groups.values():
        group.sort(key=lambda pair: _draw(pair.id, seed))
    return list(islice(_in_turn(list(groups.values())), most))


def _draw(id: str, seed: int) -> str:
    return sha256(f"{seed}/{id}".encode()).hexdigest()


def _in_turn(groups: Sequence[Sequence[Pair]]) -> Iterable[Pair]:
    for place in range(max(map(len, groups), default=0)):
        for group in groups:
            if place < len(group):
                yield group[place]


def ordinary_rows(retriever: Retriever, count: int, seed: int) -> list[Row]:
    """Return turns in ordinary words over a catalog, each with the plan that it means."""
    if not count:
        return []
    world = World(
        retriever.name, tuple(retriever.items()), retriever.facets, Linker.build(retriever).link
    )
    return list(islice(plan_rows(written_phrases(), [world], seed, Losses()), count))


def kinds(pairs: Iterable[Pair]) -> dict[str, int]:
    """Return how many pairs of each kind there are."""
    return dict(Counter(pair.kind for pair in pairs))
