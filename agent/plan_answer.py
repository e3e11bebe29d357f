"""The model's answer to the plan prompt: its JSON schema for a turn, and the way back to acts.

A model may only point at what the turn has: mention ids of the kinds a field takes, facets of the
catalog, words of the utterance. The schema says so to servers that can hold a model to it, and
`read_acts` checks it for all. This module does not know how the model is asked
(`agent.llm_planner`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import BadModelOutput
from agent.llm import first_json
from agent.plan import Act, Mention, MentionKind
from prompts import schema
from retrieval.filters import words

SCHEMA = "plan@1"

MAX_ACTS = 6
MAX_WORDS = 200

KINDS: dict[str, tuple[MentionKind, ...]] = {
    "want": ("value", "number", "keyword", "unknown"),
    "avoid": ("value", "keyword", "unknown", "reference", "item", "number"),
    "prefer": ("value", "number", "keyword", "unknown"),
    "drop": ("value", "number", "keyword", "unknown", "facet", "relative", "order"),
    "change": ("relative", "order"),
    "refs": ("reference", "item"),
}
"""The kinds of mention each field of an act takes."""


class Answer(BaseModel):
    """What the model is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    acts: tuple[Act, ...] = Field(min_length=1, max_length=MAX_ACTS)


class BadPlan(BadModelOutput):
    """An answer that is not a plan.

    Args:
        reason: What is wrong, in words that may be logged: nothing of the answer or the user.
        detail: The same for the model, with what it wrote.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


def answer_schema() -> dict[str, Any]:
    """Return the schema of `Answer` without prose; `prompts/schemas/plan.v1.json` holds it."""
    bare: dict[str, Any] = _without_prose(Answer.model_json_schema())
    return bare


def turn_schema(mentions: Sequence[Mention], facets: Iterable[str]) -> dict[str, Any]:
    """Return the answer's schema with ids and facets limited to those of one turn."""
    turn = schema(SCHEMA)
    fields = turn["$defs"]["Act"]["properties"]
    for name, kinds in KINDS.items():
        _limit(fields, name, [mention.id for mention in mentions if mention.kind in kinds])
    names = list(facets)
    if names:
        fields["facet"]["enum"] = names
    else:
        del fields["facet"]
    fields["text"]["maxLength"] = MAX_WORDS
    return turn


def read_acts(
    text: str, mentions: Sequence[Mention], facets: Iterable[str], utterance: str
) -> tuple[Act, ...]:
    """Return the acts a model answered with.

    Raises:
        BadPlan: If the answer is no plan over these mentions; says what to do better.
    """
    acts = _parse(text)
    kinds = {mention.id: mention.kind for mention in mentions}
    names = set(facets)
    spoken = set(words(utterance))
    for act in acts:
        _check_ids(act, kinds)
        if act.facet and act.facet not in names:
            raise BadPlan("unknown facet", f"{act.facet!r} is none of CATALOG's facets")
        _check_text(act, spoken)
    return acts


def _parse(text: str) -> tuple[Act, ...]:
    try:
        found = first_json(text)
    except BadModelOutput as error:
        raise BadPlan("not JSON", str(error)) from None
    try:
        return Answer.model_validate(_without_nulls(found)).acts
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "answer"
        raise BadPlan("not the form asked for", f"{place}: {first['msg']}") from None


def _check_ids(act: Act, kinds: dict[str, MentionKind]) -> None:
    for name, allowed in KINDS.items():
        for id in getattr(act, name):
            if id not in kinds:
                known = ", ".join(kinds) or "none, so leave the field out"
                raise BadPlan("unknown mention", f"{id!r} in {name}; there are: {known}")
            if kinds[id] not in allowed:
                raise BadPlan("mention of the wrong kind", f"{id!r} cannot stand in {name}")
    both = set(act.want) & set(act.avoid)
    if both:
        raise BadPlan("contradiction", f"{sorted(both)} in want and in avoid; keep one")


def _check_text(act: Act, spoken: set[str]) -> None:
    invented = [word for word in words(act.text) if word not in spoken]
    if invented:
        raise BadPlan("invented text", f"{invented[0]!r} is no word of the utterance")
    if len(act.text) > MAX_WORDS:
        raise BadPlan("text too long", f"at most {MAX_WORDS} characters")


def _limit(fields: dict[str, Any], name: str, ids: list[str]) -> None:
    if ids:
        fields[name] = {
            "type": "array",
            "items": {"type": "string", "enum": ids},
            "maxItems": len(ids),
        }
    else:
        del fields[name]


def _without_prose(value: Any) -> Any:
    # Descriptions and defaults would be sent with every call and constrain nothing. `properties`
    # is passed over: its keys are names of fields, not keywords.
    if isinstance(value, list):
        return [_without_prose(part) for part in value]
    if not isinstance(value, dict):
        return value
    kept = {k: v for k, v in value.items() if k not in ("title", "description", "default")}
    return {
        k: {name: _without_prose(part) for name, part in v.items()}
        if k in ("properties", "$defs")
        else _without_prose(v)
        for k, v in kept.items()
    }


def _without_nulls(value: Any) -> Any:
    # Servers that demand every field make models write null for "absent".
    if isinstance(value, dict):
        return {key: _without_nulls(part) for key, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list) else value
