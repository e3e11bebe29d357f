"""Schema-Guided Dialogue: user turns of its test split, whose kinds come from its dialogue acts.

The mapping from kinds to acts was written down before any planner was run on the test split. There
is no catalog, so one is invented per service: its items carry the values that people name, in
facets called as the slots. Services where nothing is found and chosen are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from random import Random

from agent.state import Constraint, Need, State
from finetune.act_turns import Acts, ActSet, ActTurn, Row, catalog_of, expect, rows, stratified
from finetune.replay import Parts
from retrieval.catalog import Facet, FacetKind, FieldValue, Item, Role
from retrieval.loading import Column

FILES = ("utterances_sgd",)
ABOUT = "user turns of the test split of SGD; acts from its own dialogue acts"

THINGS = {
    "Restaurants": "Restaurants", "Hotels_2": "Houses", "Hotels": "Hotels", "Homes": "Apartments",
    "Movies": "Movies", "Media": "Films", "Music": "Songs", "Events": "Events",
    "RentalCars": "Cars", "Flights": "Flights", "Buses": "Buses", "Trains": "Trains",
    "Travel": "Attractions", "Services_1": "Salons", "Services_4": "Therapists",
    "Services": "Providers",
}  # fmt: skip
"""What a service finds. Alarms, messages, payments, weather and rides have nothing to choose."""

_SEARCHES = re.compile(r"(?:Find|Search|Lookup)")
_ASKS = re.compile(r"Get(?!Ride|TrainTickets)")
_TAKES = ("select", "recommend", "refine")
_NEW = ("recommend", "refine")

_TITLES = re.compile(r"(?!contact_|car_)(?:\w+_name|title)")
_NUMBERS = re.compile(
    r"price|fare|rating|cost|number_of|wait|year|humidity|wind|length|temperature"
)
_FLAGS = re.compile(r"(?:has|is|in|good|free|smoking|pets)_")
_INVENTED = {
    "phone_number": "555-01{:02}", "address": "{} Elm Street", "station": "Platform {}",
    "time": "{}:15", "name": "Model {}",
}  # fmt: skip

ITEMS = 36
SLATE = 3
KIND = "kind"
_KIND_COLUMN = Column(KIND, "facet", KIND, "categorical", "category", KIND)
WISHED = frozenset(
    {"category", "genre", "city", "location", "area", "where_to", "event_type", "date", "car_type",
     "class", "seating_class", "type", "artist", "starring", "directed_by", "show_type",
     "departure_date", "appointment_date", "price_range", "airlines", "from_city", "to_city"}
)  # fmt: skip
"""Slots that something may be wanted of before a turn."""
FREQUENT = 3
"""Times that a slot is spoken of before it is a facet; what is rarer belongs to other things."""
_PRESUPPOSE = frozenset({"alternatives", "negate_refine", "question", "reject", "select"})


def acceptable(turn: Row) -> Acts:
    """Return the acts that are acceptable for a turn.

    Its annotation says more than its kind does, so both are used; reactions ("ok", "thanks") may
    be said or not.
    """
    acts = {act for act, _, _ in turn["acts"]}
    kind = turn["kind"]
    if kind == "alternatives":
        # Other items; where a value is named, a refinement brings them just as well.
        wish = ("more", "refine", "recommend") if "INFORM" in acts else ("more",)
        return (wish, "reject?", "chitchat?")
    if kind == "negate_refine":
        # Something in what was to be confirmed is wrong and put right: a correction (16).
        return ("refine", "reject?", "chitchat?")
    if kind == "constraint":
        # A value that was asked for; an affirmation may take the item too.
        return ("refine", "chitchat?", *(("select?",) if len(acts) > 1 else ()))
    if kind == "question":
        return ("detail", "chitchat?", *(("select?",) if "AFFIRM" in acts else ()))
    if kind == "select":
        return ("select", "chitchat?", *(f"{act}?" for act in _wished(turn) if act != "select"))
    if kind == "reject":
        # The offer is declined, the item itself not always: that is small talk for the need.
        return (
            (("reject", "chitchat"),)
            if not _wished(turn)
            else (_wished(turn), "reject?", "chitchat?")
        )
    # A new need; "ok" before it is annotated as a selection, as is "I'll take it".
    return (_wished(turn), "chitchat?", *(("select?",) if "SELECT" in acts else ()))


def _wished(turn: Row) -> tuple[str, ...]:
    """Return the acts that say a new intent: to find something, to know something, to have it."""
    intents = [values[0] for act, _, values in turn["acts"] if act == "INFORM_INTENT"]
    if not intents:
        return ()
    if _SEARCHES.match(intents[0]):
        return _NEW
    return (*_NEW, "detail", "answer") if _ASKS.match(intents[0]) else _TAKES


def thing_of(service: str) -> str | None:
    """Return what a service finds; None where it finds nothing to choose."""
    return THINGS.get(service) or THINGS.get(service.partition("_")[0])


def catalogs(turns: Iterable[Row], services: Iterable[str]) -> dict[str, Parts]:
    """Return an invented catalog per service, with the values that its turns name."""
    said: dict[str, dict[str, list[str]]] = {service: {} for service in services}
    times: Counter[tuple[str, str]] = Counter()
    for turn in turns:
        for act, slot, values in turn["acts"]:
            if turn["service"] in said and slot and slot != "intent" and act != "SELECT":
                times[turn["service"], slot] += 1
                known = said[turn["service"]].setdefault(slot, [])
                known += [v for v in values if v != "dontcare" and v not in known]
    return {
        service: _catalog(service, {s: v for s, v in own.items() if times[service, s] >= FREQUENT})
        for service, own in said.items()
    }


def _catalog(service: str, slots: Mapping[str, Sequence[str]]) -> Parts:
    thing = thing_of(service) or service
    values = {slot: _values(slot, found) for slot, found in sorted(slots.items())}
    named = [slot for slot in values if _TITLES.fullmatch(slot) and slots[slot]]
    titles = values.pop(max(named, key=lambda slot: len(values[slot]))) if named else []
    items = []
    for i in range(max([ITEMS, len(titles), *map(len, values.values())])):
        title = str(titles[i]) if i < len(titles) else f"{thing[:-1]} {i + 1}"
        fields: dict[str, FieldValue] = {slot: v[i % len(v)] for slot, v in values.items()}
        items.append(Item(str(i), title, "", {KIND: thing, **fields}))
    others = sorted(set(THINGS.values()) - {thing})
    items += [Item(f"other{i}", f"Other {i}", "", {KIND: k}) for i, k in enumerate(others)]
    return catalog_of(service, items, [_KIND_COLUMN, *map(_column, values, values.values())])


def _values(slot: str, said: Sequence[str]) -> list[FieldValue]:
    """Return a slot's values as a catalog would hold them, invented where people name none."""
    if set(said) and set(said) <= {"True", "False"}:
        return [True, False]
    if said and all(re.fullmatch(r"\d+(?:\.\d+)?", value) for value in said):
        return [float(value) for value in said]
    if said:
        return list(said)
    if _FLAGS.match(slot):
        return [True, False]
    if _NUMBERS.search(slot):
        return [float(i) for i in range(1, 20)]
    form = next((form for end, form in _INVENTED.items() if slot.endswith(end)), f"{slot} {{}}")
    return [form.format(i) for i in range(1, 13)]


