"""The words of a turn: what was understood, what was found, what to do next.

Every sentence that claims something about an item carries a `Reason` with its evidence, checked
against the catalog before it is said. Strings live in `agent/strings`, one table per language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from agent import item_replies
from agent.compare import Table
from agent.explain import checked, reasons
from agent.languages.notes import note_in
from agent.languages.tongue import ENGLISH, Tongue
from agent.needs import carried, content_words, free_wishes, not_carried
from agent.plan import Act, ActName, Plan
from agent.ports import Retriever
from agent.recommend import Recommendation
from agent.scene import Part, Scene
from agent.small_talk import ask_back, chitchat, next_question
from agent.soft import faded
from agent.state import Constraint, Need, Preference, State
from agent.suggest import offers
from agent.turn import Reason
from agent.wording import clean, find, label, listing, quoted, repeated, title_of
from retrieval.catalog import Item

ENOUGH = 2
"""A question is asked when at least this many times as many items match as are shown."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said in a turn.

    Args:
        pieces: The text in order; joined without separator they are the reply.
        claims: Every claim about an item in the text, with its evidence; all were checked.
        notes: What a person should know of how the turn was read, e.g. "read as INR 60".
        table: The comparison, where items were compared.
        asked: The facet that the reply asks about.
        explained: By place in the pieces, what a piece explains, where a model may word it.
        found: The ids of items that the reply itself found, to speak of them.
    """

    pieces: tuple[str, ...]
    claims: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
    table: Table | None = None
    asked: str | None = None
    explained: Mapping[int, Part] = field(default_factory=dict)
    found: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The whole reply."""
        return "".join(self.pieces)


def compose(
    plan: Plan,
    before: State,
    state: State,
    recommendation: Recommendation | None,
    retriever: Retriever,
    items: Mapping[str, Item],
    tongue: Tongue = ENGLISH,
) -> Reply:
    """Return the reply of a turn.

    Args:
        before: The state before the plan was applied.
        recommendation: What was found, when the turn shows items.
        items: The items that the turn can speak of (slate, focus, references), by id.
    """
    scene = Scene(plan, before, state, recommendation, retriever, items, tongue)
    parts = list(_not_given(scene))
    parts += [part for act in plan.acts for part in _for_act(scene, act)]
    parts += item_replies.shown_again(scene)
    parts += _faded(scene)
    parts += [Part(scene.say("reply.note", note=note), notes=(note,)) for note in _notes(scene)]
    if recommendation is not None:
        parts += _slate(scene, recommendation)
    if not any(part.text for part in parts):
        parts.append(Part(scene.say("reply.nothing_to_say")))
    return _joined(parts, scene.say("grammar.sentence"))


def _joined(parts: Sequence[Part], blank: str) -> Reply:
    first = {part.text: part for part in reversed(parts) if part.text}
    kept = list(dict.fromkeys(part.text for part in parts if part.text))
    pieces = [text if text.endswith("\n") or i == len(kept) - 1 else f"{text}{blank}"
              for i, text in enumerate(kept)]  # fmt: skip
    tables = [part.table for part in parts if part.table is not None]
    asked = [part.asked for part in parts if part.asked]
    return Reply(
        pieces=tuple(pieces),
        claims=_distinct(claim for part in parts for claim in part.claims),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        table=tables[0] if tables else None,
        asked=asked[0] if asked else None,
        explained={i: first[text] for i, text in enumerate(kept) if first[text].about},
        found=tuple(dict.fromkeys(part.found.id for part in parts if part.found)),
    )


