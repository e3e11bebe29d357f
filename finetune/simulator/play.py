"""Plays simulated sessions through the dialogue, as people would, and stores their feedback.

    outcomes = simulate(contestant, retriever, store, population, n=200, seed=0)

Every contestant meets the same users: targets, tastes, wishes and what they look at are drawn from
the seed alone, so that two runs can be compared user by user.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from time import perf_counter

from agent.dialogue import Parts, respond
from agent.errors import AgentError
from agent.exploring import GREEDY, Drawn, Policy
from agent.linking import Linker
from agent.store import Store
from agent.turn import Done
from finetune.contestant import Contestant
from finetune.simulator.behaviour import Deed, browsing, critique, events, looked_at, taking
from finetune.simulator.leaks import leaks
from finetune.simulator.mind import Mind
from finetune.simulator.outcomes import Line, Outcome, Outcomes
from finetune.simulator.population import Population
from finetune.simulator.reading import Misread, failed, misread, repeats, violations
from finetune.simulator.satisfaction import Signals, satisfaction
from finetune.simulator.speech import Move
from finetune.simulator.users import User, draw_users
from finetune.simulator.wording import Wording, by_phrases
from finetune.simulator.world import World, make_world
from retrieval.catalog import Item
from retrieval.retriever import Retriever


def parts_of(
    contestant: Contestant, retriever: Retriever, store: Store, policy: Policy = GREEDY
) -> Parts:
    """Return what a contestant's turns are made with."""
    voice = contestant.voice(retriever)
    return Parts(
        store, retriever, Linker.build(retriever), voice.planner, explainer=voice.explainer,
        chooser=voice.chooser, voice=contestant.name, policy=policy,
    )  # fmt: skip


@dataclass(slots=True)
class _Seeded:
    """A policy whose draws follow from the user, not from the session's id, which is chance."""

    policy: Policy
    random: Random

    @property
    def name(self) -> str:
        return self.policy.name

    @property
    def head(self) -> int:
        return self.policy.head

    def draw(self, scores: Sequence[float], k: int, rng: Random) -> Drawn:
        return self.policy.draw(scores, k, self.random)


def simulate(
    subject: Contestant | Parts,
    retriever: Retriever,
    store: Store,
    population: Population,
    n: int,
    seed: int,
    *,
    policy: Policy = GREEDY,
    wording: Wording = by_phrases,
    progress: bool = False,
) -> Outcomes:
    """Play n users' sessions, store them with their feedback, and return what came of them.

    Args:
        subject: Who is measured; Parts are used as they are, but for the store.
        policy: Makes the slates of a contestant.
        wording: Words the moves that the rules decide.

    Raises:
        FinetuneError: If the catalog has no facets that people could wish for.
    """
    world = make_world(list(retriever.items()), retriever.facets, retriever.name)
    users = draw_users(world, population, n, seed)
    if isinstance(subject, Contestant):
        name, parts = subject.name, parts_of(subject, retriever, store, policy)
    else:
        name, parts = subject.voice, replace(subject, store=store)
    begun = perf_counter()
    found = tuple(play(parts, world, user, wording) for user in _shown(users, progress))
    return Outcomes(name, population.name, seed, found, perf_counter() - begun)


def _shown(users: list[User], progress: bool) -> Iterable[User]:
    if not progress:
        return users
    from tqdm import tqdm

    return tqdm(users, desc="simulated users", unit="user")  # type: ignore[no-any-return]


@dataclass(slots=True)
class _Session:
    """A session under way, as counted."""

    parts: Parts
    world: World
    user: User
    mind: Mind
    id: str
    lines: list[Line] = field(default_factory=list)
    slate: tuple[str, ...] = ()
    relevance: float = 0.0
    violations: int = 0
    repeats: int = 0
    misreadings: int = 0
    repairs: int = 0
    failures: int = 0

    def signals(self, success: bool) -> Signals:
        return Signals(
            turns=max(1, len(self.lines)), success=float(success), repairs=self.repairs,
            repeats=self.repeats, failures=self.failures, violations=self.violations,
            relevance=1.0 if success else self.relevance,
        )  # fmt: skip


