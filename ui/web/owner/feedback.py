"""The tab of feedback: what people told, day by day and one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import gradio as gr
import pandas as pd

from ui.web.api import Json
from ui.web.markup import escape, tag
from ui.web.owner.conversations import address
from ui.web.owner.desk import OWN, Desk, Told, live, looking, pressed
from ui.web.owner.pairs import examples, pair_set, past_rounds
from ui.web.owner.pieces import aside, cards, grid, link, unseen
from ui.web.owner.telling import ago, count, percent, yes
from ui.web.owner.turn import valued
from ui.web.words import Words

FILE = "/owner/files/feedback.csv"
DAYS = (7, 30, 90)
LISTED = 50

COLOURS = {
    "click": "#7fb5a6", "select": "#0f8f6d", "purchase": "#0b5c9e", "rating": "#d19a17",
    "reject": "#b3382c", "critique": "#e07b53", "edit": "#7a5bb0", "dwell": "#9aa5a1",
}  # fmt: skip
"""Of each kind of event in the plot."""


def make_tab(desk: Desk, told: gr.HTML) -> tuple[Any, list[Any], list[Any]]:
    """Make the tab; return what fills it, with its inputs and outputs."""
    view, words = _View(desk), desk.words
    with gr.Row(elem_classes="at-owner-entry", equal_height=False):
        days = gr.Radio([(words("feedback.days", n=n), n) for n in DAYS], value=DAYS[-1],
                        label=words("feedback.period"), elem_id="at-owner-period")  # fmt: skip
        kinds = [(words("feedback.all"), ""), *((words(f"kind.{one}"), one) for one in COLOURS)]
        kind = gr.Dropdown(kinds, value="", label=words("feedback.kind"), interactive=True)
    head = live("at-owner-feedback", looking(words))
    plot = gr.BarPlot(
        None, x="day", y="events", color="kind", title=words("feedback.by_day"), height=260,
        x_title=words("feedback.day"), y_title=words("feedback.events"),
        color_title=words("feedback.what"), visible=False, elem_id="at-owner-days",
    )  # fmt: skip
    listed = live("at-owner-told-lately")
    pairs = live("at-owner-pairs")
    shown = live("at-owner-examples")
    given, parts = [days, kind], [head, plot, listed, pairs, shown, told]
    pairs.click(view.act, None, [shown, told], **OWN)
    shown.click(view.act, None, [shown, told], **OWN)
    days.input(view.look, given, parts, **OWN)
    kind.input(view.told, given, [listed, told], **OWN)
    return view.look, given, parts


class _View:
    """Draws the tab."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.words = desk.words

    async def look(self, days: int, kind: str) -> list[Any]:
        """Return what the tab shows."""
        found, told = await self.desk.get(f"/v1/owner/feedback?days={int(days)}")
        if found is None:
            return [gr.skip()] * 5 + [told.markup()]
        sets, wrong = await self.desk.get("/v1/owner/pairs")
        learned, also = await self.desk.get("/v1/owner/learning")
        trouble = wrong if wrong.text else also
        rows = by_day(self.words, found)
        colours = {self.words(f"kind.{kind}"): colour for kind, colour in COLOURS.items()}
        plot = gr.BarPlot(rows, visible=not rows.empty, color_map=colours)
        made = "".join(pair_set(self.words, one) for one in sets or []) or tag(
            "p", escape(self.words("pairs.none")), class_="at-empty")  # fmt: skip
        pairs = tag("section", tag("h2", escape(self.words("pairs.title"))) + made)
        pairs += past_rounds(self.words, (learned or {}).get("rounds") or [])
        listed, _ = await self.told(days, kind)
        return [counts(self.words, found), plot, listed, pairs, "", trouble.markup()]

    async def told(self, days: int, kind: str) -> list[Any]:
        """Return what people told last."""
        given = urlencode({"kind": kind or "", "days": int(days), "limit": LISTED})
        rows, told = await self.desk.get(f"/v1/owner/feedback/events?{given}")
        if rows is None:
            return [gr.skip(), told.markup()]
        return [lately(self.words, rows, int(days), kind or ""), told.markup()]

    async def act(self, event: gr.EventData) -> list[Any]:
        """Show some pairs of a set."""
        action = pressed(event)
        if action.get("do") != "examples":
            return ["", Told().markup()]
        name = str(action["name"])
        given = urlencode({"name": name, "kind": str(action.get("kind", ""))})
        rows, told = await self.desk.get(f"/v1/owner/pairs/examples?{given}")
        return [gr.skip() if rows is None else examples(self.words, rows, name), told.markup()]


def by_day(words: Words, found: Json) -> pd.DataFrame:
    """Return events by day and kind, in words."""
    rows = [
        (pd.Timestamp(one["day"]), words(f"kind.{one['kind']}"), one["events"])
        for one in found["kinds_by_day"] if one["kind"] in COLOURS
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["day", "kind", "events"])


def counts(words: Words, found: Json) -> str:
    """Return the figures of feedback, and what is doubtful about it."""
    people = count(words, "people", found["users"])
    told = found["events"] - found["kinds"].get("impression", 0)
    made = cards([
        (words("feedback.conversations"), f"{found['sessions']:,}", people),
        (words("feedback.turns"), f"{found['turns']:,}", ""),
        (words("feedback.told"), f"{told:,}", ""),
        (words("feedback.answered"), percent(found["with_feedback"]),
         count(words, "slates", found["slates"])),
        (words("feedback.may_teach"), percent(found["consent"]),
         count(words, "refusals", found["refused"])),
    ])  # fmt: skip
    rows = [(escape(words(f"kind.{kind}")), f"{n:,}")
            for kind, n in found["kinds"].items() if n]  # fmt: skip
    kinds = grid((words("head.what"), f"#{words('head.times')}"), rows, words("feedback.what_told"),
                 empty=words("feedback.nothing"))  # fmt: skip
    doubts = grid((words("head.doubt"),), [(escape(one),) for one in found["doubts"]],
                  words("feedback.doubts"), empty=words("feedback.no_doubts"))  # fmt: skip
    when = tag("p", f"{escape(words('feedback.counted'))} {ago(words, found['counted'])}",
               class_="at-none-yet")  # fmt: skip
    both = tag("div", kinds + doubts, class_="at-two-wide")
    return unseen(words("tab.feedback")) + made + both + when


def lately(words: Words, rows: Sequence[Json], days: int, kind: str) -> str:
    """Return what people told last, each with a link to the turn that it is about."""
    made = [
        (
            ago(words, one["time"]), escape(words(f"kind.{one['kind']}")), escape(valued(one)),
            escape(one["title"] or words("turn.whole_answer")), _turn(words, one),
            yes(words, one["consent"]),
        )
        for one in rows
    ]  # fmt: skip
    names = ("when", "what", "value", "about", "after", "teaches")
    table = grid(tuple(words(f"head.{name}") for name in names), made, words("feedback.lately"),
                 empty=words("feedback.none_such"))  # fmt: skip
    save = link(words("feedback.save"), f"{FILE}?{urlencode({'days': days, 'kind': kind})}")
    more = aside(words("feedback.only_latest", n=len(rows))) if len(rows) == LISTED else ""
    return tag("section", table + more + (save if rows else ""))


def _turn(words: Words, one: Json) -> str:
    if one["session"] is None or one["number"] is None:
        return escape(words("feedback.a_feed"))
    said = one["utterance"] or words("talks.no_words")
    return tag("a", escape(said), href=address(one["session"], one["number"]))
