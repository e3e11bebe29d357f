"""Explanations worded by a language model, checked sentence by sentence before they are sent.

The model is shown facts (`agent.facts`) and writes placeholders where values belong, so it cannot
write a value; a sentence that tells a fact otherwise than it is (`agent.telling`) is said by the
template instead, or left out. Where nothing is usable, the deadline has passed or the breaker is
open, the text is the template's. This module does not know which model it asks.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from agent.breaker import Breaker
from agent.errors import ModelError, ModelUnavailable
from agent.explain import checked, reasons, why
from agent.explain_prompt import Prompt, messages
from agent.facts import BROKEN, KEPT, Fact, facts, fill
from agent.llm import ChatModel
from agent.placeholders import names
from agent.state import State
from agent.telling import words_of, wrong
from agent.turn import Reason, Written
from agent.wording import listing, say, title_of
from prompts import Template
from retrieval.catalog import Facet, Item

logger = logging.getLogger(__name__)

MOST_SENTENCES = 8
LONGEST = 600
"""Characters of a sentence; a model that writes on without an end is not listened to."""

_END = re.compile(r"(?<=[.!?])(?=\s)|\n")
_IT = re.compile(r"^(it|this one|this item)\b(?!['’])", re.IGNORECASE)
_NAMED_LATE = re.compile(r"\{\s*t\s*\}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Subject:
    """An item to explain: the claims that hold of it, and what the template says with them."""

    item: Item
    claims: tuple[Reason, ...]
    template: str
    others: Mapping[str, Item] = field(default_factory=dict)


class LLMExplainer:
    """Words explanations with a model.

    Args:
        deadline_s: Seconds for the words on one item.
        prompt: explain@1 for a model tuned on it (the house model), explain@2 for any other.
        wording: explain@2 in an owner's words.
        breaker_failures: Failures in a row after which the model is left alone.
        breaker_reset_s: Seconds until it is asked again.
    """

    def __init__(
        self,
        model: ChatModel,
        deadline_s: float = 5.0,
        *,
        prompt: Prompt = "explain@2",
        wording: Template | None = None,
        max_tokens: int = 300,
        breaker_failures: int = 3,
        breaker_reset_s: float = 30.0,
    ) -> None:
        self.breaker = Breaker(breaker_failures, breaker_reset_s)
        self.model = model
        self.prompt = prompt
        self.wording = wording if prompt == "explain@2" else None
        self.max_tokens = max_tokens
        self.deadline_s = deadline_s

    def explain(
        self,
        items: Sequence[Item],
        state: State,
        facets: tuple[Facet, ...],
        currency: str | None = None,
        language: str | None = None,
        others: Mapping[str, Item] | None = None,
    ) -> Iterator[str]:
        """Yield checked sentences on why each item fits a state, or does not."""
        for place, item in enumerate(items):
            found = checked(reasons(item, state, facets, currency, others), item, state, facets,
                            others)  # fmt: skip
            template = why(item, state, facets, currency, others).text
            told = self.tell(Subject(item, found, template, others or {}), state, facets, currency,
                             language)  # fmt: skip
            yield from (f" {one}" if place and not n else one for n, one in enumerate(told))

    def tell(
        self,
        subject: Subject,
        state: State,
        facets: tuple[Facet, ...],
        currency: str | None = None,
        language: str | None = None,
    ) -> Telling:
        """Return the words on one item: iterate for the pieces, then see what became of them."""
        given = facts(subject.claims, subject.item, state, facets, currency, subject.others)
        return Telling(self, subject, given, language or state.language)


class Telling:
    """One explanation under way: yields its sentences, then knows how they came about.

    Args:
        written: Who wrote it and how many sentences were kept, rewritten and dropped; complete
            once the pieces are read.
    """

    def __init__(
        self, explainer: LLMExplainer, subject: Subject, given: tuple[Fact, ...], language: str
    ) -> None:
        self.written = Written(writer="template")
        self._by = explainer
        self._subject = subject
        self._facts = given
        self._language = language
        self._told: set[int] = set()
        self._waiting: list[Fact] = []
        self._said = False
        self._count = {"kept": 0, "rewritten": 0, "dropped": 0}

    def __iter__(self) -> Iterator[str]:
        """Yield the text in pieces; joined without separator they are the explanation."""
        fallback = None
        try:
            for sentence in self._sentences():
                yield from self._checked(sentence)
        except ModelError as error:
            fallback = str(error)
            logger.warning("worded by template, %s: %s", self._by.model.name, error)
        yield from self._rest()
        self.written = Written(
            writer="model" if self._said else "template",
            model=self._by.model.name,
            prompt=self._by.wording.id if self._by.wording else self._by.prompt,
            fallback=fallback,
            **self._count,
        )

    def _sentences(self) -> Iterator[str]:
        if not self._facts:
            return
        if words_of(self._language) is None:
            raise ModelUnavailable(f"no word lists to check {self._language!r} with")
        ends = time.monotonic() + self._by.deadline_s
        shown = messages(self._facts, self._by.prompt, self._language, self._by.wording)
        with self._by.breaker.guard():
            pieces = self._by.model.stream(
                shown, max_tokens=self._by.max_tokens, deadline_s=self._by.deadline_s
            )
            yield from _split(_until(pieces, ends, self._by.deadline_s))

    def _checked(self, sentence: str) -> Iterator[str]:
        told = [fact for fact in self._facts if f"F{fact.id}" in names(sentence)]
        new = [fact for fact in told if fact.id not in self._told]
        reason = wrong(sentence, self._facts, self._language) if new else "tells nothing new"
        if reason is None:
            yield from self._template()
            self._count["kept"] += 1
            self._told |= {fact.id for fact in told}
            yield self._piece(self._filled(sentence))
            return
        logger.info("%s: a sentence was not said: %s", self._by.model.name, reason)
        self._count["rewritten" if new else "dropped"] += 1
        # The template waits for a sentence that can be said: without any, all of it is template.
        self._waiting += new
        self._told |= {fact.id for fact in new}

    def _template(self) -> Iterator[str]:
        """Yield what the template says of the facts whose sentences were refused."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            key = "explain.also" if self._said else "explain.why"
            said = listing([fact.text for fact in waiting])
            yield self._piece(say(key, title=title_of(self._subject.item), reasons=said))

    def _rest(self) -> Iterator[str]:
        """Yield what is left to tell: wishes no sentence told, or all of it by the template."""
        if not self._count["kept"]:
            yield self._subject.template
            return
        wishes = KEPT | BROKEN
        left = [f for f in self._facts if f.id not in self._told and f.relation in wishes]
        self._count["rewritten"] += bool(left)
        self._waiting += left
        yield from self._template()

    def _piece(self, text: str) -> str:
        blank, self._said = (" " if self._said else ""), True
        return f"{blank}{text}"

    def _filled(self, sentence: str) -> str:
        """Return a sentence with values; the first one names the item."""
        title = title_of(self._subject.item)
        if self._said:
            sentence = _NAMED_LATE.sub("it", sentence)
        elif "T" not in names(sentence):
            named = _IT.sub("{T}", sentence)
            sentence = named if named != sentence else f"{{T}}: {sentence}"
        text = fill(tidy(sentence), self._facts, title)
        return text if text.startswith(title) else text[:1].upper() + text[1:]


