"""One turn for OpenAI's clients, from what they ask to what is told of it, whatever its form.

Which session a conversation goes on in is found before the turn begins, and what is wrong is told
before a stream does.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from agent import tokens
from agent.errors import Moved, UnknownSession
from agent.payload import items_answer, turn_answer
from agent.server.asked import Asked
from agent.server.completions_answer import Attune, ModelUsage, Usage, listed
from agent.server.completions_thread import Thread, follow, remember
from agent.server.context import Catalog, Context
from agent.server.models import answering_models, parts_of, unknown_model
from agent.server.taking import Events, Taking
from agent.telemetry import Meter, current_meter, in_one_context, metered
from agent.turn import Done, Items, StreamEvent, Text
from agent.utterance import clean_utterance

TRIES = 3
"""How often a conversation is looked up anew because another request of it came in between."""


@dataclass(frozen=True, slots=True)
class Answering:
    """A request whose turn has begun."""

    here: Context
    asked: Asked
    thread: Thread
    events: Events
    meter: Meter

    @property
    def retriever(self) -> Catalog:
        """Return where the items are."""
        return self.here.retriever

    def content(self, done: Done, words: str) -> str:
        """Return the whole text of the message."""
        return words + self.list_of(done)

    def list_of(self, done: Done) -> str:
        """Return the items as they follow the words."""
        if not self.asked.items_in_words or not done.slate.items:
            return ""
        return "\n\n" + listed(items_answer(done.slate, self.retriever))

    def attune(self, done: Done) -> Attune:
        """Return what is under `attune`."""
        used = ModelUsage(
            calls=len(self.meter.uses), prompt_tokens=self.meter.input_tokens,
            completion_tokens=self.meter.output_tokens,
        )  # fmt: skip
        turn = turn_answer(done, self.retriever)
        return Attune(**dict(turn), history=self.thread.history, model_usage=used,
                      ignored=list(self.asked.ignored))  # fmt: skip

    def usage(self, content: str) -> Usage:
        """Return the tokens of messages and answer."""
        prompt, answer = tokens.count(self.asked.texts), tokens.count([content])
        return Usage(prompt_tokens=prompt, completion_tokens=answer, total_tokens=prompt + answer)

    def ended(self, done: Done, content: str, response_id: str | None = None) -> None:
        """Count the turn, and have the next request find it."""
        if self.thread.again is None and not self.thread.counted:
            self.here.metrics.turn(done)
        remember(self.here, self.thread, done, content, response_id)


def check(asked: Asked, here: Context) -> None:
    """Pass a request that can be answered.

    Raises:
        Refused: If there is no such model.
        UserInputError: If there are no words, or too many.
    """
    if asked.model not in {one.id for one in answering_models(here)}:
        raise unknown_model(asked.model)
    clean_utterance(asked.text, here.limits.characters)


def begin(here: Context, taking: Taking, asked: Asked) -> tuple[Answering, StreamEvent]:
    """Find the session and begin the turn; return it with its first event."""
    with _metered() as meter:
        for _ in range(TRIES - 1):
            try:
                return _began(here, taking, asked, meter)
            except Moved:
                continue
            except UnknownSession:
                if asked.session_id is not None:
                    raise
        return _began(here, taking, asked, meter)


@contextmanager
def _metered() -> Iterator[Meter]:
    """Give the meter of the request, or one of its own."""
    meter = current_meter()
    if meter is not None:
        yield meter
        return
    with metered() as own:
        yield own


def _began(
    here: Context, taking: Taking, asked: Asked, meter: Meter
) -> tuple[Answering, StreamEvent]:
    taking.afford()  # before a session is begun or replayed for nothing
    with ExitStack() as held:
        if taking.once is not None and asked.session_id is None:
            # Two of one key at once would begin two sessions; in a named one they wait anyway.
            held.enter_context(here.parts.store.turn_lock(taking.once.key))
        thread = follow(here, taking, asked)
        # In one context, for the sake of the meter: the steps of a stream are asked for in others.
        events = in_one_context(_events(here, taking, asked, thread, held))
        first = next(events)
    return Answering(here, asked, thread, events, meter), first


def _events(here: Context, taking: Taking, asked: Asked, thread: Thread, held: ExitStack) -> Events:
    with held.pop_all():  # until the turn has ended, or nobody listens any more
        if thread.again is not None:
            yield from _again(thread.again)
            return
        parts = parts_of(here, asked.model)
        yield from taking.events(parts, thread.session_id, asked.text, thread.extras)


def _again(done: Done) -> Generator[StreamEvent, None, None]:
    if done.slate.items:
        yield Items(slate=done.slate)
    yield Text(delta=done.reply)
    yield done
