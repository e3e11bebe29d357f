"""The tab of the catalog's health."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from ui.web.api import Json
from ui.web.markup import escape, tag
from ui.web.owner.conversations import address
from ui.web.owner.desk import Desk, live, looking
from ui.web.owner.pieces import aside, badge, bar, cards, fold, grid, link, unseen
from ui.web.owner.telling import count, named, percent, short
from ui.web.words import Words

NEVER = "/owner/files/never-shown.csv"


def make_tab(desk: Desk, told: gr.HTML) -> tuple[Any, list[Any], list[Any]]:
    """Make the tab; return what fills it, with its inputs and outputs."""
    shown = live("at-owner-catalog", looking(desk.words))

    async def look() -> list[Any]:
        found, wrong = await desk.get("/v1/owner/catalog")
        return [gr.skip() if found is None else health(desk.words, found), wrong.markup()]

    return look, [], [shown, told]


def health(words: Words, found: Json) -> str:
    """Return the state of a catalog."""
    items, lack = found["items"] or 1, found["lacking"]
    about = words("catalog.version", name=found["name"], n=found["version"])
    head = cards([
        (words("catalog.items"), f"{found['items']:,}", about),
        (words("catalog.never"), _share(found["never_shown"] / items),
         count(words, "items", found["never_shown"])),
        *((words(f"catalog.without_{what}"), _share(n / items), count(words, "items", n))
          for what, n in lack.items()),
        (words("catalog.rejected"), f"{len(found['rejects']):,}", words("catalog.when_indexed")),
    ])  # fmt: skip
    return "".join(
        (
            unseen(words("tab.catalog")),
            head,
            _vain(words, found["asked_in_vain"]),
            _facets(words, found["facets"]),
            _never(words, found),
            _rejects(words, found["rejects"]),
            _columns(words, found["columns"]),
        )
    )


def _share(share: float) -> str:
    """Return a share in percent; with a decimal where it would seem to be none or all."""
    return percent(share, 1 if 0 < share < 0.01 or 0.99 < share < 1 else 0)


def _vain(words: Words, asked: Json) -> str:
    parts = "".join((
        _asked(words, asked["words"], "word", "no_word"),
        _asked(words, asked["given_up"], "wish", "no_given_up"),
        _asked(words, asked["nothing"], "said", "no_nothing"),
    ))  # fmt: skip
    title = tag("h2", escape(words("catalog.in_vain")))
    note = aside(words("catalog.in_the_last", turns=count(words, "turns", asked["turns"])))
    return tag("section", title + note + tag("div", parts, class_="at-three"))


def _asked(words: Words, rows: Sequence[Json], name: str, empty: str) -> str:
    """Return what was asked for in vain, each a link to the last turn in which it was."""
    made = [
        (tag("a", escape(one[name]), href=address(one["session"], one["number"])),
         *([f"{one['turns']:,}"] if "turns" in one else []))
        for one in rows
    ]  # fmt: skip
    heads = (words(f"head.{name}"), f"#{words('head.turns')}")
    width = len(made[0]) if made else 1
    return grid(heads[:width], made, words(f"catalog.{name}"), empty=words(f"catalog.{empty}"))


def _facets(words: Words, facets: list[Json]) -> str:
    rows = [
        (
            escape(one["label"] or one["facet"]), escape(named(words, "facet", one["kind"])),
            escape(named(words, "role", one["role"])),
            f"{one['values']:,}" if one["values"] else "",
            bar(one["coverage"], _share(one["coverage"]), "low" if one["lacking"] else "")
            + (badge(words("catalog.few"), "bad") if one["lacking"] else ""),
        )
        for one in sorted(facets, key=lambda one: -one["coverage"])
    ]  # fmt: skip
    few = sum(one["lacking"] for one in facets)
    heads = (words("head.facet"), words("head.kind"), words("head.used_as"),
             f"#{words('head.values')}", words("head.known_of"))  # fmt: skip
    return grid(heads, rows, words("catalog.facets", few=few, of=len(facets)))


def _never(words: Words, found: Json) -> str:
    rows = [(escape(one["title"]), short(one["id"])) for one in found["never_shown_examples"]]
    n = found["never_shown"]
    table = grid((words("head.item"), words("head.id")), rows, "", empty=words("catalog.all_shown"))
    save = link(words("catalog.save", n=f"{n:,}"), NEVER) if n else ""
    said = words("catalog.never_shown", n=f"{n:,}")
    said += words("catalog.the_first", n=len(rows)) if rows else ""
    folded = fold(words("catalog.show_them"), table) if rows else table
    return tag("section", tag("h3", escape(said)) + save + folded)


def _rejects(words: Words, rows: list[Json]) -> str:
    heads = tuple(named(words, "head", name) for name in rows[0]) if rows else ()
    made = [tuple(escape(str(value)) for value in row.values()) for row in rows]
    return grid(heads, made, words("catalog.rejects"), empty=words("catalog.no_rejects"))


def _columns(words: Words, columns: list[Json]) -> str:
    rows = [
        (
            escape(one["column"]), escape(named(words, "use", one["taken for"])),
            escape(one["facet"]), escape(named(words, "facet", one["kind"])),
            escape(named(words, "role", one["role"])),
        )
        for one in columns
    ]  # fmt: skip
    heads = ("column", "taken_for", "facet", "kind", "used_as")
    table = grid(tuple(words(f"head.{name}") for name in heads), rows, "")
    return fold(words("catalog.columns", n=len(rows)), table)
