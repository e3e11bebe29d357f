"""What the model is asked: every call of it noted, and the calls of scripted sessions.

A noted call can be sent again as it was, by a bare client (`body`) or through a planner.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agent.asking import Tagged
from agent.dialogue import Parts, respond
from agent.llm import ChatModel, Completion
from agent.llm_planner import LLMPlanner
from agent.plan import Plan
from agent.planner import Planner, PlanRequest, RulePlanner
from agent.store import Store
from agent.turn import Done, Items, Text
from prompts import Message

MAX_TOKENS = 300
PATIENCE_S = 60.0
"""Deadline of a plan under load: what is late there is slow, not lost."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a model and its answer; `at` is when it came, by the performance counter."""

    messages: tuple[Message, ...]
    schema: Mapping[str, Any] | None
    answer: Completion
    at: float

    @property
    def key(self) -> str:
        """Return what was asked as text."""
        return json.dumps([self.messages, self.schema])


class Noted:
    """A chat model that notes every call that was answered."""

    def __init__(self, model: ChatModel) -> None:
        self.name = model.name
        self.calls: list[Call] = []
        self._model = model

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 512,
        deadline_s: float = 30.0,
    ) -> Completion:
        """Return the model's answer."""
        answer = self._model.complete(
            messages, schema=schema, max_tokens=max_tokens, deadline_s=deadline_s
        )
        self.calls.append(Call(tuple(messages), schema, answer, time.perf_counter()))
        return answer

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int = 512, deadline_s: float = 30.0
    ) -> Iterator[str]:
        """Yield the model's answer, not noted: no plan is streamed."""
        return self._model.stream(messages, max_tokens=max_tokens, deadline_s=deadline_s)


def body(name: str, call: Call) -> bytes:
    """Return the request that `OpenAIChat` makes of a call, ready to be sent."""
    format = {"name": "answer", "schema": call.schema, "strict": True}
    request = {
        "model": name,
        "messages": call.messages,
        "logprobs": True,
        "response_format": {"type": "json_schema", "json_schema": format},
        "temperature": 0.0,
        "max_tokens": MAX_TOKENS,
    }
    return json.dumps(request).encode()


def always_asking(model: ChatModel, facets: Any) -> LLMPlanner:
    """Return the planner that asks a trained model every turn and takes what it says."""
    return LLMPlanner(
        model, RulePlanner(facets), fast_path=False, asking=Tagged(), deadline_s=PATIENCE_S
    )


@dataclass(slots=True)
class Listening:
    """A planner that remembers what it was asked, and who planned."""

    planner: Planner
    requests: list[PlanRequest] = field(default_factory=list)
    fallbacks: list[str] = field(default_factory=list)

    def plan(self, request: PlanRequest) -> Plan:
        """Return the planner's plan."""
        self.requests.append(request)
        plan = self.planner.plan(request)
        if plan.fallback:
            self.fallbacks.append(plan.fallback)
        return plan


@dataclass(frozen=True, slots=True)
class Turn:
    """When the parts of a turn came, in milliseconds; `asked` counts the calls of the model."""

    item_ms: float | None
    word_ms: float
    whole_ms: float
    asked: int
    stages: Mapping[str, float]


def hold(parts: Parts, lines: Sequence[str], model: Noted | None = None) -> Iterator[Turn]:
    """Hold one session; yield the times of its turns."""
    session = parts.store.create_session()
    for line in lines:
        before = len(model.calls) if model else 0
        began, item, word, stages = time.perf_counter(), None, 0.0, {}
        for event in respond(parts, session, line):
            now = (time.perf_counter() - began) * 1000
            match event:
                case Items() if event.slate.items:
                    item = now
                case Text() if event.delta.strip() and not word:
                    word = now
                case Done():
                    stages = event.timings
        whole = (time.perf_counter() - began) * 1000
        yield Turn(item, word, whole, (len(model.calls) if model else 0) - before, stages)


@dataclass(frozen=True, slots=True)
class Script:
    """Sessions, and what planning their turns asks: of the planner, and of the model."""

    sessions: tuple[tuple[str, ...], ...]
    requests: tuple[PlanRequest, ...]
    calls: tuple[Call, ...]


def record(parts: Parts, sessions: Sequence[Sequence[str]], model: ChatModel) -> Script:
    """Hold sessions once, asking the model every turn, and return all that was asked."""
    noted = Noted(model)
    listening = Listening(always_asking(noted, parts.retriever.facets))
    for lines in sessions:
        for _ in hold(replace(parts, planner=listening), lines):
            pass
    kept = tuple(tuple(lines) for lines in sessions)
    return Script(kept, tuple(listening.requests), tuple(noted.calls))


def own_store(parts: Parts, folder: Path) -> Parts:
    """Return parts that keep sessions in a file of their own, as durable as always."""
    return replace(parts, store=Store(f"sqlite:///{folder.absolute()}/sessions.db"))
