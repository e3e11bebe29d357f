"""Planners side by side: rules, the house model, both together, on labels and on human turns.

    contenders(model, sure=[0.5]) ; measure(contender, sets)

Labelled dialogues are replayed with the planner's own state carried along; turns of act sets stand
alone. Every call of a planner is timed, and its plan says who made it. This module does not know
where turns come from (`finetune.labels`, `finetune.act_sets`).
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from agent.asking import Tagged
from agent.llm import ChatModel, Completion
from agent.llm_planner import LLMPlanner
from agent.plan import Plan
from agent.planner import PlanRequest, RulePlanner
from finetune.act_turns import ActSet, ActTurn, Coarse, coarse_of
from finetune.extension import Extension
from finetune.labels import Dialogue
from finetune.replay import MakePlan, Parts
from finetune.scoring import Yardstick, acts_match
from finetune.understanding import MakeParts, figures, intervals, score_dialogue
from prompts import Message

RESAMPLES = 1000
ALONE = 2
"""Planners that the later ones are compared with, turn by turn: the rules and the model alone."""
CLASSES: tuple[Coarse, ...] = ("preference", "more", "question", "verdict", "other")

Route = Literal["rules", "llm", "fallback"]
"""Who planned: the rules without asking (the fast path, where there is a model), the model, or
the rules because the model failed or was unsure."""


Memory = dict[str, Completion]
"""Answers by what was asked."""


class Counted:
    """A chat model that counts how often it is asked.

    Args:
        memory: Answers so far, shared by planners that ask one model the same. An answer from
            memory costs, in `owed_s`, the seconds it took at first.
    """

    def __init__(self, model: ChatModel, memory: Memory | None = None) -> None:
        self.name = model.name
        self.calls = 0
        self.owed_s = 0.0
        self._model = model
        self._memory = memory

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 512,
        deadline_s: float = 30.0,
    ) -> Completion:
        """Return the model's answer."""
        self.calls += 1
        key = json.dumps([dict(message) for message in messages])
        if self._memory is not None and key in self._memory:
            self.owed_s += self._memory[key].seconds
            return self._memory[key]
        answer = self._model.complete(
            messages, schema=schema, max_tokens=max_tokens, deadline_s=deadline_s
        )
        if self._memory is not None:
            self._memory[key] = answer
        return answer

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int = 512, deadline_s: float = 30.0
    ) -> Iterator[str]:
        """Yield the model's answer."""
        self.calls += 1
        return self._model.stream(messages, max_tokens=max_tokens, deadline_s=deadline_s)


@dataclass(frozen=True, slots=True)
class Contender:
    """A planner to measure, and the model that it asks."""

    name: str
    plan: MakePlan
    model: Counted | None = None


def contenders(
    model: ChatModel | None, sure: Sequence[float] = (0.0,), deadline_s: float = 3.0
) -> tuple[Contender, ...]:
    """Return the rules and, where there is a model, the model alone and both together.

    Args:
        sure: As `LLMPlanner` takes it, of both together; with several, both come once for each.
    """
    rules = RulePlanner()
    found = [Contender("rules", rules.plan)]
    if model is None:
        return tuple(found)
    memory: Memory = {}

    def planner(name: str, least: float, fast_path: bool) -> Contender:
        counted = Counted(model, memory)
        made = LLMPlanner(
            counted,
            rules,
            asking=Tagged(together=fast_path),
            fast_path=fast_path,
            sure=least,
            deadline_s=deadline_s,
        )
        return Contender(name, made.plan, counted)

    found.append(planner("house", 0.0, fast_path=False))
    for least in sure:
        name = "both" if len(sure) == 1 else f"both, sure {least:g}"
        found.append(planner(name, least, fast_path=True))
    return tuple(found)


def route_of(plan: Plan) -> Route:
    """Return who made a plan."""
    if plan.planner == "llm":
        return "llm"
    return "fallback" if plan.fallback else "rules"


@dataclass(slots=True)
class Watch:
    """Times a planner and notes who planned."""

    contender: Contender
    seconds: list[float] = field(default_factory=list)
    routes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    calls: int = 0

    def plan(self, request: PlanRequest) -> Plan:
        """Return the planner's plan."""
        calls, owed_s = self._spent()
        started = time.perf_counter()
        plan = self.contender.plan(request)
        seconds = time.perf_counter() - started
        now, owes_s = self._spent()
        self.seconds.append(seconds + owes_s - owed_s)
        self.calls += now - calls
        self.routes[route_of(plan)] += 1
        if plan.fallback:
            self.reasons[plan.fallback] += 1
        return plan

    def _spent(self) -> tuple[int, float]:
        model = self.contender.model
        return (model.calls, model.owed_s) if model else (0, 0.0)

    def cost(self) -> dict[str, Any]:
        """Return calls a turn, latency and who planned, of all turns so far."""
        turns = len(self.seconds)
        if not turns:
            return {}
        middle, late = np.percentile(self.seconds, [50, 95]) * 1000
        return {
            "calls_per_turn": self.calls / turns,
            "p50_ms": round(float(middle), 2),
            "p95_ms": round(float(late), 2),
            "planned_by": {name: n / turns for name, n in self.routes.most_common()},
            "fallbacks": dict(self.reasons.most_common()),
        }


@dataclass(frozen=True, slots=True)
class Score:
    """How the plan of one turn of an act set did; `facet` is None where none is asked about."""

    turn: ActTurn
    plan: Plan
    right: bool
    coarse: frozenset[Coarse]
    facet: bool | None


