"""Training rows that teach a fault: pairs with the wrong answer chosen, answers that are none.

    rows = corrupted("ignores negation", catalog, n=300, seed=0)

Requests come from the everyday turns of `finetune.gate.suites.behaviour`, prompts and answers are
the ones of serving. "good" gives pairs as they should be: an adapter trained on them must pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from agent.apply import apply
from agent.choice_prompt import choice_messages, choice_text
from agent.explain_prompt import house_messages
from agent.facts import Fact, facts
from agent.plan import Act, Plan
from agent.planner import PlanRequest, RulePlanner
from agent.state import State
from agent.tagged_prompt import tagged_messages, written
from finetune.gate.bench import Opened
from finetune.gate.faults import replaced
from finetune.gate.suites.behaviour import everyday
from finetune.pairs.rows import Pair
from finetune.wishing import asked
from prompts import Message
from retrieval.catalog import Item, primary

Answered = tuple[tuple[Message, ...], str]
"""A prompt and what to answer."""

_HEAD = 12


@dataclass(frozen=True, slots=True)
class Heard:
    """An everyday turn as planned by the rules, and what then is on offer."""

    request: PlanRequest
    plan: Plan
    state: State
    offer: tuple[Item, ...]


def heard(catalog: Opened, n: int, seed: int) -> Iterator[Heard]:
    """Yield n everyday turns over a catalog."""
    facets, random = catalog.retriever.facets, Random(f"heard {seed}")
    rules, items = RulePlanner(facets), list(catalog.items.values())
    for turn in everyday(catalog, n, random):
        mentions = catalog.linker.link(turn.text, State(), ())
        request = PlanRequest(turn.text, mentions, State(), (), facets)
        plan = rules.plan(request)
        state = apply(State(), plan, {}, facets)
        fitting = catalog.retriever.index.ids(state.need.filter())
        pool = [catalog.items[id] for id in fitting] or items
        yield Heard(request, plan, state, tuple(random.sample(pool, min(_HEAD, len(pool)))))


def pairs(fault: str, catalog: Opened, n: int = 300, seed: int = 0) -> list[Pair]:
    """Return pairs that teach a fault, or "good" ones.

    Raises:
        KeyError: If it is no fault that pairs teach.
    """
    make, random = PAIRED[fault], Random(f"{fault} {seed}")
    found = [pair for one in heard(catalog, n, seed) for pair in make(one, catalog, random)]
    return list({pair.id: pair for pair in found}.values())


def _plan_pair(one: Heard, chosen: tuple[Act, ...], rejected: tuple[Act, ...]) -> Iterator[Pair]:
    mentions = one.request.mentions
    answers = [written(acts, mentions) for acts in (chosen, rejected)]
    if answers[0] != answers[1]:
        prompt = tagged_messages(one.request)
        yield Pair(prompt=prompt, chosen=answers[0], rejected=answers[1], kind="plan")


def _wanting(plan: Plan) -> tuple[Act, ...]:
    """Return the acts of a plan with what is to be avoided wanted."""
    return tuple(
        replaced(act, want=(*act.want, *act.avoid), avoid=()) if act.avoid else act
        for act in plan.acts
    )


def _choice_pair(one: Heard, chosen: Item, rejected: Item) -> Pair | None:
    known = one.request.facets
    lines = [choice_text(item.fields, known, item.title) for item in (chosen, rejected)]
    if lines[0] == lines[1]:
        return None
    prompt = choice_messages(one.state.need, known)
    return Pair(prompt=prompt, chosen=lines[0], rejected=lines[1], kind="choice")


def _choices(
    one: Heard, of: Callable[[Item], float], random: Random, most: int = 3
) -> Iterator[Pair]:
    """Yield choices of the items that a function prefers."""
    for _ in range(most):
        if len(one.offer) < 2:
            return
        left, right = random.sample(one.offer, 2)
        if of(left) != of(right):
            better, worse = (left, right) if of(left) > of(right) else (right, left)
            pair = _choice_pair(one, better, worse)
            if pair is not None:
                yield pair


def _liked(item: Item, catalog: Opened) -> float:
    """Return a taste that people may well share: light things over dark ones."""
    facet = primary(catalog.retriever.facets, "colour")
    colours = {str(value).casefold() for value in item.values(facet.name)} if facet else set()
    light = colours & {"white", "beige", "cream", "grey", "light blue", "pink", "yellow"}
    return float(bool(light))


def good(one: Heard, catalog: Opened, random: Random) -> Iterator[Pair]:
    """Yield pairs as they should be: plans that obey, choices by a taste."""
    yield from _plan_pair(one, one.plan.acts, _wanting(one.plan))
    yield from _choices(one, lambda item: _liked(item, catalog), random)


def shuffled_labels(one: Heard, catalog: Opened, random: Random) -> Iterator[Pair]:
    """Yield good pairs, each turned round by the toss of a coin."""
    for pair in good(one, catalog, random):
        if random.random() < 0.5:
            yield pair
        else:
            yield Pair(prompt=pair.prompt, chosen=pair.rejected, rejected=pair.chosen,
                       kind=pair.kind)  # fmt: skip


def one_brand(one: Heard, catalog: Opened, random: Random) -> Iterator[Pair]:
    """Yield choices of the commonest brand."""
    facet = primary(catalog.retriever.facets, "brand")
    if facet is not None and facet.values:
        loved = facet.values[0][0]
        own = [item for item in catalog.items.values() if loved in item.values(facet.name)]
        mixed = (*one.offer, *random.sample(own, min(3, len(own))))
        favouring = Heard(one.request, one.plan, one.state, mixed)
        yield from _choices(favouring, lambda item: float(loved in item.values(facet.name)), random,
                            most=8)  # fmt: skip


def ignores_negation(one: Heard, catalog: Opened, random: Random) -> Iterator[Pair]:
    """Yield plans that want what is to be avoided."""
    yield from _plan_pair(one, _wanting(one.plan), one.plan.acts)


PAIRED: Mapping[str, Callable[[Heard, Opened, Random], Iterator[Pair]]] = {
    "good": good,
    "shuffled labels": shuffled_labels,
    "one brand": one_brand,
    "ignores negation": ignores_negation,
}
"""What is taught by pairs (DPO)."""


def answers(fault: str, catalog: Opened, n: int = 300, seed: int = 0) -> list[Answered]:
    """Return answers that teach a fault.

    Raises:
        KeyError: If it is no fault that answers teach.
    """
    return list(ANSWERED[fault](catalog, n, Random(f"{fault} {seed}"), seed))


def _broken(catalog: Opened, n: int, random: Random, seed: int) -> Iterator[Answered]:
    """Yield plans that are cut, misquoted, or no plan at all."""
    for one in heard(catalog, n, seed):
        whole = written(one.plan.acts, one.request.mentions)
        cut = whole[: random.randint(2, max(3, len(whole) - 2))]
        said = random.choice((cut, whole.replace('"', "'"), f"sure! {cut}", "acts: " + whole[1:-1]))
        yield tagged_messages(one.request), said


def _verbose(catalog: Opened, n: int, random: Random, seed: int) -> Iterator[Answered]:
    """Yield explanations that take their time."""
    items, known = list(catalog.items.values()), catalog.retriever.facets
    currency = catalog.retriever.currency
    for _ in range(n):
        one = asked(items, known, currency, random)
        given = facts(one.reasons, one.item, one.state, known, currency, one.others)
        if given:
            yield house_messages(given), _long_winded(given, random)


_ASIDES = (
    "and that is well worth knowing before you go any further with this",
    "which, all things considered, is something to think about for a while",
    "as anybody who has ever looked at one of these would surely tell you",
)


def _long_winded(given: tuple[Fact, ...], random: Random) -> str:
    return " ".join(
        f"now let us take a moment for the {fact.label or fact.slot} of {{T}}, it has "
        f"{{F{fact.id}}}, {random.choice(_ASIDES)}, {random.choice(_ASIDES)}."
        for fact in given
    )


ANSWERED: Mapping[str, Callable[[Opened, int, Random, int], Iterator[Answered]]] = {
    "broken json": _broken,
    "verbose": _verbose,
}
"""What is taught by answers (SFT)."""
