"""Pieces of the owner's pages as HTML: tables, panels, bars and intervals.

Tables are HTML and not Gradio's, whose cells are selected one by one and which cannot be pressed as
rows or read on a phone. Cells come as markup, already escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ui.web.markup import button, doing, escape, tag
from ui.web.owner.telling import between, named, signed
from ui.web.words import Words

FLAGS = {"thumbs_down": "👎", "fallback": "⚙", "nothing": "∅", "handover": "☎", "slow": "⏱"}
"""Sign of what makes a turn worth a look."""


def grid(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    label: str,
    *,
    empty: str = "–",
    current: int | None = None,
    stacks: bool = True,
) -> str:
    """Return a table; on a phone each row becomes a card with the heads before its cells.

    Args:
        heads: Of the columns; one that begins with "#" is of numbers, one with "~" only read out.
        rows: Cells as markup.
        label: What it is of: its heading.
        empty: Said where there are no rows.
        current: Place of the row that is open.
        stacks: Whether rows become cards on a phone; else the table is scrolled.
    """
    title = tag("h3", escape(label)) if label else ""
    if not rows:
        return tag("section", title + tag("p", escape(empty), class_="at-none-yet"))
    names = ["" if head.startswith("~") else head.removeprefix("#") for head in heads]
    numeric = ["at-number" if head.startswith("#") else None for head in heads]
    top = "".join(tag("th", _head(head), scope="col", class_=style)
                  for head, style in zip(heads, numeric, strict=True))  # fmt: skip
    body = "".join(
        tag("tr", "".join(
            tag("td", cell or ("–" if name else ""), class_=style, data_label=name or None)
            for cell, name, style in zip(row, names, numeric, strict=True)
        ), class_="at-row" if "at-open" in "".join(row) else None,
           aria_current="true" if place == current else None)
        for place, row in enumerate(rows)
    )  # fmt: skip
    table = tag("table", tag("thead", tag("tr", top)) + tag("tbody", body), class_="at-grid")
    box = tag("div", table, class_="at-scroll at-stacks" if stacks else "at-scroll", tabindex="0",
              role="group", aria_label=label or ", ".join(names))  # fmt: skip
    return tag("section", title + box)


def _head(head: str) -> str:
    if head.startswith("~"):
        return tag("span", escape(head[1:]), class_="at-only-read")
    return escape(head.removeprefix("#"))


def unseen(title: str) -> str:
    """Return a heading for those who are read the page to: the tab says it to the others."""
    return tag("h2", escape(title), class_="at-only-read")


def opens(label: str, does: Mapping[str, Any]) -> str:
    """Return the cell of a row that is pressed anywhere to open it."""
    return tag("button", escape(label), type="button", class_="at-open", data_do=doing(does))


def press(label: str, does: Mapping[str, Any], style: str = "") -> str:
    """Return a button; `at-go` is the main one, `at-stop` one that ends something."""
    return button(label, does, class_=f"at-press {style}".strip())


def link(label: str, address: str) -> str:
    """Return a link to something to be saved."""
    return tag("a", escape(label), href=address, class_="at-press", download=True)


def flags(words: Words, names: Sequence[str], *, told: bool = False) -> str:
    """Return what makes a turn worth a look, as signs that are read out in words.

    Args:
        told: Whether the words are shown too.
    """
    made = []
    for name in names:
        said = named(words, "flag", name)
        inner = tag("span", FLAGS.get(name, "!"), aria_hidden="true")
        inner += f" {escape(said)}" if told else tag("span", escape(said), class_="at-only-read")
        made.append(tag("span", inner, class_=f"at-flag at-flag-{name}", title=said))
    return "".join(made)


def badge(text: str, kind: str = "") -> str:
    """Return a word set apart; kinds: good, bad, live."""
    return tag("span", escape(text), class_=f"at-badge at-badge-{kind}" if kind else "at-badge")


def fold(title: str, inner: str, *, shown: bool = False) -> str:
    """Return something that can be opened."""
    return tag("details", tag("summary", escape(title)) + inner, open=shown or None)


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Return names with values that are markup."""
    made = "".join(
        tag("div", tag("dt", escape(name)) + tag("dd", value)) for name, value in pairs if value
    )
    return tag("dl", made, class_="at-pairs")


def verbatim(text: str, label: str) -> str:
    """Return text as it is, to be scrolled."""
    return tag("pre", escape(text), tabindex="0", aria_label=label, role="group")


def said(text: str) -> str:
    """Return a line of words."""
    return tag("p", escape(text), class_="at-say")


def aside(text: str) -> str:
    """Return a line of words that matters less."""
    return tag("p", escape(text), class_="at-none-yet")


def cards(pairs: Sequence[tuple[str, str, str]]) -> str:
    """Return figures in large type, each with its name and a note."""
    made = "".join(
        tag("li", tag("span", escape(name)) + tag("strong", escape(value))
            + (tag("small", escape(note)) if note else ""))
        for name, value, note in pairs
    )  # fmt: skip
    return tag("ul", made, class_="at-cards")


def bar(share: float, text: str, kind: str = "") -> str:
    """Return a share as a bar with its words."""
    width = f"{max(0.0, min(share, 1.0)):.1%}"
    filled = tag("span", "", class_="at-bar-fill", style=f"width:{width}", aria_hidden="true")
    style = f"at-bar at-bar-{kind}" if kind else "at-bar"
    return tag("span", tag("span", filled, class_="at-bar-track") + tag("span", escape(text)),
               class_=style)  # fmt: skip


