"""What the desk needs of others, as protocols: the shop's pages, the linker, open hand-overs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agent.plan import Mention
from agent.service.values import Offer, Quote
from agent.state import State
from retrieval.catalog import Item


class Answer(Protocol):
    """What the shop's pages say to a question."""

    @property
    def quotes(self) -> tuple[Quote, ...]:
        """Words of the pages; none where they do not answer."""
        ...

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The parts of the question that they leave open."""
        ...

    @property
    def offered(self) -> tuple[Offer, ...]:
        """Pages that may hold the answer to those."""
        ...


class Knowledge(Protocol):
    """The shop's pages."""

    def ask(self, question: str, before: str | None = None) -> Answer:
        """Return what the pages say; a question they do not answer is refused, not guessed at.

        Args:
            before: The question that this one leans on.
        """
        ...

    def quote(self, offer: Offer) -> Quote | None:
        """Return the words of a page that was offered; None where it is there no more."""
        ...

    def relevance(self, text: str) -> float:
        """Return how surely a text asks what the pages speak of, 0 to 1."""
        ...


class Linker(Protocol):
    """Finds mentions."""

    def link(self, utterance: str, state: State, slate: Sequence[Item]) -> tuple[Mention, ...]:
        """Return the mentions of an utterance."""
        ...


class OpenHandovers(Protocol):
    """Knows which hand-overs wait for a person."""

    def is_open(self, id: str) -> bool:
        """Return whether a hand-over has not been closed."""
        ...
