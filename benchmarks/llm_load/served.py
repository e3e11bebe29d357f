"""A vLLM server to put load on: its processor time, its cores, its prefix cache."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx2

from agent.adapters_admin import AdaptersAdmin
from agent.model_folder import read_json
from agent.vllm_server import Installation, Serving, VLLMServer, find_vllm
from ui.llm import interpreters

NAME = "house"
LONG = 4096
"""Context that the instructed prompt (plan@1) needs, more than the house model was trained for."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers.

    Args:
        group: Session id of its processes.
    """

    vllm: Installation
    url: str
    group: int

    def cpu_seconds(self) -> float:
        """Return the processor time that all its processes have used."""
        ticks = sum(sum(map(int, fields[11:13])) for _, fields in _processes(self.group))
        return ticks / os.sysconf("SC_CLK_TCK")

    def forget(self) -> None:
        """Empty its prefix cache."""
        root = self.url.removesuffix("/v1")
        httpx2.post(f"{root}/reset_prefix_cache", timeout=60).raise_for_status()

    def move(self, cores: Iterable[int]) -> None:
        """Keep all its threads on these cores."""
        for pid, _ in _processes(self.group):
            _keep_on(pid, cores)


def _processes(group: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the processes of a session with the fields of their state, from the third on."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[3]) == group:
            yield int(path.parent.name), fields


def _keep_on(pid: int, cores: Iterable[int]) -> None:
    for task in Path(f"/proc/{pid}/task").glob("*"):
        os.sched_setaffinity(int(task.name), set(cores))


@contextmanager
def apart(served: Served) -> Iterator[None]:
    """Give the server one half of the cores and this process the other, for a while."""
    cores = sorted(os.sched_getaffinity(0))
    half = len(cores) // 2
    served.move(cores[:half])
    _keep_on(os.getpid(), cores[half:])
    try:
        yield
    finally:
        served.move(cores)
        _keep_on(os.getpid(), cores)


@contextmanager
def serve(model: Path, python: Path | None, log: IO[bytes]) -> Iterator[Served]:
    """Serve a model as `attune llm serve` does, on a free port.

    Raises:
        ServerError: If there is no vLLM, or it does not start.
    """
    vllm = find_vllm(interpreters(python))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {**os.environ, "VLLM_SERVER_DEV_MODE": "1"}  # which can empty the cache
    serving = Serving(model, NAME, port=port, extra=_long(model))
    server = VLLMServer(vllm, serving, environ, log=log)
    try:
        server.wait_ready(600)
        yield Served(vllm, serving.url, server.pid)
    finally:
        server.stop()


def _long(model: Path) -> tuple[str, ...]:
    """Return flags for a context that takes plan@1: longer than the house model was trained for.

    Longer positions alone (--max-model-len) would be read beyond the table of their rotations.
    """
    if read_json(model, "config.json", "a model").get("max_position_embeddings", LONG) >= LONG:
        return ()
    overrides = json.dumps({"max_position_embeddings": LONG})
    return ("--hf-overrides", overrides, "--max-model-len", str(LONG))


def hit_rate(served: Served, before: tuple[int, int]) -> float:
    """Return the share of prompt tokens found in the cache since `looked_up` said `before`."""
    looked_up, found = looked_up_and_found(served)
    return (found - before[1]) / (looked_up - before[0]) if looked_up > before[0] else 0.0


def looked_up_and_found(served: Served) -> tuple[int, int]:
    """Return what the prefix cache has done so far, in tokens."""
    with AdaptersAdmin(served.url) as admin:
        cache = admin.prefix_cache()
    return cache.looked_up, cache.found
