"""The short plan prompt for models that were trained on it: utterances with their mentions tagged.

    need: category colour price< . slate 5 focus 2 . say: something like [R1 item 3] but [V1 colour
    other] , [N1 price below] and not [V2 material]

Values are not shown, only what they are values of, so that a small model has phrasing to learn and
nothing else. Instructions are not in it either: an untuned model needs `agent.plan_prompt`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from agent.plan import Act, Mention
from agent.plan_answer import KINDS, BadPlan, read_acts
from agent.plan_prompt import shown_mentions
from agent.planner import PlanRequest
from agent.state import Constraint, State
from prompts import Message, load, schema
from retrieval.catalog import Facet

PROMPT = "plan@2"

MOST_WORDS = 600
"""Characters of the utterance that are shown; its beginning and end are kept."""

_NAME = 24
_CERTAIN = 0.9
_MARKS = str.maketrans(
    {"[": "(", "]": ")", "<": "(", ">": ")", "|": "/", "{": "(", "}": ")", '"': "'"}
)


def tagged_messages(request: PlanRequest) -> tuple[Message, ...]:
    """Return the messages that ask a trained model for the plan of a turn."""
    return load(PROMPT).messages(turn=tagged_turn(request))


def tagged_turn(request: PlanRequest) -> str:
    """Return a turn as one line: what is wanted, what is on show, what was said."""
    names = {facet.name: _name(facet) for facet in request.facets}
    need = _need(request.state, names)
    return f"need: {need} . {_screen(request.state)} . say: {_tagged(request, names)}"


def tagged_schema(mentions: Sequence[Mention]) -> dict[str, Any]:
    """Return the JSON schema of the answer, with ids limited to those of one turn."""
    turn = schema("plan@1")
    fields = turn["$defs"]["Act"]["properties"]
    for name, kinds in KINDS.items():
        ids = [mention.id for mention in mentions if mention.kind in kinds]
        if ids:
            fields[name] = {"type": "array", "items": {"enum": ids}, "maxItems": len(ids)}
        else:
            del fields[name]
    del fields["text"]
    fields["join"] = {"enum": ["add"]}
    fields["why_not"] = {"enum": [True]}
    named = [mention.id for mention in mentions if mention.facet]
    if named:
        fields["facet"] = {"enum": named}
    else:
        del fields["facet"]
    return turn


def read_tagged(text: str, mentions: Sequence[Mention], utterance: str) -> tuple[Act, ...]:
    """Return the acts a model answered with; a facet is named by a mention of it.

    Raises:
        BadPlan: If the answer is no plan over these mentions.
    """
    facets = {mention.id: mention.facet for mention in mentions if mention.facet}
    acts = read_acts(text, mentions, facets, utterance)
    return tuple(
        act.model_copy(update={"facet": facets[act.facet]}) if act.facet else act for act in acts
    )


def written(acts: Iterable[Act], mentions: Sequence[Mention]) -> str:
    """Return acts as the answer that means them; the inverse of `read_tagged`.

    Raises:
        BadPlan: If an act's facet has no mention in this turn.
    """
    named = {mention.facet: mention.id for mention in reversed(mentions) if mention.facet}
    plain = []
    for act in acts:
        fields = act.model_dump(exclude_defaults=True, exclude={"text"}, mode="json")
        if act.facet and act.facet not in named:
            raise BadPlan("unknown facet", f"no mention of {act.facet!r}; name one of {[*named]}")
        plain.append(fields | ({"facet": named[act.facet]} if act.facet else {}))
    return json.dumps({"acts": plain}, separators=(",", ":"))


def _name(facet: Facet) -> str:
    return facet.role or plain(facet.label or facet.name)[:_NAME].strip()


def plain(text: str) -> str:
    """Return text as it may stand in a prompt of ours: one line, without the prompt's own marks."""
    # Brackets are the prompt's own, capital V1 an id: nobody else can write them.
    return re.sub(r"\s+", " ", text.translate(_MARKS)).casefold()


