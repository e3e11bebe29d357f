"""Plans behind hand-made labels: which plan over the linked mentions gives the labelled state.

Labels say what a turn means, not which plan says so. The plan is searched from the rules' own: the
labelled acts, then one or two mentions moved, until applying it gives the labelled state. What no
plan can give (a value the linker missed) is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from agent.plan import Act, ActName, Mention, Plan
from agent.plan_answer import KINDS
from agent.planner import PlanRequest
from agent.state import Constraint, Likeness, Need, Sorting, State
from finetune.extension import Extension
from finetune.house.examples import Example
from finetune.labels import Dialogue, Expect, LabelledTurn, facet_named
from finetune.replay import Parts, outcome
from finetune.scoring import Yardstick, acts_match, refs_match
from retrieval.catalog import Facet
from retrieval.filters import words

MOST_TRIES = 600

_PLACES = ("want", "avoid", "prefer", "drop", "change", "refs")
CARRIES_WISHES: tuple[ActName, ...] = ("refine", "recommend", "like", "more", "reject")


def need_of(expect: Expect, facets: tuple[Facet, ...]) -> Need:
    """Return the need that a label describes."""
    roles = {facet.name: facet.role for facet in facets}
    constraints = []
    for wish in expect.constraints:
        name = facet_named(wish.facet, facets)
        if name is not None:
            constraints.append(
                Constraint(
                    facet=name, role=roles.get(name), values=wish.wanted, excluded=wish.excluded,
                    low=wish.low, high=wish.high, low_strict=wish.strict, high_strict=wish.strict,
                    turn=1,
                )
            )  # fmt: skip
    order = expect.order and facet_named(expect.order.facet, facets)
    return Need(
        constraints=tuple(constraints),
        like=Likeness(item_id=expect.like) if expect.like else None,
        sorting=Sorting(facet=order, direction=expect.order.direction)
        if order and expect.order
        else None,
        rejected=expect.rejected or (),
    )


def labelled_examples(dialogue: Dialogue, parts: Parts, stick: Yardstick) -> Iterator[Example]:
    """Yield the turns of a dialogue for which a plan was found, each from the labelled state."""
    state = State()
    for turn in dialogue.turns:
        slate = state.slate if turn.slate is None else turn.slate
        before = state.model_copy(
            update={"slate": slate, "focus": turn.focus or (), "shown": slate}
        )
        found = _find(turn, before, parts, stick)
        if found is not None:
            acts = tuple(_tidied(act, found[0], turn.expect) for act in found[1].acts)
            again = _right(found[1].model_copy(update={"acts": acts}), turn, before, parts, stick)
            acts = acts if again is not None else found[1].acts
            yield Example(found[0], acts, f"labels:{dialogue.catalog}")
        focus = found[2].focus if found else before.focus
        need = need_of(turn.expect, parts.facets)
        earlier = (*state.earlier, state.need)[-20:]
        state = before.model_copy(update={"need": need, "focus": focus, "earlier": earlier})


def _tidied(act: Act, request: PlanRequest, expect: Expect) -> Act:
    """Return an act without the words that no label calls a wish."""
    soft = {word for wish in expect.soft for word in words(wish)}
    wished = {
        mention.id
        for mention in request.mentions
        if mention.kind not in ("keyword", "unknown") or soft & set(words(mention.text))
    }
    kept = {name: tuple(id for id in getattr(act, name) if id in wished)
            for name in ("want", "prefer")}  # fmt: skip
    return act.model_copy(update=kept)


def _find(
    turn: LabelledTurn, before: State, parts: Parts, stick: Yardstick
) -> tuple[PlanRequest, Plan, State] | None:
    items = tuple(parts.items[id] for id in before.slate if id in parts.items)
    mentions = parts.link(turn.text, before, items)
    request = PlanRequest(turn.text, mentions, before, items, parts.facets)
    rules = parts.plan(request)
    tried: set[tuple[Act, ...]] = set()
    for plan in _candidates(rules, turn, mentions):
        if plan.acts in tried:
            continue
        tried.add(plan.acts)
        if len(tried) > MOST_TRIES:
            break
        after = _right(plan, turn, before, parts, stick)
        if after is not None:
            return request, plan, after
    return None


def _right(
    plan: Plan, turn: LabelledTurn, before: State, parts: Parts, stick: Yardstick
) -> State | None:
    """Return the state after a plan where it is what the label says."""
    after = parts.apply(before, plan, parts.items, parts.facets)
    if refs_match(outcome("", 0, turn, plan, after)) is False:
        return None
    for reading in turn.readings:
        if acts_match(plan, reading) and stick.state_matches(after.need, reading):
            return after
    return None


def _candidates(rules: Plan, turn: LabelledTurn, mentions: Sequence[Mention]) -> Iterator[Plan]:
    """Yield the rules' plan, then it with the labelled acts, then with mentions moved."""
    yield rules
    seeds = [rules.acts] if any(acts_match(rules, r) for r in turn.readings) else []
    for reading in turn.readings:
        seeds += [with_acts(rules, names) for names in _act_lists(reading)]
    seeds = list(dict.fromkeys(seeds))
    for acts in seeds:
        yield rules.model_copy(update={"acts": acts})
    moved = [list(moves(acts, mentions)) for acts in seeds]
    for some in moved:
        for acts in some:
            yield rules.model_copy(update={"acts": acts})
    for some in moved:
        for acts in some:
            for again in moves(acts, mentions):
                yield rules.model_copy(update={"acts": again})


