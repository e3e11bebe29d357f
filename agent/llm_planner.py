"""The language-model planner: one short JSON answer over the mentions, rules where that fails.

Where the links explain an utterance beyond doubt the rules are right and the model is not asked.
Else it is, with one more try when its answer is no plan; both tries share one deadline, and after
some failures in a row a circuit breaker spares the next turns the wait. What the rules make of the
model's plan can be overruled by what its adapter was tuned to. This module does not know which
model it asks; it logs reasons, never what users or models wrote.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from agent.asking import Asking, Instructed
from agent.breaker import Breaker
from agent.combining import named
from agent.errors import BadModelOutput, ContextOverflow, ModelError, ModelUnavailable
from agent.llm import ChatModel, Completion
from agent.plan import Act, Plan
from agent.plan_answer import BadPlan
from agent.plan_prompt import data
from agent.planner import Planner, PlanRequest, covers
from agent.reward import ImplicitReward
from prompts import Message, load

logger = logging.getLogger(__name__)

UNSURE = "the model was unsure"
"""`Plan.fallback` where the rules' plan was the better guess; nothing went wrong."""

MARGIN = 2.0
"""Nats by which a plan's reward must exceed the other's: beside it, tuning has made the plan e^2,
seven times, as likely as the base finds it. Less is what tuning on other things does by the way."""

_SHOWN_BACK = 600
"""Characters of a refused answer, and of the reason, that the model is shown again."""


class LLMPlanner:
    """Asks a model for the plan of a turn.

    Args:
        rules: Gives the plan where the model is not needed, or fails.
        deadline_s: Seconds for planning a turn, a second try included.
        breaker_failures: Failed turns in a row after which the model is left alone.
        breaker_reset_s: Seconds until it is asked again.
        fast_path: Take the rules' plan without asking where it covers the utterance.
        asking: How the model is asked; `Tagged` for a model that was trained on it.
        sure: Least confidence at which the model's plan is taken where the rules have another;
            0 takes every plan, also of servers that tell no confidence.
        reward: What the model's adapter was tuned to; where the model's plan alone is not the one
            about to be taken, it decides between the two. Without one, nothing is asked.
    """

    def __init__(
        self,
        model: ChatModel,
        rules: Planner,
        *,
        deadline_s: float = 3.0,
        breaker_failures: int = 3,
        breaker_reset_s: float = 30.0,
        fast_path: bool = True,
        max_tokens: int = 300,
        asking: Asking | None = None,
        sure: float = 0.0,
        reward: ImplicitReward | None = None,
    ) -> None:
        self.breaker = Breaker(breaker_failures, breaker_reset_s)
        self._model = model
        self._rules = rules
        self._deadline_s = deadline_s
        self._fast_path = fast_path
        self._max_tokens = max_tokens
        self._asking = asking or Instructed()
        self._sure = sure
        self._reward = reward

    def plan(self, request: PlanRequest) -> Plan:
        """Return the plan of a turn: the model's, or the rules' with the reason in `fallback`."""
        by_rules = self._rules.plan(request)
        if self._fast_path and covers(request, by_rules):
            return by_rules
        ends = time.monotonic() + self._deadline_s
        try:
            answered = self.breaker.call(lambda: self._ask(request, ends))
        except ModelError as error:
            reason = _loggable(error)
            logger.warning("planned by rules, %s: %s", self._model.name, reason)
            return by_rules.model_copy(update={"fallback": reason})
        unsure = answered.completion.confidence < self._sure
        usual = by_rules.acts if unsure else self._asking.settled(answered.acts, by_rules)
        own = named(answered.acts, by_rules)
        if own != usual and self._prefers(answered, usual, request, ends):
            return self._planned(own, answered, request)
        if unsure:
            return by_rules.model_copy(update={"fallback": UNSURE})
        return self._planned(usual, answered, request)

    def _planned(self, acts: tuple[Act, ...], answered: _Answered, request: PlanRequest) -> Plan:
        return Plan(
            acts=acts, mentions=request.mentions, utterance=request.utterance, planner="llm",
            model=answered.completion.model, prompt=self._asking.prompt,
            shortened=answered.shortened,
        )  # fmt: skip

    def _prefers(
        self, answered: _Answered, usual: tuple[Act, ...], request: PlanRequest, ends: float
    ) -> bool:
        """Return whether the model was tuned to plan as it did, rather than as usual."""
        if self._reward is None:
            return False
        asking = answered.asking
        try:
            plans = [asking.written(acts, request) for acts in (answered.acts, usual)]
            ours, theirs = self._reward.rewards(
                asking.messages(request), plans, deadline_s=max(0.0, ends - time.monotonic())
            )
        except ModelError as error:
            logger.info("plans are not compared, %s: %s", self._reward.name, _loggable(error))
            return False
        logger.info("%s: its plan %.2f, the usual one %.2f", self._reward.name, ours, theirs)
        return ours - theirs > MARGIN

    def _ask(self, request: PlanRequest, ends: float) -> _Answered:
        asking: Asking | None = self._asking
        while asking is not None:
            call = _Call(self._model, asking, request, self._max_tokens, ends)
            try:
                acts, completion = call.answer()
                return _Answered(acts, completion, asking, asking is not self._asking)
            except ContextOverflow as error:
                overflow, asking = error, asking.shorter()
                logger.info("%s is shown less: %s", self._model.name, error)
        raise overflow


@dataclass(frozen=True, slots=True)
class _Answered:
    """What the model planned, and how it was asked."""

    acts: tuple[Act, ...]
    completion: Completion
    asking: Asking
    shortened: bool


@dataclass(frozen=True, slots=True)
class _Call:
    """One turn asked in one way; `ends` is on the monotonic clock."""

    model: ChatModel
    asking: Asking
    request: PlanRequest
    max_tokens: int
    ends: float

    def answer(self) -> tuple[tuple[Act, ...], Completion]:
        """Return the model's acts, asked for once more where its first answer was no plan."""
        messages = self.asking.messages(self.request)
        completion = self._complete(messages)
        try:
            return self._read(completion), completion
        except BadModelOutput as error:
            logger.info("%s is asked again: %s", self.model.name, _loggable(error))
            again = (*messages, *_objection(completion, error))
        completion = self._complete(again)
        return self._read(completion), completion

    def _complete(self, messages: tuple[Message, ...]) -> Completion:
        left = self.ends - time.monotonic()
        if left <= 0:
            raise ModelUnavailable("no plan within the deadline")
        return self.model.complete(
            messages,
            schema=self.asking.schema(self.request),
            max_tokens=self.max_tokens,
            deadline_s=left,
        )

    def _read(self, completion: Completion) -> tuple[Act, ...]:
        if completion.truncated:
            raise BadPlan("too long", f"the answer was cut after {self.max_tokens} tokens")
        return self.asking.read(completion.text, self.request)


def _objection(answer: Completion, error: BadModelOutput) -> tuple[Message, Message]:
    # Chat templates want turns to alternate, so the refused answer stands between.
    refused = answer.text[:_SHOWN_BACK] or "{}"
    retry = load("plan_retry@1").render(error=data(str(error)[:_SHOWN_BACK]))
    return Message(role="assistant", content=refused), Message(role="user", content=retry)


def _loggable(error: ModelError) -> str:
    if isinstance(error, BadPlan):
        return f"its answer was no plan ({error.reason})"
    return "its answer was no plan" if isinstance(error, BadModelOutput) else str(error)
