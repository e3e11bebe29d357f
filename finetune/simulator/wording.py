"""Words for what a user means, by the phrases: in dialect, with slips, not naming the target."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Protocol

from finetune.simulator.leaks import leaked
from finetune.simulator.speech import Move, mistyped, say
from finetune.simulator.users import User
from retrieval.catalog import Item

_WORDINGS = 6
"""Ways to say a move that are tried before one that names the target is said after all."""


class Wording(Protocol):
    """Words a move of a user."""

    def __call__(self, move: Move, user: User, slate: Sequence[Item], random: Random) -> str:
        """Return what the user types, with a slate before them."""
        ...


def by_phrases(move: Move, user: User, slate: Sequence[Item], random: Random) -> str:
    """Word a move by the phrases, in the population's dialect where it has one."""
    population = user.population
    dialect = population.dialect if random.random() < population.speaks else {}
    text = say(move, random, dialect)
    for _ in range(_WORDINGS):
        if not leaked(text, user.target):
            break
        text = say(move, random, dialect)
    slips = move.kind != "repair" and random.random() < population.typos
    return mistyped(text, random) if slips else text
