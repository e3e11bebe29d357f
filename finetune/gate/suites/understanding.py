"""Labelled dialogues, replayed with a contestant's planner; never the ones held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from random import Random

from agent.apply import apply
from finetune.catalogs import FILES
from finetune.contestant import Contestant
from finetune.extension import Extension
from finetune.gate.bench import Bench, Opened
from finetune.gate.metrics import Mean, Readings
from finetune.gate.suite import Examine, NotMeasured
from finetune.labels import Dialogue, read_dialogues
from finetune.replay import Parts
from finetune.scoring import TurnScore, Yardstick
from finetune.understanding import score_dialogue

SETS = ("understanding_dev", "understanding_dev2", "understanding_test")
SAMPLED = 40


def catalog_of(dialogue: Dialogue, catalogs: Sequence[Opened]) -> Opened | None:
    """Return the catalog that a dialogue is over, where it is opened and has its items."""
    name = FILES.get(dialogue.catalog, dialogue.catalog).split(".")[0]
    shown = {id for turn in dialogue.turns for id in turn.slate or ()}
    for one in catalogs:
        if one.name in (name, dialogue.catalog) and shown <= one.items.keys():
            return one
    return None


def make(bench: Bench) -> DialogueSuite:
    """Return the suite over the dialogues whose catalogs are here.

    Raises:
        NotMeasured: If no labelled dialogue is over these catalogs.
    """
    folder = Path(str(resources.files("finetune"))) / "data"
    labelled = [one for name in SETS for one in read_dialogues(folder / f"{name}.jsonl")]
    found = {
        one.id: (one, catalog)
        for one in labelled
        if (catalog := catalog_of(one, bench.catalogs)) is not None
    }
    if not found:
        had = ", ".join(repr(one.name) for one in bench.catalogs)
        raise NotMeasured(f"no labelled dialogue is over {had}; give the demo catalog too")
    if bench.small and len(found) > SAMPLED:
        kept = Random(f"dialogues {bench.seed}").sample(sorted(found), SAMPLED)
        found = {id: found[id] for id in kept}
    return DialogueSuite(found)


@dataclass(frozen=True, slots=True)
class DialogueSuite:
    """One unit a dialogue: its turns hang together."""

    dialogues: dict[str, tuple[Dialogue, Opened]]
    name: str = "understanding"

    @property
    def units(self) -> tuple[str, ...]:
        """Return the ids of the dialogues, those over one catalog together."""
        return tuple(sorted(self.dialogues, key=lambda id: (self.dialogues[id][1].name, id)))

    def examiner(self, contestant: Contestant) -> Examine:
        """Return what replays a dialogue with the contestant's planner."""
        sticks: dict[str, Yardstick] = {}

        def examine(unit: str) -> Readings:
            dialogue, catalog = self.dialogues[unit]
            facets = catalog.retriever.facets
            if catalog.name not in sticks:
                extension = Extension(list(catalog.items.values()))
                sticks[catalog.name] = Yardstick(extension, facets)
            planner = contestant.voice(catalog.retriever).planner
            parts = Parts(catalog.items, facets, catalog.linker.link, planner.plan, apply)
            return readings(score_dialogue(dialogue, parts, sticks[catalog.name]))

        return examine


def readings(scores: Sequence[TurnScore]) -> Readings:
    """Return what the turns of a dialogue add to each metric."""
    told = [score for score in scores if score.refs is not None]

    def share(turns: Sequence[TurnScore], right: Callable[[TurnScore], bool]) -> Mean:
        return Mean(float(sum(map(right, turns))), float(len(turns)))

    found = {
        "understanding.state_exact": share(scores, lambda turn: turn.state),
        "understanding.act_accuracy": share(scores, lambda turn: turn.acts),
    }
    if told:
        found["understanding.reference_accuracy"] = share(told, lambda turn: bool(turn.refs))
    return found
