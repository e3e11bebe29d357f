"""The tab of the catalog's health."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui.web.api import Json
from ui.web.markup import escape, tag
from ui.web.owner.desk import Desk, live
from ui.web.owner.pieces import badge, bar, cards, fold, grid, link, unseen
from ui.web.owner.telling import named, percent, plural, short

NEVER = "/owner/files/never-shown.csv"

USES = {"id": "id", "title": "title", "description": "text to search", "image": "picture",
        "url": "address", "price": "price", "currency": "currency", "facet": "facet",
        "map": "columns of its own", "ignore": "not used"}  # fmt: skip

KINDS = {"categorical": "one of a list", "numeric": "number", "boolean": "yes or no",
         "date": "date", "list": "several of a list"}  # fmt: skip


def make_tab(desk: Desk, told: gr.HTML) -> tuple[Any, list[Any], list[Any]]:
    """Make the tab; return what fills it, with its inputs and outputs."""
    shown = live("at-owner-catalog", tag("p", "Looking …", class_="at-empty"))

    async def look() -> list[Any]:
        found, wrong = await desk.get("/v1/owner/catalog")
        return [gr.skip() if found is None else health(found), wrong.markup()]

    return look, [], [shown, told]


def health(found: Json) -> str:
    """Return the state of a catalog."""
    items, lack = found["items"] or 1, found["lacking"]
    head = cards([
        ("items", f"{found['items']:,}", f"{found['name']}, version {found['version']}"),
        ("never shown", _share(found["never_shown"] / items), plural(found["never_shown"], "item")),
        *((f"without {what}", _share(n / items),
           plural(n, "item")) for what, n in lack.items()),
        ("rows rejected", f"{len(found['rejects']):,}", "when it was indexed"),
    ])  # fmt: skip
    return "".join(
        (
            unseen("Catalog"),
            head,
            _vain(found["asked_in_vain"]),
            _facets(found["facets"]),
            _never(found),
            _rejects(found["rejects"]),
            _columns(found["columns"]),
        )
    )


def _share(share: float) -> str:
    """Return a share in percent; with a decimal where it would seem to be none or all."""
    return percent(share, 1 if 0 < share < 0.01 or 0.99 < share < 1 else 0)


def _vain(asked: Json) -> str:
    words = grid(
        ("word", "#turns"), [(escape(one["word"]), str(one["turns"])) for one in asked["words"]],
        "Words that no item has", empty="None: every word that was said is in some item.",
    )  # fmt: skip
    given_up = grid(
        ("wish", "#turns"),
        [(escape(one["wish"]), str(one["turns"])) for one in asked["given_up"]],
        "Wishes that could not be met", empty="None had to be given up.",
    )  # fmt: skip
    said = grid(("said",), [(escape(one),) for one in asked["nothing"]],
                "Said where nothing fitted", empty="Something fitted every time.")  # fmt: skip
    title = tag("h2", "Asked for in vain")
    note = tag("p", escape(f"In the last {plural(asked['turns'], 'turn')}."), class_="at-none-yet")
    return tag("section", title + note + tag("div", words + given_up + said, class_="at-three"))


def _facets(facets: list[Json]) -> str:
    rows = [
        (
            escape(one["label"] or one["facet"]), escape(named(KINDS, one["kind"])),
            escape(one["role"]), f"{one['values']:,}" if one["values"] else "",
            bar(one["coverage"], _share(one["coverage"]),
                "low" if one["lacking"] else "")
            + (badge("few have it", "bad") if one["lacking"] else ""),
        )
        for one in sorted(facets, key=lambda one: -one["coverage"])
    ]  # fmt: skip
    few = sum(one["lacking"] for one in facets)
    title = f"Facets: {few} of {len(facets)} are known of fewer than half the items"
    return grid(("facet", "kind", "used as", "#values", "known of"), rows, title)


def _never(found: Json) -> str:
    rows = [(escape(one["title"]), short(one["id"])) for one in found["never_shown_examples"]]
    count = found["never_shown"]
    table = grid(("item", "id"), rows, "", empty="Every item was shown at least once.")
    save = link(f"Save all {count:,} as CSV", NEVER) if count else ""
    said = f"Items never shown: {count:,}" + (f", the first {len(rows)}" if rows else "")
    return tag("section", tag("h3", escape(said)) + save + fold("Show them", table))


def _rejects(rows: list[Json]) -> str:
    heads = tuple(rows[0]) if rows else ()
    made = [tuple(escape(str(value)) for value in row.values()) for row in rows]
    return grid(heads, made, "Rows that were rejected",
                empty="None: every row of the file became an item.")  # fmt: skip


def _columns(columns: list[Json]) -> str:
    rows = [
        (
            escape(one["column"]), escape(named(USES, one["taken for"])),
            escape(one["facet"]), escape(named(KINDS, one["kind"])),
            escape(one["role"]),
        )
        for one in columns
    ]  # fmt: skip
    table = grid(("column", "taken for", "facet", "kind", "used as"), rows, "")
    return fold(f"Columns of the file, and what they were taken for ({len(rows)})", table)
