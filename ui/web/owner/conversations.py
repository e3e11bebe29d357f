"""The tab of conversations: the latest, those worth a look, and one turn taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import gradio as gr

from ui.web.api import Json
from ui.web.markup import doing, escape, tag
from ui.web.owner.desk import OWN, Desk, Told, live, pressed
from ui.web.owner.pieces import flags, grid, opens, unseen
from ui.web.owner.telling import ago, plural, short
from ui.web.owner.turn import turn_view

ONLY = (
    ("All", "all"), ("👎 Not content", "thumbs_down"), ("⚙ Model failed", "fallback"),
    ("∅ Nothing fitted", "nothing"), ("☎ Handed over", "handover"),
)  # fmt: skip

HINT = "Press a conversation to see how each answer came about."


@dataclass(frozen=True, slots=True)
class Open:
    """The conversation and turn that are open."""

    id: str = ""
    number: int = 0


def make_tab(desk: Desk, told: gr.HTML) -> tuple[Any, list[Any], list[Any]]:
    """Make the tab; return what fills it, with its inputs and outputs."""
    view = _View(desk)
    with gr.Row(elem_id="at-owner-conversations", equal_height=False):
        with gr.Column(scale=5, min_width=320):
            only = gr.Radio(ONLY, value="all", label="Show", elem_id="at-owner-only")
            with gr.Row(elem_classes="at-owner-entry"):
                asked = gr.Textbox(label="Session", placeholder="id of a session", scale=4)
                refresh = gr.Button("Refresh", scale=1, min_width=90)
            listed = live("at-owner-listed")
        with gr.Column(scale=8, min_width=320):
            talk = live("at-owner-talk", tag("p", escape(HINT), class_="at-empty"))
    opened = gr.State(Open())
    parts = [opened, listed, talk, told]
    filling = [only, opened]
    gr.on([refresh.click, only.change], view.look, filling, [listed, told], **OWN)
    listed.click(view.act, [opened, only], parts, **OWN)
    talk.click(view.act, [opened, only], parts, **OWN)
    asked.submit(view.find, [asked, only], parts, **OWN)
    return view.look, filling, [listed, told]


class _View:
    """Draws the tab."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def look(self, only: str, opened: Open) -> list[Any]:
        """Return the list, and what is wrong."""
        rows, told = await self.desk.get(f"/v1/owner/sessions?only={quote(only or 'all')}")
        if rows is None:
            return [gr.skip(), told.markup()]
        return [listing(rows, opened.id, only), told.markup()]

    async def act(self, opened: Open, only: str, event: gr.EventData) -> list[Any]:
        """Open a conversation, or another turn of the one that is open."""
        action = pressed(event)
        if action.get("do") == "turn":
            return await self._open(opened.id, int(action["number"]), only)
        return await self._open(str(action.get("id", "")), 0, only)

    async def find(self, id: str, only: str) -> list[Any]:
        """Open the conversation with an id that was typed."""
        if not id.strip():
            return [gr.skip()] * 3 + [Told("Type the id of a session first.").markup()]
        return await self._open(id.strip(), 0, only)

    async def _open(self, id: str, number: int, only: str) -> list[Any]:
        """Open a turn of a conversation; the last one where none is named."""
        path = f"/v1/owner/sessions/{quote(id, safe='')}"
        talk, told = await self.desk.get(path)
        if talk is None:
            return [gr.skip()] * 3 + [told.markup()]
        number = number or len(talk["turns"])
        opened = Open(id, number)
        listed, _ = await self.look(only, opened)
        if not talk["turns"]:
            empty = tag("p", "Nothing was said in this conversation yet.", class_="at-empty")
            return [opened, listed, empty, told.markup()]
        turn, told = await self.desk.get(f"{path}/turns/{number}")
        if turn is None:
            return [gr.skip()] * 3 + [told.markup()]
        return [opened, listed, conversation(talk, number, turn), told.markup()]


def listing(rows: Sequence[Json], open_id: str, only: str = "all") -> str:
    """Return conversations as rows to be pressed."""
    made = [
        (
            opens(one["begun"] or "(nothing said yet)", {"do": "open", "id": one["id"]}),
            flags(one["flags"]), str(one["turns"]), ago(one["last"]),
        )
        for one in rows
    ]  # fmt: skip
    current = next((n for n, one in enumerate(rows) if one["id"] == open_id), None)
    empty = (
        "Nobody has talked to the shop yet."
        if only == "all"
        else "No conversation has such a turn."
    )
    heads = ("begun with", "~signs", "#turns", "last")
    table = grid(heads, made, "Latest conversations", empty=empty, current=current)
    return unseen("Conversations") + table


def conversation(talk: Json, number: int, turn: Json) -> str:
    """Return a conversation with its turns to step through, one of them taken apart."""
    steps = "".join(
        tag("li", tag(
            "button", tag("b", f"{one['number']}") + " " + escape(one["utterance"][:90])
            + " " + flags(one["flags"]), type="button", class_="at-step",
            aria_current="step" if one["number"] == number else None,
            data_do=doing({"do": "turn", "number": one["number"]}),
        ))
        for one in talk["turns"]
    )  # fmt: skip
    begun = talk["turns"][0]["time"]
    title = tag("p", f"Conversation {short(talk['id'])} · {plural(len(talk['turns']), 'turn')} · "
                f"begun {ago(begun)}", class_="at-none-yet")  # fmt: skip
    nav = tag("nav", title + tag("ol", steps, class_="at-steps"), aria_label="Turns")
    return tag("div", nav + turn_view(turn, talk["id"]), class_="at-inspector")
