"""The plan prompt of a turn: what the model is shown, as compact as it can be.

The static text comes first, then what is stable for a catalog, then the turn, so that a server's
prefix cache serves the most. Whatever users or catalogs wrote goes through `data`, and is cut to a
budget. This module does not call a model; training pairs are made with the same messages.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent.plan import Mention
from agent.planner import PlanRequest
from agent.state import Constraint, Need, Preference
from prompts import Message, Template, load
from retrieval.catalog import Facet, Item, Role, primary

PROMPT = "plan@1"


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of each thing the prompt holds; what is beyond is cut, and said to be.

    Args:
        utterance: Characters of the utterance; its beginning and end are kept.
        values: Values shown of a facet; some: of one mention or constraint.
        text: Characters of any one title, value or name.
    """

    utterance: int = 1200
    mentions: int = 40
    slate: int = 10
    facets: int = 30
    values: int = 6
    some: int = 3
    wishes: int = 12
    text: int = 60

    def halved(self) -> Budget:
        """Return half of everything, at least one of each."""
        halves = {name: max(1, getattr(self, name) // 2) for name in self.__dataclass_fields__}
        return Budget(**halves)


DEFAULT = Budget()

_SLATE_ROLES: tuple[Role, ...] = ("category", "brand", "colour", "price")
"""Facets by which people tell the items of a slate apart."""

_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories: control, format (zero-width, direction marks), surrogate, private, unused,
line and paragraph separators."""


def plan_messages(
    request: PlanRequest, budget: Budget = DEFAULT, wording: Template | None = None
) -> tuple[Message, ...]:
    """Return the messages that ask a model for the plan of a turn, in an owner's wording if any."""
    return (wording or load(PROMPT)).messages(
        catalog=data(_catalog(request.facets, budget)), turn=data(_turn(request, budget))
    )


def shown_mentions(request: PlanRequest, budget: Budget = DEFAULT) -> tuple[Mention, ...]:
    """Return the mentions that fit the prompt, in their order; mere words give way first."""
    linked = [mention for mention in request.mentions if mention.kind != "absent"]
    ranked = sorted(linked, key=lambda mention: mention.kind in ("keyword", "unknown"))
    kept = {mention.id for mention in ranked[: budget.mentions]}
    return tuple(mention for mention in linked if mention.id in kept)


def shown_facets(request: PlanRequest, budget: Budget = DEFAULT) -> tuple[str, ...]:
    """Return the names of the facets that the model may speak of."""
    named = [mention.facet for mention in shown_mentions(request, budget) if mention.facet]
    known = {facet.name for facet in request.facets}
    listed = [facet.name for facet in _listed(request.facets, budget)]
    return tuple(dict.fromkeys(listed + [name for name in named if name in known]))


def data(value: Any) -> str:
    """Return a value as JSON that cannot be taken for anything but data.

    Control and invisible characters become blanks. The characters of which chat templates make
    their markers (`<|im_end|>`, `[INST]`) are escaped: most tokenisers turn such a marker into
    the control token wherever it stands.
    """
    text = json.dumps(_visible(value), ensure_ascii=False, separators=(",", ":"))
    text = text.replace("<", "\\u003c").replace(">", "\\u003e")
    return re.sub(r"\[(?=/?[A-Z])", r"\\u005b", text)


def _visible(value: Any) -> Any:
    if isinstance(value, str):
        return "".join(" " if unicodedata.category(c) in _INVISIBLE else c for c in value)
    if isinstance(value, dict):
        return {_visible(key): _visible(part) for key, part in value.items()}
    return [_visible(part) for part in value] if isinstance(value, list | tuple) else value


def _listed(facets: Sequence[Facet], budget: Budget) -> list[Facet]:
    # A name must come back as it is, so one that is too long is left out rather than cut.
    return [facet for facet in facets if len(facet.name) <= budget.text][: budget.facets]


def _catalog(facets: Sequence[Facet], budget: Budget) -> dict[str, Any]:
    shown = [_facet(facet, budget) for facet in _listed(facets, budget)]
    more = len(facets) - len(shown)
    return {"facets": shown} | ({"facets_left_out": more} if more else {})


def _facet(facet: Facet, budget: Budget) -> dict[str, Any]:
    values = [_cut(value, budget.text) for value, _ in facet.values[: budget.values]]
    label = facet.label if facet.label.casefold() != facet.name.casefold() else ""
    return _filled(
        name=facet.name,
        label=_cut(label, budget.text),
        kind=facet.kind,
        role=facet.role,
        unit=facet.unit,
        values=values if facet.kind in ("categorical", "list") else [],
        of=len(facet.values) if len(facet.values) > len(values) else None,
        range=[_plain(facet.low), _plain(facet.high)] if facet.kind == "numeric" else [],
    )


def _turn(request: PlanRequest, budget: Budget) -> dict[str, Any]:
    positions = {id: at for at, id in enumerate(request.state.slate, start=1)}
    mentions = shown_mentions(request, budget)
    left_out = sum(m.kind != "absent" for m in request.mentions) - len(mentions)
    return {
        "state": _need(request.state.need, positions, budget),
        "slate": [
            _item(item, at, request.facets, budget)
            for at, item in enumerate(request.slate[: budget.slate], start=1)
        ],
        **_filled(
            slate_items_left_out=max(0, len(request.slate) - budget.slate),
            focus=[positions[id] for id in request.state.focus if id in positions],
        ),
        "utterance": _middle_cut(request.utterance, budget.utterance),
        **_filled(utterance_as_typed=_middle_cut(request.typed, budget.utterance)),
        "mentions": [_mention(mention, request, positions, budget) for mention in mentions],
        **_filled(mentions_left_out=left_out),
    }


def _item(item: Item, at: int, facets: tuple[Facet, ...], budget: Budget) -> dict[str, Any]:
    shown: dict[str, Any] = {"position": at, "title": _cut(item.title, budget.text)}
    for role in _SLATE_ROLES:
        facet = primary(facets, role)
        values = item.values(facet.name)[: budget.some] if facet else ()
        if facet and values:
            plain = [_cut(v, budget.text) if isinstance(v, str) else _plain(v) for v in values]
            shown[facet.name] = plain[0] if len(plain) == 1 else plain
    return shown


def _need(need: Need, positions: dict[str, int], budget: Budget) -> dict[str, Any]:
    like = need.like and (
        f"position {positions[need.like.item_id]}"
        if need.like.item_id in positions
        else "an item shown earlier"
    )
    return _filled(
        constraints=[_constraint(one, budget) for one in need.constraints[-budget.wishes :]],
        wishes=[_preference(one, budget) for one in need.preferences[-budget.wishes :]],
        like=like,
        sorting=need.sorting and f"{need.sorting.facet} {need.sorting.direction}",
        rejected=len(need.rejected),
    )


def _constraint(wish: Constraint, budget: Budget) -> dict[str, Any]:
    return _filled(
        facet=_cut(wish.facet, budget.text),
        values=_some(wish.values, budget),
        excluded=_some(wish.excluded, budget),
        low=_plain(wish.low),
        high=_plain(wish.high),
    )


def _preference(wish: Preference, budget: Budget) -> str:
    return _cut(wish.text, budget.text)


def _mention(
    mention: Mention, request: PlanRequest, positions: dict[str, int], budget: Budget
) -> str:
    facet = _cut(mention.facet or "", budget.text)
    said = _cut(mention.text, budget.text)
    match mention.kind:
        case "value":
            meaning = f"{facet}={' or '.join(_some(mention.values, budget))}"
            meaning += "" if said.casefold() in meaning.casefold() else f' (said "{said}")'
        case "number":
            meaning = f"{facet} {_range(mention)}"
        case "reference" | "item":
            meaning = _reference(mention, positions, budget)
        case "facet":
            meaning = facet
        case "relative":
            meaning = f"{facet} {mention.direction}"
        case "order":
            first = "highest" if mention.direction == "up" else "lowest"
            meaning = f"sort by {facet}, {first} first"
        case "keyword" | "unknown" | "absent":
            meaning = said
    return f"{mention.id} {meaning}{_rivals(mention, request)}"


def _range(mention: Mention) -> str:
    low, high = _plain(mention.low), _plain(mention.high)
    if low is not None and high is not None:
        return f"{low}" if low == high else f"{low} to {high}"
    if high is not None:
        return f"under {high}" if mention.strict else f"at most {high}"
    return f"over {low}" if mention.strict else f"at least {low}"


def _reference(mention: Mention, positions: dict[str, int], budget: Budget) -> str:
    places = [str(positions[id]) for id in mention.items if id in positions][: budget.slate]
    if places:
        noun = "item" if len(places) == 1 else "items"
        number = "position" if len(places) == 1 else "positions"
        return f"{noun} on the slate, {number} {', '.join(places)}"
    said = _cut(mention.text, budget.text)
    return f'item not on the slate, "{said}"' if mention.items else f'no item found for "{said}"'


def _rivals(mention: Mention, request: PlanRequest) -> str:
    span = (mention.start, mention.end)
    same = [m.id for m in request.mentions if m.id != mention.id and (m.start, m.end) == span]
    return f", same words as {', '.join(same[:3])}" if same else ""


def _some(values: Sequence[str], budget: Budget) -> list[str]:
    shown = [_cut(value, budget.text) for value in values[: budget.some]]
    more = len(values) - len(shown)
    return [*shown, f"{more} more"] if more > 0 else shown


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _middle_cut(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    head, tail = length * 2 // 3, length // 3
    return f"{text[:head]} …({len(text) - head - tail} characters left out)… {text[-tail:]}"


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _filled(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "", [], (), 0)}
