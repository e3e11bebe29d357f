"""Training rows of the house model, in TRL's prompt/completion form, one JSON object a line.

    {"prompt": [system, user], "completion": [assistant], "source": "items"}

Plans come from phrase lines and human phrasing by way of the linker, explanations from facts.
`attune tune sft` reads the same rows for any other base.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

from agent.plan_answer import BadPlan
from agent.tagged_prompt import tagged_messages
from finetune.house.examples import Example, Losses, examples
from finetune.house.phrases_format import Phrase
from finetune.house.worlds import World

Row = dict[str, Any]

HELD_OUT = 20
"""One phrase in this many is never trained on."""


def is_held_out(phrase: Phrase) -> bool:
    """Return whether a phrase is kept for measuring; the same phrases in every run."""
    return crc32(phrase.text.encode()) % HELD_OUT == 0


def plan_row(example: Example) -> Row:
    """Return the row of an example.

    Raises:
        BadPlan: If its plan can't be written over its mentions.
    """
    return {
        "prompt": [dict(message) for message in tagged_messages(example.request)],
        "completion": [{"role": "assistant", "content": example.answer}],
        "source": example.source,
    }


def plan_rows(
    phrases: Sequence[Phrase], worlds: Sequence[World], seed: int, losses: Losses
) -> Iterator[Row]:
    """Yield rows of phrases for ever."""
    for example in examples(phrases, worlds, Random(seed), losses):
        try:
            yield plan_row(example)
        except BadPlan:
            losses.why["cannot be written"] += 1


def mixed(sources: Sequence[tuple[Iterator[Row], float]], seed: int) -> Iterator[Row]:
    """Yield rows of several endless sources, each as often as its weight says."""
    random = Random(seed)
    weights = [weight for _, weight in sources]
    while True:
        chosen = random.choices(sources, weights)[0]
        row = next(chosen[0], None)
        if row is None:
            return
        yield row


def write_rows(
    rows: Iterable[Row], path: Path, count: int, progress: Callable[[int], None] | None = None
) -> int:
    """Write rows to a file, which appears when it is complete; return how many."""
    partial = path.with_suffix(".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with partial.open("w", encoding="utf-8") as file:
        for row in islice(rows, count):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            written += 1
            if progress is not None:
                progress(written)
    partial.rename(path)
    return written


def read_rows(paths: Iterable[Path]) -> Iterator[Row]:
    """Yield the rows of files."""
    for path in paths:
        with path.open(encoding="utf-8") as file:
            for line in file:
                if line.strip():
                    yield json.loads(line)
