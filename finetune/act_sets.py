"""Human turns with the acts that people, or what happened next, say they are.

    for act_set in act_sets(Path("../shared/data"), most=300): ...

Each set is a part of the shared data that nothing here is trained on; the labels of other projects
are mapped to sets of acceptable acts, and each mapping was written before a planner was run on its
set (`act_iard`, `act_sgd`, `act_simmc`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from finetune import act_iard, act_sgd, act_simmc
from finetune.act_turns import ActSet
from finetune.errors import LabelError

SOURCES = {"iard": act_iard, "sgd": act_sgd, "simmc1": act_simmc}


def act_sets(
    data: Path, most: int, seed: int = 0, names: Collection[str] = tuple(SOURCES)
) -> Iterator[ActSet]:
    """Yield the sets whose files are there, of each at most so many turns.

    Raises:
        LabelError: If none of the named sets is there.
    """
    there = [
        module
        for name, module in SOURCES.items()
        if name in names and all((data / f"{file}.jsonl.gz").exists() for file in module.FILES)
    ]
    if not there:
        raise LabelError(f"no human turns in {str(data)!r}; expected e.g. iard_intents.jsonl.gz")
    for module in there:
        yield module.read(data, most, seed)
