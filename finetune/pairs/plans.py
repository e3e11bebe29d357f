"""Plans that were misread, as preferences: the plan that was meant over the plan as made.

What was meant is known as a need (`finetune.pairs.repairs`); the plan is searched among those over
the turn's own mentions, from the plan as made outwards, until applying one to the state before the
turn gives that need. Where none does (the linker never saw what was meant), there is no pair.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agent.apply import apply
from agent.asking import ASKING
from agent.logged import LoggedSession, LoggedTurn
from agent.plan import Act, ActName, Mention, Plan
from agent.plan_answer import KINDS, BadPlan
from agent.plan_prompt import PROMPT as INSTRUCTED
from agent.planner import PlanRequest
from agent.tagged_prompt import written
from finetune.extension import Extension
from finetune.house.labelled import moves, with_acts
from finetune.pairs.atoms import HARD, Atoms, atoms, can_say, hard_filter
from finetune.pairs.catalog import Catalog
from finetune.pairs.grades import Grade, graded
from finetune.pairs.keys import origin
from finetune.pairs.repairs import Repair, repairs
from finetune.pairs.rows import Dropped, Pair, Unpaired
from prompts import Message
from retrieval.catalog import Item

MOST_TRIES = 1500

UNSAID = 0.5
"""Weight of a correction whose user did not say outright that they were misread."""

_OTHER_ACTS: tuple[ActName, ...] = ("refine", "recommend", "like", "reject")


@dataclass(frozen=True, slots=True)
class _Case:
    """A turn whose plan is searched."""

    request: PlanRequest
    made: Plan
    rules: Plan
    items: Mapping[str, Item]
    extension: Extension | None

    def need(self, acts: tuple[Act, ...]) -> Atoms:
        plan = self.made.model_copy(update={"acts": acts})
        return atoms(apply(self.request.state, plan, self.items, self.request.facets).need)

    def oddness(self, acts: tuple[Act, ...]) -> tuple[int, int]:
        """Return in how many places acts differ from the rules', and how many they have."""
        own, rules = _placed(acts), _placed(self.rules.acts)
        return len(own ^ rules), len(own)

    def bare(self, acts: tuple[Act, ...]) -> tuple[Act, ...]:
        """Return acts without the mentions that change nothing and that the rules left lying."""
        known, need = _placed(self.rules.acts), self.need(acts)
        for act, name, id in sorted(_placed(acts) - known):
            fewer = tuple(
                one.model_copy(update={name: tuple(i for i in getattr(one, name) if i != id)})
                if one.act == act and name in KINDS
                else one
                for one in acts
            )
            acts = fewer if self.need(fewer) == need else acts
        return acts


def _placed(acts: Sequence[Act]) -> set[tuple[str, str, str]]:
    placed = {(act.act, name, id) for act in acts for name in KINDS for id in getattr(act, name)}
    return placed | {(act.act, "join", act.join) for act in acts}


def plan_rows(
    session: LoggedSession, catalog: Catalog, prompt: str
) -> Iterator[Pair | Unpaired | Dropped]:
    """Yield what the corrected turns of a session, and the ones that worked, say of plans.

    Args:
        prompt: "plan@2" or "plan@1", as the model to be trained is asked.
    """
    corrected = set()
    for found in repairs(session, catalog):
        if isinstance(found, Dropped):
            yield found
            continue
        corrected.add(found.turn.id)
        yield from _repaired(session, found, catalog, prompt)
    yield from _worked(session, corrected, catalog, prompt)


def _repaired(
    session: LoggedSession, repair: Repair, catalog: Catalog, prompt: str
) -> Iterator[Pair | Unpaired | Dropped]:
    case = _case(session, repair.turn, catalog)
    made, answers = case.made.acts, _Answers(case.request, prompt)
    rejected, meant = answers.of(made), _plan_of(case, repair)
    whose = origin(session, repair.events)
    weight = 1.0 if repair.outright else UNSAID
    shown = answers.prompt
    if rejected is not None:
        yield Unpaired(prompt=shown, completion=rejected, label=False, kind="plan", weight=weight,
                       **whose)  # fmt: skip
    chosen = answers.of(meant) if meant is not None else None
    if meant is None or chosen is None or rejected is None or chosen == rejected:
        why = "no plan over the turn's own mentions gives what was meant"
        yield Dropped("plan", why if meant is None else "can't be written over what is shown")
        return
    rules = answers.of(case.rules.acts)
    others = (rules,) if rules not in (None, chosen, rejected) and not _fits(case, repair) else ()
    yield Pair(prompt=shown, chosen=chosen, rejected=rejected, others=tuple(filter(None, others)),
               kind="plan", weight=weight, **whose)  # fmt: skip
    yield Unpaired(prompt=shown, completion=chosen, label=True, kind="plan", weight=weight,
                   **whose)  # fmt: skip


def _fits(case: _Case, repair: Repair) -> bool:
    """Return whether the rules' own plan is as good as the one that was found."""
    return _same(case.need(case.rules.acts), repair.meant, None)


def _case(session: LoggedSession, turn: LoggedTurn, catalog: Catalog) -> _Case:
    request = catalog.request(session, turn)
    items = catalog.pointed_at(session, request)
    return _Case(request, turn.plan, catalog.by_rules(request), items, catalog.extension)