def _column(slot: str, values: Sequence[FieldValue]) -> Column:
    kinds: dict[type, FacetKind] = {bool: "boolean", float: "numeric", str: "categorical"}
    priced = re.search(r"^price$|price_per|fare|total_price", slot)
    role: Role | None = "price" if priced else "rating" if "rating" in slot else None
    return Column(slot, "facet", slot, kinds[type(values[0])], role, slot.replace("_", " "))


def read(data: Path, most: int, seed: int) -> ActSet:
    """Return turns of the test split, of each kind about equally many."""
    everything = list(rows(data, "utterances_sgd"))
    test = [r for r in everything if r["split"] == "test" and thing_of(r["service"])]
    parts = catalogs(everything, sorted({row["service"] for row in test}))
    turns = [_turn(i, row, parts[row["service"]], seed) for i, row in enumerate(test)]
    return ActSet("sgd", ABOUT, stratified(turns, most, seed), parts)


def _turn(number: int, row: Row, parts: Parts, seed: int) -> ActTurn:
    asked = [slot for act, slot, _ in row["acts"] if act == "REQUEST"]
    return ActTurn(
        id=f"{number:05}", text=row["text"], catalog=row["service"], kind=row["kind"],
        state=state_before(row, parts, Random(f"{seed} {number}")),
        readings=(expect(*acceptable(row)),), facet=asked[0] if len(asked) == 1 else "",
    )  # fmt: skip


def state_before(turn: Row, parts: Parts, random: Random) -> State:
    """Return a state in which a turn may have been said; nothing is wanted before a new need."""
    acts = {act for act, _, _ in turn["acts"]}
    shown = turn["kind"] in _PRESUPPOSE or "SELECT" in acts
    if turn["kind"] == "open_request" and not shown:
        return State()
    thing = thing_of(turn["service"])
    constraints = [Constraint(facet=KIND, role="category", values=(str(thing),), turn=1)]
    if (facet := _other_facet(turn, parts.facets, random)) is not None:
        values = (random.choice(facet.values)[0],)
        constraints.append(Constraint(facet=facet.name, values=values, turn=1))
    slate = tuple(islice(_of_kind(parts, str(thing), random), SLATE)) if shown else ()
    need = Need(constraints=tuple(constraints))
    return State(need=need, slate=slate, focus=slate[:1], shown=slate, earlier=(Need(),), turn=2)


def _other_facet(turn: Row, facets: Sequence[Facet], random: Random) -> Facet | None:
    """Return a facet that may be wanted already: the one put right, else one not spoken of."""
    said = {slot for _, slot, _ in turn["acts"]}
    corrected = turn["kind"] == "negate_refine"
    fitting = [f for f in facets if f.name in WISHED and (f.name in said) == corrected]
    return random.choice(fitting) if fitting else None


def _of_kind(parts: Parts, thing: str, random: Random) -> Iterator[str]:
    own = [item.id for item in parts.items.values() if item.fields[KIND] == thing]
    yield from random.sample(own, len(own))