def play(parts: Parts, world: World, user: User, wording: Wording = by_phrases) -> Outcome:
    """Play one user's session to its end and store their feedback."""
    price = world.price.name if world.price else ""
    parts = replace(parts, policy=_Seeded(parts.policy, Random(f"{user.name} draws")))
    id = parts.store.create_session(user.name)
    session = _Session(parts, world, user, Mind.of(user, price), id)
    move, taken, turn = session.mind.first(), None, 1
    text = wording(move, user, (), Random(f"{user.name} say 1"))
    while True:
        done = _turn(parts, id, text)
        shown = _shown_items(world, done)
        looked = looked_at(user, shown, turn)
        wrong = _read(session, move, done, shown, text)
        taken = _taken(user, looked)
        if taken is not None:
            _take(session, done, taken, shown, wording)
            break
        move = session.mind.next(move, wrong, shown, looked)
        text = wording(move, user, shown, Random(f"{user.name} say {turn + 1}"))
        _react(session, done, looked, wrong, critique(user, looked, move, text))
        if turn == user.patience:
            break
        turn += 1
    return _outcome(session, taken, turn)


def _turn(parts: Parts, session_id: str, text: str) -> Done:
    for event in respond(parts, session_id, text):
        if isinstance(event, Done):
            return event
    raise AgentError("the turn ended without an answer")


def _shown_items(world: World, done: Done) -> list[Item]:
    known = (world.by_id.get(one.item_id) for one in done.slate.items)
    return [item for item in known if item is not None]


def _read(
    session: _Session, move: Move, done: Done, shown: list[Item], text: str
) -> Misread | None:
    """Count what the turn was like; return what the user noticed to be misread."""
    user, before = session.user, session.slate
    wrong = misread(move, done, shown, before, session.mind.price)
    chance = Random(f"{user.name} notice {len(session.lines)}").random()
    wrong = wrong if chance < user.population.notices else None
    ids = tuple(one.item_id for one in done.slate.items)
    session.repairs += move.kind in ("repair", "undo")
    session.misreadings += wrong is not None
    session.repeats += repeats(move, ids, before)
    session.violations += violations(done, session.world.by_id)
    session.failures += failed(done)
    session.slate = ids or before
    line = Line(text, move.kind, done.reply, ids, done.planner, wrong is not None)
    session.lines.append(line)
    return wrong


def _taken(user: User, looked: list[tuple[int, Item]]) -> tuple[int, Item] | None:
    """Return the best of what was looked at that the user would take."""
    good = [one for one in looked if user.accepts(one[1])]
    return max(good, key=lambda one: (user.utility(one[1]), -one[0]), default=None)


def _take(
    session: _Session, done: Done, taken: tuple[int, Item], shown: list[Item], wording: Wording
) -> None:
    """Take an item: by feedback on its slate, and for some in words too."""
    user, (rank, item) = session.user, taken
    stars = satisfaction(session.signals(True))
    _store(session, taking(user, item, stars, len(session.lines)), done)
    random = Random(f"{user.name} thanks")
    if random.random() < 0.5:
        move = Move("select", rank=rank, item_id=item.id)
        text = wording(move, user, shown, random)
        reply = _turn(session.parts, session.id, text)
        session.lines.append(Line(text, "select", reply.reply, (), reply.planner))


def _react(
    session: _Session,
    done: Done,
    looked: list[tuple[int, Item]],
    wrong: Misread | None,
    critique: list[Deed],
) -> None:
    """Store clicks, rejections and critiques; who was misread does nothing but correct."""
    relevance = (session.user.relevance(item) for _, item in looked)
    session.relevance = max(session.relevance, max(relevance, default=0.0))
    if wrong is None:
        turn = len(session.lines)
        _store(session, [*browsing(session.user, looked, turn), *critique], done)


def _store(session: _Session, deeds: list[Deed], done: Done) -> None:
    if deeds:
        made = events(deeds, done.slate.id, session.user.consent)
        session.parts.store.add_feedback_batch(made)


def _outcome(session: _Session, taken: tuple[int, Item] | None, turn: int) -> Outcome:
    user, success = session.user, taken is not None
    said = leaks((line.text for line in session.lines), user.target)
    return Outcome(
        user=user.name, session=session.id, target=user.target.id,
        taken=taken[1].id if taken else None, success=success,
        turns=turn if success else user.patience + 1,
        satisfaction=satisfaction(session.signals(success)), violations=session.violations,
        repeats=session.repeats, misreadings=session.misreadings, repairs=session.repairs,
        relevance=1.0 if success else session.relevance, consent=user.consent,
        leaked=bool(said), transcript=tuple(session.lines),
    )  # fmt: skip
