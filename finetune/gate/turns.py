"""Whole turns of a contestant, in sessions that are thrown away."""

from __future__ import annotations

from contextlib import closing

from agent.dialogue import Parts, respond
from agent.errors import AgentError
from agent.store import Store
from agent.turn import Done
from finetune.contestant import Contestant
from finetune.gate.bench import Bench, Opened


def parts_of(
    contestant: Contestant, catalog: Opened, bench: Bench, *, worded: bool = False
) -> Parts:
    """Return what a contestant's turns over a catalog are made with; its store lives in memory.

    Args:
        worded: Whether it words explanations itself, where it does; else the templates do, which
            saves most of the time of a turn whose words nobody reads.
    """
    voice = contestant.voice(catalog.retriever)
    store = bench.keep(closing(Store("sqlite://")))
    return Parts(
        store, catalog.retriever, catalog.linker, voice.planner,
        explainer=voice.explainer if worded else None, chooser=voice.chooser, voice=voice.name,
    )  # fmt: skip


def take(parts: Parts, session_id: str, text: str) -> Done:
    """Take a turn and return it."""
    for event in respond(parts, session_id, text):
        if isinstance(event, Done):
            return event
    raise AgentError("the turn ended without an answer")
