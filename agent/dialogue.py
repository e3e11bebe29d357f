"""The one flow: an utterance in, a stream of typed events out.

`respond` is the only function that calls every stage (desk, link, plan, apply, recommend, reply,
store); every surface renders its events. It knows no HTTP and no terminal.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from agent.again import shown_again
from agent.apply import apply, with_slate
from agent.desk import Attended, DeskRequest, Extras, Outcome, Silent, Sorts
from agent.errors import Moved
from agent.explain import checked, reasons
from agent.explainer import Subject
from agent.exploring import GREEDY, slate_rng
from agent.feedback import new_id
from agent.languages.carrying import Carried
from agent.languages.tongue import Tongue
from agent.observability.turns import watched
from agent.pace import paced, waited_s
from agent.parts import Linker, Parts
from agent.plan import Act, Plan
from agent.planner import PlanRequest
from agent.pressed import plan_of
from agent.privacy.port import MARK, without_marks
from agent.recommend import Recommendation, recommend
from agent.reply import Reply, compose
from agent.safe_text import plain
from agent.state import State
from agent.store import Session
from agent.telemetry import Timings, current_meter
from agent.turn import Done, Items, Slate, SlateItem, StreamEvent, Text, Understood, Written
from agent.usage import Spent, turn_tokens
from agent.utterance import clean_utterance
from agent.voice import Voice
from retrieval.catalog import Facet, Item

__all__ = ["SHOWING", "Linker", "Parts", "item_fields", "rehearse", "respond", "shows"]

SHOWING = frozenset({"recommend", "refine", "like", "more", "reject", "undo", "reset", "elicit"})
"""Acts after which items are shown."""

_OF_THE_DESK = frozenset({"answer", "handoff"})
"""Acts that a desk, where there is one, has words for."""


@dataclass(slots=True)
class _Turn:
    """One turn under way: what each stage made, for the next one.

    Args:
        utterance: As it is stored: personal data masked.
        raw: As it was said.
        kept: Whether it is stored.
        carried: The utterance in the English words that it is understood by, where it is not in
            English.
    """

    parts: Parts
    voice: Voice
    session: Session
    utterance: str
    raw: str
    extras: Extras
    kept: bool = True
    carried: Carried | None = None
    timings: Timings = field(default_factory=Timings)
    said: list[str] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)

    @property
    def facets(self) -> tuple[Facet, ...]:
        return self.parts.retriever.facets

    @property
    def tongue(self) -> Tongue:
        """The language that the turn is answered in."""
        return self.parts.languages.tongue(self.session.state.language)


def respond(
    parts: Parts,
    session_id: str,
    text: str,
    extras: Extras = Extras(),  # noqa: B008 (frozen)
) -> Generator[StreamEvent, None, None]:
    """Take one turn: yield what was understood, the items, the words, and the stored turn.

    Turns of one session wait for each other. A turn has one voice from beginning to end, which is
    let go when the turn ends or its caller stops listening. The turn is stored in one transaction
    before `Done` is yielded; if the caller stops listening earlier, nothing of it is kept. A
    request that was taken before (`Extras.once`) yields the turn that was stored then.

    Raises:
        UnknownSession: If there is no such session.
        UserInputError: If the text is empty or too long.
        Conflict: If another request was taken under the same idempotency key.
        Moved: If the session is not at the turn that `Extras.after` names.
        StoreError: If the turn could not be stored; the session stays as it was.
    """
    return paced(_respond(parts, session_id, text, extras))


def _respond(
    parts: Parts, session_id: str, text: str, extras: Extras
) -> Generator[StreamEvent, None, None]:
    raw = clean_utterance(text)
    utterance = parts.masker.mask(raw)
    with parts.store.turn_lock(session_id):
        session = parts.store.load(session_id)
        earlier = parts.store.taken(extras.once, session_id) if extras.once else None
        if earlier is not None:
            yield from _again(earlier)
            return
        if extras.after not in (None, session.turns):
            raise Moved(f"the session has had {session.turns} turns, expected {extras.after}")
        session = _spoken(parts, session, extras.language, MARK.sub("", utterance))
        with parts.lease(session_id) as voice:
            turn = _Turn(parts, voice, session, utterance, raw, extras)
            yield from watched(_take(turn), session_id)


def rehearse(parts: Parts, session: Session, text: str) -> Done:
    """Return a turn of which nothing is stored: one that was had before, elsewhere.

    The desk does nothing in it, lest anything be done twice, and no model words it.
    """
    desk = Silent(parts.desk) if isinstance(parts.desk, Sorts) else None
    alone = replace(parts, desk=desk, explainer=None, router=None, policy=GREEDY)
    raw = clean_utterance(text)
    with alone.lease(session.id) as voice:
        turn = _Turn(alone, voice, session, parts.masker.mask(raw), raw, Extras(), kept=False)
        return next(event for event in _take(turn) if isinstance(event, Done))


def _spoken(parts: Parts, session: Session, asked: str | None, text: str) -> Session:
    """Return a session in the language asked for, else in the one whose letters a turn is in."""
    language = asked or parts.languages.of_letters(text)
    if language is None or language == session.state.language:
        return session
    return replace(session, state=session.state.model_copy(update={"language": language}))


def _again(done: Done) -> Iterator[StreamEvent]:
    """Yield a stored turn as it was yielded when it was taken."""
    yield Understood(plan=done.plan, state=done.state)
    if shows(done.plan):
        yield Items(slate=done.slate)
    yield Text(delta=done.reply)
    yield done


def _take(turn: _Turn) -> Generator[StreamEvent, None, None]:
    before = turn.session.state
    with turn.timings.span("language"):
        turn.carried = turn.parts.languages.carried(turn.utterance, before.language)
    request = _at_desk(turn)
    attended = _attend(turn, request)
    plan = _plan(turn, attended.rest, request.slate)
    items = _items(turn, plan)
    with turn.timings.span("apply"):
        state = apply(before, plan, items, turn.facets)
    yield Understood(plan=plan, state=state)
    found = _find(turn, plan, state)
    slate = _slate(turn, state, found, items)
    if found is not None:
        state = with_slate(state, (one.item_id for one in slate.items))
        yield Items(slate=slate)
    attended = _conclude(turn, request, attended, plan, found)
    with turn.timings.span("reply"):
        reply = _reply(turn, attended, plan, state, found, items)
    if reply.asked and reply.asked not in state.asked:
        state = state.model_copy(update={"asked": (*state.asked, reply.asked)})
    if reply.found:
        state = state.model_copy(update={"focus": reply.found})
    state = state.model_copy(update={"desk": attended.state})
    others = {**items, **{item.id: item for item in found.items}} if found else items
    for piece in map(plain, chain(attended.words, _words(turn, reply, state, others))):
        turn.said.append(piece)
        yield Text(delta=piece)
    done = _done(turn, plan, state, slate, found, reply, attended)
    with turn.timings.span("store"):
        _record(turn, done, found, attended)
    yield done


def _at_desk(turn: _Turn) -> DeskRequest:
    state, retriever = turn.session.state, turn.parts.retriever
    slate, focus = retriever.get_many(state.slate), retriever.get_many(state.focus)
    utterance, raw = turn.utterance, turn.raw
    if turn.carried is not None:
        own = turn.parts.languages.carried(raw, state.language) if raw != utterance else None
        utterance, raw = turn.carried.text, (own or turn.carried).text
    return DeskRequest(
        turn.session.id, utterance, raw, state, tuple(slate), tuple(focus),
        turn.facets, turn.extras, turn.carried,
    )  # fmt: skip


def _attend(turn: _Turn, request: DeskRequest) -> Attended:
    """Have the desk take care of what is about the shop."""
    if turn.parts.desk is None or turn.extras.press is not None:
        return Attended(request.utterance, turn.session.state.desk)
    with turn.timings.span("desk"):
        attended = turn.parts.desk.attend(request)
        return replace(attended, rest="") if turn.extras.repeated else attended


def _conclude(
    turn: _Turn, request: DeskRequest, attended: Attended, plan: Plan, found: Recommendation | None
) -> Attended:
    """Have the desk add what follows from what was found."""
    if turn.parts.desk is None:
        return attended
    shown = None if found is None else len(found.candidates)
    with turn.timings.span("desk"):
        return turn.parts.desk.conclude(request, attended, Outcome(plan, shown))


def _plan(turn: _Turn, rest: str, slate: Sequence[Item]) -> Plan:
    """Link what is about items and plan the turn; what was pressed is a plan already."""
    if turn.extras.press is not None:
        return plan_of(turn.extras.press, turn.utterance, turn.facets, turn.tongue)
    left = without_marks(rest)
    if left != rest and not any(map(str.isalnum, left)):  # they only told who they are
        return Plan(acts=(Act(act="chitchat"),), utterance=rest)
    plan = _english_plan(turn, left, slate)
    return plan if turn.carried is None else turn.carried.home(plan)


def _english_plan(turn: _Turn, rest: str, slate: Sequence[Item]) -> Plan:
    if not rest.strip():
        said = any(sign.isalnum() for sign in turn.utterance)  # or the desk has all of it
        return Plan(acts=(Act(act="answer" if said else "chitchat"),), utterance=turn.utterance)
    state = turn.session.state
    with turn.timings.span("link"):
        mentions = turn.parts.linker.link(rest, state, slate)
    nothing = turn.carried is not None and not turn.carried.known
    if nothing and all(mention.kind == "unknown" for mention in mentions):
        return Plan(acts=(Act(act="chitchat"),), mentions=mentions, utterance=rest)
    with turn.timings.span("plan"):
        typed = "" if turn.carried is None else turn.carried.typed
        request = PlanRequest(rest, mentions, state, tuple(slate), turn.facets, typed)
        return turn.voice.planner.plan(request)


def _items(turn: _Turn, plan: Plan) -> dict[str, Item]:
    """Return every item the turn may point at, as it is in the catalog now."""
    state = turn.session.state
    ids = [*state.slate, *state.focus, *(id for m in plan.mentions for id in m.items)]
    if state.need.like is not None:
        ids.append(state.need.like.item_id)
    found = turn.parts.retriever.get_many(list(dict.fromkeys(ids)))
    return {item.id: item for item in found}


def shows(plan: Plan) -> bool:
    """Return whether a plan ends in items being shown."""
    return any(act.act in SHOWING for act in plan.acts)


def _find(turn: _Turn, plan: Plan, state: State) -> Recommendation | None:
    """Retrieve and rerank, unless the turn is about items already shown."""
    if not shows(plan):
        return None
    exclude: Collection[str] = ()
    if any(act.act == "more" for act in plan.acts):
        exclude = state.shown
    with turn.timings.span("retrieve"):
        return shown_again(turn.parts.retriever, plan, state) or recommend(
            turn.parts.retriever, state, k=turn.parts.page, exclude=exclude,
            chooser=turn.voice.chooser, policy=turn.parts.policy,
            rng=slate_rng(turn.session.id, state.turn), rival=turn.voice.rival,
            tongue=turn.tongue,
        )  # fmt: skip


def _slate(
    turn: _Turn, state: State, found: Recommendation | None, items: Mapping[str, Item]
) -> Slate:
    """Return the slate with each item's reasons, checked against the catalog."""
    if found is None:
        return Slate(id=new_id())
    others = {**items, **{item.id: item for item in found.items}}
    with turn.timings.span("explain"):
        shown = tuple(
            _shown(turn, state, rank, candidate.item, candidate.score, others)
            for rank, candidate in enumerate(found.candidates, start=1)
        )
    return Slate(id=new_id(), items=shown)


