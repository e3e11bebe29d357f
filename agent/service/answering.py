"""Answers from the shop's pages: quoted with their source, or refused."""

from __future__ import annotations

from collections.abc import Sequence

from agent.knowledge.questions import leans
from agent.knowledge.values import HEADINGS, named
from agent.service.choosing import Unclear, listed
from agent.service.ports import Answer, Knowledge
from agent.service.values import Offer, Quote
from agent.service.visit import Visit
from agent.wording import clean, repeated

MOST_QUOTES = 3


def answer(
    visit: Visit,
    knowledge: Knowledge,
    question: str,
    *,
    refuse: bool = True,
    before: Sequence[str] = (),
) -> bool:
    """Ask the pages and say what they say; return whether they answer or offer anything.

    Args:
        refuse: Whether to say so where they do not; else nothing was asked.
        before: The questions of the turn before, latest first; this one is read with them where it
            says nothing by itself.
    """
    found, root = knowledge.ask(question), question
    if not found.quotes and leans(question):
        for one in before:
            joined = knowledge.ask(question, one)
            if joined.quotes:
                found, root = joined, one
                break
    if not found.quotes and not refuse:
        return False
    tell(visit, found, question, root=root)
    return bool(found.quotes or visit.offered)


def tell(
    visit: Visit, found: Answer, question: str, *, is_question: bool = True, root: str = ""
) -> None:
    """Say what the pages say to a question, or to what happened to somebody.

    Args:
        root: The question that this one leans on, which the next one leans on too.
    """
    visit.asked.append(question)
    visit.ask_on(clean(root or question, 300))
    quotes = [quote for quote in found.quotes if quote not in visit.quotes][:MOST_QUOTES]
    visit.quotes += quotes
    for quote in quotes:
        say_quote(visit, quote)
    left = found.unanswered if found.quotes else (question,)
    visit.unanswered += left
    for one in left:
        pages = [] if visit.offered else _new(visit, found, one if found.quotes else "")
        if pages:
            _offer(visit, pages, one, is_question)
        else:
            visit.say("unknown", clause=repeated(visit.request.said(one), 80))


def say_quote(visit: Visit, quote: Quote) -> None:
    """Say the words of a page; what is no sentence, as in lists and tables, with its heading."""
    text, heading = quote.text.strip(), named(quote.title.split(HEADINGS))
    whole = text.split("\n")[0].rstrip("\"'”’)").endswith((".", "!", "?", "…"))
    if whole or not heading:
        visit.say("quoted", text=text, source=source_of(quote))
    else:
        mark, gap = "" if heading.endswith(("?", ":")) else ":", "\n" if "\n" in text else " "
        said = f"{heading}{mark}{gap}{text}"
        visit.say("quoted", text=said, source=source_of(quote))


def _new(visit: Visit, found: Answer, question: str) -> list[Offer]:
    """Return the pages that are offered for a question and were not quoted."""
    quoted = {(quote.source, named(quote.title.split(HEADINGS))) for quote in visit.quotes}
    return [
        one
        for one in found.offered
        if (one.source, one.title) not in quoted and (not question or one.question == question)
    ]


def _offer(visit: Visit, pages: list[Offer], question: str, is_question: bool) -> None:
    """Ask whether it is one of some pages."""
    visit.offered += pages
    visit.remember(offers=tuple(pages))
    clause = repeated(question, 80)
    if not is_question:
        visit.say("offered_here", pages=listed(pages))
    elif len(pages) == 1:
        visit.say("offered_one", clause=clause, page=pages[0].title)
    else:
        visit.say("offered", clause=clause, pages=listed(pages))


def chosen(visit: Visit, knowledge: Knowledge, one: Offer) -> None:
    """Say the words of a page that was chosen."""
    visit.asked.append(one.title)
    quote = knowledge.quote(one)
    if quote is None:
        visit.unanswered.append(one.title)
        visit.say("unknown", clause=repeated(one.title, 80))
        return
    visit.quotes.append(quote)
    say_quote(visit, quote)
    visit.ask_on(clean(f"{one.question} {one.title}", 300))


def unclear(visit: Visit, offers: Sequence[Offer], what: Unclear) -> None:
    """Ask once more which page is meant, or take it that none is."""
    visit.asked.append(offers[0].question or offers[0].title)
    if what == "which":
        visit.offered += offers
        visit.remember(offers=tuple(offers))
        visit.say("offered_which", pages=listed(offers))
    else:
        visit.unanswered.append(offers[0].question or offers[0].title)
        visit.say("offered_none")


def source_of(quote: Quote) -> str:
    """Return where words come from, as people read it."""
    parts = (quote.title, quote.source, quote.place)
    return ", ".join(dict.fromkeys(part for part in parts if part))
