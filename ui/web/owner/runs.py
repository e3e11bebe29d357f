"""The tab of runs: evaluations and other long work started, followed, stopped, and compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import gradio as gr
import pandas as pd

from ui.web.api import Json
from ui.web.owner.desk import OWN, Desk, Told, live, looking, pressed
from ui.web.owner.telling import named
from ui.web.owner.telling_runs import (
    comparison,
    intervals_over_time,
    listing,
    one_run,
    strip_of,
    told_first,
)
from ui.web.words import Words

POLL_S = 1.5
MOST_PLOTTED = 6


@dataclass(frozen=True, slots=True)
class Watched:
    """The run that is open, and those chosen to be compared."""

    id: str = ""
    chosen: tuple[str, ...] = ()


def make_tab(
    desk: Desk, told: gr.HTML, strip: gr.HTML, timer: gr.Timer
) -> tuple[Any, list[Any], list[Any]]:
    """Make the tab; return what fills it, with its inputs and outputs.

    Args:
        strip: Says on every tab what is under way.
        timer: Ticks while something is.
    """
    view, words = _View(desk), desk.words
    watched = gr.State(Watched())
    with gr.Row(equal_height=False, elem_classes="at-owner-entry"):
        choice = gr.Dropdown([], label=words("run.what"), scale=5, interactive=True)
        start = gr.Button(words("run.start"), variant="primary", scale=1, min_width=100)
    shown = live("at-owner-run")
    with gr.Row(equal_height=False):
        kind = gr.Dropdown(
            [], label=words("run.over_time_of"), scale=2, interactive=True, visible=False
        )
        which = gr.Dropdown([], label=words("run.figures"), multiselect=True, scale=4,
                            interactive=True, max_choices=MOST_PLOTTED,
                            visible=False)  # fmt: skip
    plot = gr.LinePlot(None, x="time", y="value", color="figure", height=280, visible=False,
                       x_title=words("run.when_utc"), y_title=words("run.value"),
                       color_title=words("head.figure"),
                       elem_id="at-owner-over-time")  # fmt: skip
    sure = gr.HTML("", js_on_load=None, elem_id="at-owner-intervals", apply_default_css=False,
                   padding=False)  # fmt: skip
    listed = live("at-owner-runs", looking(words))
    parts = [watched, shown, listed, strip, timer, told]
    filled = [*parts, choice, kind, which, plot, sure]
    start.click(view.begin, [choice, watched], parts, **OWN)
    for piece in (shown, listed, strip):
        piece.click(view.act, [watched], parts, **OWN)
    timer.tick(view.look, [watched], parts, **OWN)
    kind.input(view.figures, [kind], [which, plot, sure, told], **OWN)
    which.input(view.plotted, [kind, which], [plot, sure, told], **OWN)
    return view.opened, [watched], filled


class _View:
    """Draws the tab, and does what is pressed."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.words = desk.words

    async def _runs(self) -> tuple[Any, Told]:
        """Return the runs, and what can be run in the words of the pages' language."""
        found, told = await self.desk.get("/v1/owner/runs")
        if found is not None:
            choices = [{**one, "does": self.words.get(f"does.{one['name']}") or one["does"]}
                       for one in found["choices"]]  # fmt: skip
            found = {**found, "choices": choices}
        return found, told

    async def opened(self, watched: Watched) -> list[Any]:
        """Return all of the tab."""
        found, told = await self._runs()
        if found is None:
            return [gr.skip()] * 5 + [told.markup()] + [gr.skip()] * 5
        names = [(one["does"], one["name"]) for one in found["choices"]]
        own = await self._drawn(watched, found)
        kinds = measured(found)
        first = kinds[0][1] if kinds else None
        which, *plots = _figures(self.words, found["runs"], first)
        choice = gr.Dropdown(choices=names, value=names[0][1] if names else None)
        kind = gr.Dropdown(choices=kinds, value=first, visible=bool(kinds))
        return [*own, choice, kind, which, *plots]

    async def look(self, watched: Watched) -> list[Any]:
        """Return how things stand."""
        found, told = await self._runs()
        if found is None:
            return [gr.skip()] * 5 + [told.markup()]
        return await self._drawn(watched, found)

    async def begin(self, name: str | None, watched: Watched) -> list[Any]:
        """Start what was chosen."""
        run, told = await self.desk.post("/v1/owner/runs", {"name": name or ""})
        return await self._after(replace(watched, id=run["id"]) if run else watched, told)

    async def act(self, watched: Watched, event: gr.EventData) -> list[Any]:
        """Open a run, stop it, or put two side by side."""
        action = pressed(event)
        id, told = str(action.get("id", "")), Told()
        match action.get("do"):
            case "stop":
                _, told = await self.desk.post(f"/v1/owner/runs/{quote(id)}:stop", {})
            case "open":
                watched = replace(watched, id=id)
            case "choose":
                watched = replace(watched, chosen=chosen(watched.chosen, id))
            case "cancel":
                watched = Watched()
        return await self._after(watched, told)

    async def _after(self, watched: Watched, told: Told) -> list[Any]:
        drawn = await self.look(watched)
        return [*drawn[:-1], told.markup() if told.text else drawn[-1]]

    async def _drawn(self, watched: Watched, found: Json) -> list[Any]:
        runs, words = found["runs"], self.words
        does = {one["name"]: one["does"] for one in found["choices"]}
        on = next((one for one in runs if one["status"] == "running"), None)
        if on is not None and not watched.id:
            watched = replace(watched, id=on["id"])
        box, told = await self._box(watched, does, [one["id"] for one in reversed(runs)])
        listed = listing(words, runs, does, watched.id, watched.chosen)
        return [watched, box, listed, strip_of(words, on, does), gr.Timer(active=on is not None),
                told.markup()]  # fmt: skip

    async def _box(
        self, watched: Watched, does: dict[str, str], order: list[str]
    ) -> tuple[str, Told]:
        """Return the two runs side by side, the older one first, or the one that is open."""
        chosen = [id for id in order if id in watched.chosen]
        if len(chosen) == 2:
            first, second = chosen
            path = f"/v1/owner/runs/compared?first={quote(first)}&second={quote(second)}"
            both, told = await self.desk.get(path)
            return ("" if both is None else comparison(self.words, both, does)), told
        if not watched.id:
            return "", Told()
        run, told = await self.desk.get(f"/v1/owner/runs/{quote(watched.id)}")
        return ("" if run is None else one_run(self.words, run, does)), told

    async def figures(self, kind: str | None) -> list[Any]:
        """Return the figures of a kind of run, to choose among, and their plot."""
        found, told = await self._runs()
        drawn = _figures(self.words, (found or {}).get("runs", []), kind)
        return [*drawn, told.markup()]

    async def plotted(self, kind: str | None, names: list[str]) -> list[Any]:
        """Return the plot of the figures that were chosen."""
        found, told = await self._runs()
        drawn = _plots(self.words, (found or {}).get("runs", []), kind, names)
        return [*drawn, told.markup()]