def _shown(
    turn: _Turn, state: State, rank: int, item: Item, score: float, others: Mapping[str, Item]
) -> SlateItem:
    currency = turn.parts.retriever.currency
    made = reasons(item, state, turn.facets, currency, others, turn.tongue)
    return SlateItem(
        item_id=item.id, rank=rank, score=round(score, 6), fields=item_fields(item),
        reasons=checked(made, item, state, turn.facets, others, turn.tongue),
    )  # fmt: skip


def item_fields(item: Item) -> dict[str, object]:
    """Return an item as it is kept with the slate it was shown on: its facets and texts."""
    fields = {key: list(v) if isinstance(v, tuple) else v for key, v in item.fields.items()}
    return {
        **fields, "title": item.title, "description": item.description,
        "currency": item.currency, "image": item.image, "url": item.url,
    }  # fmt: skip


def _reply(
    turn: _Turn,
    attended: Attended,
    plan: Plan,
    state: State,
    found: Recommendation | None,
    items: Mapping[str, Item],
) -> Reply:
    """Compose what is said about items, after what the desk says."""
    acts = plan.acts
    if turn.parts.desk is not None:
        acts = tuple(act for act in acts if act.act not in _OF_THE_DESK)
        if attended.words:
            acts = tuple(act for act in acts if act.act != "chitchat")
    if attended.words and not acts:
        return Reply(pieces=())
    own = plan.model_copy(update={"acts": acts}) if acts else plan
    before, retriever = turn.session.state, turn.parts.retriever
    reply = compose(own, before, state, found, retriever, items, turn.tongue)
    if not attended.words or not reply.pieces:
        return reply
    first, *others = reply.pieces
    return replace(reply, pieces=(f"\n\n{first}", *others))


