"""The service desk: what an utterance says about the shop is answered here, before the recommender.

It sorts the clauses of an utterance, has the shop's pages, the tools or a person take care of
theirs, and leaves the rest to the recommender. It finds no items and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agent.desk import Attended, DeskRequest, Outcome
from agent.knowledge.kinds import asked_kind
from agent.knowledge.questions import written_out
from agent.linking.hidden import brings_back
from agent.plan import Mention
from agent.privacy.port import without_marks
from agent.rules import cues
from agent.service.answering import answer, chosen, tell, unclear
from agent.service.choosing import choose
from agent.service.clauses import Clause, split, without
from agent.service.escalation import Escalation
from agent.service.following import asked_plainly, follows_up
from agent.service.openings import Opening, Openings
from agent.service.ports import Knowledge, Linker
from agent.service.readable import readable
from agent.service.resuming import is_yes, resume
from agent.service.tooling import ToolDesk
from agent.service.topics import (
    Heard,
    Topic,
    concerns_shop,
    has_wishes,
    lowered,
    masked_clause,
    may_be_service,
    says,
    settle,
    topic,
)
from agent.service.values import Offer
from agent.service.visit import Visit
from agent.wording import say

_REFERS = ("reference", "item")


@dataclass(frozen=True, slots=True)
class ServiceDesk:
    """A desk with what the project has of pages, tools and people. Shared between threads.

    Args:
        pages: The shop's pages, where there are any at this moment; without them questions to the
            shop are not answered.
    """

    linker: Linker
    escalation: Escalation
    pages: Callable[[], Knowledge | None] = lambda: None
    openings: Openings | None = None
    tools: ToolDesk | None = None

    def opening(self, language: str | None = None) -> Opening | None:
        """Return what a conversation opens with, where the owner said so."""
        return None if self.openings is None else self.openings.choose(language)

    def attend(self, request: DeskRequest) -> Attended:
        """Take care of what in an utterance is about the shop."""
        visit = Visit(request, request.state.desk)
        # These count for one turn.
        visit.remember(
            offered=False,
            question="",
            earlier=(),
            offers=(),
            alone=False,
            used={},
            used_tool="",
        )
        if self.escalation.follow(visit):
            return visit.attended("")
        if self.tools is not None and request.extras.results:
            self.tools.take_results(visit)
            if request.extras.repeated:
                return visit.attended("")
        clauses = split(request.utterance)
        raw = said_in(request, clauses)
        heard = self._hear(visit, clauses)
        if self.tools is not None:
            resume(self.tools, visit, heard, raw)
        self._accept(visit, heard)
        self._chosen(visit, heard)
        self._let_be(visit, heard)
        self.escalation.by_words(visit, heard)
        left = [place for place, one in enumerate(heard) if one.clause not in visit.taken]
        topics = settle(_numbers_told([(heard[place], topic(heard[place])) for place in left]))
        visit.person = "person" in topics
        beside = [
            (heard[place], raw[place])
            for place, about in zip(left, topics, strict=True)
            if about in ("items", "told", "courtesy") and not heard[place].wishes
        ]
        for place, about in zip(left, topics, strict=True):
            if heard[place].clause not in visit.taken:
                self._serve(visit, heard[place], raw[place], about, beside)
        self.escalation.tell_once(visit)
        rest = without(request.utterance, visit.taken)
        visit.remember(alone=bool(visit.taken) and not rest.strip())
        return visit.attended(rest)

    def conclude(self, request: DeskRequest, attended: Attended, outcome: Outcome) -> Attended:
        """Add what follows from the outcome: an answer, a hand-over."""
        visit = Visit.again(request, attended)
        if self.escalation.quiet(visit):
            return attended
        if attended.rest.strip():
            self._do_acts(visit, attended.rest, outcome)
        self.escalation.review(visit, outcome, brought_nothing(visit, attended.rest, outcome))
        return visit.attended(attended.rest)

    def _accept(self, visit: Visit, heard: Sequence[Heard]) -> None:
        """Take a yes to the offer of a person in the turn before."""
        before = visit.request.state.desk
        free = before.pending is None and not before.offers
        if before.offered and free and heard and is_yes(heard):
            visit.taken.append(heard[0].clause)
            visit.asked.append(heard[0].clause.text)
            self.escalation.asked(visit)

    def _chosen(self, visit: Visit, heard: Sequence[Heard]) -> None:
        """Take the choice among the pages that were offered in the turn before."""
        before, pages = visit.request.state.desk, self.pages()
        if not before.offers or before.pending is not None or pages is None or not heard:
            return
        first = heard[0]
        if first.clause in visit.taken or first.wishes:
            return
        one = choose(before.offers, lowered(first.clause.text))
        if one is None:
            return
        visit.taken.append(first.clause)
        if isinstance(one, Offer):
            chosen(visit, pages, one)
        elif one == "which" or all(says("courtesy", other.masked) for other in heard[1:]):
            unclear(visit, before.offers, one)
            if one == "none":
                self.escalation.offer(visit)

    def _let_be(self, visit: Visit, heard: Sequence[Heard]) -> None:
        """Take "never mind" and "ok, thanks" to what the desk said in the turn before.

        Nothing that is wished for is undone by it.
        """
        if visit.taken or visit.tools or len(heard) != 1:
            return
        text, before = heard[0].masked, visit.request.state.desk
        if before.alone and says("leave", text) and not says("no", text):
            visit.taken.append(heard[0].clause)
            visit.say("let_be")
        elif says("courtesy", text) and says("thanks", text):
            visit.taken.append(heard[0].clause)
            visit.say("welcome")

    def pass_over(self, request: DeskRequest) -> Attended:
        """Leave out what is the desk's: it was done and said before, nothing is done now."""
        visit = Visit(request, request.state.desk)
        heard = self._hear(visit, split(request.utterance))
        self._let_be(visit, heard)
        others = ("items",) if self.pages() is not None else ("items", "shop")
        topics = settle([topic(one) for one in heard])
        taken = [one.clause for one, about in zip(heard, topics, strict=True)
                 if about not in others or one.clause in visit.taken]  # fmt: skip
        rest = without(request.utterance, taken)
        alone = bool(taken) and not rest.strip()
        return Attended(rest, request.state.desk.model_copy(update={"alone": alone}))

    def sort(self, visit: Visit, clauses: Sequence[Clause]) -> list[tuple[Clause, Topic]]:
        """Return the clauses of an utterance with what each is about; nothing is done."""
        heard = self._hear(visit, clauses)
        topics = settle([topic(one) for one in heard])
        return list(zip(clauses, topics, strict=True))

    def _hear(self, visit: Visit, clauses: Sequence[Clause]) -> list[Heard]:
        """Return the clauses with what is known of them; links only where it may matter."""
        offered = bool(visit.request.state.desk.offers)
        waits = visit.state.pending is not None or offered or self._has_tools(visit)
        waits = waits or self.escalation.hears(visit.request.utterance)
        if not waits and not any(may_be_service(lowered(clause.text)) for clause in clauses):
            return [Heard(clause, lowered(clause.text), wishes=True) for clause in clauses]
        request = visit.request
        visit.mentions = self.linker.link(request.utterance, request.state, request.slate)
        return [self._closer(visit, clause) for clause in clauses]

    def _closer(self, visit: Visit, clause: Clause) -> Heard:
        masked, mentions = masked_clause(clause, visit.mentions)
        if says("shop_plain", lowered(clause.text)):
            masked, mentions = lowered(clause.text), ()
        wishes = has_wishes(mentions)
        if _shows_again(visit, masked, mentions):
            return Heard(clause, masked, wishes=True, refers=True)
        asked = _plainly(clause, mentions)
        refers = any(m.kind in _REFERS for m in mentions)
        asks = may_be_service(masked) and not (wishes and says("shopping", masked))
        pages = self.pages() if asks else None
        relevance = pages.relevance(asked) if pages else 0.0
        details = any(m.kind == "facet" for m in mentions)
        known = any(m.kind == "keyword" for m in mentions)
        heard = Heard(clause, masked, wishes, refers, details, known, relevance, question=asked)
        if (
            self.tools is None
            or not self._has_tools(visit)
            or (wishes and says("shopping", masked))
        ):
            return heard
        match = self.tools.best(visit.request, written_out(clause.text))
        if match is None:
            return heard
        return replace(heard, tool=match.tool.name, fit=match.score, by_number=match.by_number)

    def _has_tools(self, visit: Visit) -> bool:
        return self.tools is not None and bool(self.tools.tools or visit.request.extras.tools)

    def _asked_pages(self, visit: Visit, heard: Heard) -> bool:
        """Ask the pages what may well be for them; return whether that settled it."""
        pages = self.pages()
        if pages is None:
            return False
        return follows_up(visit, pages, heard, self.escalation) or asked_plainly(
            visit, pages, heard
        )

    def _serve(
        self,
        visit: Visit,
        heard: Heard,
        raw: str,
        about: Topic,
        beside: Sequence[tuple[Heard, str]],
    ) -> None:
        clause = heard.clause
        if about == "person":
            visit.asked.append(clause.text)
            self.escalation.asked(visit)
        elif about == "shop":
            pages = self.pages()
            if pages is None:
                return
            question = _whole(visit, clause) if says("helpless", heard.masked) else _asked_of(heard)
            before = visit.request.state.desk
            asked = tuple(one for one in (before.question, *before.earlier) if one)
            if not answer(visit, pages, question, before=asked):
                self.escalation.offer(visit, contact=asked_kind(question) == "contact")
        elif about == "upset":
            visit.asked.append(clause.text)
            visit.say("sorry")
            self.escalation.offer(visit)
        elif about == "problem" and not self._sorry(visit, heard):
            return
        elif about == "tool" and self.tools is not None:
            self.tools.begin(visit, heard, raw, beside)
        elif about == "items" and not self._asked_pages(visit, heard):
            return
        visit.taken.append(clause)

    def _sorry(self, visit: Visit, heard: Heard) -> bool:
        """See to what happened to the user; return whether anything could be said about it."""
        text, pages = heard.clause.text, self.pages()
        trouble = says("trouble", heard.masked)
        if heard.refers and not says("arrival", heard.masked):
            return False
        found = pages.ask(text) if pages is not None else None
        if found is None or not (found.quotes or found.offered):
            if trouble:
                visit.asked.append(text)
                visit.unanswered.append(text)
                visit.say("sorry")
                self.escalation.offer(visit)
            return trouble
        if trouble:
            visit.say("sorry")
        tell(visit, found, text, is_question=not trouble)
        return True

    def _do_acts(self, visit: Visit, rest: str, outcome: Outcome) -> None:
        """Do what a planner found to be the desk's: an answer, a person."""
        plan = outcome.plan
        acts = {act.act for act in plan.acts}
        if "handoff" in acts and visit.handover is None:
            # The rules go by words alone, and "for a real person" may be said of a shirt.
            sure = plan.planner != "rules" or not has_wishes(plan.mentions)
            (self.escalation.asked if sure else self.escalation.offer)(visit)
        if "answer" not in acts:
            return
        pages = self.pages()
        if pages is None:
            visit.unanswered.append(rest.strip())
            visit.words.append(say("reply.answer", visit.turn, visit.request.state.language))
            return
        question = _question(rest)
        # A wish with a word of the shop's ("a gift card holder") is no question to it.
        refuse = outcome.found is None or says("question", lowered(question))
        if not answer(visit, pages, question, refuse=refuse) and refuse:
            self.escalation.offer(visit)


