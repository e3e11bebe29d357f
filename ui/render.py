"""Stream events as terminal text: pure functions from values to lines.

Catalog and model text is data: control characters, which could drive the terminal, are taken out,
and it is never read as markup. This module does not know where the lines go (`ui.terminal`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text as Styled

from agent.languages.tongue import ENGLISH, Tongue
from agent.llm_planner import UNSURE
from agent.state import Constraint, Preference, State
from agent.turn import Done, Reason, Slate, SlateItem
from agent.wording import clean, describe, find, money, number, say, shown
from retrieval.catalog import Facet, FieldValue, primary
from ui.service_lines import service_texts
from ui.terminal_words import told

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_REASONS = 4
_FACTS = ("rating", "popularity", "availability")
_TITLE = 100
_NARROWEST = 8


@dataclass(frozen=True, slots=True)
class Line:
    """One paragraph of output.

    Args:
        indent: Blanks before its first screen line.
        hang: Blanks before the others, where it does not fit the width.
    """

    text: Styled
    indent: int = 0
    hang: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """What rendering needs to know of the catalog.

    Args:
        title: Item id to title, for items spoken of by id.
        tongue: The language of what is shown.
    """

    facets: tuple[Facet, ...]
    currency: str | None
    title: Callable[[str], str]
    tongue: Tongue = ENGLISH

    def told(self, name: str, **values: object) -> str:
        """Return a sentence of the terminal's own."""
        return told(name, self.tongue.code, **values)


def plain(text: str) -> str:
    """Return text without control characters; line breaks and tabs stay."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _value(item: SlateItem, view: View, name: str) -> FieldValue | None:
    value: FieldValue | None = item.fields.get(name)
    return tuple(value) if isinstance(value, list) else value


def _of_role(item: SlateItem, view: View, role: str) -> FieldValue | None:
    facet = primary(view.facets, role)  # type: ignore[arg-type]
    return _value(item, view, facet.name) if facet else None


def price_text(item: SlateItem, view: View) -> str:
    """Return the price of an item with its currency, or nothing."""
    price = item.fields.get("price")
    if isinstance(price, bool) or not isinstance(price, int | float):
        return ""
    return money(float(price), item.fields.get("currency") or view.currency, view.tongue.code)


def rating_text(item: SlateItem, view: View) -> str:
    """Return "★ 4.6 (123)", or nothing where an item is not rated."""
    rating, people = _of_role(item, view, "rating"), _of_role(item, view, "popularity")
    if isinstance(rating, bool) or not isinstance(rating, int | float):
        return ""
    counted = isinstance(people, int | float) and not isinstance(people, bool)
    return f"★ {number(rating)}" + (f" ({int(people)})" if counted else "")  # type: ignore[arg-type]


def stock_text(item: SlateItem, view: View) -> str:
    """Return whether an item can be had, or nothing where the catalog does not say."""
    stock = _of_role(item, view, "availability")
    if stock is None:
        return ""
    if isinstance(stock, bool):
        return view.told("in_stock" if stock else "not_available")
    if isinstance(stock, int | float):
        return view.told("stock", n=number(stock)) if stock > 0 else view.told("sold_out")
    return shown(None, stock, None)


def _slate_item(item: SlateItem, view: View) -> list[Line]:
    title = clean(str(item.fields.get("title") or item.item_id), _TITLE)
    head = Styled.assemble((f"{item.rank:>2}. ", "dim"), (title, "bold"))
    if price := price_text(item, view):
        head.append(f"  {price}", "green")
    reasons = [clean(one.text, 90) for one in item.reasons if not _is_told(one, view)]
    facts = (rating_text(item, view), stock_text(item, view), *reasons[:_REASONS])
    below = " · ".join(fact for fact in facts if fact)
    return [Line(head, hang=4), *([Line(Styled(below, "dim"), 4, 4)] if below else [])]


def _is_told(reason: Reason, view: View) -> bool:
    """Return whether a reason only repeats the rating and stock that stand beside it."""
    told = {facet.name for facet in view.facets if facet.role in _FACTS}
    return all(rest.kind == "field" and rest.facet in told for rest in reason.evidence)


def slate_lines(slate: Slate, view: View) -> list[Line]:
    """Return a slate as a numbered list: title and price, then rating, stock and reasons."""
    return [line for item in slate.items for line in _slate_item(item, view)]


def _preference(wish: Preference, view: View) -> str:
    return _said("ideally", view, wish=clean(wish.words or wish.text, 40))


def _said(name: str, view: View, **values: object) -> str:
    return say(f"wishes.{name}", 0, view.tongue.code, **values)


def _wish(constraint: Constraint, view: View) -> str:
    facet = find(view.facets, constraint.facet)
    said = describe(constraint, facet, view.currency, view.tongue)
    return said.lower() if constraint.values and not constraint.excluded else said


def wishes(state: State, view: View) -> list[str]:
    """Return what the user wants now, one phrase a wish."""
    need = state.need
    said = [_wish(constraint, view) for constraint in need.constraints]
    said += [_preference(wish, view) for wish in need.preferences]
    if need.like is not None:
        said.append(_said("like", view, title=clean(view.title(need.like.item_id), 50)))
    if need.sorting is not None:
        by = clean(need.sorting.label or need.sorting.facet, 40)
        said.append(_said("sorted", view, by=by))
    if need.rejected:
        said.append(_said("hidden", view, n=len(need.rejected)))
    return [phrase for phrase in said if phrase]


def wishes_line(state: State, view: View) -> Line:
    """Return the current wishes on one line."""
    phrases = " · ".join(wishes(state, view)) or view.told("no_wishes")
    return Line(Styled(view.told("wishes", wishes=phrases), "cyan"), hang=8)


def closing_lines(done: Done, view: View) -> list[Line]:
    """Return what stands under a turn: what was relaxed, notes, and the current wishes."""
    told = [relaxation.text for relaxation in done.relaxations]
    said = " ".join(done.reply.split())
    fresh = [
        text
        for text in (*told, *done.notes)
        if text and " ".join(text.split()).rstrip(".") not in said
    ]
    lines = [
        Line(Styled(view.told("note", text=plain(text)), "yellow"), hang=6)
        for text in dict.fromkeys(fresh)
    ]
    if done.plan.fallback not in ("", UNSURE):
        reason = f"the model was not used: {plain(done.plan.fallback)}"
        lines.append(Line(Styled(reason, "dim"), hang=2))
    desk = [Line(Styled(plain(text), style), hang=2) for text, style in
            service_texts(done.service)]  # fmt: skip
    return [*lines, *desk, wishes_line(done.state, view)]


def reply_lines(reply: str) -> list[Line]:
    """Return the reply's words, one line each of its own."""
    return [Line(Styled(line)) for line in plain(reply).strip("\n").split("\n")]