def _words(turn: _Turn, reply: Reply, state: State, others: Mapping[str, Item]) -> Iterator[str]:
    """Yield the words of a reply; explanations as a model words them, where one is asked to."""
    explainer = turn.voice.explainer
    for place, piece in enumerate(reply.pieces):
        part = reply.explained.get(place)
        if explainer is None or part is None or part.about is None:
            yield piece
            continue
        text = piece.rstrip()
        subject = Subject(part.about, part.claims, text, others)
        with turn.timings.span("words"):
            telling = explainer.tell(subject, state, turn.facets, turn.parts.retriever.currency)
            yield from telling
        turn.written.append(telling.written)
        yield piece[len(text) :]


def _done(
    turn: _Turn,
    plan: Plan,
    state: State,
    slate: Slate,
    found: Recommendation | None,
    reply: Reply,
    attended: Attended,
) -> Done:
    return Done(
        turn_id=new_id(),
        session_id=turn.session.id,
        utterance=turn.utterance,
        reply="".join(turn.said),
        slate=slate,
        plan=plan,
        state=state,
        claims=reply.claims,
        relaxations=found.relaxations if found else (),
        notes=reply.notes,
        timings={"queue": round(1000 * waited_s(), 3), **turn.timings.ms},
        planner=plan.planner,
        written=tuple(turn.written),
        voice=turn.voice.name,
        service=attended.service,
    )


def _record(turn: _Turn, done: Done, found: Recommendation | None, attended: Attended) -> None:
    """Store the turn, with how its slate was chosen and what is to be done after it."""
    if not turn.kept:
        return
    policy, chances = (found.policy, found.propensities) if found else ("greedy", None)
    payer, spent = turn.extras.payer, None
    if payer:
        spent = Spent(payer, turn_tokens(turn.raw, done.reply, current_meter()))
    turn.parts.store.record(
        done, policy=policy, propensities=chances, jobs=attended.jobs, once=turn.extras.once,
        spent=spent,
    )  # fmt: skip
