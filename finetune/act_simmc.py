"""SIMMC 1: shopping for clothes and furniture by talking, with acts read from the answers: weak.

The data has no act labels. What the assistant answered, and whether new items came onto the screen,
says in clear cases what it took the turn for; all other turns are left out. The mapping was made on
dialogues with odd ids, the turns are those of even ones. CC BY-NC-SA: for measuring only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from agent.state import Constraint, Need, State
from finetune.act_turns import Acts, ActSet, ActTurn, Row, catalog_of, expect, rows, stratified
from finetune.replay import Parts
from retrieval.catalog import FacetKind, FieldValue, Item, Role
from retrieval.loading import Column

FILES = ("dialogs_simmc1",)
ABOUT = "user turns of SIMMC 1; acts from what was answered (weak labels)"

Objects = Mapping[str, Mapping[str, Any]]

_CART = re.compile(
    r"\b(?:add(?:ed|ing)?|put|plac(?:ed|ing)|updated|is|are|have|has)\b.{0,60}"
    r"\b(?:you|your|the|shopping) cart\b",
    re.IGNORECASE,
)
_OFFER = re.compile(
    r"\b(?:would|should|shall|do you|did you|want|can i|may i|could i|ready|like)\b[^.!]*\bcart\b",
    re.IGNORECASE,
)
_SHOWN = re.compile(
    r"\bhere(?:'s| is| are| you go)\b|\b(?:how|what) about (?:this|these|the|that)\b"
    r"|\btake a look\b|\bi have one\b"
    r"|\b(?:i|we)(?: do|'ve got)?(?: have)? (?:this|these|an?|two|three|some|several|another)\b",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"\bhere(?:'s| are)(?: \w+)? (?:a few|some|several|two|three|\d|our|the|options|more|other)\b",
    re.IGNORECASE,
)
_VIEW = re.compile(
    r"\b(?:view|angle|closer|side|back|front|rotat\w+|picture|image|photo|zoom\w*)\b", re.IGNORECASE
)
_STATED = re.compile(
    r"\$ ?\d|\b(?:priced|costs?|retails|price (?:is|of)|rating|rated|made (?:by|of|from|with)"
    r"|(?:comes?|available|offered|have it|have this|only) in|sizes?|designed by|dimensions?"
    r"|(?:width|height|depth|material|pattern|colou?r|brand) is|inches|manufactur\w+)\b"
    r"|\bit(?:'s| is) (?:from|by)\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"[^.!?]*\?")
_ASKED = re.compile(
    r"\b(?:what|which|any|particular|specific|certain) (?:\w+ ){0,2}"
    r"(?:kind|type|style|colou?r|price|material|preference)s?\b"
    r"|\b(?:colou?r|style|price|price range|type|budget|specific)s?\b[^.!]{0,25}"
    r"\b(?:in mind|preference|looking for|prefer)\b",
    re.IGNORECASE,
)

_NEW = ("recommend", "refine", "like", "more")
ACTS: Mapping[str, Acts] = {
    # "I've added it to your cart". What else was said in the turn is not known.
    "select": ("select", "detail?", "refine?", "recommend?", "like?", "more?", "chitchat?"),
    # New items came: a need, a change of it, something like what is shown, or more.
    "show": (_NEW, "reject?", "reset?", "chitchat?", "detail?", "compare?"),
    # A property of what is on the screen was told, and nothing new was shown.
    "detail": (("detail", "compare", "explain"), "chitchat?", "select?"),
    # The shopper was asked what to look for, with nothing on the screen yet.
    "ask": ((*_NEW, "elicit"), "chitchat?"),
}
"""Acceptable acts of the turn before an answer of a kind."""


def weak_kind(answer: str, before: Objects | None, after: Objects | None) -> str | None:
    """Return what an answer says its turn was; None where that is not clear.

    Args:
        before: What is on the screen when the user speaks, None where that is not known.
        after: The same one turn later.
    """
    if _CART.search(answer):
        return None if _OFFER.search(answer) else "select"
    new = bool(after) and not (before and _seen(after) <= _seen(before))
    if _VIEW.search(answer):
        return None
    if _SHOWN.search(answer) and (new or (not after and _SEVERAL.search(answer))):
        return "show"
    stays = bool(before and after) and _seen(before) == _seen(after)
    if _STATED.search(_QUESTION.sub("", answer)):
        return "detail" if stays and not _SHOWN.search(answer) else None
    return "ask" if _ASKED.search(answer) and not before and not new else None


def _seen(objects: Objects | None) -> frozenset[str]:
    return frozenset(_id(one) for one in (objects or {}).values())


def _id(shown: Mapping[str, Any]) -> str:
    """Return an id for what an object looks like; what it is called differs from turn to turn."""
    looks = json.dumps({k: v for k, v in shown.items() if k != "pos"}, sort_keys=True)
    return sha256(looks.encode()).hexdigest()[:10]


_LISTS = ("color", "pattern", "embellishments", "decor_style")
_COLUMNS = (
    Column("type", "facet", "type", "categorical", "category", "type"),
    Column("price", "facet", "price", "numeric", "price", "price", "USD"),
    Column("rating", "facet", "rating", "numeric", "rating", "customer rating"),
    Column("brand", "facet", "brand", "categorical", "brand", "brand"),
    Column("size", "facet", "size", "list", "size", "size"),
    Column("material", "facet", "material", "categorical", "material", "material"),
    Column("width", "facet", "width", "numeric", None, "width", "in"),
    Column("height", "facet", "height", "numeric", None, "height", "in"),
)
_SIZES = ("XS", "S", "M", "L", "XL", "XXL")
_MATERIALS = ("wood", "metal", "leather", "cotton", "glass", "polyester")
_BRANDS = (
    "Fancy Nails", "Uptown Gallery", "Art News Today", "New Fashion", "Garden Retail",
    "River Chateau", "Global Voyager", "Downtown Consignment", "Nature Photographers", "Home Store",
)  # fmt: skip
"""Brands that answers name; which item is whose is invented, as are prices, sizes and the like."""


def catalog(dialogues: Iterable[Row]) -> Parts:
    """Return the catalog of everything that is on a screen somewhere."""
    looks: dict[str, Mapping[str, Any]] = {}
    for dialogue in dialogues:
        for turn in dialogue["turns"]:
            looks.update({_id(one): one for one in (turn["objects"] or {}).values()})
    items = [_item(number, id, one) for number, (id, one) in enumerate(sorted(looks.items()), 1)]
    own = dict.fromkeys(name for item in items for name in item.fields)
    known = {column.name for column in _COLUMNS}
    return catalog_of("simmc", items, [*_COLUMNS, *(_column(n) for n in own if n not in known)])


def _column(name: str) -> Column:
    role: Role | None = "colour" if name == "color" else None
    kind: FacetKind = "list" if name in _LISTS else "categorical"
    label = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower()
    return Column(name, "facet", name, kind, role, label)


def _item(number: int, id: str, look: Mapping[str, Any]) -> Item:
    random = int(id, 16)
    type = look.get("type") or look.get("class_name") or "item"
    fields: dict[str, FieldValue] = {
        "type": type, "price": float(20 + random % 280), "rating": 1 + random % 41 / 10,
        "brand": _BRANDS[random % len(_BRANDS)],
    }  # fmt: skip
    if "class_name" in look:
        fields |= {"material": _MATERIALS[random % len(_MATERIALS)]}
        fields |= {"width": float(15 + random % 60), "height": float(15 + random % 47)}
    else:
        fields["size"] = tuple(_SIZES[random % 4 :])
    for name, value in look.items():
        if name in ("type", "class_name", "pos", "description") or not value:
            continue
        words = [
            str(one).replace("_", " ") for one in (value if isinstance(value, list) else [value])
        ]
        fields[name] = tuple(words) if name in _LISTS else words[0]
    return Item(id, f"{type.capitalize()} {number}", "", fields)


def read(data: Path, most: int, seed: int) -> ActSet:
    """Return turns whose answer is clear, of each kind about equally many."""
    dialogues = list(rows(data, "dialogs_simmc1"))
    parts = catalog(dialogues)
    found = stratified(turns(d for d in dialogues if d["id"] % 2 == 0), most, seed)
    return ActSet("simmc1", ABOUT, found, {"simmc": parts}, weak=True)


def turns(dialogues: Iterable[Row]) -> Iterator[ActTurn]:
    """Yield the turns whose answer is clear."""
    for dialogue in dialogues:
        following = [turn["objects"] for turn in dialogue["turns"][1:]]
        for number, (turn, after) in enumerate(zip(dialogue["turns"], following, strict=False)):
            kind = weak_kind(turn["system"], turn["objects"], after)
            if kind is not None:
                yield ActTurn(
                    id=f"{dialogue['id']:06}:{number}", text=plain(turn["user"]), catalog="simmc",
                    kind=kind, state=state_before(turn["objects"] or {}, number),
                    readings=(expect(*ACTS[kind]),),
                )  # fmt: skip


def plain(text: str) -> str:
    """Return a text without what anonymising did to the word "cost"."""
    return text.replace("212 Localt", "cost")


_PLACES = ("left", "center", "right", "focus")


def state_before(objects: Objects, number: int) -> State:
    """Return the state before a turn: what is on the screen, and that such things are wanted."""
    shown = sorted(objects.values(), key=lambda one: _PLACES.index(str(one.get("pos", "focus"))))
    slate = tuple(dict.fromkeys(_id(one) for one in shown))
    if not shown:
        return State(turn=number)
    type = shown[0].get("type") or shown[0].get("class_name") or "item"
    focus = tuple(_id(one) for one in shown if one.get("pos") == "focus")
    wish = Constraint(facet="type", role="category", values=(str(type),), turn=0)
    need = Need(constraints=(wish,))
    return State(
        need=need, slate=slate, focus=focus, shown=slate, earlier=(Need(),), turn=number + 1
    )