def meant_acts(session: LoggedSession, repair: Repair, catalog: Catalog) -> tuple[Act, ...] | None:
    """Return the acts that a corrected turn meant; None where its own mentions can't say it."""
    return _plan_of(_case(session, repair.turn, catalog), repair)


def _plan_of(case: _Case, repair: Repair) -> tuple[Act, ...] | None:
    """Return the acts nearest to those made that give the need that was meant.

    Needs are the same if they ask for the same things, or (second) let the same items through; what
    the misreading threw out of the need before it may be back. Of several such plans the one most
    like the rules' is taken, then the shortest.
    """
    if repair.acts:
        return repair.acts
    wanted = [repair.meant, repair.meant | (repair.before - repair.made)]
    tried: dict[tuple[Act, ...], Atoms] = {}
    for near in _candidates(case, repair.meant):
        new = [acts for acts in dict.fromkeys(near) if acts not in tried]
        tried |= {acts: case.need(acts) for acts in new[: MOST_TRIES - len(tried)]}
        same = [acts for acts in new if tried.get(acts) == repair.meant]
        if same:
            return case.bare(min(same, key=case.oddness))
    for need in wanted:
        same = [acts for acts, given in tried.items()
                if given != repair.made and _same(given, need, case.extension)]  # fmt: skip
        if same:
            return case.bare(min(same, key=case.oddness))
    return None


def _same(given: Atoms, need: Atoms, extension: Extension | None) -> bool:
    """Return whether two needs ask for the same, or let through the same items, and some."""
    if given == need:
        return True
    soft = {atom for atom in given ^ need if atom.way not in HARD}
    if soft or extension is None:
        return False
    mask = extension.mask(hard_filter(need))
    return bool(mask.any()) and np.array_equal(mask, extension.mask(hard_filter(given)))


def _candidates(case: _Case, meant: Atoms) -> Iterator[Iterator[tuple[Act, ...]]]:
    """Yield acts with nothing, one and two mentions moved from the plan as made and the rules'."""
    mentions = case.request.mentions
    seeds = [case.made.acts, case.rules.acts]
    seeds += [with_acts(plan, [name]) for plan in (case.made, case.rules) for name in _OTHER_ACTS]
    seeds += [_without_words(acts, mentions, meant) for acts in seeds]
    seeds = list(dict.fromkeys(acts for acts in seeds if acts))
    once = [acts for seed in seeds for acts in moves(seed, mentions)]
    yield iter(seeds)
    yield iter(once)
    yield (again for acts in once for again in moves(acts, mentions))


def _without_words(
    acts: tuple[Act, ...], mentions: Sequence[Mention], meant: Atoms
) -> tuple[Act, ...]:
    """Return acts without the mere words that are no part of what was meant."""
    idle = {m.id for m in mentions if m.kind in ("keyword", "unknown")
            and not any(can_say(m, atom) for atom in meant)}  # fmt: skip
    kept = {name: [tuple(id for id in getattr(act, name) if id not in idle) for act in acts]
            for name in ("want", "prefer")}  # fmt: skip
    return tuple(
        act.model_copy(update={name: ids[place] for name, ids in kept.items()})
        for place, act in enumerate(acts)
    )


@dataclass(frozen=True, slots=True)
class _Answers:
    """Acts as the model would write them."""

    request: PlanRequest
    asked_by: str

    @property
    def prompt(self) -> tuple[Message, ...]:
        return ASKING[self.asked_by]().messages(self.request)

    def of(self, acts: Sequence[Act]) -> str | None:
        """Return the answer that means acts; None where the prompt has not what they point at."""
        mentions = self.request.mentions
        try:
            text = _plain(acts) if self.asked_by == INSTRUCTED else written(acts, mentions)
            ASKING[self.asked_by]().read(text, self.request)
        except BadPlan:
            return None
        return text


def _plain(acts: Sequence[Act]) -> str:
    """Return acts as an instructed model writes them, with the catalog's own facet names."""
    fields = [act.model_dump(exclude_defaults=True, mode="json") for act in acts]
    return json.dumps({"acts": fields}, ensure_ascii=False, separators=(",", ":"))


def _worked(
    session: LoggedSession, corrected: set[str], catalog: Catalog, prompt: str
) -> Iterator[Unpaired]:
    """Yield uncommon plans that led to something taken: other than the rules', never corrected."""
    turns = {turn.id: turn for turn in session.turns}
    for slate in session.slates:
        turn = turns.get(slate.turn_id or "")
        if turn is None or turn.id in corrected or turn.plan.planner == "rules":
            continue
        taken = [one for one in graded(session, slate) if one.grade >= Grade.SELECTED]
        if not taken:
            continue
        request = catalog.request(session, turn)
        if turn.plan.acts == catalog.by_rules(request).acts:
            continue
        answers = _Answers(request, prompt)
        text = answers.of(turn.plan.acts)
        if text is not None:
            events = [id for one in taken for id in one.events]
            yield Unpaired(prompt=answers.prompt, completion=text, label=True, kind="plan",
                           weight=UNSAID, **origin(session, events))  # fmt: skip
