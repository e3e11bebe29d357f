"""Questions that go on with the one before, and those that only the pages can tell from others."""

from __future__ import annotations

from agent.service.answering import tell
from agent.service.escalation import Escalation
from agent.service.ports import Knowledge
from agent.service.topics import Heard, says
from agent.service.visit import Visit

FEW_WORDS = 6
"""Words of a question that may lean on the one before."""


def follows_up(visit: Visit, pages: Knowledge, heard: Heard, escalation: Escalation) -> bool:
    """Take what leans on a question of the turn before: "and to Austria?".

    Where the pages don't answer, it is refused only if it can be about nothing else: the turn
    before was about the shop alone, and the catalog has none of its words.
    """
    before = visit.request.state.desk
    if not before.question or heard.wishes or not _may_follow(heard):
        return False
    cued = says("follow_up", heard.masked)
    asked = [(one, pages.ask(heard.clause.text, one)) for one in (before.question, *before.earlier)]
    for question, found in asked:
        if found.quotes or (found.offered and cued):
            tell(visit, found, heard.clause.text, root=question)
            return True
    if not before.alone or heard.known or not says("half", heard.masked):
        return False
    tell(visit, asked[0][1], heard.clause.text, root=before.question)
    if not visit.offered:
        escalation.offer(visit)
    return True


def asked_plainly(visit: Visit, pages: Knowledge, heard: Heard) -> bool:
    """Answer a question of which the catalog knows no word, where the pages do."""
    if heard.wishes or heard.refers or heard.details or heard.known:
        return False
    if not says("question", heard.masked) or says("shopping", heard.masked):
        return False
    found = pages.ask(heard.question or heard.clause.text)
    if found.quotes:
        tell(visit, found, heard.clause.text)
    return bool(found.quotes)


def _may_follow(heard: Heard) -> bool:
    """Return whether a clause may lean on a question to the shop."""
    short = len(heard.masked.split()) <= FEW_WORDS and not (heard.refers or heard.details)
    return says("follow_up", heard.masked) or (short and says("question", heard.masked))
