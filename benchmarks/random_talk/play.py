"""Play conversations: say things to a shop, change its catalog, and check every turn.

`converse` makes a conversation up from a seed; `replay` plays written-down steps again, and
`shrink` leaves out the steps that a violation does not need.
"""

from __future__ import annotations

import json
import shlex
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from agent.apply import apply, with_slate
from agent.dialogue import respond, shows
from agent.errors import UserInputError
from agent.payload import turn_json
from agent.state import State
from agent.turn import Done
from agent.utterance import MAX_CHARACTERS, clean_utterance
from benchmarks.random_talk.changes import Change, make_change, random_change
from benchmarks.random_talk.checks import CHECKS, Played
from benchmarks.random_talk.shops import Shop
from benchmarks.random_talk.speech import Speaker, Words
from retrieval.catalog import Facet, Item

EXCEPTION, REPLAY, REFUSED = "unhandled exception", "replay differs", "wrongly refused"
KINDS = (*CHECKS, EXCEPTION, REPLAY, REFUSED)

CHANGING = 0.04
"""Share of conversations in which the catalog changes."""
AGAIN = 0.03
"""Share of conversations that are held a second time, to see that they go the same way."""

LENGTHS = (1, 2, 2, 3, 3, 3, 4, 4, 5, 8)
"""Turns of a conversation."""

Step = str | Change
"""What is said, or a change of the catalog."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must not happen, and in which step of the conversation it did."""

    kind: str
    detail: str
    step: int


@dataclass(slots=True)
class Talk:
    """One conversation: its steps, and what became of it."""

    shop: str
    steps: list[Step] = field(default_factory=list)
    turns: int = 0
    refused: int = 0
    shown: int = 0
    claims: int = 0
    changes: int = 0
    relaxed: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A turn with the catalog it was held over."""

    done: Done
    items: Mapping[str, Item]
    facets: tuple[Facet, ...]


class _Stage:
    """One session with a shop, under watch."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.talk = Talk(shop.name)
        self.session = shop.parts.store.create_session()
        self.state = State()
        self._seen: list[_Seen] = []

    def take(self, step: Step) -> None:
        """Say something, or change the catalog."""
        self.talk.steps.append(step)
        if isinstance(step, str):
            self._say(step)
        else:
            self.talk.changes += 1
            make_change(self.shop, step)

    def _fail(self, kind: str, detail: str) -> None:
        self.talk.violations.append(Violation(kind, detail, len(self.talk.steps) - 1))

    def _say(self, text: str) -> None:
        parts = self.shop.parts
        try:
            events = tuple(respond(parts, self.session, text))
        except UserInputError as error:
            self._refused(text, error)
            return
        except Exception:
            self._fail(EXCEPTION, traceback.format_exc())
            if parts.store.load(self.session).state != self.state:
                self._fail("state", "an exception left a changed session behind")
            return
        done = events[-1]
        if not isinstance(done, Done):
            self._fail("event order", f"the last event is {done!r}")
            return
        facets = self.shop.retriever.facets
        self._check(Played(self.state, events, done, self.shop.items, self.shop.ever, facets,
                           parts.page))  # fmt: skip
        self._seen.append(_Seen(done, self.shop.items, facets))
        self.state = done.state
        self._count(done)

    def _refused(self, text: str, error: UserInputError) -> None:
        self.talk.refused += 1
        try:
            fine = len(text) <= MAX_CHARACTERS and bool(clean_utterance(text))
        except UserInputError:
            fine = False
        if fine:
            self._fail(REFUSED, f"{text!r}: {error}")

    def _check(self, turn: Played) -> None:
        for kind, check in CHECKS.items():
            try:
                for detail in check(turn):
                    self._fail(kind, detail)
            except Exception:
                self._fail(kind, f"the check itself failed: {traceback.format_exc()}")
        try:
            turn_json(turn.done, self.shop.retriever)
        except Exception:
            self._fail(EXCEPTION, traceback.format_exc())

    def _count(self, done: Done) -> None:
        self.talk.turns += 1
        self.talk.acts.update(act.act for act in done.plan.acts)
        self.talk.shown += len(done.slate.items)
        self.talk.claims += len(done.claims) + sum(len(one.reasons) for one in done.slate.items)
        self.talk.relaxed += bool(done.relaxations)

    def titles(self) -> list[str]:
        """Return the titles of the items shown last."""
        items = self.shop.items
        return [items[id].title for id in self.state.slate if id in items]

    def on_slate(self) -> list[Item]:
        """Return the items shown last that are still there."""
        return [self.shop.items[id] for id in self.state.slate if id in self.shop.items]

    def finish(self) -> Talk:
        """Check the stored session against the one held, and tidy up."""
        try:
            self._check_stored()
        except Exception:
            self._fail(EXCEPTION, traceback.format_exc())
        self.shop.parts.store.delete_session(self.session)
        if self.talk.changes:
            self.shop.restore()
        return self.talk

    def _check_stored(self) -> None:
        store = self.shop.parts.store
        stored = store.turns(self.session)
        if stored != [one.done for one in self._seen]:
            self._fail(REPLAY, f"stored turns are not those held: {stored!r}")
        state = State()
        for turn, seen in zip(stored, self._seen, strict=True):
            state = apply(state, turn.plan, seen.items, seen.facets)
            if shows(turn.plan):
                state = with_slate(state, (one.item_id for one in turn.slate.items))
            # What the reply asked about, what it found ("why no Puma?"), and in which language,
            # is not in the plan.
            held = seen.done.state
            found = any(act.why_not and not act.refs for act in turn.plan.acts)
            state = state.model_copy(
                update={
                    "asked": held.asked, "language": held.language,
                    "focus": held.focus if found else state.focus,
                }
            )  # fmt: skip
            if state != seen.done.state:
                self._fail(REPLAY, f"{turn.utterance!r} gives {state!r}, was {seen.done.state!r}")
                return
        if store.load(self.session).state != state:
            self._fail(REPLAY, "the session's state is not that of its last turn")

    def outcome(self) -> list[tuple[str, list[str]]]:
        """Return what was answered, apart from ids and times."""
        return [(s.done.reply, [i.item_id for i in s.done.slate.items]) for s in self._seen]


