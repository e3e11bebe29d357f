"""Users whose words a language model finds. What they mean is decided by the rules, as for others.

A wording is taken only if it says what was meant: linked to the catalog, it has the same values,
amounts and references as the plain phrase, rules out what is ruled out, and does not name the
target. Else the plain phrase is said.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from agent.errors import AgentError
from agent.llm import ChatModel
from agent.plan import Mention
from agent.state import State
from finetune.simulator.leaks import leaked
from finetune.simulator.speech import Move, MoveKind
from finetune.simulator.users import User
from finetune.simulator.wording import by_phrases
from prompts import load
from retrieval.catalog import Item

PROMPT = "simulate@1"

_MOST = 240
_TOKENS = 80

_INTENTS: Mapping[MoveKind, str] = {
    "open": "says what is looked for", "wide": "says roughly what is looked for",
    "want": "adds a wish", "avoid": "rules something out", "below": "sets a limit",
    "cheaper": "wants something cheaper than what is shown", "like": "wants something like an item",
    "more": "wants to see other items", "vague": "adds a soft wish", "select": "takes an item",
    "undo": "takes the last change back", "change": "changes their mind",
    "repair": "was misunderstood and says it again",
}  # fmt: skip

_NEGATION = re.compile(
    r"\b(no|not|non|without|except|but|avoid|never|hate|dislike|skip|nothing|rather|instead|bin|"
    r"spare|anything other|other than|steer clear|less|[a-z]+n'?t)\b"
)


class Linker(Protocol):
    """Finds mentions."""

    def link(self, utterance: str, state: State, slate: Sequence[Item]) -> tuple[Mention, ...]:
        """Return the mentions of an utterance."""
        ...


@dataclass(slots=True)
class LLMWording:
    """Words moves by a language model.

    Args:
        linker: Says what of a text the catalog recognises.
        counts: How many wordings were taken, and why others were not.
    """

    chat: ChatModel
    linker: Linker
    deadline_s: float = 20.0
    counts: Counter[str] = field(default_factory=Counter)

    def __call__(self, move: Move, user: User, slate: Sequence[Item], random: Random) -> str:
        """Return a move in the model's words, or plainly where they do not do."""
        plain = by_phrases(move, user, slate, random)
        try:
            answer = self.chat.complete(
                load(PROMPT).messages(facts=facts(move, plain)),
                max_tokens=_TOKENS, deadline_s=self.deadline_s,
            )  # fmt: skip
        except AgentError:
            self.counts["failed"] += 1
            return plain
        text = answer.text.rpartition("</think>")[2].strip().strip('"').strip()
        wrong = self._wrong(text, plain, move, user, slate)
        self.counts[wrong or "taken"] += 1
        return plain if wrong else text

    def _wrong(
        self, text: str, plain: str, move: Move, user: User, slate: Sequence[Item]
    ) -> str | None:
        """Return why a wording can't be taken, or None."""
        if not 0 < len(text) <= _MOST or "\n" in text:
            return "not one message"
        if leaked(text, user.target):
            return "named the target"
        if self._said(text, slate) != self._said(plain, slate):
            return "other facts"
        ruled_out = any(wish.kind == "avoid" for wish in move.wishes)
        if move.wishes and bool(_NEGATION.search(text.casefold())) != ruled_out:
            # Whoever corrects or changes their mind may say no and still want something.
            return None if move.kind in ("repair", "change") and not ruled_out else "other polarity"
        return None

    def _said(self, text: str, slate: Sequence[Item]) -> frozenset[object]:
        """Return what a text says, as the catalog recognises it."""
        state = State(slate=tuple(item.id for item in slate))
        return frozenset(
            (one.kind, one.facet, one.values, one.low, one.high, one.items, one.direction)
            for one in self.linker.link(text, state, slate)
            if one.kind in ("value", "number", "reference", "item", "relative", "order")
        )


def facts(move: Move, plain: str) -> str:
    """Return what a model is told of a move, as JSON; nothing of the target is in it."""
    said = [f"not {wish.value}" if wish.kind == "avoid" else _wanted(move, wish.decoy, wish.value)
            for wish in move.wishes]  # fmt: skip
    given = {"intent": _INTENTS[move.kind], "facts": said or [plain], "plainly": plain}
    return json.dumps(given, ensure_ascii=False)


def _wanted(move: Move, decoy: str, value: str) -> str:
    return decoy if move.decoy and decoy else value
