"""Examples: what the house model is shown for an utterance, and the plan it should answer.

The utterance goes through Attune's own linker; slots become the mentions found in their place.
Words of the phrase that the linker takes for something stay as mentions that mean nothing, as in
life.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from agent.plan import Act, ActName, Mention, MentionKind
from agent.plan_answer import KINDS
from agent.plan_prompt import shown_mentions
from agent.planner import PlanRequest
from agent.tagged_prompt import written
from finetune.house.filling import CannotFill, Filled, Said, fill
from finetune.house.noise import noisy
from finetune.house.phrases_format import Phrase, PhraseAct
from finetune.house.worlds import World

_FITS: dict[str, tuple[MentionKind, ...]] = {
    "C": ("value", "keyword"), "V": ("value", "keyword", "item"), "N": ("number",),
    "n": ("number",), "D": ("relative",), "O": ("order",), "F": ("facet", "value"),
    "R": ("reference", "item"), "Rs": ("reference",), "it": ("reference",),
    "T": ("item", "reference"), "K": ("keyword", "unknown", "value"),
    "S": ("keyword", "unknown", "value"),
}  # fmt: skip
"""The kinds of mention that may stand for a slot, the best first."""

_MAY_LACK = {"K", "S", "it"}
_ABOUT_ITEMS: set[ActName] = {
    "like", "select", "reject", "detail", "compare", "explain", "refine", "more", "recommend",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """A turn and the acts it means."""

    request: PlanRequest
    acts: tuple[Act, ...]
    source: str = ""

    @property
    def answer(self) -> str:
        """The plan as the model should write it."""
        return written(self.acts, self.request.mentions)


@dataclass(slots=True)
class Losses:
    """Why phrases came to nothing, to see what the linker or the lines lack."""

    why: Counter[str] = field(default_factory=Counter)
    made: int = 0


def examples(
    phrases: Sequence[Phrase], worlds: Sequence[World], random: Random, losses: Losses
) -> Iterator[Example]:
    """Yield examples of the phrases for ever, in shuffled rounds; rich phrases come more often."""
    order = [phrase for phrase in phrases for _ in range(_copies(phrase))]
    while True:
        random.shuffle(order)
        for phrase in order:
            made = _try(phrase, worlds, random, losses)
            if made is not None:
                losses.made += 1
                yield made


def _copies(phrase: Phrase) -> int:
    """Return how often a phrase comes in a round: telling slots apart is learnt last."""
    slots = phrase.text.count("{")
    return 1 + min(slots, 3) + (len(phrase.acts) > 1 and slots > 0)


def _try(phrase: Phrase, worlds: Sequence[World], random: Random, losses: Losses) -> Example | None:
    for world in random.sample(worlds, len(worlds)):
        try:
            said = fill(phrase, world, random)
        except CannotFill:
            continue
        example = make_example(phrase, world, said, random, losses)
        if example is not None:
            return example
    losses.why["nothing fits"] += 1
    return None


def make_example(
    phrase: Phrase, world: World, said: Said, random: Random, losses: Losses
) -> Example | None:
    """Return the example of an utterance; None where the linker found too little of it."""
    text, moved = noisy(said.text, [(f.start, f.end) for f in said.filled], random)
    filled = [
        Filled(one.slot, *span, one.facet) for one, span in zip(said.filled, moved, strict=True)
    ]
    mentions = world.link(text, said.moment.state, said.moment.slate)
    request = PlanRequest(text, mentions, said.moment.state, said.moment.slate, world.facets)
    visible = shown_mentions(request)
    fields: list[dict[str, list[str]]] = [{} for _ in phrase.acts]
    facets: dict[int, str] = {}
    for one in filled:
        found = _standing_for(one, visible)
        if not found and one.slot.polarity != "nothing" and one.slot.kind not in _MAY_LACK:
            losses.why[f"{one.slot.kind} not linked"] += 1
            return None
        if one.slot.polarity != "nothing":
            _place(phrase, one, found, fields, facets)
    acts = tuple(_act(act, fields[at], facets.get(at, "")) for at, act in enumerate(phrase.acts))
    return Example(request, acts, phrase.source)


def _act(act: PhraseAct, fields: Mapping[str, Sequence[str]], facet: str) -> Act:
    ids: dict[str, Any] = {name: tuple(found) for name, found in fields.items()}
    join: Literal["add", "replace"] = "add" if act.add else "replace"
    return Act(act=act.name, join=join, why_not=act.why_not, facet=facet, **ids)


def _standing_for(one: Filled, mentions: Sequence[Mention]) -> list[Mention]:
    """Return the mentions that stand for a slot: the kind that fits best, on its words."""
    inside = [m for m in mentions if m.start < one.end and one.start < m.end]
    for kind in _FITS[one.slot.kind]:
        of_kind = [m for m in inside if m.kind == kind]
        if one.slot.kind == "Rs" and of_kind:
            return of_kind
        exact = [m for m in of_kind if one.facet is not None and m.facet == one.facet]
        if exact:
            return exact[:1]
        if of_kind and kind in ("keyword", "unknown", "number"):
            return of_kind if kind != "number" else of_kind[:1]
        if of_kind:
            return of_kind[:1]
    return []


def _place(
    phrase: Phrase, one: Filled, found: Sequence[Mention],
    fields: list[dict[str, list[str]]], facets: dict[int, str],
) -> None:  # fmt: skip
    """Put the mentions of a slot where the plan says what becomes of them."""
    kind, polarity = one.slot.kind, one.slot.polarity
    if kind == "F" and polarity == "want":
        at = _act_for(phrase, one, {"detail", "elicit", "compare", "refine", "recommend", "like"})
        if phrase.acts[at].name in ("detail", "elicit", "compare"):
            facets[at] = found[0].facet or ""
        return
    if kind in ("R", "Rs", "it", "T") and polarity == "want":
        name, at = "refs", _act_for(phrase, one, _ABOUT_ITEMS)
    else:
        name = "change" if kind in ("D", "O") and polarity == "want" else polarity
        at = _act_for(phrase, one, _WISHING)
    ids = fields[at].setdefault(name, [])
    ids += [m.id for m in found if m.kind in KINDS[name] and m.id not in ids]
    if not ids:
        del fields[at][name]


_WISHING: set[ActName] = {"recommend", "refine", "like", "more", "reject"}


def _act_for(phrase: Phrase, one: Filled, able: set[ActName]) -> int:
    if one.slot.act is not None:
        return one.slot.act
    return next((at for at, act in enumerate(phrase.acts) if act.name in able), 0)
