"""Several clients at once, each busy all the time: bare HTTP, the planner alone, whole turns.

The clock stops when the first client finds nothing left to do, so that all were busy while it ran.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx2
import numpy as np

from agent.errors import ModelUnavailable
from benchmarks.llm_load.asked import Noted

T = TypeVar("T")
CpuSeconds = Callable[[], float]
"""Reads how many seconds of processor time the server has used so far."""


@dataclass(frozen=True, slots=True)
class Meter:
    """The clock, our own processor time and the server's, in seconds."""

    clock: float
    own: float
    server: float

    @classmethod
    def read(cls, server: CpuSeconds) -> Meter:
        """Read all three now."""
        return cls(time.perf_counter(), time.process_time(), server())


class Work(Generic[T]):
    """Things to do that several clients share; reads the meter at the start and when it is dry."""

    def __init__(self, things: Iterable[T], server: CpuSeconds) -> None:
        self._left = deque(things)
        self._server = server
        self._lock = threading.Lock()
        self.began = Meter.read(server)
        self.ended: Meter | None = None

    def take(self) -> T | None:
        """Return the next thing; None when there is none left."""
        with self._lock:
            if self._left:
                return self._left.popleft()
            self.ended = self.ended or Meter.read(self._server)
            return None


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer of the model: when it came, and its tokens."""

    at: float
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Load:
    """What came of one run.

    Args:
        ms: How long the middle and the late ones of the requests, plans or sessions took.
        own_ms, server_ms: Processor time per answer of the model.
        same: Share of what the model was asked that is, letter for letter, what was recorded.
    """

    seconds: float
    answers: int
    tokens_per_s: float
    prompt_tokens_per_s: float
    answers_per_s: float
    ms: dict[str, float]
    own_ms: float
    server_ms: float
    same: float = 1.0


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Return p50 and p95 in milliseconds."""
    p50, p95 = np.percentile(seconds, [50, 95]) * 1000
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2)}


def load_of(began: Meter, ended: Meter, answers: Sequence[Answered], took: Sequence[float]) -> Load:
    """Return the figures of the answers that came while all clients were busy.

    Raises:
        ValueError: If none came.
    """
    inside = [one for one in answers if began.clock <= one.at <= ended.clock]
    if not inside:
        raise ValueError("no answer came while all clients were busy; give them more to do")
    seconds = ended.clock - began.clock
    return Load(
        seconds=round(seconds, 3),
        answers=len(inside),
        tokens_per_s=sum(one.completion_tokens for one in inside) / seconds,
        prompt_tokens_per_s=sum(one.prompt_tokens for one in inside) / seconds,
        answers_per_s=len(inside) / seconds,
        ms=spread(took),
        own_ms=(ended.own - began.own) / len(inside) * 1000,
        server_ms=(ended.server - began.server) / len(inside) * 1000,
    )


def bare(url: str, bodies: Iterable[bytes], clients: int, server: CpuSeconds) -> Load:
    """Post requests as they are, by so many clients of one event loop."""
    work: Work[bytes] = Work(bodies, server)
    answers, took = asyncio.run(_posted(f"{url}/chat/completions", work, clients))
    assert work.ended is not None
    return load_of(work.began, work.ended, [_read(at, raw) for at, raw in answers], took)


async def _posted(
    url: str, work: Work[bytes], clients: int
) -> tuple[list[tuple[float, bytes]], list[float]]:
    answers: list[tuple[float, bytes]] = []
    took: list[float] = []
    headers = {"content-type": "application/json"}

    async def client(http: httpx2.AsyncClient) -> None:
        while (body := work.take()) is not None:
            began = time.perf_counter()
            answer = await http.post(url, content=body, headers=headers)
            if not answer.is_success:
                raise ModelUnavailable(f"HTTP {answer.status_code}: {answer.text[:500]}")
            answers.append((time.perf_counter(), answer.content))
            took.append(time.perf_counter() - began)

    limits = httpx2.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx2.AsyncClient(limits=limits, timeout=300) as http:
        await asyncio.gather(*(client(http) for _ in range(clients)))
    return answers, took


def _read(at: float, raw: bytes) -> Answered:
    usage: dict[str, Any] = json.loads(raw)["usage"]
    return Answered(at, usage["prompt_tokens"], usage["completion_tokens"])


def through(
    model: Noted, do: Callable[[T], object], things: Iterable[T], clients: int, server: CpuSeconds
) -> Load:
    """Do things that ask the model, by so many clients, a thread each."""
    before = len(model.calls)
    work: Work[T] = Work(things, server)
    took: list[float] = []

    def client() -> None:
        while (thing := work.take()) is not None:
            began = time.perf_counter()
            do(thing)
            took.append(time.perf_counter() - began)

    with ThreadPoolExecutor(clients) as pool:
        for future in [pool.submit(client) for _ in range(clients)]:
            future.result()
    assert work.ended is not None
    answers = [
        Answered(call.at, call.answer.prompt_tokens, call.answer.completion_tokens)
        for call in model.calls[before:]
    ]
    return load_of(work.began, work.ended, answers, took)