def _act_lists(reading: Expect) -> Iterator[list[ActName]]:
    choices: list[list[str]] = []
    for act in reading.acts:
        names = [act] if isinstance(act, str) else list(act)
        optional = any(name.endswith("?") for name in names)
        bare = [name.rstrip("?") for name in names]
        choices.append(["", *bare] if optional else bare)
    for chosen in product(*choices):
        names_ = [name for name in chosen if name]
        if names_:
            yield names_  # type: ignore[misc]


def with_acts(rules: Plan, names: Sequence[ActName]) -> tuple[Act, ...]:
    """Return the rules' placements under other acts."""
    own = {act.act: act for act in rules.acts}
    merged = {place: tuple(dict.fromkeys(id for act in rules.acts for id in getattr(act, place)))
              for place in _PLACES}  # fmt: skip
    join = "add" if any(act.join == "add" for act in rules.acts) else "replace"
    if all(name in own for name in names):
        return tuple(own[name] for name in names)
    host = next((name for name in names if name in CARRIES_WISHES), None)
    acts = []
    for name in names:
        if name == host:
            acts.append(Act(act=name, join=join, **merged))  # type: ignore[arg-type]
        elif name in ("select", "detail", "compare", "explain"):
            acts.append(Act(act=name, refs=merged["refs"] if host is None else ()))
        else:
            acts.append(Act(act=name))
    return tuple(acts)


def moves(acts: tuple[Act, ...], mentions: Sequence[Mention]) -> Iterator[tuple[Act, ...]]:
    """Yield acts with one mention put elsewhere, or the join turned round."""
    for at, act in enumerate(acts):
        wishes = act.act in CARRIES_WISHES
        for mention in mentions:
            for place in (*_PLACES, ""):
                if place and (mention.kind not in KINDS[place] or (not wishes and place != "refs")):
                    continue
                if place and mention.id in getattr(act, place):
                    continue
                yield (*acts[:at], _put(act, mention.id, place), *acts[at + 1 :])
        if wishes:
            turned = "replace" if act.join == "add" else "add"
            yield (*acts[:at], act.model_copy(update={"join": turned}), *acts[at + 1 :])


def _put(act: Act, id: str, place: str) -> Act:
    fields = {name: tuple(one for one in getattr(act, name) if one != id) for name in _PLACES}
    if place:
        fields[place] = (*fields[place], id)
    return act.model_copy(update=fields)


def yardstick(parts: Parts) -> Yardstick:
    """Return what labels over a catalog are measured with."""
    return Yardstick(Extension(list(parts.items.values())), parts.facets)
