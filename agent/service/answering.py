"""Answers from the shop's pages: quoted with their source, or refused."""

from __future__ import annotations

from agent.service.ports import Answer, Knowledge
from agent.service.values import Quote
from agent.service.visit import Visit
from agent.wording import clean, repeated

MOST_QUOTES = 3


def answer(visit: Visit, knowledge: Knowledge, question: str, *, refuse: bool = True) -> bool:
    """Ask the pages and say what they say; return whether they answer anything of it.

    Args:
        refuse: Whether to say so where they do not; else nothing was asked.
    """
    found = knowledge.ask(question)
    if not found.quotes and not refuse:
        return False
    tell(visit, found, question)
    return bool(found.quotes)


def tell(visit: Visit, found: Answer, question: str) -> None:
    """Say what the pages say to a question."""
    visit.asked.append(question)
    quotes = [quote for quote in found.quotes if quote not in visit.quotes][:MOST_QUOTES]
    visit.quotes += quotes
    for quote in quotes:
        visit.say("quoted", text=quote.text.strip(), source=source_of(quote))
    if quotes:
        visit.remember(question=clean(question, 300))
    left = found.unanswered if found.quotes else (question,)
    visit.unanswered += left
    for one in left:
        visit.say("unknown", clause=repeated(one, 80))


def source_of(quote: Quote) -> str:
    """Return where words come from, as people read it."""
    parts = (quote.title, quote.source, quote.place)
    return ", ".join(dict.fromkeys(part for part in parts if part))