def turn_lines(done: Done, view: View) -> list[Line]:
    """Return a whole turn."""
    return [
        *slate_lines(done.slate, view),
        *reply_lines(done.reply),
        *closing_lines(done, view),
    ]


def _rounded(price: float) -> str:
    """Return a price with one digit that counts, as people name a budget."""
    return number(float(f"{price:.1g}")) if price >= 1 else number(price)


def suggestion(facets: Sequence[Facet]) -> str:
    """Return a first request that this catalog can meet, made of its most frequent values."""
    category, colour = primary(tuple(facets), "category"), primary(tuple(facets), "colour")
    price = primary(tuple(facets), "price")
    words = [facet.values[0][0] for facet in (colour, category) if facet and facet.values]
    text = " ".join(clean(word, 30) for word in words).lower() or "something popular"
    if price and len(price.quantiles) > 2:
        text += f" under {_rounded(price.quantiles[2])}"
    return text


def laid_out(line: Line, width: int | None) -> list[Styled]:
    """Return a line as screen rows of at most `width` cells; None: one row, however long."""
    first = Styled(" " * line.indent).append_text(line.text)
    if width is None or first.cell_len <= width:
        return [first]
    rows: list[Styled] = []
    rest, indent = line.text, line.indent
    while rest.plain:
        cut = _cut(rest.plain, max(width - indent, _NARROWEST))
        rows.append(Styled(" " * indent).append_text(rest[:cut]))
        rows[-1].rstrip()
        rest, indent = rest[cut:], line.hang
        rest = rest[len(rest.plain) - len(rest.plain.lstrip(" ")) :]
    return rows


def _cut(text: str, cells: int) -> int:
    """Return where to break a text so that the first part fits: after a blank, if there is one."""
    fits = len(set_cell_size(text, cells)) if cell_len(text) > cells else len(text)
    while cell_len(text[:fits]) > cells:
        fits -= 1
    if fits == len(text):
        return fits
    blank = text.rfind(" ", 0, fits + 1)
    return blank + 1 if blank > 0 else max(fits, 1)
