"""People who talk to a server: the load generator, a process of its own.

    python -m benchmarks.api_load.talk URL --sessions 16 --seconds 20 [--words rules|llm]
        [--think 8] > JSON

Each of them starts a session, says one thing after the other, and sends feedback on what was
shown; then the next session. They answer at once, or after they have read (`--think`). Whatever is
not acknowledged is sent again, under the same idempotency key or event id, as a careful client
does. What was acknowledged is printed, so that it can be looked for.

Each has a client of their own: httpx looks through all connections of a client at every request,
and that of 256 people was busier than the server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import secrets
import ssl
import sys
import time
from contextlib import AsyncExitStack
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
        given_up: Requests that patience did not last for; refused: those that were refused for
            good, by path and error.
    """

    turns: list[tuple[str, str, int]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    first_try: list[bool] = field(default_factory=list)
    planners: dict[str, int] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    given_up: int = 0
    refused: list[str] = field(default_factory=list)

    def count(self, what: str) -> None:
        """Count a request that was not answered with success."""
        self.tries[what] = self.tries.get(what, 0) + 1

    def refuse(self, path: str, answer: httpx.Response) -> None:
        """Note a request that was refused for good, and why."""
        self.refused.append(f"{path}: {answer.status_code} {answer.text[:300]}")


class Crowd:
    """So many people at once, until the time is over or enough was said.

    Args:
        think: Seconds that people think between turns, on average; how long is drawn for each
            pause (exponential), so that turns come at any time.
    """

    def __init__(
        self, words: str, *, people: int, seconds: float, turns: int, think: float = 0.0
    ) -> None:
        self.notes = Notes()
        self.said = SAID[words]
        self.think = think
        self.start = 0.0
        self._people, self._begun, self._all = people, 0, asyncio.Event()
        self._seconds, self._left = seconds, turns

    async def everybody(self) -> None:
        """Wait until everybody is there; the clock starts then."""
        self._begun += 1
        if self._begun == self._people:
            self.start = time.perf_counter()
            self._all.set()
        await self._all.wait()

    def goes_on(self) -> bool:
        """Return whether there is time, and something left to say."""
        return time.perf_counter() < self.start + self._seconds and self._left > 0

    def says(self) -> None:
        """Count something that is said."""
        self._left -= 1


class Person:
    """One of a crowd: what they say, how long they think and what they click are drawn by chance.

    Args:
        chance: Theirs alone, so that a seed makes the same people whoever is answered first.
    """

    def __init__(self, crowd: Crowd, client: httpx.AsyncClient, chance: random.Random) -> None:
        self._crowd = crowd
        self._client = client
        self._chance = chance

    async def talk(self) -> None:
        """Talk, session after session."""
        crowd, chance = self._crowd, self._chance
        opened = await self.post("/v1/sessions", {})
        await crowd.everybody()
        await asyncio.sleep(chance.random() * 0.2)
        while crowd.goes_on():
            if opened is None:
                opened = await self.post("/v1/sessions", {})
                continue
            offset = chance.randrange(len(crowd.said))
            for place in range(PER_SESSION):
                await self._think()
                if not crowd.goes_on():
                    return
                await self._turn(opened["id"], crowd.said[(offset + place) % len(crowd.said)])
            opened = None

    async def _think(self) -> None:
        if self._crowd.think:
            await asyncio.sleep(self._chance.expovariate(1 / self._crowd.think))

    async def _turn(self, session: str, text: str) -> None:
        self._crowd.says()
        notes, began = self._crowd.notes, time.perf_counter()
        failed = sum(notes.tries.values())
        done = await self.post(f"/v1/sessions/{session}/turns", {"text": text})
        if done is None:
            return
        now = time.perf_counter()
        notes.turns.append((session, done["turn_id"], done["state"]["turn"]))
        notes.at.append(now - self._crowd.start)
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
        if await self.post("/v1/feedback", event) is not None:
            self._crowd.notes.events.append(event["id"])

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Send until it is acknowledged; None where that never happens."""
        headers, notes = {"Idempotency-Key": secrets.token_hex(16)}, self._crowd.notes
        for _ in range(TRIES):
            pause = PAUSE_S
            try:
                answer = await self._client.post(path, json=body, headers=headers)
            except httpx.HTTPError as error:
                notes.count(type(error).__name__)
            else:
                if answer.is_success:
                    read: dict[str, Any] = answer.json()
                    return read
                notes.count(f"HTTP {answer.status_code}")
                if answer.status_code in (404, 422):
                    notes.refuse(path, answer)
                    return None
                pause = max(pause, float(answer.headers.get("Retry-After", 0)))
            await asyncio.sleep(pause * (0.5 + self._chance.random()))
        notes.given_up += 1
        return None


async def talk(
    url: str, *, sessions: int, seconds: float, turns: int, words: str, seed: int,
    think: float = 0.0,
) -> Notes:  # fmt: skip
    """Have so many people talk at once; return what they experienced."""
    crowd = Crowd(words, people=sessions, seconds=seconds, turns=turns, think=think)
    trust = ssl.create_default_context()  # making one for each takes longer than their talk
    async with AsyncExitStack() as stack:
        people = []
        for number in range(sessions):
            client = httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, verify=trust)
            await stack.enter_async_context(client)
            people.append(Person(crowd, client, random.Random(f"{seed}/{number}")))
        await asyncio.gather(*(person.talk() for person in people))
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
    parser.add_argument("--think", type=float, default=0.0)
    given = parser.parse_args()
    notes = asyncio.run(
        talk(given.url, sessions=given.sessions, seconds=given.seconds, turns=given.turns,
             words=given.words, seed=given.seed, think=given.think)
    )  # fmt: skip
    json.dump(asdict(notes), sys.stdout)


if __name__ == "__main__":
    main()