def converse(shop: Shop, words: Words, seed: str) -> Talk:
    """Hold a random conversation; the same seed over the same catalog makes the same one."""
    chance = Random(seed)
    stage, speaker = _Stage(shop), Speaker(chance, words)
    changing = chance.random() < CHANGING
    for _ in range(chance.choice(LENGTHS)):
        stage.take(speaker.say(stage.titles()))
        if changing and chance.random() < 0.4:
            change = random_change(chance, shop, stage.on_slate())
            if change is not None:
                stage.take(change)
    talk = stage.finish()
    if not changing and chance.random() < AGAIN:
        _again(shop, talk, stage.outcome())
    return talk


def _again(shop: Shop, talk: Talk, outcome: list[tuple[str, list[str]]]) -> None:
    """Say the same once more in a session of its own; every answer must be the same."""
    second = _Stage(shop)
    for step in talk.steps:
        second.take(step)
    second.finish()
    if second.outcome() != outcome:
        detail = f"first {outcome!r}, then {second.outcome()!r}"
        talk.violations.append(Violation(REPLAY, detail, len(talk.steps) - 1))


def replay(shop: Shop, steps: Iterable[Step]) -> Talk:
    """Play written-down steps."""
    stage = _Stage(shop)
    for step in steps:
        stage.take(step)
    return stage.finish()


def shrink(shop: Shop, steps: list[Step], kind: str) -> list[Step]:
    """Return as few of the steps as still show the violation; all, if it does not come again."""
    fails: Callable[[list[Step]], bool] = lambda some: any(  # noqa: E731
        one.kind == kind for one in replay(shop, some).violations
    )
    if not fails(steps):
        return steps
    for at in reversed(range(len(steps))):
        fewer = steps[:at] + steps[at + 1 :]
        if fewer and fails(fewer):
            steps = fewer
    return steps


def reproduction(shop: str, steps: list[Step]) -> str:
    """Return the command that plays the steps again."""
    case: dict[str, Any] = {"shop": shop, "steps": steps}
    return f"python benchmarks/conversations.py --replay {shlex.quote(json.dumps(case))}"
