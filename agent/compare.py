"""Items side by side: a table of facets, differences first, and what sets each apart. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from agent.claims import View
from agent.languages.tongue import ENGLISH, Tongue
from agent.turn import Evidence, Reason, Value
from agent.wording import label, listing, shown, title_of
from retrieval.catalog import Facet, Item
from retrieval.filters import fold

ROWS = 12


class Cell(Value):
    """One value of the table, empty text where the catalog says nothing."""

    text: str
    best: bool = False


class Row(Value):
    """One facet across the items."""

    facet: str
    label: str
    cells: tuple[Cell, ...]
    differs: bool


class Table(Value):
    """Items as columns, facets as rows; rows that differ come first.

    Args:
        places: The number each item has on the slate shown last, where all of them are on it.
    """

    item_ids: tuple[str, ...]
    titles: tuple[str, ...]
    rows: tuple[Row, ...]
    places: tuple[int, ...] = ()


_BETTER = {"price": min, "rating": max, "popularity": max}


def _best(facet: Facet, items: Sequence[Item]) -> float | None:
    """Return the best number of a facet, or None where no side is better."""
    pick = _BETTER.get(facet.role or "")
    numbers = [n for item in items if (n := item.number(facet.name)) is not None]
    return pick(numbers) if pick and len(set(numbers)) > 1 else None


def _row(facet: Facet, items: Sequence[Item], currency: str | None, tongue: Tongue) -> Row | None:
    values = [item.fields.get(facet.name) for item in items]
    if all(value is None for value in values):
        return None
    best = _best(facet, items)
    cells = tuple(
        Cell(
            text="" if value is None else shown(facet, value, currency, tongue),
            best=best is not None and value == best,
        )
        for value in values
    )
    differs = len({fold(str(value)) for value in values}) > 1
    name = label(facet, facet.name, tongue)
    return Row(facet=facet.name, label=name, cells=cells, differs=differs)


def table(
    items: Sequence[Item],
    facets: tuple[Facet, ...],
    currency: str | None,
    tongue: Tongue = ENGLISH,
) -> Table:
    """Return the comparison of some items, differences first, the best numbers marked."""
    rows = [row for facet in facets if (row := _row(facet, items, currency, tongue)) is not None]
    rows.sort(key=lambda row: not row.differs)
    return Table(
        item_ids=tuple(item.id for item in items),
        titles=tuple(title_of(item) for item in items),
        rows=tuple(rows[:ROWS]),
    )


def render(compared: Table, width: int = 24) -> str:
    """Return the table as plain text; a star marks the best number."""
    numbers = compared.places or range(1, len(compared.titles) + 1)
    head = ["", *(f"{n}. {title}" for n, title in zip(numbers, compared.titles, strict=True))]
    lines = [head] + [
        [row.label, *((cell.text or "–") + (" *" if cell.best else "") for cell in row.cells)]
        for row in compared.rows
    ]
    cut = [
        [text if len(text) <= width else text[: width - 1] + "…" for text in line] for line in lines
    ]
    wide = [max(_columns(line[i]) for line in cut) for i in range(len(head))]
    return "\n".join(
        "  ".join(text + " " * (wide[i] - _columns(text)) for i, text in enumerate(line)).rstrip()
        for line in cut
    )


def _columns(text: str) -> int:
    """Return how many columns of a terminal a text takes; Chinese signs take two."""
    return len(text) + sum(unicodedata.east_asian_width(char) in "WF" for char in text)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _leader(items: Sequence[Item], view: View, role: str, key: str, way: str) -> Reason | None:
    """Return the claim that one item leads on a role's numbers, or None without a single leader."""
    facet = next((f for f in view.facets if f.role == role and f.kind == "numeric"), None)
    rated = [(n, item) for item in items if facet and (n := item.number(facet.name)) is not None]
    if facet is None or len(rated) < 2:
        return None
    rated.sort(key=lambda pair: pair[0], reverse=way == "higher")
    (best, item), (second, _) = rated[0], rated[1]
    if best == second:
        return None
    evidence = [Evidence(kind="field", item_id=item.id, facet=facet.name, value=best)]
    evidence += [
        Evidence(kind="relation", item_id=item.id, facet=facet.name, value=way, other_id=other.id)
        for _, other in rated[1:]
    ]
    said = view.say(f"claims.{key}", title=title_of(item), value=view.shown(facet.name, best))
    return Reason(text=said, evidence=tuple(evidence))


def verdicts(items: Sequence[Item], view: View) -> tuple[Reason, ...]:
    """Return who is cheapest and who is best rated, each tied to the other items' numbers.

    The second claim about the same item has no subject of its own: `together` puts it to the first.
    """
    cheapest = _leader(items, view, "price", "cheapest", "lower")
    rated = _leader(items, view, "rating", "best_rated", "higher")
    if cheapest is not None and rated is not None and _about_one((cheapest, rated)):
        rated = _leader(items, view, "rating", "best_rated_too", "higher")
    return tuple(reason for reason in (cheapest, rated) if reason is not None)


def together(found: Sequence[Reason], view: View) -> str:
    """Return claims on who leads as one sentence, with one subject where they are of one item."""
    texts = [reason.text for reason in found]
    if len(found) > 1 and _about_one(found):
        return view.say("explain.leads_twice", first=texts[0], second=texts[1])
    return listing(texts, "clauses", view.tongue)


def _about_one(found: Sequence[Reason]) -> bool:
    return len({reason.evidence[0].item_id for reason in found}) == 1
