"""The tab of conversations: the latest, those worth a look, and one turn taken apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import gradio as gr

from ui.web.api import Json
from ui.web.markup import doing, escape, tag
from ui.web.owner.desk import OWN, Desk, Told, live, pressed
from ui.web.owner.pieces import FLAGS, flags, grid, opens, press, unseen
from ui.web.owner.telling import ago, count, milliseconds, short
from ui.web.owner.turn import turn_view
from ui.web.words import Words

ONLY = ("all", "thumbs_down", "nothing", "slow", "fallback", "handover")
PAGE = 50
MOST = 200
_MOST_FOUND = 200


@dataclass(frozen=True, slots=True)
class Open:
    """The conversation and turn that are open, and how many conversations are listed."""

    id: str = ""
    number: int = 0
    listed: int = PAGE


def make_tab(desk: Desk, told: gr.HTML) -> tuple[Any, list[Any], list[Any]]:
    """Make the tab; return what fills it, with its inputs and outputs."""
    view = _View(desk)
    words = desk.words
    choices = [(f"{FLAGS.get(one, '')} {words(f'only.{one}')}".strip(), one) for one in ONLY]
    hint = tag("p", escape(words("talks.hint")), class_="at-empty")
    with gr.Row(elem_id="at-owner-conversations", equal_height=False):
        with gr.Column(scale=5, min_width=320):
            only = gr.Radio(choices, value="all", label=words("talks.show"),
                            elem_id="at-owner-only")  # fmt: skip
            with gr.Row(elem_classes="at-owner-entry"):
                asked = gr.Textbox(label=words("talks.find"), scale=4, max_length=_MOST_FOUND,
                                   placeholder=words("talks.find_hint"))  # fmt: skip
                refresh = gr.Button(words("talks.refresh"), scale=1, min_width=90)
            listed = live("at-owner-listed")
        with gr.Column(scale=8, min_width=320):
            talk = live("at-owner-talk", hint)
    opened = gr.State(Open())
    filling = [only, asked, opened]
    parts = [opened, listed, talk, told]
    gr.on([refresh.click, only.change, asked.submit], view.look, filling, [listed, told], **OWN)
    for piece in (listed, talk):
        piece.click(view.act, filling, parts, **OWN)
    return view.entered, filling, parts


class _View:
    """Draws the tab."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.words = desk.words

    async def entered(self, only: str, asked: str, opened: Open, request: gr.Request) -> list[Any]:
        """Return the tab as its address says: with a turn of a conversation open."""
        at = linked(request.query_params) if request is not None else None
        if at is not None and not opened.id:
            return await self._open(at, only, asked)
        return [gr.skip(), (drawn := await self.look(only, asked, opened))[0], gr.skip(), drawn[1]]

    async def look(self, only: str, asked: str, opened: Open) -> list[Any]:
        """Return the list, and what is wrong."""
        given = urlencode({"only": only or "all", "words": asked.strip(), "limit": opened.listed})
        rows, told = await self.desk.get(f"/v1/owner/sessions?{given}")
        if rows is None:
            return [gr.skip(), told.markup()]
        more = opened.listed if len(rows) == opened.listed < MOST else 0
        return [listing(self.words, rows, opened.id, (only, asked.strip()), more), told.markup()]

    async def act(self, only: str, asked: str, opened: Open, event: gr.EventData) -> list[Any]:
        """Open a conversation, or another turn of the one that is open; list more of them."""
        action = pressed(event)
        if action.get("do") == "more":
            opened = Open(opened.id, opened.number, min(opened.listed + PAGE, MOST))
            listed, told = await self.look(only, asked, opened)
            return [opened, listed, gr.skip(), told]
        id = opened.id if action.get("do") == "turn" else str(action.get("id", ""))
        number = action.get("number") or 0
        return await self._open(Open(id, int(number), opened.listed), only, asked)

    async def _open(self, at: Open, only: str, asked: str) -> list[Any]:
        """Open a turn of a conversation; the last one where none is named."""
        path = f"/v1/owner/sessions/{quote(at.id, safe='')}"
        talk, told = await self.desk.get(path)
        if talk is None:
            listed, _ = await self.look(only, asked, Open(listed=at.listed))
            return [gr.skip(), listed, gr.skip(), told.markup()]
        at = Open(at.id, at.number or len(talk["turns"]), at.listed)
        listed, _ = await self.look(only, asked, at)
        if not talk["turns"]:
            empty = tag("p", escape(self.words("talks.nothing_said")), class_="at-empty")
            return [at, listed, empty, told.markup()]
        turn, told = await self.desk.get(f"{path}/turns/{at.number}")
        if turn is None:
            return [gr.skip(), listed, gr.skip(), told.markup()]
        return [at, listed, conversation(self.words, talk, at.number, turn), Told().markup()]