def _shows_again(visit: Visit, masked: str, mentions: Sequence[Mention]) -> bool:
    """Return whether hidden items are wanted again, and nothing is to be sent back to the shop."""
    state = visit.request.state
    hidden = set(state.need.rejected)
    named = any(m.kind in _REFERS and m.items and hidden.issuperset(m.items) for m in mentions)
    said = brings_back(lowered(visit.request.utterance), state)
    return named and said and not says("shop_frame", masked)


def _numbers_told(found: Sequence[tuple[Heard, Topic]]) -> list[Topic]:
    """Return the topics; a number is told to the tool that is asked for beside it."""
    asked = any(about == "tool" and not heard.by_number for heard, about in found)
    return [
        "items" if asked and about == "tool" and heard.by_number else about
        for heard, about in found
    ]


def _plainly(clause: Clause, mentions: Sequence[Mention]) -> str:
    """Return a clause as the pages are asked: with "it" for items, and its words spelt out."""
    text, at = "", clause.begin
    for mention in mentions:
        if mention.kind == "reference" and mention.start >= at:
            text += f"{_part(clause, at, mention.start)}it"
            at = mention.end
    text += _part(clause, at, clause.end)
    mended = readable(text.lower())
    return text if mended == text.lower() else mended


def _part(clause: Clause, start: int, end: int) -> str:
    """Return a part of a clause by its places in the utterance."""
    return clause.text[start - clause.begin : end - clause.begin]


