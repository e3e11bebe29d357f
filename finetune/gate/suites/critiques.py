"""Like-this-but-X cases made from the catalog, answered by whole turns of a contestant."""

from __future__ import annotations

from dataclasses import dataclass, replace

from finetune.contestant import Contestant
from finetune.critiques.format import Case
from finetune.critiques.report import make_cases
from finetune.critiques.scoring import score
from finetune.critiques.systems import Dialogue
from finetune.errors import FinetuneError
from finetune.gate.bench import Bench, Opened
from finetune.gate.metrics import Mean, Readings
from finetune.gate.suite import Examine, NotMeasured

METRICS = ("change_accuracy", "keep_accuracy", "violation_rate")


def make(bench: Bench) -> CritiqueSuite:
    """Return the suite over the main catalog.

    Raises:
        NotMeasured: If no critique can be made over it.
    """
    try:
        _, cases = make_cases(bench.main.retriever, bench.n(40, 300), bench.seed)
    except FinetuneError as error:
        raise NotMeasured(str(error)) from error
    return CritiqueSuite(bench.main, {case.id: case for case in cases})


@dataclass(frozen=True, slots=True)
class CritiqueSuite:
    """One unit a case."""

    catalog: Opened
    cases: dict[str, Case]
    name: str = "critiques"

    @property
    def units(self) -> tuple[str, ...]:
        """Return the ids of the cases."""
        return tuple(self.cases)

    def examiner(self, contestant: Contestant) -> Examine:
        """Return what answers a case with the contestant's voice."""
        retriever = self.catalog.retriever
        voice = contestant.voice(retriever)
        plain = Dialogue.over(retriever, self.catalog.linker, voice.planner)
        dialogue = Dialogue(replace(plain.parts, chooser=voice.chooser, voice=voice.name))

        def examine(unit: str) -> Readings:
            case = self.cases[unit]
            found = score(case, dialogue(case), self.catalog.items).figures
            return {f"{self.name}.{name}": Mean(found[name]) for name in METRICS}

        return examine
