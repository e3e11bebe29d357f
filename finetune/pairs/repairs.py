"""Turns that were misread, told by what their user then said.

A turn was corrected if the very next turn (or a critique of its slate, or an undo and the turn
after it) takes back or turns round what the turn made of its own words, and nothing of its slate
was taken. A wish that merely changes ("actually, make it blue") is no correction: what is new in
the next turn is left out, and what remains must be something the words of the turn can mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agent.apply import apply
from agent.logged import LoggedSession, LoggedTurn
from agent.plan import Act, Plan
from agent.state import Need
from finetune.pairs.atoms import Atom, Atoms, Way, about, atoms, can_say, groups, of_group
from finetune.pairs.catalog import Catalog
from finetune.pairs.grades import engaged
from finetune.pairs.room import CHANGED, DENIED, OUTRIGHT, Sort, leaves_room, strange_beside
from finetune.pairs.rows import Dropped
from retrieval.filters import TEXT

_TAKES_UP = frozenset({"select", "like", "detail", "compare", "explain"})
"""Acts of the next turn that go along with what was shown, unless it says that it was misread."""

_BARE = frozenset({"more", "undo", "reset", "answer", "handoff"})
"""Acts that need no mention; they correct a turn only where that is said."""

_OPPOSITE: dict[Way, tuple[Way, ...]] = {
    "want": ("avoid",), "avoid": ("want", "soft"), "low": ("high",), "high": ("low",),
    "soft": ("avoid",),
}  # fmt: skip
_SOFTER: dict[Way, Way] = {"soft": "want", "want": "soft"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What was said about a turn: words, their plan, and the need after them.

    Args:
        undone: Whether the turn was taken back before.
    """

    text: str
    plan: Plan
    need: Need
    events: tuple[str, ...] = ()
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Repair:
    """A turn and what it turned out to mean.

    Args:
        before, made, meant: What was asked for before the turn, after it, and what was meant.
        sorts: How it was misread.
        outright: Whether the user said so, rather than only what was meant.
        events: Ids of the critiques that say so.
        acts: What was meant, where it is known outright ("I meant show me more").
    """

    turn: LoggedTurn
    before: Atoms
    made: Atoms
    meant: Atoms
    sorts: frozenset[Sort]
    outright: bool
    events: tuple[str, ...] = ()
    acts: tuple[Act, ...] = ()


def repairs(session: LoggedSession, catalog: Catalog) -> Iterator[Repair | Dropped]:
    """Yield the corrected turns of a session, and why others that look so are not taken."""
    for place, turn in enumerate(session.turns):
        if engaged(session, turn):
            continue
        found = [
            repair_of(session.before(turn).need, turn, reply)
            for reply in _replies(session, place, catalog)
        ]
        whole = [one for one in found if isinstance(one, Repair)]
        yield from whole[:1] or [one for one in found if one is not None][:1]


def _replies(session: LoggedSession, place: int, catalog: Catalog) -> Iterator[Reply]:
    """Yield what was said about a turn: the next turn, then critiques of its slate."""
    later = session.turns[place + 1 : place + 3]
    acts = [{act.act for act in one.plan.acts} for one in later]
    if later and acts[0] == {"undo"}:
        if len(later) == 2 and not acts[1] & (_TAKES_UP | _BARE):
            yield Reply(later[1].utterance, later[1].plan, later[1].state.need, undone=True)
        yield Reply(later[0].utterance, later[0].plan, later[0].state.need)
    elif later and (said_outright(later[0].utterance) or not acts[0] & (_TAKES_UP | _BARE)):
        yield Reply(later[0].utterance, later[0].plan, later[0].state.need)
    turn = session.turns[place]
    for event in session.events:
        if event.kind == "critique" and event.slate_id == turn.slate_id:
            yield _critique(session, turn, str(event.value), event.id, catalog)


def _critique(
    session: LoggedSession, turn: LoggedTurn, text: str, event: str, catalog: Catalog
) -> Reply:
    """Return a critique as if it had been the next turn."""
    known = catalog.items(session, turn.state.slate)
    plan = catalog.heard(text, turn.state, tuple(known.values()))
    ids = [id for mention in plan.mentions for id in mention.items]
    known |= catalog.items(session, (id for id in ids if id not in known))
    return Reply(text, plan, apply(turn.state, plan, known, catalog.facets).need, (event,))


def repair_of(before: Need, turn: LoggedTurn, reply: Reply) -> Repair | Dropped | None:
    """Return how a reply corrects a turn; None where it does nothing of the kind.

    Args:
        before: What was asked for before the turn.
    """
    first, made, after = atoms(before), atoms(turn.state.need), atoms(reply.need)
    outright, acts = said_outright(reply.text), reply.plan.acts
    if outright and len(acts) == 1 and acts[0].act in _BARE and acts[0] not in turn.plan.acts:
        if acts[0] != Act(act=acts[0].act):
            return None
        return Repair(turn, first, made, first, frozenset({"reading"}), True, reply.events, acts)
    if made == after:
        return None
    if {act.act for act in acts} == {"undo"}:
        return Dropped("plan", "undone, and not said what was meant")
    meant, changed = _meant(first, made, after, turn, reply)
    if DENIED.search(reply.text.casefold()):
        meant -= {atom for atom in meant - made - first if atom.way == "avoid"}
    sorts = dict(_sorts(first, made, meant))
    if not sorts:
        return Dropped("plan", "a wish that changed") if changed and outright else None
    if not outright:
        reason = _doubt(turn, reply, sorts)
        if reason:
            return Dropped("plan", reason)
    turned = [atom for atom, sort in sorts.items() if sort == "polarity" or atom.way == "like"]
    meant -= {word for atom in turned for word in _turning(atom, turn, meant - first)}
    return Repair(turn, first, made, meant, frozenset(sorts.values()), outright, reply.events)


