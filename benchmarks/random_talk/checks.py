"""What must hold after every turn. Each check yields what it found wrong, in words.

The checks go by the shop's own copy of the items, never by what the retriever says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from agent.dialogue import shows
from agent.explain import verify
from agent.languages.languages import plain_languages
from agent.state import Constraint, State
from agent.turn import Done, Evidence, Items, Reason, StreamEvent, Text, Understood
from retrieval.catalog import Facet, Item
from retrieval.filters import TEXT, Compare, matches

_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
UNDO_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Played:
    """One turn as it went, and the truth it is judged by.

    Args:
        before: The state that the turn began with.
        items: The catalog at that time.
        ever: Every id that was ever in the catalog.
    """

    before: State
    events: tuple[StreamEvent, ...]
    done: Done
    items: Mapping[str, Item]
    ever: frozenset[str] | set[str]
    facets: tuple[Facet, ...]
    page: int

    @property
    def shown(self) -> list[Item]:
        """The shown items that are in the catalog."""
        ids = [one.item_id for one in self.done.slate.items]
        return [self.items[id] for id in ids if id in self.items]


def _events(turn: Played) -> Iterator[str]:
    kinds = [event.kind for event in turn.events]
    shown = ["items"] if shows(turn.done.plan) else []
    words = ["text"] * kinds.count("text")
    if kinds != ["understood", *shown, *words, "done"] or not words:
        yield f"events came as {kinds}"
    said = "".join(event.delta for event in turn.events if isinstance(event, Text))
    if said != turn.done.reply or not said.strip():
        yield f"pieces {said!r} are not the reply {turn.done.reply!r}"
    for event in turn.events:
        if isinstance(event, Items) and event.slate != turn.done.slate:
            yield "the slate shown is not the slate kept"
        if isinstance(event, Understood) and event.plan != turn.done.plan:
            yield "the plan understood is not the plan kept"
    if not shown and turn.done.slate.items:
        yield "items without an event of their own"


def _outside(turn: Played) -> Iterator[str]:
    for one in turn.done.slate.items:
        if one.item_id not in turn.ever:
            yield f"{one.item_id!r} was never in the catalog"


def _deleted(turn: Played) -> Iterator[str]:
    for one in turn.done.slate.items:
        if one.item_id in turn.ever and one.item_id not in turn.items:
            yield f"{one.item_id!r} was deleted before"


def _stale(turn: Played) -> Iterator[str]:
    for one in turn.done.slate.items:
        item = turn.items.get(one.item_id)
        if item is not None and one.fields != _fields(item):
            yield f"{one.item_id!r} was shown as {one.fields!r}, it is {item!r}"


def _fields(item: Item) -> dict[str, object]:
    texts = ("title", "description", "currency", "image", "url")
    return {**item.fields, **{name: getattr(item, name) for name in texts}}


def _rejected(turn: Played) -> Iterator[str]:
    gone = set(turn.done.state.need.rejected)
    for one in turn.done.slate.items:
        if one.item_id in gone:
            yield f"{one.item_id!r} was rejected"


def _constraints(turn: Played) -> Iterator[str]:
    """Find items that break a hard wish beyond what the turn says it gave up."""
    for item in turn.shown:
        for constraint in turn.done.state.need.constraints:
            if not matches(constraint.filter(), item) and not _given_up(turn, constraint, item):
                yield f"{item.id!r} breaks {constraint!r}"


def _given_up(turn: Played, constraint: Constraint, item: Item) -> bool:
    named = [one for one in turn.done.relaxations if one.dropped == constraint]
    return any(one.instead is None or matches(one.instead.filter(), item) for one in named)


def _named(turn: Played) -> Iterator[str]:
    """Find relaxations that the reply does not speak of, or that give up what was excluded."""
    for one in turn.done.relaxations:
        tail = one.text.rpartition(": ")[2].rstrip(".")
        if turn.done.slate.items and tail not in turn.done.reply:
            yield f"the reply does not say {one.text!r}: {turn.done.reply!r}"
        kept = one.instead.excluded if one.instead else ()
        lost = one.dropped.facet not in {facet.name for facet in turn.facets} | {TEXT}
        if one.dropped.excluded != kept and not lost:
            yield f"{one.text!r} shows what was excluded: {one.dropped.excluded}"


def _needless(turn: Played) -> Iterator[str]:
    """Find wishes given up, or empty slates, although something fits all of them."""
    slate, need = turn.done.slate.items, turn.done.state.need
    if not shows(turn.done.plan) or (slate and not turn.done.relaxations):
        return
    known = {facet.name for facet in turn.facets} | {TEXT}
    if any(constraint.facet not in known for constraint in need.constraints):
        return
    if not slate and any(wish.facet is None for wish in need.preferences):
        return
    hidden = {*need.rejected, *_unrepeated(turn), *([need.like.item_id] if need.like else [])}
    wanted = need.filter()
    for item in turn.items.values():
        if item.id not in hidden and matches(wanted, item):
            yield f"{item.id!r} fits {wanted!r}, but was not shown"
            return


def _unrepeated(turn: Played) -> tuple[str, ...]:
    """Return the items that "more" must not bring again."""
    if not any(act.act == "more" for act in turn.done.plan.acts):
        return ()
    return next(e.state.shown for e in turn.events if isinstance(e, Understood))


def _repeated(turn: Played) -> Iterator[str]:
    again = set(_unrepeated(turn)) & {one.item_id for one in turn.done.slate.items}
    if again:
        yield f"more brought {again} again"


def _ranks(turn: Played) -> Iterator[str]:
    slate = turn.done.slate.items
    if [one.rank for one in slate] != list(range(1, len(slate) + 1)):
        yield f"ranks are {[one.rank for one in slate]}"
    if len({one.item_id for one in slate}) < len(slate):
        yield f"an item stands twice in {[one.item_id for one in slate]}"
    if len(slate) > turn.page:
        yield f"{len(slate)} items on a page of {turn.page}"


def _plan(turn: Played) -> Iterator[str]:
    """Find mentions that are not what was said, and acts that point at nothing."""
    plan, said = turn.done.plan, turn.done.utterance
    ids = [mention.id for mention in plan.mentions]
    if len(set(ids)) < len(ids):
        yield f"mention ids {ids} repeat"
    for mention in plan.mentions:
        if said[mention.start : mention.end].split() != mention.text.split():
            yield f"{mention!r} is not at its place in {said!r}"
        outside = [id for id in mention.items if id not in turn.ever]
        if outside:
            yield f"{mention!r} points at {outside}"
    for act in plan.acts:
        used = (*act.want, *act.avoid, *act.prefer, *act.drop, *act.change, *act.refs)
        unknown = set(used) - set(ids)
        if unknown:
            yield f"{act!r} uses {unknown}, known are {ids}"
    if not plan.acts:
        yield "a plan without acts"


def _state(turn: Played) -> Iterator[str]:
    state, before = turn.done.state, turn.before
    if State.model_validate_json(state.model_dump_json()) != state:
        yield f"does not survive JSON: {state!r}"
    if state.turn != before.turn + 1:
        yield f"turn {before.turn} is followed by turn {state.turn}"
    facets = [constraint.facet for constraint in state.need.constraints]
    if len(set(facets)) < len(facets):
        yield f"two constraints on one facet: {facets}"
    if len(state.earlier) > UNDO_DEPTH:
        yield f"{len(state.earlier)} earlier needs"
    slate = tuple(one.item_id for one in turn.done.slate.items)
    if state.slate != (slate if shows(turn.done.plan) else before.slate):
        yield f"the state's slate {state.slate} is not what was shown, {slate}"
    if not set(state.slate) <= set(state.shown) and shows(turn.done.plan):
        yield f"slate {state.slate} is not among {state.shown}"
    strange = {*state.focus, *state.need.rejected, *state.selected, *state.liked} - turn.ever
    if strange:
        yield f"the state speaks of {strange}"


def _own(turn: Played, reason: Reason) -> Item | None:
    return turn.items.get(reason.evidence[0].item_id) if reason.evidence else None


def _claims(turn: Played) -> Iterator[tuple[str, Reason]]:
    for one in turn.done.slate.items:
        yield from ((one.item_id, reason) for reason in one.reasons)
    yield from ((claim.evidence[0].item_id, claim) for claim in turn.done.claims if claim.evidence)


def _evidence(turn: Played) -> Iterator[str]:
    """Find claims that do not hold on the items as they are."""
    tongue = plain_languages().tongue(turn.done.state.language)
    for id, reason in _claims(turn):
        item = turn.items.get(id)
        if item is None or not all(_true(turn, item, one) for one in reason.evidence):
            yield f"{id!r}: {reason!r} is not so: {item!r}"
        elif not verify(reason, item, turn.done.state, turn.items, turn.facets, tongue):
            yield f"{id!r}: {reason!r} does not verify: {item!r}"
    if any(not claim.evidence for claim in turn.done.claims):
        yield f"a claim without evidence in {turn.done.claims!r}"


def _true(turn: Played, item: Item, evidence: Evidence) -> bool:
    """Return whether a piece of evidence is so, without the code that made or verifies it."""
    if evidence.item_id != item.id:
        return False
    own = item.fields.get(evidence.facet or "")
    match evidence.kind:
        case "field":
            return _is(own, evidence.value)
        case "text":
            return matches(Compare(TEXT, "contains", str(evidence.value)), item)
        case "constraint":
            asked = turn.done.state.need.constraint(evidence.facet or "")
            return asked is not None and (evidence.facet == TEXT or _is(own, evidence.value))
        case "relation":
            return evidence.other_id in turn.items
    return False


def _is(own: object, value: object) -> bool:
    if isinstance(value, list | tuple):
        return isinstance(own, tuple) and list(own) == list(value)
    return own == value or (isinstance(own, tuple) and value in own)


def _words(turn: Played) -> Iterator[str]:
    found = _CONTROL.search(turn.done.reply)
    if found:
        yield f"the reply has control character {found[0]!r}: {turn.done.reply!r}"


CHECKS: dict[str, Callable[[Played], Iterator[str]]] = {
    "item outside the catalog": _outside,
    "deleted item shown": _deleted,
    "rejected item shown": _rejected,
    "hard constraint broken": _constraints,
    "relaxation not named": _named,
    "needless relaxation": _needless,
    "item not as it is now": _stale,
    "evidence does not hold": _evidence,
    "more repeats items": _repeated,
    "ranks or duplicates": _ranks,
    "event order": _events,
    "plan points at nothing": _plan,
    "state": _state,
    "control characters": _words,
}
"""The checks by name; a name is a kind of violation."""
