"""People who talk to a server: the load generator, a process of its own.

    python -m benchmarks.api_load.talk URL --sessions 16 --seconds 20 [--words rules|llm] > JSON

Each of them starts a session, says one thing after the other, and sends feedback on what was
shown; then the next session. Whatever is not acknowledged is sent again, under the same
idempotency key or event id, as a careful client does. What was acknowledged is printed, so that it
can be looked for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import secrets
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx

PER_SESSION = 8
TRIES = 480
PAUSE_S = 0.25
"""Two minutes of patience: a server that was killed needs some of it to start on a busy machine."""
TIMEOUT_S = 60.0

SAID = {
    "rules": (
        "i'm looking for shirts", "in blue please", "under 60", "something like the second one",
        "show me more", "why the first one?", "compare the first two", "cheaper",
        "red or black shoes", "any colour is fine", "not leather", "what's it made of?",
    ),
    "llm": (
        "something for my sister's wedding in blue", "a bit more festive, she dances a lot",
        "what would go with a grey suit?", "shirts that do not look cheap, please",
        "my dad liked the first kind of thing", "same idea but for a rainy weekend",
        "red shoes that survive a festival", "whatever you would wear to an office party",
    ),
}  # fmt: skip
"""Utterances: that the rules read whole, and that a language model is asked about."""


@dataclass
class Notes:
    """What the people experienced.

    Args:
        turns: Acknowledged, as (session, turn id, number).
        events: Ids of acknowledged feedback.
        at: When each turn was acknowledged, in seconds since the start; seconds: how long it took.
        tries: Requests for those turns that were not answered with success, by what came instead.
    """

    turns: list[tuple[str, str, int]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    first_try: list[bool] = field(default_factory=list)
    planners: dict[str, int] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    given_up: int = 0


class Crowd:
    """So many people at once, until the time is over or enough was said."""

    def __init__(
        self, client: httpx.AsyncClient, words: str, *, people: int, seconds: float, turns: int,
        seed: int,
    ) -> None:  # fmt: skip
        self.notes = Notes()
        self._client = client
        self._said = SAID[words]
        self._people, self._begun, self._all = people, 0, asyncio.Event()
        self._start, self._until = 0.0, seconds
        self._left = turns
        self._chance = random.Random(seed)

    async def person(self, number: int) -> None:
        """Talk, session after session; the clock starts when everybody has begun one."""
        opened = await self._post("/v1/sessions", {})
        self._begun += 1
        if self._begun == self._people:
            self._start = time.perf_counter()
            self._until += self._start
            self._all.set()
        await self._all.wait()
        await asyncio.sleep(self._chance.random() * 0.2)
        while self._goes_on():
            if opened is None:
                opened = await self._post("/v1/sessions", {})
                continue
            offset = self._chance.randrange(len(self._said))
            for place in range(PER_SESSION):
                if not self._goes_on():
                    return
                await self._turn(opened["id"], self._said[(offset + place) % len(self._said)])
            opened = None

    def _goes_on(self) -> bool:
        return time.perf_counter() < self._until and self._left > 0

    async def _turn(self, session: str, text: str) -> None:
        self._left -= 1
        began, failed = time.perf_counter(), sum(self.notes.tries.values())
        done = await self._post(f"/v1/sessions/{session}/turns", {"text": text})
        if done is None:
            return
        now, notes = time.perf_counter(), self.notes
        notes.turns.append((session, done["turn_id"], done["state"]["turn"]))
        notes.at.append(now - self._start)
        notes.seconds.append(now - began)
        notes.first_try.append(sum(notes.tries.values()) == failed)
        notes.planners[done["planner"]] = notes.planners.get(done["planner"], 0) + 1
        if done["items"] and self._chance.random() < 0.25:
            await self._click(done)

    async def _click(self, done: dict[str, Any]) -> None:
        item = self._chance.choice(done["items"])["id"]
        event = {
            "id": f"load-{secrets.token_hex(12)}", "slate_id": done["slate_id"],
            "item_id": item, "kind": "click",
        }  # fmt: skip
        if await self._post("/v1/feedback", event) is not None:
            self.notes.events.append(event["id"])

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Send until it is acknowledged; None where that never happens."""
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        for _ in range(TRIES):
            try:
                answer = await self._client.post(path, json=body, headers=headers)
            except httpx.HTTPError as error:
                self._count(type(error).__name__)
            else:
                if answer.is_success:
                    read: dict[str, Any] = answer.json()
                    return read
                self._count(f"HTTP {answer.status_code}")
                if answer.status_code in (404, 422):
                    break
            await asyncio.sleep(PAUSE_S * (0.5 + self._chance.random()))
        self.notes.given_up += 1
        return None

    def _count(self, what: str) -> None:
        self.notes.tries[what] = self.notes.tries.get(what, 0) + 1


async def talk(
    url: str, *, sessions: int, seconds: float, turns: int, words: str, seed: int
) -> Notes:
    """Have so many people talk at once; return what they experienced."""
    limits = httpx.Limits(max_connections=sessions, max_keepalive_connections=sessions)
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, limits=limits) as client:
        crowd = Crowd(client, words, people=sessions, seconds=seconds, turns=turns, seed=seed)
        await asyncio.gather(*(crowd.person(number) for number in range(sessions)))
    return crowd.notes


def main() -> None:
    """Talk as the arguments say and print the notes as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--sessions", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--turns", type=int, default=10**9)
    parser.add_argument("--words", choices=sorted(SAID), default="rules")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    notes = asyncio.run(
        talk(given.url, sessions=given.sessions, seconds=given.seconds, turns=given.turns,
             words=given.words, seed=given.seed)
    )  # fmt: skip
    json.dump(asdict(notes), sys.stdout)


if __name__ == "__main__":
    main()