def _need(state: State, names: dict[str, str]) -> str:
    need = state.need
    parts = [_constraint(one, names) for one in need.constraints[-8:]]
    parts += ["soft"] if need.preferences else []
    parts += ["like"] if need.like else []
    parts += ["sorted"] if need.sorting else []
    return " ".join(parts) or "nothing"


def _constraint(wish: Constraint, names: dict[str, str]) -> str:
    marks = "+" * bool(wish.values) + "-" * bool(wish.excluded)
    marks += "(" * (wish.high is not None) + ")" * (wish.low is not None)
    return names.get(wish.facet, "text") + marks


def _screen(state: State) -> str:
    if not state.slate:
        return "slate 0"
    focus = [str(state.slate.index(id) + 1) for id in state.focus if id in state.slate]
    return f"slate {len(state.slate)}" + (f" focus {' '.join(focus[:4])}" if focus else "")


def _tagged(request: PlanRequest, names: dict[str, str]) -> str:
    parts, at = [], 0
    for group in _groups(shown_mentions(request)):
        start, end = group[0].start, max(mention.end for mention in group)
        parts += [plain(request.utterance[at:start]), _tag(group, request, names)]
        at = end
    parts.append(plain(request.utterance[at:]))
    text = re.sub(r"\s+", " ", " ".join(part.strip() for part in parts if part.strip()))
    if len(text) <= MOST_WORDS:
        return text
    half = MOST_WORDS // 2
    return f"{text[:half].rpartition(' ')[0]} ... {text[-half:].partition(' ')[2]}"


def _groups(mentions: Sequence[Mention]) -> list[list[Mention]]:
    groups: list[list[Mention]] = []
    for mention in sorted(mentions, key=lambda m: (m.start, -m.end)):
        if groups and mention.start < max(m.end for m in groups[-1]):
            groups[-1].append(mention)
        else:
            groups.append([mention])
    return groups


def _tag(group: Sequence[Mention], request: PlanRequest, names: dict[str, str]) -> str:
    readings = " / ".join(f"{m.id} {_meaning(m, request, names)}".strip() for m in group)
    doubtful = any(m.score < _CERTAIN for m in group if m.kind in ("value", "item"))
    said = plain(request.utterance[group[0].start : max(m.end for m in group)])
    return f"[{readings} ? {said}]" if doubtful else f"[{readings}]"


def _meaning(mention: Mention, request: PlanRequest, names: dict[str, str]) -> str:
    facet = names.get(mention.facet or "", mention.facet or "")
    match mention.kind:
        case "value":
            return f"{facet}{_known(mention, request.state)}"
        case "number":
            return f"{facet} {_side(mention)}"
        case "reference" | "item":
            return _items(mention, request.state)
        case "relative" | "order":
            return f"{facet} {mention.direction}"
        case "facet":
            return f"{facet}{_known(mention, request.state)}"
        case "keyword" | "unknown" | "absent":
            return plain(mention.text)


def _known(mention: Mention, state: State) -> str:
    """Return how a value stands to what is wanted already."""
    own = state.need.constraint(mention.facet or "")
    if own is None:
        return ""
    if mention.kind == "facet":
        return " set"
    if set(mention.values) & set(own.values):
        return " same"
    return " out" if set(mention.values) & set(own.excluded) else " other"


def _side(mention: Mention) -> str:
    if mention.low is not None and mention.high is not None:
        return "exactly" if mention.low == mention.high else "between"
    return "below" if mention.high is not None else "above"


def _items(mention: Mention, state: State) -> str:
    places = [str(state.slate.index(id) + 1) for id in mention.items if id in state.slate]
    what = "title" if mention.kind == "item" else "items" if len(mention.items) > 1 else "item"
    focus = " focus" if state.focus and set(mention.items) <= set(state.focus) else ""
    return f"{what} {' '.join(places[:6])}".strip() + focus
