"""Answers from the shop's pages: quoted with their source, or refused."""

from __future__ import annotations

from agent.service.ports import Knowledge
from agent.service.values import Quote
from agent.service.visit import Visit
from agent.wording import repeated

MOST_QUOTES = 3


def answer(visit: Visit, knowledge: Knowledge, question: str) -> bool:
    """Ask the pages and say what they say; return whether they answer anything of it."""
    found = knowledge.ask(question)
    visit.asked.append(question)
    quotes = [quote for quote in found.quotes if quote not in visit.quotes][:MOST_QUOTES]
    visit.quotes += quotes
    for quote in quotes:
        visit.say("quoted", text=quote.text.strip(), source=source_of(quote))
    left = found.unanswered if found.quotes else (question,)
    visit.unanswered += left
    for one in left:
        visit.say("unknown", clause=repeated(one, 80))
    return bool(found.quotes)


def source_of(quote: Quote) -> str:
    """Return where words come from, as people read it."""
    return ", ".join(
        dict.fromkeys(part for part in (quote.title, quote.source, quote.place) if part)
    )
