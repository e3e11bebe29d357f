"""Items side by side: what differs is marked and comes first, what is the same can be unfolded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ui.web.cards import Shelf, about, picture
from ui.web.icons import icon
from ui.web.markup import button, escape, tag
from ui.web.values import Facet, Item, own_value, price_of, shown, stock_in_words
from ui.web.words import Words

MOST_ROWS = 40
"""Some catalogs have hundreds of facets; those that are known of most items come first."""


@dataclass(frozen=True, slots=True)
class Row:
    """One property of the items compared: its name, and its words for each."""

    label: str
    cells: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Return whether the items do not all say the same."""
        return len(set(self.cells)) > 1


def rows_of(items: Sequence[Item], facets: Sequence[Facet], words: Words) -> list[Row]:
    """Return what is known of the items, what differs first."""
    rows = []
    for facet in facets:
        cells = tuple(_cell(item, facet, words) for item in items)
        if any(cells):
            rows.append(Row(str(facet["label"]), cells))
    rows.sort(key=lambda row: not row.differs)
    return rows[:MOST_ROWS]


def _cell(item: Item, facet: Facet, words: Words) -> str:
    if facet["role"] == "price":
        return price_of(item, words)
    if facet["role"] == "availability":
        return stock_in_words(item, words, exact=True)
    return shown(own_value(item, facet), words, facet)


def table(items: Sequence[Item], rows: Sequence[Row], pictures: str, words: Words) -> str:
    """Return the table of what differs, with the items as its head."""
    heads = "".join(_head(item, pictures, words) for item in items)
    corner = tag("td", tag("span", escape(words("compare.differ")), class_="at-dim"))
    body = "".join(
        tag("tr", tag("th", escape(row.label), scope="row")
            + "".join(tag("td", escape(one) or words("compare.none")) for one in row.cells),
            class_="at-differs")
        for row in rows
    )  # fmt: skip
    return tag("table", tag("thead", tag("tr", corner + heads)) + tag("tbody", body),
               class_=f"at-of-{len(items)}")  # fmt: skip


def _head(item: Item, pictures: str, words: Words) -> str:
    title = tag("span", escape(str(item["title"])), class_="at-clamp", title=str(item["title"]))
    out = button(f"{words('compare.remove')}: {item['title']}", about("compare", item, Shelf()),
                 sign=icon("close"), class_="at-out-of")  # fmt: skip
    return tag("th", picture(item, pictures) + title + out, scope="col")


def same(rows: Sequence[Row], words: Words) -> str:
    """Return what is the same of all, folded."""
    if not rows:
        return ""
    listed = "".join(
        tag("div", tag("dt", escape(row.label)) + tag("dd", escape(row.cells[0]))) for row in rows
    )
    head = tag("summary", escape(words("compare.same", n=len(rows))))
    return tag("details", head + tag("dl", listed), class_="at-same")


def side_by_side(
    items: Sequence[Item], facets: Sequence[Facet], pictures: str, words: Words
) -> str:
    """Return items side by side."""
    rows = rows_of(items, facets, words)
    different = [row for row in rows if row.differs]
    shown_table = tag("div", table(items, different, pictures, words), class_="at-scroll",
                      tabindex="0", role="region", aria_label=words("compare.title"))  # fmt: skip
    none = "" if different else tag("p", escape(words("compare.all_same")))
    return shown_table + none + same([row for row in rows if not row.differs], words)
