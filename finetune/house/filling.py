"""Filling: from a phrase and a world to an utterance, its moment, and what each slot stands for.

Slots are filled with the catalog's own values in the way people type them. Which mentions the
linker then finds is `finetune.house.examples`' business.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from random import Random

from agent.state import Constraint, Preference
from finetune.house.phrases_format import SORTS, Phrase, Slot
from finetune.house.worlds import Moment, World, bounded, middle, start
from retrieval.catalog import Facet, Item

WORDS = Path(__file__).parent / "words.toml"

_ITEM_ACTS = {"like", "more", "compare", "explain", "detail", "select", "reject", "undo"}
_POINTS = {"R", "Rs", "it"}
_SENTENCE_LIKE = re.compile(r"^(too|bit|a bit|something|anything|costs?|the|price) |than$|one")
"""Comparatives that fit no frame but their own ("too wide", "a bit much")."""

_RELATIVE = {"D": "more", "O": "most"}


class CannotFill(Exception):
    """This world has nothing for a slot; try another."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A slot with the words put in it and where they stand; `facet` is what they are of."""

    slot: Slot
    start: int
    end: int
    facet: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """An utterance at a moment, and its slots."""

    text: str
    moment: Moment
    filled: tuple[Filled, ...]


@cache
def word_lists() -> dict[str, list[str]]:
    """Return the lists of words.toml: descriptive words, purposes, bounds, places."""
    lists = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    return {name: [w.strip() for w in text.split("|")] for name, text in lists.items()}


