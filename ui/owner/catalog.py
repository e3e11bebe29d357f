"""How healthy the catalog is: what its columns were taken for, what was rejected, is lacking, was
never shown, or was asked for in vain."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agent.plan import Plan
from agent.ports import Retriever
from agent.store import Store
from agent.store_looking import Taken, latest_turns, shown_items
from retrieval.retriever import Retriever as Project
from ui.owner.looking import unmet

Json = dict[str, Any]

MOST_REJECTS = 200
MOST_EXAMPLES = 50
MOST_TURNS = 5_000
"""The latest turns that are read for what was asked in vain."""
MOST_ASKED = 25
_LITTLE = 0.5
"""Coverage below which a facet is said to be lacking."""
_AT_ONCE = 1_000


def health(retriever: Project, store: Store, folder: Path) -> Json:
    """Return the state of a catalog in figures and lists."""
    shown = shown_items(store.database)
    ids = retriever.index.ids(None)
    never = [id for id in ids if id not in shown]
    return {
        "name": retriever.name, "items": len(ids), "version": retriever.version,
        "currency": retriever.currency,
        "columns": [
            {"column": one.name, "taken for": one.use, "facet": one.facet or "",
             "kind": one.kind or "", "role": one.role or ""}
            for one in retriever.mapping.columns
        ],
        "facets": [
            {"facet": one.name, "label": one.label, "kind": one.kind, "role": one.role or "",
             "coverage": round(one.coverage, 3), "values": len(one.values),
             "lacking": one.coverage < _LITTLE}
            for one in retriever.facets
        ],
        "rejects": list(rejects(folder)),
        "lacking": lacking(retriever),
        "never_shown": len(never),
        "never_shown_examples": _titles(retriever, never[:MOST_EXAMPLES]),
        "asked_in_vain": asked_in_vain(latest_turns(store.database, MOST_TURNS)),
    }  # fmt: skip


def never_shown(retriever: Project, store: Store) -> Iterator[str]:
    """Yield all items that were never on a slate as CSV, with their facets of a role."""
    shown = shown_items(store.database)
    ids = [id for id in retriever.index.ids(None) if id not in shown]
    named = [one.name for one in retriever.facets if one.role]
    yield csv_line(["id", "title", *named])
    for at in range(0, len(ids), _AT_ONCE):
        for item in retriever.get_many(ids[at : at + _AT_ONCE]):
            values = [_plain(item.fields.get(name)) for name in named]
            yield csv_line([item.id, item.title, *values])


def _plain(value: object) -> str:
    if isinstance(value, tuple | list):
        return "; ".join(map(str, value))
    return "" if value is None else str(value)


_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute: titles are other people's text."""


def csv_line(cells: Sequence[object]) -> str:
    """Return a line of CSV in which nothing is a formula."""
    text = io.StringIO()
    csv.writer(text).writerow(
        f"'{one}" if isinstance(one, str) and one.startswith(_FORMULA) else one for one in cells
    )
    return text.getvalue()


def asked_in_vain(turns: Iterator[Taken]) -> Json:
    """Return what people asked for that the catalog could not give them.

    `words`: content words no item has; `given_up`: wishes that could not be met with the others;
    `nothing`: what was said where nothing fitted, newest first. Each with the last turn it was in.
    """
    words, given_up = Counter[str](), Counter[str]()
    last: dict[tuple[str, str], Json] = {}
    nothing: list[Json] = []
    count = 0
    for turn in turns:
        count += 1
        try:
            plan = Plan.model_validate(turn.plan)
        except ValidationError:  # stored by a version that this one cannot read
            continue
        where = {"session": turn.session_id, "number": turn.number}
        own = {one.text.casefold() for one in plan.mentions if one.kind == "unknown"}
        wishes = {str(one.get("text", "")) for one in turn.relaxations}
        words.update(own)
        given_up.update(wishes)
        for name, found in (("word", own), ("wish", wishes)):
            for one in found:
                last.setdefault((name, one), where)  # turns come newest first
        if unmet(turn, plan) and len(nothing) < MOST_ASKED:
            nothing.append({"said": turn.utterance, **where})
    return {
        "turns": count, "words": _asked("word", words, last),
        "given_up": _asked("wish", given_up, last), "nothing": nothing,
    }  # fmt: skip


def _asked(name: str, counts: Counter[str], last: dict[tuple[str, str], Json]) -> list[Json]:
    return [{name: one, "turns": n, **last[name, one]}
            for one, n in counts.most_common(MOST_ASKED)]  # fmt: skip


def rejects(folder: Path) -> Iterator[Json]:
    """Yield the rows that could not be read when the catalog was indexed, as they were kept."""
    path = folder / "rejects.csv"
    if not path.is_file():
        return
    with path.open(encoding="utf-8", newline="") as file:
        for place, row in enumerate(csv.DictReader(file)):
            if place == MOST_REJECTS:
                return
            yield {str(name): value for name, value in row.items() if name}


def lacking(retriever: Project) -> Json:
    """Return how many items lack what people look for first: a price, a picture, a description."""
    counts = {"price": 0, "picture": 0, "description": 0}
    for item in retriever.items():
        counts["price"] += item.fields.get("price") is None
        counts["picture"] += not item.image
        counts["description"] += not item.description
    return counts


def _titles(retriever: Retriever, ids: list[str]) -> list[Json]:
    return [{"id": item.id, "title": item.title} for item in retriever.get_many(ids)]