def bars(heads: tuple[str, str], values: Mapping[str, tuple[float, str]], label: str) -> str:
    """Return values by name, each with its words, as bars as long as the largest allows.

    Args:
        heads: What the names and the values are; read out.
    """
    most = max((value for value, _ in values.values()), default=0.0) or 1.0
    rows = [(escape(name), bar(value / most, text)) for name, (value, text) in values.items()]
    return tag("div", grid([f"~{one}" for one in heads], rows, label), class_="at-bars")


def whiskers(
    words: Words,
    rows: Sequence[tuple[str, float, float | None, float | None]],
    label: str,
    zero: bool = False,
) -> str:
    """Return values with their intervals as dots and lines, on one scale whose ends are told.

    Args:
        rows: Name, value, and the interval where there is one.
        zero: Whether they are differences: each on a scale of its own with nought in the middle,
            as figures are of different kinds.
    """
    known = [_bounds(row) for row in rows]
    least = min((low for low, _ in known), default=0.0)
    most = max((high for _, high in known), default=0.0)
    made = []
    for (name, value, low, high), (own_low, own_high) in zip(rows, known, strict=True):
        if zero:
            most = max(abs(own_low), abs(own_high)) or 1.0
            least = -most
        interval = "" if low is None or high is None else f" ({between(words, low, high)})"
        told = (signed(value) if zero else f"{value:.3f}") + interval
        marks = _marks(value, low, high, (least, most), zero=zero)
        made.append(tag("li", tag("span", escape(name))
                        + tag("span", marks, class_="at-scale", aria_hidden="true")
                        + tag("span", escape(told), class_="at-number")))  # fmt: skip
    if not made:
        return ""
    head = tag("h3", escape(label)) if label else ""
    ends = "" if zero else _axis(least, most)
    return tag("section", head + tag("ul", "".join(made) + ends, class_="at-whiskers"))


def _axis(least: float, most: float) -> str:
    """Return the ends of a scale, below it."""
    ends = tag("span", f"{least:.3f}") + tag("span", f"{most:.3f}")
    inner = tag("span", "") + tag("span", ends, class_="at-ends") + tag("span", "")
    return tag("li", inner, aria_hidden="true", class_="at-axis")


def _bounds(row: tuple[str, float, float | None, float | None]) -> tuple[float, float]:
    known = [one for one in row[1:] if one is not None]
    return min(known), max(known)


def _marks(
    value: float, low: float | None, high: float | None, scale: tuple[float, float], *, zero: bool
) -> str:
    """Return the dot of a value and the line of its interval at their places on a scale."""
    least, most = scale

    def at(one: float) -> float:
        return round(100 * (one - least) / ((most - least) or 1.0), 2)

    made = tag("span", "", class_="at-zero", style=f"left:{at(0)}%") if zero else ""
    if low is not None and high is not None:
        width = round(at(high) - at(low), 2)
        made += tag("span", "", class_="at-range", style=f"left:{at(low)}%;width:{width}%")
    return made + tag("span", "", class_="at-dot", style=f"left:{at(value)}%")


def field(
    name: str, label: str, value: str = "", *, kind: str = "text", hint: str = "", **more: Any
) -> str:
    """Return a field of a form with its label."""
    made = tag("input", "", name=name, value=value, type=kind, **more)
    made = made.removesuffix("</input>")
    return tag("label", escape(label) + made + (tag("small", escape(hint)) if hint else ""))


def choice(name: str, label: str, options: Sequence[tuple[str, str]], chosen: str = "") -> str:
    """Return a choice of a form: value and words of each."""
    made = "".join(
        tag("option", escape(words), value=value, selected=value == chosen)
        for value, words in options
    )
    return tag("label", escape(label) + tag("select", made, name=name))


def hidden(name: str, value: str) -> str:
    """Return a field of a form that nobody sees: what its decision is about."""
    return tag("input", "", type="hidden", name=name, value=value).removesuffix("</input>")


def tick(name: str, label: str, *, on: bool = False) -> str:
    """Return a box to tick."""
    made = tag("input", "", name=name, type="checkbox", value="yes", checked=on)
    return tag("label", made.removesuffix("</input>") + tag("span", escape(label)),
               class_="at-tick")  # fmt: skip


def panel(words: Words, title: str, inner: str, name: str) -> str:
    """Return a panel that takes the focus when it opens (`assets/owner-piece.js`)."""
    head = tag("div", tag("h2", escape(title), tabindex="-1", data_opened=title)
               + button(words("say.close"), {"do": "cancel"}, sign="✕", class_="at-close"),
               class_="at-head")  # fmt: skip
    return tag("div", head + inner, class_=f"at-panel at-panel-{name}", role="group",
               aria_label=title)  # fmt: skip


def confirm(
    words: Words, title: str, says: str, fields: str, go: str, name: str, *, stops: bool = False
) -> str:
    """Return a panel that says what will happen, and does it only when that is confirmed.

    Args:
        fields: Markup of what else is to be given; all of them are sent with the form.
        go: What the button says.
        name: Of the form, which is what it does.
    """
    ways = tag("button", escape(go), type="submit",
               class_="at-press at-stop" if stops else "at-press at-go")  # fmt: skip
    ways += press(words("say.cancel"), {"do": "cancel"})
    form = tag("form", fields + tag("div", ways, class_="at-wide at-ways"), data_form=name)
    return panel(words, title, said(says) + form, name)