def _asked_of(heard: Heard) -> str:
    """Return what is asked of the pages for a clause."""
    return heard.question or heard.clause.text


def _whole(visit: Visit, clause: Clause) -> str:
    """Return what was told up to a clause that asks what can be done about it."""
    return visit.request.utterance[: clause.end].strip()


def said_in(request: DeskRequest, clauses: Sequence[Clause]) -> list[str]:
    """Return the clauses as they were said; all that was said for each where they can't be told."""
    if request.raw == request.utterance:
        return [clause.text for clause in clauses]
    raw = split(request.raw)
    if len(raw) == len(clauses):
        return [clause.text for clause in raw]
    return [request.raw] * len(clauses)


def _question(rest: str) -> str:
    """Return the clauses that concern the shop, or all there is where none plainly does."""
    own = [clause.text for clause in split(rest) if concerns_shop(lowered(clause.text))]
    return " ".join(own) or rest.strip()


def brought_nothing(visit: Visit, rest: str, outcome: Outcome) -> bool | None:
    """Return whether a turn brought nothing; None where it says neither, as small talk."""
    if visit.handover is not None or visit.quotes or outcome.found:
        return False
    if any(use.status != "failed" for use in visit.tools):
        return False
    if visit.offered:
        return None  # one of the pages may well be it
    if visit.unanswered or visit.tools or outcome.found == 0:
        return True
    if not rest.strip() or visit.asked:
        return None
    if {act.act for act in outcome.plan.acts} != {"chitchat"}:
        return False
    text = lowered(rest)
    if not any(map(str.isalnum, without_marks(text))):
        return None
    polite = says("courtesy", text) or cues.said(text, "acts", "chitchat")
    aside = cues.said(text, "acts", "off_topic") or cues.said(text, "acts", "recap")
    return None if polite or aside else True