def said_outright(text: str) -> bool:
    """Return whether words say that the turn before was misread."""
    return OUTRIGHT.search(text.casefold()) is not None


def _doubt(turn: LoggedTurn, reply: Reply, sorts: dict[Atom, Sort]) -> str:
    """Return why a reply that does not say so may be no correction; "" where it is one."""
    if CHANGED.search(reply.text.casefold()):
        return "a wish that changed"
    # Who takes a turn back, only to say the same value the other way, was misread.
    again = reply.undone and set(sorts.values()) <= {"polarity", "reading"}
    if not again and not _has_room(turn, sorts):
        return "could be a change of mind: the words leave no other meaning"
    if turn.relaxations and "lifted" in sorts.values():
        return "could be a wish let go: little or nothing was found"
    return ""


def _turning(atom: Atom, turn: LoggedTurn, wished: Atoms) -> Iterator[Atom]:
    """Yield the words taken for wishes that said what to do with a value: "steer clear of red"."""
    for mention in strange_beside(atom, turn.utterance, turn.plan.mentions):
        for word in wished:
            if word.facet == TEXT and word.way == "soft" and can_say(mention, word):
                yield word


def _has_room(turn: LoggedTurn, sorts: dict[Atom, Sort]) -> bool:
    said, mentions = turn.utterance, turn.plan.mentions
    return all(leaves_room(sort, atom, said, mentions) for atom, sort in sorts.items())


def _meant(
    first: Atoms, made: Atoms, after: Atoms, turn: LoggedTurn, reply: Reply
) -> tuple[Atoms, bool]:
    """Return what a turn meant, and whether the reply also changes what the turn did say.

    Group by group: what the reply leaves, or sets to what the turn's own words can say, is meant;
    what is new in the reply is not.
    """
    meant: set[Atom] = set()
    changed = False
    mentions = turn.plan.mentions
    for group in groups(made, after):
        own, new = of_group(made, group), of_group(after, group)
        if own == new:
            meant |= own
            continue
        touched = any(about(m, group) for m in mentions) or own != of_group(first, group)
        said = all(atom in first or any(can_say(m, atom) for m in mentions) for atom in new - own)
        # Wishes of the turn that the reply merely leaves out still stand, unless taken back.
        named = reply.undone or any(about(m, group) for m in reply.plan.mentions)
        if touched and said and (new or named):
            # "Ideally red" leaves a demand for red where it is: it must have been made just before.
            softer = {atom._replace(way="want") for atom in new - own if atom.way == "soft"}
            meant |= new - (softer & own - first)
            continue
        turned = _turned(own, turn, reply.plan) if touched else own
        meant |= turned
        changed = changed or (touched and turned == own)
    out = {atom.value for atom in meant - made if atom.way == "reject"}
    like = {atom for atom in made - first if atom.way == "like" and atom.value in out}
    return frozenset(meant - like), changed


def _turned(own: Atoms, turn: LoggedTurn, plan: Plan) -> Atoms:
    """Return wishes with those turned round that the reply rules out by name.

    "Not red, blue" wants blue, which is new, and leaves no trace in its need of red being out.
    """
    ruled_out = [plan.mention(id) for act in plan.acts for id in act.avoid]
    for atom in own:
        if atom.way != "want" or atom.facet == TEXT:
            continue
        if not any(m.kind == "value" and can_say(m, atom) for m in ruled_out):
            continue
        for mention in turn.plan.mentions:
            if mention.kind == "value" and can_say(mention, atom):
                values = (*mention.values, *mention.family)
                out = {Atom("avoid", atom.facet, value) for value in values}
                return own - {Atom("want", atom.facet, value) for value in values} | out
    return own


def _sorts(first: Atoms, made: Atoms, meant: Atoms) -> Iterator[tuple[Atom, Sort]]:
    """Yield how each atom that was gained or lost was misread."""
    gained, lost = meant - made, set(made - meant)
    for atom in gained:
        ways = _OPPOSITE.get(atom.way, ())
        opposites = {atom._replace(way=way, strict=one) for way in ways for one in (False, True)}
        softer = atom._replace(way=_SOFTER.get(atom.way, atom.way))
        if opposites & made or atom.way == "reject":
            yield atom, "polarity"
        elif softer in lost:
            yield atom, "strength"
        else:
            yield atom, "kept" if atom in first else "reading"
        lost -= {other for other in lost if other.group == atom.group}
    for atom in lost:
        yield atom, "lifted"
