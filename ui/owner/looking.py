"""What the owner sees of conversations: which there were, and one turn taken apart.

Read from the store; what was not stored (the candidates that were not shown, the prompt) is made
again over the catalog as it is now, and says so. This module changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

from pydantic import ValidationError

from agent.asking import ASKING
from agent.chips import chips_of
from agent.dialogue import shows
from agent.errors import UserInputError
from agent.plan import Plan
from agent.planner import PlanRequest
from agent.ports import Retriever
from agent.recommend import recommend
from agent.state import State
from agent.store import Store
from agent.store_looking import Flag, Lately, Taken, flagged, latest, turns_of
from agent.turn import Done
from retrieval.filters import to_json

Json = dict[str, Any]

Only = Literal["all", "thumbs_down", "fallback", "nothing", "handover"]
ONLY: tuple[Only, ...] = get_args(Only)
_FLAGS: tuple[Flag, ...] = get_args(Flag)

MOST_CANDIDATES = 20
MOST_SESSIONS = 200
MOST_SEARCHED = 5_000
"""Sessions looked through, newest first, for those that have what is looked for."""
_PAGE = 100
_MOST_MODEL_PROMPT = 40_000
_BEGUN = 120


def sessions(store: Store, limit: int = 50, only: Only = "all") -> list[Json]:
    """Return the conversations that went on last, newest first: who, when, how much, the start.

    Args:
        only: Those with such a turn; among the `MOST_SEARCHED` latest.

    Raises:
        UserInputError: If there is no such thing to look for.
    """
    if only not in ONLY:
        raise UserInputError(f"only={only!r}: expected one of {', '.join(ONLY)}")
    limit = min(max(limit, 1), MOST_SESSIONS)
    found: list[Json] = []
    for offset in range(0, MOST_SEARCHED, _PAGE):
        page = latest(store.database, _PAGE if only != "all" else limit, offset)
        flags = flags_of(store, [one.id for one in page])
        for one in page:
            own = {flag for turn in flags.get(one.id, {}).values() for flag in turn}
            if only == "all" or only in own:
                found.append(_session(one, own))
        if only == "all" or len(found) >= limit or len(page) < _PAGE:
            break
    return found[:limit]


def _session(one: Lately, flags: set[Flag]) -> Json:
    return {
        "id": one.id, "user": one.user[:12] if one.user else None,
        "last": one.last.isoformat(timespec="seconds"), "turns": one.turns,
        "begun": one.begun[:_BEGUN],
        "handover": one.state.desk.handover if one.state else None,
        "flags": [flag for flag in _FLAGS if flag in flags],
    }  # fmt: skip


def flags_of(store: Store, ids: Sequence[str]) -> dict[str, dict[int, set[Flag]]]:
    """Return what makes turns of some sessions worth a look, by session and number."""
    found: dict[str, dict[int, set[Flag]]] = {}
    for (session, number), own in flagged(store.database, ids).items():
        found.setdefault(session, {}).setdefault(number, set()).update(own)
    for turn in turns_of(store.database, ids):
        own = planned_flags(turn)
        if own:
            found.setdefault(turn.session_id, {}).setdefault(turn.number, set()).update(own)
    return found


def planned_flags(turn: Taken) -> set[Flag]:
    """Return what the plan of a turn, and what came of it, say against it."""
    try:
        plan = Plan.model_validate(turn.plan)
    except ValidationError:  # stored by a version that this one cannot read
        return set()
    found: set[Flag] = set()
    if plan.fallback:
        found.add("fallback")
    if unmet(turn, plan):
        found.add("nothing")
    return found


def unmet(turn: Taken, plan: Plan) -> bool:
    """Return whether nothing was found for what was asked: not at all, or with less asked."""
    return shows(plan) and bool(not turn.items or turn.relaxations)


def conversation(store: Store, session_id: str) -> Json:
    """Return what was said in a session, turn by turn.

    Raises:
        UnknownSession: If there is no such session.
    """
    turns = store.turns(session_id)
    flags = flags_of(store, [session_id]).get(session_id, {})
    times = {one.number: one.time for one in turns_of(store.database, [session_id])}
    return {
        "id": session_id,
        "turns": [
            {
                "number": number, "utterance": done.utterance, "reply": done.reply,
                "items": len(done.slate.items), "planner": done.planner,
                "time": times[number].isoformat(timespec="seconds"),
                "flags": [flag for flag in _FLAGS if flag in flags.get(number, ())],
            }
            for number, done in enumerate(turns, start=1)
        ],
    }  # fmt: skip


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
    flags = flags_of(store, [session_id]).get(session_id, {}).get(number, set())
    return {
        "number": number, "turns": len(turns), "utterance": done.utterance, "reply": done.reply,
        "planner": done.planner, "voice": done.voice, "model": done.plan.model,
        "prompt_id": done.plan.prompt, "shortened": done.plan.shortened,
        "fallback": done.plan.fallback, "notes": list(done.notes),
        "flags": [flag for flag in _FLAGS if flag in flags],
        "mentions": [_mention(one) for one in done.plan.mentions],
        "acts": [one.model_dump(mode="json", exclude_defaults=True) for one in done.plan.acts],
        "before": _wishes(before, retriever), "after": _wishes(done.state, retriever),
        "filter": to_json(done.state.need.filter()),
        "shown": [_shown(one, done) for one in done.slate.items],
        "relaxations": [one.text for one in done.relaxations],
        "timings": done.timings,
        **(ranked(done, retriever) if shows(done.plan) else {"candidates": [], "matched": None}),
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


def ranked(done: Done, retriever: Retriever) -> Json:
    """Return the ranking for the state after a turn, over the catalog as it is now.

    `vector` and `words` are the two searches; `parts` is what the score was added up from.
    """
    found = recommend(retriever, done.state, k=MOST_CANDIDATES)
    shown = {one.item_id: one.rank for one in done.slate.items}
    return {
        "matched": found.matched, "searched": found.query_text,
        "candidates": [
            {
                "rank": rank, "id": one.item.id, "title": one.item.title,
                "shown": shown.get(one.item.id), "score": round(one.score, 4),
                "vector": one.dense, "words": one.lexical,
                "parts": {name: round(n, 4)
                          for name, n in found.features.get(one.item.id, {}).items()},
            }
            for rank, one in enumerate(found.candidates, start=1)
        ],
    }  # fmt: skip


def prompt_of(done: Done, before: State, retriever: Retriever) -> list[Json]:
    """Return what the model was shown, made again; nothing where rules planned without one.

    It is made from what is stored, in which personal data is masked.
    """
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
