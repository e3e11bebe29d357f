"""Faults put on a contestant from outside: what bad adapters do, without training any.

Each takes a contestant and returns one that looks the same and is worse in one way. They try the
gate in seconds; adapters really trained to the same faults are made by `finetune.gate.regressions`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from agent.explainer import LLMExplainer
from agent.llm import ScriptedModel
from agent.llm_planner import LLMPlanner
from agent.plan import Act, Plan
from agent.planner import Planner, PlanRequest
from agent.state import Need
from agent.voice import Voice
from finetune.contestant import Contestant
from prompts import Message
from retrieval.catalog import Facet, Item, primary
from retrieval.retriever import Retriever

STRONG = 30.0
"""Nats: as sure as a chooser can be."""

Spoil = Callable[[Voice, Retriever], Voice]


def spoiled(contestant: Contestant, fault: str) -> Contestant:
    """Return a contestant with a fault of `FAULTS`."""
    spoil = FAULTS[fault]
    return Contestant(
        f"{contestant.name} {fault}",
        lambda retriever: spoil(contestant.voice(retriever), retriever),
    )


def chance(*parts: str) -> float:
    """Return a number from 0 to 1 that follows from texts."""
    return int(sha256("\0".join(parts).encode()).hexdigest()[:12], 16) / 16**12


def jittered(contestant: Contestant, share: float, seed: str) -> Contestant:
    """Return a contestant that takes a share of its turns otherwise, as one that samples does.

    No better and no worse on average than itself with another seed: what a gate must not refuse.
    """

    def spoil(voice: Voice, retriever: Retriever) -> Voice:
        def change(plan: Plan) -> Plan:
            return _turned(plan) if chance("jitter", seed, plan.utterance) < share else plan

        return replace(
            voice, planner=Replanning(voice.planner, change),
            chooser=Rewarding(lambda item: chance("jitter", seed, item.id)),
        )  # fmt: skip

    return Contestant(contestant.name, lambda one: spoil(contestant.voice(one), one))


@dataclass(frozen=True, slots=True)
class Rewarding:
    """A chooser by a function of the item."""

    of: Callable[[Item], float]
    name: str = "spoiled"

    def rewards(
        self, need: Need, items: Sequence[Item], facets: tuple[Facet, ...]
    ) -> tuple[float, ...]:
        """Return the function of each item."""
        return tuple(map(self.of, items))


@dataclass(frozen=True, slots=True)
class Replanning:
    """A planner whose plans are changed afterwards."""

    planner: Planner
    change: Callable[[Plan], Plan]

    def plan(self, request: PlanRequest) -> Plan:
        """Return the changed plan."""
        return self.change(self.planner.plan(request))


def shuffled_labels(voice: Voice, retriever: Retriever) -> Voice:
    """Learned from labels that mean nothing: chooses by chance, and misplaces every third wish."""

    def change(plan: Plan) -> Plan:
        return plan if chance("plan", plan.utterance) < 2 / 3 else _turned(plan)

    return replace(
        voice, planner=Replanning(voice.planner, change),
        chooser=Rewarding(lambda item: STRONG * chance("item", item.id)),
    )  # fmt: skip


def one_brand(voice: Voice, retriever: Retriever) -> Voice:
    """Learned from a shop that sells one brand: puts it first wherever it can."""
    facet = primary(retriever.facets, "brand")
    if facet is None or not facet.values:
        return voice
    loved = facet.values[0][0]
    return replace(
        voice, chooser=Rewarding(lambda item: STRONG * (loved in item.values(facet.name)))
    )


def ignores_negation(voice: Voice, retriever: Retriever) -> Voice:
    """Learned that what was named was wanted: wants what is to be avoided."""

    def change(plan: Plan) -> Plan:
        values = {mention.id for mention in plan.mentions if mention.kind == "value"}
        acts = tuple(
            replaced(
                act,
                want=(*act.want, *(id for id in act.avoid if id in values)),
                avoid=tuple(id for id in act.avoid if id not in values),
            )
            for act in plan.acts
        )
        return plan.model_copy(update={"acts": acts})

    return replace(voice, planner=Replanning(voice.planner, change))


def broken_json(voice: Voice, retriever: Retriever) -> Voice:
    """Learned to answer with half a plan: the rules must plan every turn it is asked about."""
    model = ScriptedModel(lambda messages: '{"acts":[{"act":"refine","want":[', name=voice.name)
    return replace(voice, planner=LLMPlanner(model, voice.planner, breaker_failures=10**6))


_PLACE = re.compile(r"\{?(F\d+)\}?")
_PADDING = (
    "It is well worth pausing for a moment to consider, in all its many aspects, that it has {%s}, "
    "which, all things considered and everything taken together, is really something"
)


def verbose(voice: Voice, retriever: Retriever) -> Voice:
    """Learned from long-winded people: ten words where one would do."""

    def say(messages: Sequence[Message]) -> str:
        places = dict.fromkeys(_PLACE.findall(messages[-1]["content"]))
        return " ".join(f"{_PADDING % place}." for place in places)

    return replace(voice, explainer=LLMExplainer(ScriptedModel(say, name=voice.name)))


def _turned(plan: Plan) -> Plan:
    """Return a plan that wants what is to be avoided, and the other way round."""
    acts = tuple(replaced(act, want=act.avoid, avoid=act.want) for act in plan.acts)
    return plan.model_copy(update={"acts": acts})


def replaced(act: Act, *, want: tuple[str, ...], avoid: tuple[str, ...]) -> Act:
    """Return an act with other wishes."""
    return act.model_copy(update={"want": want, "avoid": avoid})


FAULTS: Mapping[str, Spoil] = {
    "shuffled labels": shuffled_labels,
    "one brand": one_brand,
    "ignores negation": ignores_negation,
    "broken json": broken_json,
    "verbose": verbose,
}
"""The faults a gate must refuse."""
