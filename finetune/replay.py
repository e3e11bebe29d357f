"""Replay labelled dialogues through link, plan and apply, carrying the system's own state.

An error made in one turn is still in the state of the next, as it would be for a user. Only what
was on the screen (slate, focus) comes from the script. This module does not score anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from agent.plan import Act, ActName, Mention, Plan
from agent.rules.request import PlanRequest
from agent.state import Need, State
from finetune.labels import Dialogue, LabelledTurn
from retrieval.catalog import Facet, Item

Link = Callable[[str, State, Sequence[Item]], tuple[Mention, ...]]
MakePlan = Callable[[PlanRequest], Plan]
Apply = Callable[[State, Plan, Mapping[str, Item], tuple[Facet, ...]], State]

ABOUT_ITEMS: frozenset[ActName] = frozenset(
    {"like", "compare", "explain", "detail", "select", "reject"}
)
"""Acts that are about items even where they name none: then they are about what is in focus."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What understands utterances over one catalog: its items and the three steps."""

    items: Mapping[str, Item]
    facets: tuple[Facet, ...]
    link: Link
    plan: MakePlan
    apply: Apply


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the system made of one turn; `failure` holds the error of a step that raised."""

    dialogue: str
    index: int
    label: LabelledTurn
    plan: Plan
    state: State
    refs: tuple[str, ...]
    named: tuple[str, ...]
    failure: str = ""


def _named_items(plan: Plan) -> tuple[str, ...]:
    """Return the items that the references of a plan name."""
    found: dict[str, None] = {}
    for act in plan.acts:
        mentions = [plan.mention(id) for id in (*act.refs, *act.avoid)]
        for mention in mentions:
            if mention.kind in ("reference", "item"):
                found.update(dict.fromkeys(mention.items))
    return tuple(found)


def _implied_items(plan: Plan, state: State) -> tuple[str, ...]:
    """Return the items a plan is about where it names none."""
    if not any(act.act in ABOUT_ITEMS for act in plan.acts):
        return ()
    if any(act.act == "like" for act in plan.acts) and state.need.like:
        return (state.need.like.item_id,)
    return state.focus


def outcome(
    dialogue: str, index: int, label: LabelledTurn, plan: Plan, state: State, failure: str = ""
) -> Outcome:
    """Return what a plan and the state after it make of a turn."""
    named = _named_items(plan)
    refs = named or _implied_items(plan, state)
    return Outcome(dialogue, index, label, plan, state, refs, named, failure)


def _on_screen(state: State, label: LabelledTurn) -> State:
    if label.slate is None and label.focus is None:
        return state
    slate = state.slate if label.slate is None else label.slate
    shown = tuple(dict.fromkeys((*state.shown, *slate)))
    return state.model_copy(update={"slate": slate, "focus": label.focus or (), "shown": shown})


def _turn(parts: Parts, before: State, label: LabelledTurn) -> tuple[Plan, State]:
    slate = tuple(parts.items[id] for id in before.slate if id in parts.items)
    mentions = parts.link(label.text, before, slate)
    request = PlanRequest(
        utterance=label.text, mentions=mentions, state=before, slate=slate, facets=parts.facets
    )
    plan = parts.plan(request)
    return plan, parts.apply(before, plan, parts.items, parts.facets)


def replay(dialogue: Dialogue, parts: Parts) -> list[Outcome]:
    """Return what the system made of every turn; a step that raises leaves the state as it was."""
    state, outcomes = State(), []
    for index, label in enumerate(dialogue.turns):
        before, failure = _on_screen(state, label), ""
        try:
            plan, state = _turn(parts, before, label)
        except Exception as error:
            plan, state = Plan(acts=(), utterance=label.text), before
            failure = f"{type(error).__name__}: {error}"
        outcomes.append(outcome(dialogue.id, index, label, plan, state, failure))
    return outcomes


def last_turn_only(parts: Parts) -> Parts:
    """Return a baseline that rebuilds the state from the last utterance alone."""

    def forget(state: State) -> State:
        return state.model_copy(update={"need": Need(), "earlier": ()})

    return replace(
        parts,
        link=lambda text, state, slate: parts.link(text, forget(state), slate),
        plan=lambda request: parts.plan(replace(request, state=forget(request.state))),
        apply=lambda state, plan, items, facets: parts.apply(forget(state), plan, items, facets),
    )


def every_mention_is_a_wish(parts: Parts) -> Parts:
    """Return a baseline that keeps everything and knows no negation, act or reference."""

    def plan(request: PlanRequest) -> Plan:
        want = tuple(m.id for m in request.mentions if m.kind in ("value", "number"))
        acts = (Act(act="refine", want=want),)
        return Plan(acts=acts, mentions=request.mentions, utterance=request.utterance)

    return replace(parts, plan=plan)


BASELINES: dict[str, Callable[[Parts], Parts]] = {
    "last-turn-only": last_turn_only,
    "keep-everything-no-negation": every_mention_is_a_wish,
}
