"""A turn as one step of a trace: `invoke_agent`, with what it came to in names and figures."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

from agent.keys import key_of
from agent.telemetry import Attribute, Span, in_one_context, span
from agent.turn import Done, StreamEvent

Events = Generator[StreamEvent, None, None]


def watched(events: Events, session_id: str) -> Events:
    """Yield the events of a turn, its stages below one span, whichever threads ask for them."""
    return in_one_context(_within(events, session_id))


def _within(events: Events, session_id: str) -> Events:
    begun: dict[str, Attribute] = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "attune",
        "gen_ai.agent.name": "attune",
        # Whoever has the id of a session has the session, so only its key leaves.
        "gen_ai.conversation.id": key_of(session_id),
    }
    with span("invoke_agent attune", begun) as entered, closing(events):
        for event in events:
            if isinstance(event, Done):
                _tell(entered, event)
            yield event


def _tell(entered: Span, done: Done) -> None:
    entered.set("attune.planner", done.planner)
    entered.set("attune.acts", tuple(act.act for act in done.plan.acts))
    entered.set("attune.voice", done.voice or "")
    entered.set("attune.fallback", bool(done.plan.fallback))
    entered.set("attune.items", len(done.slate.items))
    entered.set("attune.relaxations", len(done.relaxations))
    entered.set("attune.turn", done.state.turn)
    service = done.service
    if service is not None:
        entered.set("attune.quotes", len(service.quotes))
        entered.set("attune.unanswered", len(service.unanswered))
        entered.set("attune.tools", tuple(use.tool for use in service.tools))
        entered.set("attune.handover", service.handover.reason if service.handover else "")
