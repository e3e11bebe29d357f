"""Ways to ask a model for a plan: with instructions, for any model, or tagged, for a trained one.

Each knows its prompt, the schema of the answer and how the answer is read. This module does not
call a model (`agent.llm_planner`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Protocol

from agent.combining import combined, named
from agent.plan import Act, Plan
from agent.plan_answer import read_acts, turn_schema
from agent.plan_prompt import DEFAULT, PROMPT, Budget, plan_messages, shown_facets, shown_mentions
from agent.planner import PlanRequest
from agent.tagged_prompt import PROMPT as TAGGED_PROMPT
from agent.tagged_prompt import read_tagged, tagged_messages, tagged_schema, written
from prompts import Message, Template

LEAST_FACETS = 8
"""Below this many facets a prompt says too little of a catalog to plan by."""


class Asking(Protocol):
    """One way to ask."""

    @property
    def prompt(self) -> str:
        """The prompt's id and version, as stored with the plan."""
        ...

    def messages(self, request: PlanRequest) -> tuple[Message, ...]:
        """Return what the model is shown."""
        ...

    def schema(self, request: PlanRequest) -> dict[str, Any]:
        """Return the JSON schema of the answer."""
        ...

    def read(self, text: str, request: PlanRequest) -> tuple[Act, ...]:
        """Return the acts of an answer; BadPlan says what is wrong with it."""
        ...

    def written(self, acts: tuple[Act, ...], request: PlanRequest) -> str:
        """Return acts as the answer that means them; BadPlan where no answer can."""
        ...

    def shorter(self) -> Asking | None:
        """Return a way that shows about half as much; None where that would be too little."""
        ...

    def settled(self, acts: tuple[Act, ...], by_rules: Plan) -> tuple[Act, ...]:
        """Return the acts of the plan, given the model's and the rules'."""
        ...


@dataclass(frozen=True, slots=True)
class Instructed:
    """Instructions, the catalog, the state and the mentions: what an untuned model needs.

    Args:
        wording: The instructions in an owner's words; None: as released.
    """

    budget: Budget = DEFAULT
    wording: Template | None = None

    @property
    def prompt(self) -> str:
        """The prompt's id and version, as stored with the plan."""
        return PROMPT if self.wording is None else self.wording.id

    def messages(self, request: PlanRequest) -> tuple[Message, ...]:
        """Return what the model is shown."""
        return plan_messages(request, self.budget, self.wording)

    def schema(self, request: PlanRequest) -> dict[str, Any]:
        """Return the JSON schema of the answer."""
        return turn_schema(shown_mentions(request, self.budget), shown_facets(request, self.budget))

    def read(self, text: str, request: PlanRequest) -> tuple[Act, ...]:
        """Return the acts of an answer; BadPlan says what is wrong with it."""
        shown = shown_mentions(request, self.budget)
        return read_acts(text, shown, shown_facets(request, self.budget), request.utterance)

    def written(self, acts: tuple[Act, ...], request: PlanRequest) -> str:
        """Return acts as the answer that means them."""
        plain = [act.model_dump(exclude_defaults=True, mode="json") for act in acts]
        return json.dumps({"acts": plain}, ensure_ascii=False, separators=(",", ":"))

    def shorter(self) -> Instructed | None:
        """Return a way that shows half of everything that is counted, and says so in the prompt."""
        if self.budget.facets < LEAST_FACETS:
            return None
        return replace(self, budget=self.budget.halved())

    def settled(self, acts: tuple[Act, ...], by_rules: Plan) -> tuple[Act, ...]:
        """Return the model's acts."""
        return named(acts, by_rules)


@dataclass(frozen=True, slots=True)
class Tagged:
    """The utterance with its mentions tagged, for models that were trained on it.

    Args:
        together: Make one plan of the model's and the rules' (`agent.combining`).
    """

    together: bool = True
    prompt: str = TAGGED_PROMPT

    def messages(self, request: PlanRequest) -> tuple[Message, ...]:
        """Return what the model is shown."""
        return tagged_messages(request)

    def schema(self, request: PlanRequest) -> dict[str, Any]:
        """Return the JSON schema of the answer."""
        return tagged_schema(shown_mentions(request))

    def read(self, text: str, request: PlanRequest) -> tuple[Act, ...]:
        """Return the acts of an answer; BadPlan says what is wrong with it."""
        return read_tagged(text, shown_mentions(request), request.utterance)

    def written(self, acts: tuple[Act, ...], request: PlanRequest) -> str:
        """Return acts as the answer that means them; BadPlan where a facet has no mention."""
        return written(acts, shown_mentions(request))

    def shorter(self) -> None:
        """Return None: one turn is all there is in the prompt, and its middle is cut already."""

    def settled(self, acts: tuple[Act, ...], by_rules: Plan) -> tuple[Act, ...]:
        """Return both plans as one, or the model's alone."""
        return combined(acts, by_rules) if self.together else named(acts, by_rules)


ASKING: dict[str, type[Instructed] | type[Tagged]] = {PROMPT: Instructed, TAGGED_PROMPT: Tagged}
"""The ways to ask, by prompt."""