def _distinct(claims: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return the claims without repeats; evidence may hold lists, so they are compared as text."""
    return tuple({claim.model_dump_json(): claim for claim in claims}.values())


def _for_act(scene: Scene, act: Act) -> Iterator[Part]:
    """Yield what an act has to say by itself; a slate is spoken of once, after all acts."""
    yield from item_replies.lost_references(scene, act)
    handler = _HANDLERS.get(act.act)
    if handler is not None:
        yield from handler(scene, act)


def _faded(scene: Scene) -> Iterator[Part]:
    """Say which words are no longer looked for, since too many newer ones came after them."""
    acts = {act.act for act in scene.plan.acts}
    if acts & {"recommend", "undo", "reset"} or any(act.drop for act in scene.plan.acts):
        return
    gone = faded(scene.before.need, scene.state.need)
    lacking = set(not_carried(scene.retriever.index, Need(preferences=gone)))
    gone = tuple(wish for wish in gone if wish.text.strip() not in lacking)
    if gone:
        texts = [wish.words or wish.text for wish in gone]
        yield Part(scene.say("reply.faded", wishes=_quoted(scene, texts)))


def _notes(scene: Scene) -> Iterator[str]:
    used = {
        id for act in scene.plan.acts for id in (*act.want, *act.avoid, *act.prefer, *act.change)
    }
    for mention in scene.plan.mentions:
        if mention.id in used and mention.note:
            said = note_in(mention.note, scene.tongue)
            yield repeated(scene.say("grammar.flag", facet=mention.text, value=said), 120)


def _not_given(scene: Scene) -> Iterator[Part]:
    """Say what the catalog cannot go by; a question about an item is answered by itself."""
    if any(act.act == "detail" for act in scene.plan.acts):
        return
    said: dict[str, str] = {}
    for mention in scene.plan.mentions:
        if mention.kind == "absent":
            said.setdefault(mention.values[0], mention.text)
    for role, words in said.items():
        yield Part(scene.say(f"absent.{role}", words=repeated(words, 40)))


def _undo(scene: Scene, act: Act) -> Iterator[Part]:
    if scene.mentions(act.refs):
        return  # the list itself says where that is
    if not scene.before.earlier:
        yield Part(scene.say("reply.nothing_to_undo"))
        return
    wishes = _wishes(scene, scene.state.need)
    yield Part(
        scene.say("reply.undone", wishes=wishes) if wishes else scene.say("reply.undone_all")
    )


def _reset(scene: Scene, act: Act) -> Iterator[Part]:
    yield Part(scene.say("reply.reset"))
    if len(scene.plan.acts) == 1 and scene.recommendation is None:
        yield from ask_back(scene)


def _elicit(scene: Scene, act: Act) -> Iterator[Part]:
    asked = list(ask_back(scene, act.facet))
    have, subject = (
        offers(scene.retriever, scene.tongue),
        find(scene.retriever.facets, asked[0].asked),
    )
    about_kind = subject is not None and subject.role == "category"
    if have and not scene.state.need.constraints and not about_kind:
        yield Part(scene.say("reply.offers", offers=have))
    yield from asked


def _answer(scene: Scene, act: Act) -> Iterator[Part]:
    yield Part(scene.say("reply.answer"))


def _handoff(scene: Scene, act: Act) -> Iterator[Part]:
    yield Part(scene.say("reply.handoff"))


_HANDLERS: Mapping[ActName, Callable[[Scene, Act], Iterator[Part]]] = {
    "compare": item_replies.compare,
    "explain": item_replies.why,
    "detail": item_replies.detail,
    "select": item_replies.select,
    "reject": item_replies.reject,
    "undo": _undo,
    "reset": _reset,
    "elicit": _elicit,
    "answer": _answer,
    "handoff": _handoff,
    "chitchat": chitchat,
}


def _quoted(scene: Scene, texts: Iterable[str]) -> str:
    return quoted([repeated(text, 40) for text in texts], scene.tongue)


def _wishes(scene: Scene, need: Need) -> str:
    """Return the hard wishes of a need in one clause: "Shirts, Blue and under €60"."""
    return scene.listed([scene.wish(constraint) for constraint in need.constraints], "wishes")


def _soft(scene: Scene, found: Recommendation) -> Iterator[Part]:
    """Yield how the soft wishes fared: whether the first item has them in its text."""
    need = carried(scene.state.need, found.not_carried)
    said_now = [wish for wish in free_wishes(need) if _is_new(scene, wish)]
    texts = [wish.words or wish.text for wish in said_now if content_words(wish.text)]
    if not texts or need.sorting is not None:
        return
    features = found.features.get(found.candidates[0].item.id, {})
    key = "soft_none" if not features.get("words") else "soft_part"
    key = "soft" if features.get("all_words") else key
    yield Part(scene.say(f"reply.{key}", soft=_quoted(scene, texts[:3])))


def _contradictory(need: Need) -> Constraint | None:
    """Return a constraint that no item can ever meet: its bounds exclude each other."""
    for one in need.constraints:
        low, high = one.low, one.high
        if low is None or high is None or isinstance(low, str) != isinstance(high, str):
            continue
        ends = (str(low), str(high)) if isinstance(low, str) else (float(low), float(high))
        strict = one.low_strict or one.high_strict
        if ends[0] > ends[1] or (strict and ends[0] == ends[1]):  # type: ignore[operator]
            return one
    return None


def _slate(scene: Scene, found: Recommendation) -> Iterator[Part]:
    """Yield what was understood, how much fits, what was given up, and what to do next."""
    clash = _contradictory(scene.state.need)
    if clash is not None:
        yield Part(scene.say("reply.contradiction", wish=scene.wish(clash)))
    lacking = _new_words(scene, found.not_carried)
    if lacking:
        named = _quoted(scene, lacking[:3])
        key = "reply.closest" if found.candidates else "reply.not_carried"
        yield Part(scene.say(key, named=named))
    if not found.candidates:
        yield from _empty(scene, found, clash is not None)
        return
    if found.relaxations:
        yield from (Part(text) for text in _relaxed(scene, found))
    elif not found.not_carried or scene.state.need.constraints:
        lead = _lead(scene, found)
        yield Part(f"{lead[:1].upper()}{lead[1:]}")
    yield from _soft(scene, found)
    yield from _first_pick(scene, found)
    yield from _next(scene, found)


def _is_new(scene: Scene, wish: Preference) -> bool:
    """Return whether a soft wish was said in this turn, as far as is known."""
    return wish.turn in (0, scene.state.turn)


def _new_words(scene: Scene, lacking: Sequence[str]) -> list[str]:
    """Return what the catalog lacks of what was said in this turn; earlier it was told already."""
    now = [p for p in scene.state.need.preferences if _is_new(scene, p)]
    found = {w: [p for p in now if w.casefold() in p.text.casefold()] for w in lacking}
    return [said[0].words or word for word, said in found.items() if said]


def _relaxed(scene: Scene, found: Recommendation) -> list[str]:
    """Return what was given up; two near ways share their beginning."""
    colon, stop = scene.say("grammar.colon"), scene.say("grammar.stop")
    texts = [one.text for one in found.relaxations]
    first, rest = texts[0], texts[1:]
    subject = f"{first.partition(colon)[0]}{colon}"
    tails = [t.removeprefix(subject).removesuffix(stop) for t in rest if t.startswith(subject)]
    others = [t for t in rest if not t.startswith(subject)]
    said = listing([first.removesuffix(stop), *tails], "clauses", scene.tongue)
    return [f"{said}{stop}", *others]


def _lead(scene: Scene, found: Recommendation) -> str:
    """Return what was understood, in one clause, and how many items fit."""
    need, acts = scene.state.need, {act.act for act in scene.plan.acts}
    if acts == {"undo"} and scene.plan.acts[0].refs:
        return scene.say("reply.back_list")
    wishes, n, shown = _wishes(scene, need), found.matched, len(found.candidates)
    anchor = scene.item(need.like.item_id) if need.like else None
    if anchor is not None and "more" not in acts:
        own = need.like.changed if need.like else ()
        changed = scene.listed([scene.wish(c) for c in need.constraints if c.facet in own])
        key = "reply.like_but" if changed else "reply.like"
        return scene.say(key, title=title_of(anchor), changed=changed)
    if need.sorting is not None:
        by = clean(need.sorting.label, 30) or label(
            find(scene.retriever.facets, need.sorting.facet), need.sorting.facet, scene.tongue
        )
        key = "reply.sorted" if wishes else "reply.sorted_all"
        return scene.say(key, wishes=wishes, by=by, n=n)
    if "more" in acts:
        return scene.say("reply.more", n=n, shown=shown)
    if not wishes:
        rated = any(f.role in ("rating", "popularity") for f in scene.retriever.facets)
        return "" if need.preferences else scene.say("reply.popular" if rated else "reply.some")
    return scene.say("reply.matches" if n > shown else "reply.all_matches", wishes=wishes, n=n)


def _first_pick(scene: Scene, found: Recommendation) -> Iterator[Part]:
    """Yield the first item with two reasons that hold."""
    item, others = found.candidates[0].item, dict(scene.known)
    if scene.state.need.like and (anchor := scene.item(scene.state.need.like.item_id)):
        others[anchor.id] = anchor
    facets, currency = scene.retriever.facets, scene.retriever.currency
    made = reasons(item, scene.state, facets, currency, others, scene.tongue)
    held = checked(made, item, scene.state, facets, others, scene.tongue)
    # What the catalog does not say comes last: it is no reason to show something first.
    held = tuple(sorted(held, key=lambda reason: reason.evidence[0].value is None))[:2]
    if held:
        said = listing([reason.text for reason in held], "clauses", scene.tongue)
        text = scene.say("reply.first_pick", title=title_of(item), reasons=said)
        yield Part(text, held, about=item)


def _next(scene: Scene, found: Recommendation) -> Iterator[Part]:
    """Yield a question that narrows a long list down, at the start of a need."""
    acts = {act.act for act in scene.plan.acts}
    if found.relaxations or acts & {"elicit", "reset"}:
        return
    vague = bool(free_wishes(scene.state.need)) and not scene.state.need.constraints
    many = found.matched >= ENOUGH * len(found.candidates) and not vague
    if many and acts & {"recommend", "refine"} and not scene.state.need.like:
        asked = next_question(scene)
        if asked is not None:
            yield Part(asked[0], asked=asked[1])


def _empty(scene: Scene, found: Recommendation, said: bool) -> Iterator[Part]:
    """Yield why there is nothing to show, and a way on."""
    if scene.retriever.index.count(None) == 0:
        yield Part(scene.say("reply.empty_catalog"))
    elif found.matched and not found.not_carried:
        yield Part(scene.say("reply.all_seen", n=found.matched))
    elif scene.state.need.constraints and not said:
        yield Part(scene.say("reply.nothing_fits", wishes=_wishes(scene, scene.state.need)))
    have = offers(scene.retriever, scene.tongue)
    if have and not found.matched:
        yield Part(scene.say("reply.offers", offers=have))
