"""What a planner is: from an utterance with its mentions to a plan.

The rule planner lives in `agent.rules`, the language-model planner in `agent.llm_planner`; both
return the same `Plan`.
"""

from __future__ import annotations

from typing import Protocol

from agent.plan import Plan
from agent.rules.planner import RulePlanner, covers
from agent.rules.request import PlanRequest

__all__ = ["PlanRequest", "Planner", "RulePlanner", "covers"]


class Planner(Protocol):
    """Decides what a turn does."""

    def plan(self, request: PlanRequest) -> Plan:
        """Return the plan of a turn; never raises for what a user can type."""
        ...
