"""The tab of feedback: what people told, day by day, and the preference pairs made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import gradio as gr
import pandas as pd

from ui.web.api import Json
from ui.web.markup import escape, tag
from ui.web.owner.desk import OWN, Desk, live, pressed
from ui.web.owner.pieces import badge, cards, fold, grid, link, press, unseen, verbatim
from ui.web.owner.telling import ago, named, number, percent, plural

FILES = "/owner/files/pairs"

KINDS = {
    "click": "looked at", "select": "chosen", "purchase": "bought", "rating": "rated",
    "reject": "not for me", "critique": "criticised", "edit": "rewritten", "dwell": "read",
    "impression": "seen",
}  # fmt: skip
COLOURS = {
    "looked at": "#7fb5a6", "chosen": "#0f8f6d", "bought": "#0b5c9e", "rated": "#d19a17",
    "not for me": "#b3382c", "criticised": "#e07b53", "rewritten": "#7a5bb0", "read": "#9aa5a1",
}  # fmt: skip
PAIR_KINDS = {"plan": "plans corrected", "choice": "choices between items",
              "explanation": "explanations rewritten"}  # fmt: skip
ENDINGS = {"promoted": "good", "refused": "bad"}


def make_tab(desk: Desk, told: gr.HTML) -> tuple[Any, list[Any], list[Any]]:
    """Make the tab; return what fills it, with its inputs and outputs."""
    view = _View(desk)
    head = live("at-owner-feedback", tag("p", "Looking …", class_="at-empty"))
    days = gr.BarPlot(
        None, x="day", y="events", color="kind", title="What people told, by day", height=260,
        x_title="day", y_title="events", color_title="kind", visible=False,
        elem_id="at-owner-days",
    )  # fmt: skip
    pairs = live("at-owner-pairs")
    shown = live("at-owner-examples")
    pairs.click(view.act, None, [shown, told], **OWN)
    return view.look, [], [head, days, pairs, shown, told]


class _View:
    """Draws the tab."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def look(self) -> list[Any]:
        """Return what the tab shows."""
        found, told = await self.desk.get("/v1/owner/feedback")
        if found is None:
            return [gr.skip()] * 4 + [told.markup()]
        sets, wrong = await self.desk.get("/v1/owner/pairs")
        learned, also = await self.desk.get("/v1/owner/learning")
        said = wrong if wrong.text else also
        rounds = (learned or {}).get("rounds") or []
        rows = by_day(found)
        plot = gr.BarPlot(rows, visible=not rows.empty, color_map=COLOURS)
        made = "".join(map(pair_set, sets or [])) or tag(
            "p", "No pairs were made yet: the run “Make preference pairs” or a round of learning "
            "makes them of what people told.", class_="at-empty",
        )  # fmt: skip
        pairs = tag("section", tag("h2", "Preference pairs") + made) + past_rounds(rounds)
        return [counts(found), plot, pairs, "", said.markup()]

    async def act(self, event: gr.EventData) -> list[Any]:
        """Show some pairs of a set."""
        action = pressed(event)
        if action.get("do") != "examples":
            return ["", gr.skip()]
        name, kind = str(action["name"]), str(action.get("kind", ""))
        path = f"/v1/owner/pairs/examples?name={quote(name)}&kind={quote(kind)}"
        rows, told = await self.desk.get(path)
        return [gr.skip() if rows is None else examples(rows, name), told.markup()]


def by_day(found: Json) -> pd.DataFrame:
    """Return events by day and kind, in words."""
    rows = [
        (pd.Timestamp(one["day"]), named(KINDS, one["kind"]), one["events"])
        for one in found["kinds_by_day"] if one["kind"] != "impression"
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["day", "kind", "events"])


