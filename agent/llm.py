"""The boundary to language models: what one is asked, what it answers, and a scripted one.

Messages go in, text comes out, and every call ends by its deadline. This module does not know
what the messages are about (`agent.llm_planner`) or how a server is reached
(`agent.openai_chat`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agent.errors import BadModelOutput
from prompts import Message

allow_model_requests = True
"""Tests set this to False, so that a call to anything but this machine is an error, not a bill."""

_STARTS = 20


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer of a model.

    Args:
        prompt_tokens, completion_tokens: As reported by the server, 0 where it does not say.
        model: The model that answered, as the server names it.
        seconds: Wall time of the call.
        truncated: Whether the answer was cut at `max_tokens`.
        confidence: Product of the probabilities that the model, left to itself, gave the tokens
            of the answer; 0 where it is not known.
    """

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    model: str = ""
    seconds: float = 0.0
    truncated: bool = False
    confidence: float = 0.0


class ChatModel(Protocol):
    """A language model that answers messages. Implementations are safe to call from threads."""

    @property
    def name(self) -> str:
        """The model's name."""
        ...

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 512,
        deadline_s: float = 30.0,
    ) -> Completion:
        """Return the whole answer, constrained to a JSON schema where the server can.

        Raises:
            ModelUnavailable: If there is no answer within `deadline_s` seconds.
            ContextOverflow: If the messages are longer than the model takes.
        """
        ...

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int = 512, deadline_s: float = 30.0
    ) -> Iterator[str]:
        """Yield the answer in pieces as it is written; raises like `complete`, also midway."""
        ...


def first_json(text: str) -> Any:
    """Return the first JSON object in a text, past reasoning, words and code fences.

    Raises:
        BadModelOutput: If there is none.
    """
    body = text.rpartition("</think>")[2]
    at = body.find("{")
    # Few starts are tried: a flood of braces must not cost the square of its length.
    for _ in range(_STARTS):
        if at < 0:
            break
        try:
            return json.JSONDecoder().raw_decode(body, at)[0]
        except (json.JSONDecodeError, RecursionError):
            at = body.find("{", at + 1)
    raise BadModelOutput("expected one JSON object, found no complete one")


Answers = Sequence[str | Exception] | Callable[[Sequence[Message]], str]


@dataclass(frozen=True, slots=True)
class Call:
    """What a `ScriptedModel` was asked."""

    messages: tuple[Message, ...]
    schema: Mapping[str, Any] | None
    max_tokens: int
    deadline_s: float


class ScriptedModel:
    """A chat model that answers from a script, for tests.

    Args:
        answers: What to answer, in order (an exception is raised instead), or a function of the
            messages.
    """

    def __init__(self, answers: Answers, name: str = "scripted") -> None:
        self.name = name
        self.history: list[Call] = []
        self._function = answers if callable(answers) else None
        self._queue = [] if callable(answers) else list(answers)

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 512,
        deadline_s: float = 30.0,
    ) -> Completion:
        """Return the next answer; LookupError when the script has run out."""
        self.history.append(Call(tuple(messages), schema, max_tokens, deadline_s))
        text = self._function(messages) if self._function else self._next()
        return Completion(text, model=self.name)

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int = 512, deadline_s: float = 30.0
    ) -> Iterator[str]:
        """Yield the next answer word by word."""
        answer = self.complete(messages, max_tokens=max_tokens, deadline_s=deadline_s)
        yield from (piece for piece in answer.text.replace(" ", " \0").split("\0") if piece)

    def _next(self) -> str:
        if not self._queue:
            raise LookupError(f"the script is over: this is call {len(self.history)}; add answers")
        answer = self._queue.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer
