"""Make the house model's training rows: all sources together, and what is held out.

    attune house rows --out build/house --count 100000

Sources are listed with their weights; to have more of one, raise its weight. Human data is used
where the shared folder is, labels where their catalogs are.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.plan_answer import BadPlan
from finetune.house.examples import Losses
from finetune.house.explaining import rows as explanation_rows
from finetune.house.human import write_lines
from finetune.house.labelled import labelled_examples, yardstick
from finetune.house.phrases_format import Phrase, read_phrases
from finetune.house.rows import Row, is_held_out, mixed, plan_row, plan_rows, write_rows
from finetune.house.worlds import OPEN_CATALOGS, open_worlds
from finetune.labels import read_dialogues
from finetune.rule_parts import by_rules

logger = logging.getLogger(__name__)

PHRASES = Path(__file__).parent / "phrases"
NOT_PLANS = {"explain"}
UNSEEN = 600

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class RowsConfig:
    """What rows are made of.

    Args:
        count: Rows of plans from phrases.
        explanations: Rows of explanations.
        human_weight: How often a human phrase comes for each written one.
        labels: Label files whose turns become rows; never a file that is measured on.
        label_copies: How often each labelled turn comes.
        data: Folder of the shared data sets; without it there are no human phrases.
    """

    count: int = 100_000
    explanations: int = 8_000
    human_weight: float = 0.33
    labels: tuple[Path, ...] = ()
    label_copies: int = 6
    data: Path | None = None
    catalogs: tuple[str, ...] = OPEN_CATALOGS
    seed: int = 1


@dataclass(slots=True)
class Made:
    """What was made: file to number of rows, and why phrases came to nothing."""

    rows: dict[str, int] = field(default_factory=dict)
    losses: Losses = field(default_factory=Losses)


def make_rows(out: Path, config: RowsConfig, progress: Progress | None = None) -> Made:
    """Write rows of plans, explanations and labels, and `unseen.jsonl` to measure on."""
    made = Made()
    worlds = open_worlds(config.catalogs)
    written, human = written_phrases(), human_phrases(out, config)
    logger.info("%d written and %d human phrases", len(written), len(human))
    known = [phrase for phrase in written if not is_held_out(phrase)]
    unseen = [phrase for phrase in written if is_held_out(phrase)]
    sources = [(plan_rows(known, worlds, config.seed, made.losses), 1.0)]
    if human:
        sources.append(
            (plan_rows(human, worlds, config.seed + 1, made.losses), config.human_weight)
        )
    files: dict[str, tuple[Iterator[Row], int]] = {
        "unseen": (plan_rows(unseen, worlds, 7, made.losses), UNSEEN),
        "explanations": (_explanations(config), config.explanations),
        "labels": (_labels(config), 10**9),
        "plans": (mixed(sources, config.seed), config.count),
    }
    for name, (rows, count) in files.items():
        shown = progress if name == "plans" else None
        made.rows[name] = write_rows(rows, out / f"{name}.jsonl", count, shown)
    return made


def written_phrases() -> list[Phrase]:
    """Return the phrases written for this project."""
    files = [path for path in sorted(PHRASES.glob("*.txt")) if path.stem not in NOT_PLANS]
    return list(read_phrases(files))


def human_phrases(out: Path, config: RowsConfig) -> list[Phrase]:
    """Return the phrases of human data, none where it is absent; also written to `out`."""
    if config.data is None:
        return []
    write_lines(config.data, out, config.seed)
    return list(read_phrases(sorted(out.glob("human_*.txt")), strict=False))


def _explanations(config: RowsConfig) -> Iterator[Row]:
    for messages, completion in explanation_rows(config.seed, config.explanations):
        yield {
            "prompt": [dict(message) for message in messages],
            "completion": [{"role": "assistant", "content": completion}],
            "source": "explain",
        }


def label_rows(files: Sequence[Path]) -> Iterator[Row]:
    """Yield a row for every labelled turn that a plan was found for."""
    make_parts = by_rules()
    dialogues = [dialogue for path in files for dialogue in read_dialogues(path)]
    for catalog in dict.fromkeys(dialogue.catalog for dialogue in dialogues):
        parts = make_parts(catalog)
        if parts is None:
            logger.warning("the catalog %r is not here; its labels are left out", catalog)
            continue
        stick = yardstick(parts)
        for dialogue in dialogues:
            if dialogue.catalog == catalog:
                for example in labelled_examples(dialogue, parts, stick):
                    try:
                        yield plan_row(example)
                    except BadPlan as error:
                        logger.debug("left out: %s", error)


def _labels(config: RowsConfig) -> Iterator[Row]:
    rows = list(label_rows(config.labels))
    for _ in range(config.label_copies):
        yield from rows


def describe(made: Made) -> str:
    """Return what was made as JSON."""
    return json.dumps({"rows": made.rows, "lost": dict(made.losses.why)}, indent=2)