@cache
def relatives(kind: str) -> tuple[str, ...]:
    """Return the comparatives ("more") or superlatives ("most") that the linker knows."""
    source = files("agent.linking").joinpath("data/relatives.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(source)["relative"]
    found = [phrase for entry in entries for phrase in entry[kind].split("|")]
    return tuple(phrase for phrase in found if not _SENTENCE_LIKE.search(phrase))


def fill(phrase: Phrase, world: World, random: Random) -> Said:
    """Return one way to say a phrase in a world.

    Raises:
        CannotFill: If the world has no such facet, value or item.
    """
    parts = phrase.expand(random)
    slots = [part for part in parts if isinstance(part, Slot)]
    chosen = {id(slot): _lifted(slot, world, random) for slot in slots if slot.polarity == "drop"}
    moment = _moment(phrase, slots, world, random, list(chosen.values()))
    together = _together(phrase, slots, world, random)
    text, filled, taken = "", [], set[str]()
    for part in parts:
        if isinstance(part, str):
            text += part
            continue
        held = chosen.get(id(part))
        part = together.get(id(part), part)
        words, facet = held.words if held else _words(part, world, moment, random, taken)
        taken.add(words.casefold())
        filled.append(Filled(part, len(text), len(text) + len(words), facet))
        text += words
    return Said(text, moment, tuple(filled))


def _together(phrase: Phrase, slots: list[Slot], world: World, random: Random) -> dict[int, Slot]:
    """Return the values that are alternatives to each other, made values of one facet."""
    loose = [slot for slot in slots if slot.kind == "V" and not slot.sort]
    sorts = [facet.role for facet in world.named() if facet.role in SORTS]
    if not any(act.add for act in phrase.acts) or len(loose) < 2 or not sorts:
        return {}
    sort = random.choice(sorts) or ""
    return {id(slot): replace(slot, sort=sort) for slot in loose}


@dataclass(frozen=True, slots=True)
class _Lifted:
    """What a dropped slot says, and the wish that is therefore in the state before."""

    words: tuple[str, str | None]
    constraint: Constraint | None = None
    preference: Preference | None = None


def _moment(
    phrase: Phrase, slots: list[Slot], world: World, random: Random, lifted: list[_Lifted]
) -> Moment:
    names = {act.name for act in phrase.acts}
    points = any(slot.kind in _POINTS for slot in slots) or names & _ITEM_ACTS
    fresh = phrase.context == "start" or (not phrase.context and "recommend" in names)
    if fresh and not points and not lifted and random.random() < (0.9 if phrase.context else 0.5):
        return start()
    unclear = {"elicit", "answer", "handoff", "chitchat"} >= names
    if unclear and not phrase.context and not points and random.random() < 0.4:
        return start()
    focus = phrase.context == "focus" or any(slot.kind == "it" for slot in slots)
    focus = focus or (bool(names & {"detail", "select"}) and not points and random.random() < 0.6)
    return middle(
        world, random, focus=focus,
        wished=[one.constraint for one in lifted if one.constraint],
        soft=[one.preference for one in lifted if one.preference],
    )  # fmt: skip


def _lifted(slot: Slot, world: World, random: Random) -> _Lifted:
    if slot.kind in ("K", "S"):
        word = random.choice(word_lists()["descriptive"])
        return _Lifted((word, None), preference=Preference(text=word))
    if slot.kind in ("N", "n"):
        facet = _numeric(world, random, bare=slot.kind == "n")
        wish = bounded(facet, random)
        return _Lifted((_bound(facet, random, bare=slot.kind == "n"), facet.name), wish)
    if slot.kind in ("D", "O"):
        return _Lifted((_relative(slot.kind, random), None))
    facet = _facet(slot, world, random)
    if slot.kind == "F" and facet.kind == "numeric":
        return _Lifted((facet.label.lower(), facet.name), bounded(facet, random))
    value = random.choice(facet.values[:80])[0]
    wish = Constraint(facet=facet.name, role=facet.role, values=(value,), turn=1)
    words = facet.label.lower() if slot.kind == "F" else _typed(value, random)
    return _Lifted((words, facet.name), wish)


def _words(
    slot: Slot, world: World, moment: Moment, random: Random, taken: set[str]
) -> tuple[str, str | None]:
    """Return the words for a slot and the facet they are of."""
    simple: dict[str, Callable[[], str]] = {
        "K": lambda: random.choice(word_lists()["descriptive"]),
        "S": lambda: random.choice(word_lists()["purposes"]),
        "D": lambda: _relative("D", random),
        "O": lambda: _relative("O", random),
        "it": lambda: random.choice(("it", "it", "that", "that one", "this one", "this")),
        "Rs": lambda: _several(moment, random),
        "R": lambda: _one(world, moment, random, taken),
        "T": lambda: _title(world, moment, random),
    }
    for _ in range(8):
        if slot.kind in simple:
            words, facet = simple[slot.kind](), None
        elif slot.kind in ("N", "n"):
            numeric = _numeric(world, random, bare=slot.kind == "n")
            words, facet = _bound(numeric, random, bare=slot.kind == "n"), numeric.name
        else:
            words, facet = _value(_facet(slot, world, random), slot, random)
        if words.casefold() not in taken:
            return words, facet
    raise CannotFill(f"nothing new for {slot.kind}")


def _value(facet: Facet, slot: Slot, random: Random) -> tuple[str, str]:
    if slot.kind == "F":
        return facet.label.lower(), facet.name
    return _typed(random.choice(facet.values[:120])[0], random), facet.name


def _facet(slot: Slot, world: World, random: Random) -> Facet:
    if slot.kind == "C":
        found = [facet for facet in (world.facet("category"),) if facet and facet.values]
    elif slot.sort:
        found = [facet for facet in world.named() if facet.role == slot.sort]
    elif slot.kind == "F":
        found = [*world.named()[:8], *world.numeric()[:3]]
    else:
        found = world.named()
    if not found:
        raise CannotFill(f"{world.name} has nothing for {slot.kind}:{slot.sort}")
    # Facets with telling roles are what people speak of most.
    return random.choice([facet for facet in found if facet.role] * 3 + found)


def _typed(value: str, random: Random) -> str:
    if len(value) > 32:
        raise CannotFill(f"nobody types {value!r}")
    words = value.lower() if random.random() < 0.8 else value
    if len(words) > 5 and random.random() < 0.05:
        at = random.randrange(1, len(words) - 2)
        words = words[:at] + words[at + 1] + words[at] + words[at + 2 :]
    return words


def _numeric(world: World, random: Random, bare: bool) -> Facet:
    # A bare amount is money wherever there are prices.
    found = world.numeric()
    found = [facet for facet in found if facet.role == "price"] or found if bare else found
    if not found:
        raise CannotFill(f"{world.name} has no numbers")
    return found[0] if random.random() < 0.75 else random.choice(found)


def _bound(facet: Facet, random: Random, bare: bool) -> str:
    low, high = float(facet.low or 0), float(facet.high or 1)
    amounts = sorted(_round(low + (high - low) * random.random() ** 2) for _ in range(2))
    first, second = (f"{amount:.0f}" for amount in amounts)
    if facet.role == "price":
        sign = random.choice(("{}", "{}", "{}", "${}", "{} euros", "{} bucks", "£{}", "€{}"))
        first, second = sign.format(first), sign.format(second)
        frames = word_lists()["price_bounds"]
    else:
        unit = f" {facet.unit or facet.label.lower()}"
        first, second = first + unit, second + unit
        frames = word_lists()["other_bounds"]
    return first if bare else random.choice(frames).replace("#2", second).replace("#", first)


def _round(amount: float) -> float:
    if amount > 200:
        return float(round(amount, -1))
    return float(round(amount / 5) * 5 if amount > 20 else max(1, round(amount)))


def _relative(kind: str, random: Random) -> str:
    phrases = relatives(_RELATIVE[kind])
    # Prices are what people compare most.
    return random.choice(phrases[:12] if random.random() < 0.4 else phrases)


def _one(world: World, moment: Moment, random: Random, taken: set[str]) -> str:
    free = [at for at in range(len(moment.slate)) if f"#{at}" not in taken]
    if not free:
        raise CannotFill("nothing else is on show")
    at = random.choice(free)
    taken.add(f"#{at}")
    if random.random() < 0.6:
        named = [frame for frame in word_lists()["places"] if "#" in frame or at < 5]
        frame = random.choice(named)
        if random.random() < 0.15 and at == len(moment.slate) - 1:
            return "the last one"
        ordinals = ("first", "second", "third", "fourth", "fifth", "sixth")
        digits = ("1st", "2nd", "3rd", "4th", "5th", "6th")
        spoken = random.choice((ordinals, ordinals, digits))[at]
        return frame.replace("@", spoken).replace("#", str(at + 1))
    return _described(world, moment.slate[at], moment, random)


def _described(world: World, item: Item, moment: Moment, random: Random) -> str:
    facets = [f for f in world.named() if f.role in ("colour", "brand", "material", "audience")]
    random.shuffle(facets)
    for facet in facets:
        values = item.values(facet.name)
        others = {v for one in moment.slate if one is not item for v in one.values(facet.name)}
        if values and values[0] not in others and len(str(values[0])) < 20:
            return random.choice(("the {}", "the {} one", "that {} one")).format(values[0]).lower()
    return _short(item.title, random)


def _several(moment: Moment, random: Random) -> str:
    if len(moment.slate) < 2:
        raise CannotFill("too little on show")
    return random.choice(word_lists()["several"])


def _title(world: World, moment: Moment, random: Random) -> str:
    shown = moment.slate and random.random() < 0.5
    return _short(random.choice(moment.slate if shown else world.items).title, random)


def _short(title: str, random: Random) -> str:
    words = title.split(" (")[0].split()
    if len(words) > 7:
        raise CannotFill("a title nobody types")
    return " ".join(words).lower() if random.random() < 0.6 else " ".join(words)
