"""What suites measure on: opened catalogs, pairs, and how much of them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from agent.linking import Linker
from agent.voice import Voice
from finetune.contestant import Contestant
from finetune.simulator.population import Population
from retrieval.catalog import Item
from retrieval.retriever import Retriever

Held = TypeVar("Held")


class Opened:
    """A catalog with what is made of it once: its items by id, and its linker."""

    def __init__(self, retriever: Retriever) -> None:
        self.retriever = retriever

    @property
    def name(self) -> str:
        """Return the catalog's name."""
        return self.retriever.name

    @cached_property
    def items(self) -> Mapping[str, Item]:
        """Return every item by id."""
        return {item.id: item for item in self.retriever.items()}

    @cached_property
    def linker(self) -> Linker:
        """Return what finds mentions in utterances over the catalog."""
        return Linker.build(self.retriever)


@dataclass(frozen=True, slots=True)
class Bench:
    """What there is to measure on.

    Args:
        catalogs: The first is the one that critiques, explanations and users are made over.
        pairs: A folder of pairs with a held.jsonl.
        small: Take a sample that is done in about a minute.
        population: Who the simulated users are; by default the plain ones.
        users: How many of them, if not as many as `small` says.
        stack: Closes what suites opened, with the bench's owner.
    """

    catalogs: tuple[Opened, ...]
    pairs: Path | None = None
    small: bool = False
    seed: int = 0
    population: Population | None = None
    users: int | None = None
    stack: ExitStack = field(default_factory=ExitStack)

    def keep(self, opened: AbstractContextManager[Held]) -> Held:
        """Open something until all suites are done."""
        return self.stack.enter_context(opened)

    @property
    def main(self) -> Opened:
        """Return the first catalog."""
        return self.catalogs[0]

    def n(self, small: int, full: int) -> int:
        """Return how many units to take."""
        return small if self.small else full


def once(contestant: Contestant) -> Contestant:
    """Return a contestant whose voice is made once for each catalog, whoever asks for it."""
    made: dict[int, tuple[Retriever, Voice]] = {}

    def voice(retriever: Retriever) -> Voice:
        # The retriever is kept beside its voice, so that its id is not given to another one.
        if id(retriever) not in made:
            made[id(retriever)] = (retriever, contestant.voice(retriever))
        return made[id(retriever)][1]

    return Contestant(contestant.name, voice)