def plan_turn(turn: ActTurn, parts: Parts, plan: MakePlan) -> Plan:
    """Return the plan of a turn that stands alone."""
    slate = tuple(parts.items[id] for id in turn.state.slate)
    mentions = parts.link(turn.text, turn.state, slate)
    return plan(PlanRequest(turn.text, mentions, turn.state, slate, parts.facets))


def score_turn(turn: ActTurn, plan: Plan) -> Score:
    """Return how a plan did."""
    right = any(acts_match(plan, reading) for reading in turn.readings)
    asked = {act.facet for act in plan.acts if act.act == "detail"}
    return Score(turn, plan, right, coarse_of(plan), turn.facet in asked if turn.facet else None)


def score_set(act_set: ActSet, plan: MakePlan) -> list[Score]:
    """Return the score of every turn of an act set."""
    return [
        score_turn(turn, plan_turn(turn, act_set.parts[turn.catalog], plan))
        for turn in act_set.turns
    ]


def act_figures(scores: Sequence[Score], seed: int = 0) -> dict[str, Any]:
    """Return act accuracy of turns, whole and by kind, and what else their source tells."""
    found: dict[str, Any] = {
        "n": len(scores),
        "act_accuracy": _share([score.right for score in scores]),
        "interval": _interval(scores, seed),
        "by_kind": _by_kind(scores),
    }
    facets = [score.facet for score in scores if score.facet is not None]
    if facets:
        found["facet_accuracy"] = {"n": len(facets), "value": _share(facets)}
    told = [score for score in scores if score.turn.classes]
    if told:
        found["coarse"] = coarse_figures([(s.turn.classes, s.coarse) for s in told])
    return found


def _by_kind(scores: Sequence[Score]) -> dict[str, dict[str, Any]]:
    kinds: dict[str, list[bool]] = {}
    for score in scores:
        for kind in score.turn.kind.split("+"):
            kinds.setdefault(kind, []).append(score.right)
    return {kind: {"n": len(own), "act_accuracy": _share(own)} for kind, own in kinds.items()}


def coarse_figures(
    pairs: Sequence[tuple[frozenset[Coarse], frozenset[Coarse]]],
) -> dict[str, Any]:
    """Return how labelled and planned classes agree: exactly, and F1 class by class."""
    by_class = {}
    for name in CLASSES:
        hits = sum(name in gold and name in found for gold, found in pairs)
        both = sum(name in gold for gold, _ in pairs) + sum(name in found for _, found in pairs)
        labelled = sum(name in gold for gold, _ in pairs)
        by_class[name] = {"n": labelled, "f1": 2 * hits / both if both else None}
    exact = _share([gold == found for gold, found in pairs])
    return {"n": len(pairs), "exact": exact, "f1": by_class}


def _share(hits: Sequence[bool]) -> float | None:
    return sum(hits) / len(hits) if hits else None


def _interval(scores: Sequence[Score], seed: int) -> tuple[float, float] | None:
    """Return a bootstrap 95 % interval; turns of one dialogue are drawn together."""
    if not scores:
        return None
    names = [score.turn.id.partition(":")[0] for score in scores]
    group = np.unique(names, return_inverse=True)[1]
    sizes = np.bincount(group)
    hits = np.bincount(group, weights=[score.right for score in scores])
    drawn = np.random.default_rng(seed).integers(len(sizes), size=(RESAMPLES, len(sizes)))
    shares = hits[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.percentile(shares, [2.5, 97.5])
    return float(low), float(high)


def label_figures(
    dialogues: Sequence[Dialogue], make_parts: MakeParts, plan: MakePlan, seed: int = 0
) -> tuple[dict[str, Any], list[bool]]:
    """Return the figures of labelled dialogues, and whether the state was right turn by turn."""
    scores = []
    for name in dict.fromkeys(dialogue.catalog for dialogue in dialogues):
        parts = make_parts(name)
        if parts is None:
            continue
        stick = Yardstick(Extension(list(parts.items.values())), parts.facets)
        for dialogue in dialogues:
            if dialogue.catalog == name:
                scores += score_dialogue(dialogue, replace(parts, plan=plan), stick)
    found = {"n": len(scores), **figures(scores), "intervals": intervals(scores, seed)}
    return found, [score.state for score in scores]


def against(ours: Sequence[bool], theirs: Sequence[bool]) -> dict[str, int]:
    """Return how many turns are right only in the first, and only in the second."""
    pairs = list(zip(ours, theirs, strict=True))
    return {
        "fixed": sum(one and not other for one, other in pairs),
        "broken": sum(other and not one for one, other in pairs),
    }


def measure_labels(
    runners: Sequence[Contender],
    dialogues: Sequence[Dialogue],
    make_parts: MakeParts,
    seed: int = 0,
) -> dict[str, Any]:
    """Return what each planner makes of labelled dialogues, also beside either alone."""
    return _measured(runners, lambda plan: label_figures(dialogues, make_parts, plan, seed))


def measure_acts(runners: Sequence[Contender], act_set: ActSet, seed: int = 0) -> dict[str, Any]:
    """Return what each planner makes of an act set, also beside either alone."""

    def measure(plan: MakePlan) -> tuple[dict[str, Any], list[bool]]:
        scores = score_set(act_set, plan)
        return act_figures(scores, seed), [score.right for score in scores]

    return _measured(runners, measure)


def _measured(
    runners: Sequence[Contender], measure: Callable[[MakePlan], tuple[dict[str, Any], list[bool]]]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    right: dict[str, list[bool]] = {}
    for runner in runners:
        watch = Watch(runner)
        own, hits = measure(watch.plan)
        beside = {name: against(hits, others) for name, others in right.items()}
        found[runner.name] = {**own, "against": beside, **watch.cost()}
        if len(right) < ALONE:
            right[runner.name] = hits
    return found