def linked(query: Mapping[str, str]) -> Open | None:
    """Return the turn that an address leads to, e.g. "?session=3f77ab&turn=2"; None without one."""
    id, number = query.get("session", ""), query.get("turn", "")
    return Open(id[:64], int(number) if number.isdecimal() and len(number) < 6 else 0) if id else (
        None)  # fmt: skip


def address(id: str, number: int) -> str:
    """Return the address of a turn, from any of the owner's pages."""
    return f"?{urlencode({'session': id, 'turn': number})}"


def listing(
    words: Words,
    rows: Sequence[Json],
    open_id: str,
    looked_for: tuple[str, str] = ("all", ""),
    more: int = 0,
) -> str:
    """Return conversations as rows to be pressed.

    Args:
        looked_for: Which ones were asked for, and what words.
        more: How many are listed, where there may be more.
    """
    only, asked = looked_for
    made = [
        (
            opens(one["begun"] or words("talks.no_words"),
                  {"do": "open", "id": one["id"], "number": one["found"]})
            + (tag("small", escape(f"… {one['said']} …"), class_="at-found")
               if one["said"] else ""),
            flags(words, one["flags"]), f"{one['turns']:,}",
            milliseconds(one["slowest_ms"]) if one["slowest_ms"] else "", ago(words, one["last"]),
        )
        for one in rows
    ]  # fmt: skip
    current = next((n for n, one in enumerate(rows) if one["id"] == open_id), None)
    empty = words("talks.none_said" if asked else "talks.none" if only == "all" else
                  "talks.none_such")  # fmt: skip
    heads = (words("head.begun_with"), f"~{words('head.signs')}", f"#{words('head.turns')}",
             f"#{words('head.slowest')}", words("head.last"))  # fmt: skip
    title = words("talks.slowest" if only == "slow" else "talks.latest")
    table = grid(heads, made, title, empty=empty, current=current)
    older = press(words("talks.more"), {"do": "more"}) if more else ""
    return unseen(words("tab.conversations")) + table + older


def conversation(words: Words, talk: Json, number: int, turn: Json) -> str:
    """Return a conversation with its turns to step through, one of them taken apart."""
    steps = "".join(
        tag("li", tag(
            "button", tag("b", f"{one['number']}") + " " + escape(one["utterance"][:90])
            + " " + flags(words, one["flags"]), type="button", class_="at-step",
            aria_current="step" if one["number"] == number else None,
            data_do=doing({"do": "turn", "number": one["number"]}),
        ))
        for one in talk["turns"]
    )  # fmt: skip
    here = tag("a", escape(words("talks.link")), href=address(talk["id"], number))
    turns = count(words, "turns", len(talk["turns"]))
    begun = ago(words, talk["turns"][0]["time"])
    line = f"{escape(words('talks.one'))} {short(talk['id'])} · {escape(turns)} · {begun} · {here}"
    title = tag("p", line, class_="at-none-yet")
    nav = tag("nav", title + tag("ol", steps, class_="at-steps"), aria_label=words("talks.turns"))
    return tag("div", nav + turn_view(words, turn, talk["id"]), class_="at-inspector",
               data_at=address(talk["id"], number))  # fmt: skip
