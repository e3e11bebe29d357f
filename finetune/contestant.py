"""A recommender to be measured beside another one: a name, and how it is made over a catalog."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.voice import Voice
from retrieval.retriever import Retriever


@dataclass(frozen=True, slots=True)
class Contestant:
    """What simulators and gates compare.

    Args:
        voice: Makes the voice for a catalog; called once for each.
    """

    name: str
    voice: Callable[[Retriever], Voice]
