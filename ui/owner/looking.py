"""What the owner sees of conversations: which there were, and one turn taken apart.

Read from the store; what was not stored (the candidates that were not shown, the prompt) is made
again over the catalog as it is now, and says so. This module changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent.asking import ASKING
from agent.chips import chips_of
from agent.dialogue import shows
from agent.errors import UserInputError
from agent.planner import PlanRequest
from agent.ports import Retriever
from agent.recommend import recommend
from agent.state import State
from agent.store import Store
from agent.store_looking import latest
from agent.turn import Done
from retrieval.filters import to_json

Json = dict[str, Any]

MOST_CANDIDATES = 20
MOST_SESSIONS = 200
_MOST_MODEL_PROMPT = 40_000


def sessions(store: Store, limit: int = 50) -> list[Json]:
    """Return the conversations that went on last, newest first: who, when, how much, the start."""
    return [
        {
            "id": one.id, "user": one.user[:12] if one.user else None,
            "last": one.last.isoformat(timespec="seconds"), "turns": one.turns,
            "begun": one.begun[:80],
            "handover": one.state.desk.handover if one.state else None,
        }
        for one in latest(store.database, min(max(limit, 1), MOST_SESSIONS))
    ]  # fmt: skip


def inspected(store: Store, retriever: Retriever, session_id: str, number: int) -> Json:
    """Return one turn taken apart.

    Args:
        number: Of the turn, from 1.

    Raises:
        UnknownSession: If there is no such session.
        UserInputError: If it has no such turn.
    """
    turns = store.turns(session_id)
    if not 1 <= number <= len(turns):
        raise UserInputError(f"session {session_id!r} has turns 1 to {len(turns)}, not {number}")
    done = turns[number - 1]
    before = turns[number - 2].state if number > 1 else State()
    return {
        "number": number, "turns": len(turns), "utterance": done.utterance, "reply": done.reply,
        "planner": done.planner, "voice": done.voice, "model": done.plan.model,
        "fallback": done.plan.fallback, "notes": list(done.notes),
        "mentions": [_mention(one) for one in done.plan.mentions],
        "acts": [one.model_dump(mode="json", exclude_defaults=True) for one in done.plan.acts],
        "before": _wishes(before, retriever), "after": _wishes(done.state, retriever),
        "filter": to_json(done.state.need.filter()),
        "shown": [_shown(one, done) for one in done.slate.items],
        "relaxations": [one.text for one in done.relaxations],
        "candidates": candidates(done, retriever) if shows(done.plan) else [],
        "timings": done.timings,
        "service": done.service.model_dump(mode="json") if done.service else None,
        "written": [one.model_dump(mode="json") for one in done.written],
        "prompt": prompt_of(done, before, retriever),
    }  # fmt: skip


def _mention(mention: Any) -> Json:
    made: Json = mention.model_dump(mode="json", exclude_defaults=True)
    return made


def _wishes(state: State, retriever: Retriever) -> list[str]:
    return [one.label for one in chips_of(state.need, retriever)]


def _shown(one: Any, done: Done) -> Json:
    return {"rank": one.rank, "id": one.item_id, "title": one.fields.get("title"),
            "score": one.score, "reasons": [reason.text for reason in one.reasons]}  # fmt: skip


def candidates(done: Done, retriever: Retriever) -> list[Json]:
    """Return the ranking for the state after a turn, over the catalog as it is now, with scores."""
    found = recommend(retriever, done.state, k=MOST_CANDIDATES)
    return [
        {
            "rank": rank, "id": one.item.id, "title": one.item.title, "score": round(one.score, 4),
            "vector": one.dense, "words": one.lexical,
            **{name: round(n, 4) for name, n in found.features.get(one.item.id, {}).items()},
        }
        for rank, one in enumerate(found.candidates, start=1)
    ]  # fmt: skip


def prompt_of(done: Done, before: State, retriever: Retriever) -> list[Json]:
    """Return what the model was shown, made again; nothing where rules planned without one."""
    prompt = done.plan.prompt
    if prompt is None:
        return []
    asking = ASKING.get(prompt)
    if asking is None:
        return []
    slate = tuple(retriever.get_many(before.slate))
    request = PlanRequest(done.plan.utterance, done.plan.mentions, before, slate, retriever.facets)
    messages: Sequence[Any] = asking().messages(request)
    return [
        {"role": one["role"], "content": str(one["content"])[:_MOST_MODEL_PROMPT]}
        for one in messages
    ]
