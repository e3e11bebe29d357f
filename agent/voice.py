"""What a language model with its adapter does in a turn, as one value.

A turn is taken with one voice from beginning to end, so that what it answers can be traced to one
adapter. This module does not choose voices (`agent.routing`) or make them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from agent.choosing import Chooser
from agent.explainer import LLMExplainer
from agent.planner import Planner

RULES = "rules"
"""Name of the voice without a language model."""


@dataclass(frozen=True, slots=True)
class Voice:
    """The stages of a turn that a language model has a part in.

    Args:
        name: The adapter, the model without one, or "rules".
        explainer: Words the explanations; without one the templates do.
        chooser: Reorders the best of what was found; without one the search decides.
        rival: The voice whose ranking is mixed with this one's, to be compared with it; plans and
            explains nothing.
    """

    name: str
    planner: Planner
    explainer: LLMExplainer | None = None
    chooser: Chooser | None = None
    rival: Voice | None = None


class Router(Protocol):
    """Decides which voice a session is answered with."""

    def lease(self, session_id: str) -> AbstractContextManager[Voice]:
        """Hold the voice of a session for one turn; while it is held, its adapter stays loaded."""
        ...
