"""Simulated users: they want something, say so bit by bit, and react to what they are shown."""

from finetune.simulator.outcomes import Outcome, Outcomes, differences
from finetune.simulator.play import simulate
from finetune.simulator.population import POPULATIONS, Population, read_population

__all__ = [
    "POPULATIONS", "Outcome", "Outcomes", "Population", "differences", "read_population",
    "simulate",
]  # fmt: skip