def counts(found: Json) -> str:
    """Return the figures of feedback, and what is doubtful about it."""
    consent = found["consent"]
    made = cards([
        ("conversations", f"{found['sessions']:,}", f"in {found['since_days']} days, "
         f"{plural(found['users'], 'person', 'people')}"),
        ("turns", f"{found['turns']:,}", ""),
        ("things told", f"{found['events']:,}", ""),
        ("slates with feedback", percent(found["with_feedback"]), plural(found["slates"], "slate")),
        ("may teach", percent(consent), plural(found["refused"], "refusal")),
    ])  # fmt: skip
    kinds = grid(
        ("what", "#times"),
        [(escape(named(KINDS, kind)), f"{n:,}") for kind, n in found["kinds"].items() if n],
        "What people told", empty="Nobody has told anything yet.",
    )  # fmt: skip
    doubts = grid(("doubt",), [(escape(one),) for one in found["doubts"]], "What may be wrong",
                  empty="Nothing looks wrong with it.")  # fmt: skip
    return unseen("Feedback") + made + tag("div", kinds + doubts, class_="at-two-wide")


def pair_set(one: Json) -> str:
    """Return a set of pairs: how many of what, and its files."""
    rows = []
    for kind, words in PAIR_KINDS.items():
        cells = [_of(one, side, part, kind) for side in ("pairs", "kto") for part in _PARTS]
        show = press("Show some", {"do": "examples", "name": one["name"], "kind": kind})
        rows.append((escape(words), *cells, show if cells[0] != "0" else ""))
    dropped = [f"{n:,} × {reason} ({PAIR_KINDS[kind]})"
               for kind, reasons in (one["dropped"] or {}).items()
               for reason, n in reasons.items()]  # fmt: skip
    heads = (
        "pairs of",
        "#to learn",
        "#held out",
        "#single, to learn",
        "#single, held out",
        "~examples",
    )
    files = "".join(
        link(f"Save {name}", f"{FILES}?{urlencode({'name': one['name'], 'file': name})}")
        for name in one["files"]
    )
    title = tag("h3", escape(_title(one["name"])) + " " + tag("small", escape(
        f"of {plural(one['sessions'] or 0, 'conversation')}, "
        f"{plural(one['people'] or 0, 'person', 'people')}")))  # fmt: skip
    lost = (
        fold(
            "What no pair was made of",
            tag("ul", "".join(tag("li", escape(line)) for line in dropped), class_="at-lines"),
        )
        if dropped
        else ""
    )
    return tag("article", title + grid(heads, rows, "") + tag("p", files, class_="at-ways") + lost)


_PARTS = ("train", "held")


def _of(one: Json, side: str, part: str, kind: str) -> str:
    counts: Mapping[str, Any] = ((one.get(side) or {}).get(part)) or {}
    return f"{int(counts.get(kind, 0)):,}"


def _title(name: str) -> str:
    """Return how a set is called: by the round it was made in."""
    parts = name.split("/")
    if len(parts) > 1:
        return f"Round {parts[1].removeprefix('round-').lstrip('0')}"
    return "Made by the run"


def examples(rows: list[Json], name: str) -> str:
    """Return pairs: what was asked, and the answers side by side."""
    if not rows:
        return tag("p", "There are none of that kind.", class_="at-empty")
    made = "".join(
        tag("article",
            tag("h3", escape(named(PAIR_KINDS, one["kind"]))
                + tag("small", escape(f" weight {number(one['weight'], 2)}")))
            + tag("div", _side("asked", one["asked"], "") + _side("chosen", one["chosen"], "good")
                  + _side("passed over", one["rejected"], "bad"), class_="at-three"))
        for one in rows
    )  # fmt: skip
    title = tag("h2", escape(f"{plural(len(rows), 'pair')}: {_title(name)}"), tabindex="-1",
                data_opened=name + rows[0]["kind"])  # fmt: skip
    return tag("div", title + made, class_="at-panel at-panel-pairs")


def _side(label: str, text: str, kind: str) -> str:
    return tag("div", badge(label, kind) + verbatim(text, label))


def past_rounds(rounds: list[Json]) -> str:
    """Return the rounds of learning and what became of them."""
    rows = [
        (
            str(one["number"]), badge(one["ending"], ENDINGS.get(one["ending"], "")),
            ago(one.get("begun")), escape(one.get("adapter") or ""),
            f"{sum((one.get('pairs') or {}).values()):,}",
            escape("; ".join(one.get("reasons") or ())),
        )
        for one in rounds
    ]  # fmt: skip
    return grid(("round", "ending", "begun", "adapter", "#pairs", "why"), rows,
                "Rounds of learning", empty="There was none yet.")  # fmt: skip
