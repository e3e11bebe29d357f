"""Announces a hand-over to the people's own system: one signed POST with all they need.

It is a job, so it is tried again until it is taken, and may arrive twice: the header `webhook-id`
is that of the hand-over each time. What is sent is what is stored, with personal data masked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from agent import background
from agent.errors import AgentError, HopelessJob, UnknownHandover, UnknownSession
from agent.store import Store
from agent.store_handovers import Handovers, StoredHandover
from agent.telemetry import outgoing_headers
from agent.tools.calling import client_for
from agent.tools.signing import signed
from agent.turn import Done

MOST_TURNS = 200
"""Turns of a transcript, counted from the end."""


class NotAnnounced(AgentError):
    """The people's system did not take an announcement; it is tried again."""


@dataclass(frozen=True, slots=True)
class Announcer:
    """Runs jobs of the kind "handover": `deliver(payload)`.

    Args:
        url: Where announcements go.
        transport: Instead of the network, for tests.
    """

    store: Store
    url: str
    secret: str = field(repr=False)
    timeout_s: float = 5.0
    transport: httpx.AsyncBaseTransport | None = None

    def __call__(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Announce a hand-over, unless its session is gone or a person closed it already.

        Raises:
            NotAnnounced: If it was not taken.
            HopelessJob: If it never will be (410).
        """
        handovers = Handovers(self.store.database)
        try:
            found = handovers.get(str(payload["id"]))
            if found.status == "closed":
                return {"skipped": "closed"}
            data = described(self.store, found)
        except (UnknownHandover, UnknownSession):
            return {"skipped": "deleted"}
        status = self._post(found.id, {"type": "handover.created", "data": data})
        handovers.delivered(found.id)
        return {"status": status}

    def _post(self, id: str, body: Mapping[str, Any]) -> int:
        content = json.dumps(body, ensure_ascii=False)
        headers = {"content-type": "application/json", **signed(self.secret, id, content)}
        headers |= outgoing_headers()
        client = client_for(self.url, self.timeout_s, self.transport)
        try:
            status = background.call(self._send(client, headers, content), self.timeout_s)
        except (httpx.HTTPError, TimeoutError) as error:
            raise NotAnnounced(f"the webhook cannot be reached: {type(error).__name__}") from error
        if status == 410:
            raise HopelessJob("the webhook is gone (HTTP 410); set another in service.toml")
        if not 200 <= status < 300:
            raise NotAnnounced(f"the webhook answered HTTP {status}, expected 2xx")
        return status

    async def _send(
        self, client: httpx.AsyncClient, headers: Mapping[str, str], content: str
    ) -> int:
        async with (
            client,
            client.stream("POST", self.url, headers=dict(headers), content=content) as response,
        ):
            return response.status_code  # whatever else it says is not read


def described(store: Store, handover: StoredHandover) -> dict[str, Any]:
    """Return a hand-over with the conversation up to now.

    Raises:
        UnknownSession: If its session is deleted.
    """
    session = store.load(handover.session_id)
    turns = store.turns(handover.session_id)
    shown = next((done for done in reversed(turns) if done.slate.items), None)
    made = next((done for done in turns if done.turn_id == handover.turn_id), None)
    service = made.service if made else None
    return {
        "id": handover.id,
        "reason": handover.reason,
        "detail": handover.detail,
        "status": handover.status,
        "created": handover.created.isoformat(),
        "open": service.handover.open if service and service.handover else None,
        "session": {"id": session.id, "user": session.user, "turns": session.turns},
        "state": session.state.model_dump(mode="json", exclude={"earlier", "desk"}),
        "slate": _items(shown) if shown else [],
        "transcript": [_turn(done) for done in turns[-MOST_TURNS:]],
    }


def _turn(done: Done) -> dict[str, Any]:
    tools = done.service.tools if done.service else ()
    return {
        "turn": done.state.turn,
        "turn_id": done.turn_id,
        "user": done.utterance,
        "bot": done.reply,
        "items": _items(done),
        "tools": [use.model_dump(mode="json", exclude={"result"}) for use in tools],
    }


def _items(done: Done) -> list[dict[str, Any]]:
    return [
        {"id": item.item_id, "title": item.fields.get("title"), "price": item.fields.get("price")}
        for item in done.slate.items
    ]