def tidy(sentence: str) -> str:
    """Return a sentence with blanks where they belong, ending in a full stop."""
    said = re.sub(r"\s+([,.;:!?])", r"\1", " ".join(sentence.split()))
    said = re.sub(r"\s*(['’])\s*(?=(?:s|t|re|ve|ll|d|m)\b)", r"\1", said)
    said = re.sub(r"\bi\b", "I", said)
    return said if said.endswith((".", "!", "?")) else said.rstrip(",;:") + "."


def _until(pieces: Iterator[str], ends: float, deadline_s: float) -> Iterator[str]:
    for piece in pieces:
        if time.monotonic() > ends:
            raise ModelUnavailable(f"no explanation within {deadline_s:.3g} s")
        yield piece


def _split(pieces: Iterator[str]) -> Iterator[str]:
    """Yield the sentences of a stream as they are complete, without reasoning before them."""
    text, count = "", 0
    for piece in pieces:
        text += piece
        text = text.rpartition("</think>")[2]
        if "<think>" in text:
            continue
        *whole, text = _END.split(text)
        for sentence in filter(None, map(str.strip, whole)):
            yield sentence
            count += 1
        if count >= MOST_SENTENCES or len(text) > LONGEST:
            return
    if text.strip() and "<think>" not in text:
        yield text.strip()