def chosen(before: tuple[str, ...], id: str) -> tuple[str, ...]:
    """Return the runs to compare after one was pressed: at most two, the latest pressed last."""
    if id in before:
        return tuple(one for one in before if one != id)
    return (*before, id)[-2:]


def measured(found: Json) -> list[tuple[str, str]]:
    """Return the kinds of run that have figures over time."""
    there = {one["name"] for one in found["runs"] if one["status"] == "done" and one["figures"]}
    return [(one["does"], one["name"]) for one in found["choices"]
            if one["measures"] and one["name"] in there]  # fmt: skip


def _figures(words: Words, runs: list[Json], kind: str | None) -> tuple[Any, Any, str]:
    last = next((one for one in runs if one["name"] == kind and one["figures"]), None)
    names = [one["name"] for one in last["figures"]] if last else []
    shares = [name for name in told_first(last["figures"])
              if _within_one(words, runs, kind, name)] if last else []  # fmt: skip
    most = (shares or names)[:3]
    choices = [(named(words, "measure", name), name) for name in names]
    which = gr.Dropdown(choices=choices, value=most, visible=bool(names))
    return which, *_plots(words, runs, kind, most)


def _within_one(words: Words, runs: list[Json], kind: str | None, name: str) -> bool:
    """Return whether a figure lies from 0 to 1, so that several can be drawn on one scale."""
    return bool(over_time(words, runs, kind, [name])["value"].between(0, 1).all())


def over_time(
    words: Words, runs: list[Json], kind: str | None, names: list[str]
) -> pd.DataFrame:  # fmt: skip
    """Return figures of the runs of a kind that are done, by when they began."""
    rows = [
        (pd.Timestamp(run["begun"]).tz_convert(None), named(words, "measure", one["name"]),
         one["value"])
        for run in runs
        if run["name"] == kind and run["status"] == "done"
        for one in run["figures"]
        if one["name"] in names
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["time", "figure", "value"])


def _plots(
    words: Words, runs: list[Json], kind: str | None, names: list[str]
) -> tuple[Any, str]:  # fmt: skip
    """Return figures over time as lines, and those of the latest runs with their intervals."""
    rows = over_time(words, runs, kind, names)
    own = [run for run in runs if run["name"] == kind and run["status"] == "done"]
    line = gr.LinePlot(rows, visible=rows["time"].nunique() > 1)
    return line, intervals_over_time(words, own, names)
