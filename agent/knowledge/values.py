"""Pages, passages and answers, as values. This module does not know how they are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from agent.service.values import Offer, Quote

HEADINGS = " › "
"""Between the headings of a path."""
CELLS = " · "
"""Between the cells of a row."""


FEW = 3
"""Words of a heading that says little without the one above it: "What it costs"."""


def named(headings: Sequence[str]) -> str:
    """Return what a passage is called by itself: its heading, after the one above where short."""
    own = headings[-1] if headings else ""
    above = headings[-2] if len(headings) > 1 else ""
    return f"{above}: {own}" if above and len(own.split()) <= FEW else own


@dataclass(frozen=True, slots=True)
class Block:
    """A heading or a paragraph of a page, its spaces and line breaks evened out.

    Args:
        level: 1 to 6 for a heading, 0 for a paragraph.
        number: The page, row or line it stands at; 0 where unknown.
        joins: Whether it goes on with the block before, as the elements of a list do.
        url: Where people can read it, where that is not the page's own.
    """

    text: str
    level: int = 0
    number: int = 0
    joins: bool = False
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A file as read.

    Args:
        source: As its owner names it, e.g. "help/returns.md".
        unit: What a block's number counts: "page", "row" or "line".
        url: Where people can read it, where the file says so.
        until: The last day on which it holds, where the file says so.
    """

    source: str
    blocks: tuple[Block, ...]
    unit: str = "line"
    url: str | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a page that answers are taken from, with what it stands under.

    Args:
        number: Its place among the passages of its source, from 0.
        heading: The headings above it, outermost first.
        text: Paragraphs, two line breaks between them; one between the elements of a list.
        place: "page 3", "row 12", "line 40", or empty.
        until: The last day on which it holds, where one is named.
    """

    source: str
    number: int
    heading: tuple[str, ...]
    text: str
    place: str = ""
    url: str | None = None
    until: date | None = None

    @property
    def title(self) -> str:
        """Return the path of headings."""
        return HEADINGS.join(self.heading)


@dataclass(frozen=True, slots=True)
class Source:
    """A source as indexed: its name, how many passages it has, and where it can be read.

    Args:
        past: How many of its passages no longer hold, by what they say, and are not quoted.
    """

    name: str
    passages: int
    url: str | None = None
    past: int = 0


@dataclass(frozen=True, slots=True)
class KnowledgeAnswer:
    """What the shop's pages say to a question.

    Args:
        quotes: Verbatim; empty where the pages do not answer.
        answered, unanswered: The questions that were asked, each in one of the two.
        offered: Pages that may hold what is unanswered, likeliest first; nothing is claimed.
        confidence: Of the least certain answer; where there is none, of the best that was not
            certain enough.
    """

    quotes: tuple[Quote, ...]
    answered: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()
    offered: tuple[Offer, ...] = ()
    confidence: float = 0.0

    @property
    def refused(self) -> bool:
        """Return whether the pages answer nothing of what was asked."""
        return not self.quotes


@dataclass(frozen=True, slots=True)
class Added:
    """What adding sources did.

    Args:
        sources: Those taken, in order.
        unchanged: How many of them were there already, word for word.
        passages: Of the sources taken.
        errors: A line for each file that was not taken.
    """

    sources: tuple[str, ...]
    unchanged: int
    passages: int
    errors: tuple[str, ...] = ()
