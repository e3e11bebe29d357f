"""Logged sessions over the store of `tests.agent.shop`, as a store would give them back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from agent.apply import apply, with_slate
from agent.dialogue import item_fields
from agent.feedback import FeedbackEvent
from agent.linking import Linker
from agent.logged import LoggedSession, LoggedSlate, LoggedTurn, Shown
from agent.plan import Act, Plan
from agent.planner import PlanRequest, RulePlanner
from agent.state import State
from tests.agent import shop

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Talk:
    """One session under way; turns that a test gives acts for are misread that way."""

    linker: Linker
    id: str = "session-1"
    user: str | None = "user-1"
    turns: list[LoggedTurn] = field(default_factory=list)
    slates: list[LoggedSlate] = field(default_factory=list)
    events: list[FeedbackEvent] = field(default_factory=list)
    state: State = field(default_factory=State)

    @property
    def now(self) -> datetime:
        """Return a time after everything that happened."""
        return START + timedelta(minutes=len(self.turns) + len(self.events))

    def says(self, text: str, *acts: Act, shows: tuple[str, ...] = (), **made) -> Talk:
        """Take a turn; with acts these are its plan (of a model), else the rules'."""
        before, slate = self.state, shop.items_of(*self.state.slate)
        mentions = self.linker.link(text, before, slate)
        request = PlanRequest(text, mentions, before, slate, shop.FACETS)
        plan = RulePlanner().plan(request)
        if acts:
            plan = Plan(acts=acts, mentions=mentions, utterance=text, planner="llm", model="m",
                        prompt="plan@2")  # fmt: skip
        state = apply(before, plan, shop.BY_ID, shop.FACETS)
        number = len(self.turns) + 1
        turn_id, slate_id = f"{self.id}-t{number}", f"{self.id}-s{number}"
        if shows:
            state = with_slate(state, shows)
            items = tuple(
                Shown(item_id=id, rank=rank, score=1 / rank, fields=item_fields(shop.BY_ID[id]))
                for rank, id in enumerate(shows, start=1)
            )
            self.slates.append(
                LoggedSlate(id=slate_id, turn_id=turn_id, policy="greedy", time=self.now,
                            items=items)
            )  # fmt: skip
        self.turns.append(
            LoggedTurn(id=turn_id, number=number, time=self.now, utterance=text,
                       plan=plan, state=state, slate_id=slate_id, **{"reply": "", **made})
        )  # fmt: skip
        self.state = state
        return self

    def does(self, kind: str, item: str | None = None, value=None, slate: int = -1, **more) -> Talk:
        """Leave feedback on a slate, by default the last."""
        event = FeedbackEvent(
            id=f"{self.id}-e{len(self.events) + 1}", slate_id=self.slates[slate].id, item_id=item,
            kind=kind, value=value, time=self.now, **more,
        )  # fmt: skip
        self.events.append(event)
        return self

    def draws(self, policy: str, **chances: float) -> Talk:
        """Say that the last slate was drawn by a policy, and with what chances."""
        last = self.slates[-1]
        items = tuple(
            one.model_copy(update={"propensity": chances.get(one.item_id, 1.0)})
            for one in last.items
        )
        self.slates[-1] = last.model_copy(update={"policy": policy, "items": items})
        return self

    @property
    def session(self) -> LoggedSession:
        """Return the session as logged."""
        return LoggedSession(
            id=self.id, user=self.user, created=START, turns=tuple(self.turns),
            slates=tuple(self.slates), events=tuple(self.events),
        )  # fmt: skip
