"""When a person takes over, and what the user is told about it.

The announcement itself is a job that is stored with the turn (`agent.service.handover` runs it).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from agent.desk import Outcome
from agent.feedback import new_id
from agent.jobs import NewJob
from agent.plan import Mention
from agent.service.config import HandoverTable, RuleTable
from agent.service.hours import Hours, back
from agent.service.ports import OpenHandovers
from agent.service.topics import Heard, lowered
from agent.service.values import Handover, HandoverReason
from agent.service.visit import Visit

_CLOSED = {
    "handed_over": ("handed_over_closed", "handed_over_closed_long"),
    "listed": ("listed_closed", "listed_closed_long"),
    "waiting": ("waiting_closed", "waiting_closed_long"),
    "waiting_quiet": ("waiting_quiet_closed", "waiting_quiet_closed_long"),
    "asked_already": ("asked_already_closed", "asked_already_closed_long"),
}
"""What is said outside the business hours: with the next opening, and where none is in sight."""

JOB = "handover"
"""Kind of the job that announces a hand-over."""


class Escalation:
    """Hands conversations over to people, as the owner of the shop said.

    Args:
        table: None where nobody is there to hand over to.
        contact: How people reach the shop by themselves.
        clock: The present moment, with its zone.
    """

    def __init__(
        self,
        table: HandoverTable | None,
        hours: Hours | None,
        contact: str,
        handovers: OpenHandovers,
        clock: Callable[[], datetime],
    ) -> None:
        self._table = table
        self._hours = hours
        self._contact = contact
        self._handovers = handovers
        self._clock = clock

    @property
    def possible(self) -> bool:
        """Whether there is anybody to hand over to."""
        return self._table is not None

    def follow(self, visit: Visit) -> bool:
        """Look after an open hand-over; return whether the person alone goes on from here."""
        id = visit.state.handover
        if id is None:
            return False
        if self._table is None or not self._handovers.is_open(id):
            visit.remember(handover=None, told=False, failures=0)
            return False
        if self.quiet(visit):
            self._say(visit, "waiting_quiet")
            visit.remember(told=True)
            return True
        return False

    def quiet(self, visit: Visit) -> bool:
        """Return whether the person alone goes on from here."""
        waits = visit.state.handover is not None and visit.handover is None
        return waits and self._table is not None and self._table.while_open == "quiet"

    def tell_once(self, visit: Visit) -> None:
        """Say, in the first turn after a hand-over, that it is open."""
        if visit.state.handover is not None and visit.handover is None and not visit.state.told:
            self._say(visit, "waiting")
            visit.remember(told=True)

    def hears(self, text: str) -> bool:
        """Return whether a rule's words are said."""
        rules = self._table.rules if self._table else ()
        return any(_says(word, lowered(text)) for rule in rules for word in rule.words)

    def by_words(self, visit: Visit, heard: Sequence[Heard]) -> None:
        """Hand over where a rule of words alone holds; clauses that hold nothing else are taken."""
        for rule in self._table.rules if self._table else ():
            alone = rule.words and rule.facet is None and rule.tool_failed is None
            said = [
                one for one in heard if any(_says(w, lowered(one.clause.text)) for w in rule.words)
            ]
            if alone and said and visit.state.handover is None:
                visit.taken += [one.clause for one in said if not (one.wishes or one.tool)]
                visit.asked += [one.clause.text for one in said]
                self.begin(visit, "rule", rule.name)

    def asked(self, visit: Visit) -> None:
        """Take the wish for a person."""
        if self._table is None:
            self._cannot(visit)
        elif visit.state.handover is not None and visit.handover is None:
            if visit.state.told == visit.request.state.desk.told:  # else this turn has just said it
                self._say(visit, "asked_already")
            visit.remember(told=True)
        else:
            self.begin(visit, "asked")

    def begin(self, visit: Visit, reason: HandoverReason, detail: str = "") -> None:
        """Hand the conversation over, unless it is already."""
        if self._table is None or visit.state.handover is not None or visit.handover is not None:
            return
        now = self._clock()
        is_open = self._hours is None or self._hours.open_at(now)
        visit.handover = Handover(id=new_id(), reason=reason, detail=detail, open=is_open)
        visit.remember(handover=visit.handover.id, told=False, failures=0, tool_failures=0)
        if self._table.url is not None:
            job = NewJob(JOB, {"id": visit.handover.id}, id=visit.handover.id)
            visit.jobs.append(job)
        if reason == "failures":
            visit.say("failing")
        self._say(visit, "handed_over" if self._table.url is not None else "listed")
        if self._contact and (not is_open or self._table.url is None):
            visit.say("urgent", contact=self._contact)
        if self._table.while_open == "help":
            visit.say("meanwhile")

    def offer(self, visit: Visit, *, contact: bool = False) -> None:
        """Say what can be done where nothing was answered.

        Args:
            contact: Whether it was asked how the shop is reached.
        """
        if contact and self._contact:
            visit.say("or_contact", contact=self._contact)
        if visit.handover is not None or visit.person:
            return
        if self._table is not None and visit.state.handover is None:
            visit.say("or_a_person")
            visit.remember(offered=True)
        elif self._contact:
            visit.say("or_contact", contact=self._contact)

    def review(self, visit: Visit, outcome: Outcome, failed: bool | None) -> None:
        """Hand over by rule, or after too many turns that brought nothing.

        Args:
            failed: Whether this turn brought nothing; None where it says neither.
        """
        if failed is not None:
            visit.remember(failures=visit.state.failures + 1 if failed else 0)
        if self._table is None:
            return
        for rule in self._table.rules:
            if self._holds(rule, visit, outcome.plan.mentions):
                self.begin(visit, "rule", rule.name)
                return
        most = self._table.after_failures
        if most and visit.state.failures >= most:
            self.begin(visit, "failures")

    def _holds(self, rule: RuleTable, visit: Visit, mentions: Sequence[Mention]) -> bool:
        """Return whether all that a rule names is so."""
        text = lowered(visit.request.utterance)
        named = not rule.words or any(_says(word, text) for word in rule.words)
        wished = rule.facet is None or any(_wished(rule, one) for one in mentions)
        failed = rule.tool_failed is None or visit.state.tool_failures >= rule.tool_failed
        return named and wished and failed

    def _cannot(self, visit: Visit) -> None:
        if self._contact:
            visit.say("person_contact", contact=self._contact)
        else:
            visit.say("no_person")

    def _say(self, visit: Visit, key: str) -> None:
        """Say a sentence, or what is true of it outside the business hours."""
        now = self._clock()
        if self._hours is None or self._hours.open_at(now):
            visit.say(key)
            return
        when = back(self._hours, now, visit.request.state.language)
        visit.say(_CLOSED[key][0 if when else 1], back=when)


def _says(word: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(lowered(word))}(?!\w)", text) is not None


def _wished(rule: RuleTable, mention: Mention) -> bool:
    """Return whether a mention is the wish that a rule names."""
    if mention.facet != rule.facet:
        return False
    if rule.over is not None:
        bounds = [b for b in (mention.low, mention.high) if isinstance(b, int | float)]
        return bool(bounds) and max(bounds) >= rule.over
    wanted = {value.casefold() for value in rule.values}
    return any(value.casefold() in wanted for value in mention.values)
