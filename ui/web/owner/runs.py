"""The tab of runs: evaluations and other long work started, followed, stopped, and compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import gradio as gr
import pandas as pd

from ui.web.api import Json
from ui.web.markup import escape, tag
from ui.web.owner.desk import OWN, Desk, Told, live, pressed
from ui.web.owner.pieces import (
    badge,
    bar,
    facts,
    fold,
    grid,
    opens,
    panel,
    press,
    unseen,
    verbatim,
    whiskers,
)
from ui.web.owner.telling import ago, between, lasted, named, number, plural, signed

POLL_S = 1.5
STATUS = {"running": "live", "done": "good", "failed": "bad", "stopped": "", "lost": "bad"}
VERDICTS = {"better": "good", "worse": "bad"}
SAID = {"better": "better", "worse": "worse", "same": "the same", "unclear": "could be chance",
        "changed": "changed"}  # fmt: skip
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
    view = _View(desk)
    watched = gr.State(Watched())
    with gr.Row(equal_height=False, elem_classes="at-owner-entry"):
        choice = gr.Dropdown([], label="What to run", scale=5, interactive=True)
        start = gr.Button("Start", variant="primary", scale=1, min_width=100)
    shown = live("at-owner-run")
    with gr.Row(equal_height=False):
        kind = gr.Dropdown(
            [], label="Figures over time of", scale=2, interactive=True, visible=False
        )
        which = gr.Dropdown([], label="Figures", multiselect=True, scale=4, interactive=True,
                            max_choices=MOST_PLOTTED, visible=False)  # fmt: skip
    plot = gr.LinePlot(None, x="time", y="value", color="figure", height=280, visible=False,
                       x_title="when", elem_id="at-owner-over-time")  # fmt: skip
    listed = live("at-owner-runs", tag("p", "Looking …", class_="at-empty"))
    parts = [watched, shown, listed, strip, timer, told]
    filled = [*parts, choice, kind, which, plot]
    start.click(view.begin, [choice, watched], parts, **OWN)
    for piece in (shown, listed, strip):
        piece.click(view.act, [watched], parts, **OWN)
    timer.tick(view.look, [watched], parts, **OWN)
    kind.input(view.figures, [kind], [which, plot, told], **OWN)
    which.input(view.plotted, [kind, which], [plot, told], **OWN)
    return view.opened, [watched], filled


class _View:
    """Draws the tab, and does what is pressed."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def opened(self, watched: Watched) -> list[Any]:
        """Return all of the tab."""
        found, told = await self.desk.get("/v1/owner/runs")
        if found is None:
            return [gr.skip()] * 5 + [told.markup()] + [gr.skip()] * 4
        names = [(one["does"], one["name"]) for one in found["choices"]]
        own = await self._drawn(watched, found)
        kinds = measured(found)
        first = kinds[0][1] if kinds else None
        which, plot = _figures(found["runs"], first)
        choice = gr.Dropdown(choices=names, value=names[0][1] if names else None)
        kind = gr.Dropdown(choices=kinds, value=first, visible=bool(kinds))
        return [*own, choice, kind, which, plot]

    async def look(self, watched: Watched) -> list[Any]:
        """Return how things stand."""
        found, told = await self.desk.get("/v1/owner/runs")
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
        runs = found["runs"]
        does = {one["name"]: one["does"] for one in found["choices"]}
        on = next((one for one in runs if one["status"] == "running"), None)
        if on is not None and not watched.id:
            watched = replace(watched, id=on["id"])
        box, told = await self._box(watched, does, [one["id"] for one in reversed(runs)])
        told = told if told.text else Told()
        return [watched, box, listing(runs, does, watched), strip_of(on, does),
                gr.Timer(active=on is not None), told.markup()]  # fmt: skip

    async def _box(
        self, watched: Watched, does: dict[str, str], order: list[str]
    ) -> tuple[str, Told]:
        """Return the two runs side by side, the older one first, or the one that is open."""
        chosen = [id for id in order if id in watched.chosen]
        if len(chosen) == 2:
            first, second = chosen
            path = f"/v1/owner/runs/compared?first={quote(first)}&second={quote(second)}"
            both, told = await self.desk.get(path)
            return ("" if both is None else comparison(both, does)), told
        if not watched.id:
            return "", Told()
        run, told = await self.desk.get(f"/v1/owner/runs/{quote(watched.id)}")
        return ("" if run is None else one_run(run, does)), told

    async def figures(self, kind: str | None) -> list[Any]:
        """Return the figures of a kind of run, to choose among, and their plot."""
        found, told = await self.desk.get("/v1/owner/runs")
        which, plot = _figures((found or {}).get("runs", []), kind)
        return [which, plot, told.markup()]

    async def plotted(self, kind: str | None, names: list[str]) -> list[Any]:
        """Return the plot of the figures that were chosen."""
        found, told = await self.desk.get("/v1/owner/runs")
        return [_plot(over_time((found or {}).get("runs", []), kind, names)), told.markup()]


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


def _figures(runs: list[Json], kind: str | None) -> tuple[Any, Any]:
    last = next((one for one in runs if one["name"] == kind and one["figures"]), None)
    names = [one["name"] for one in last["figures"]] if last else []
    shares = [name for name in told_first(last["figures"]) if _within_one(runs, kind, name)] \
        if last else []  # fmt: skip
    most = (shares or names)[:3]
    which = gr.Dropdown(choices=names, value=most, visible=bool(names))
    return which, _plot(over_time(runs, kind, most))


def told_first(found: list[Json]) -> list[str]:
    """Return the figures that say how good something is; those with an interval first."""
    rated = [one for one in found if one["better"]]
    return [one["name"] for one in sorted(rated, key=lambda one: one["low"] is None)]


def _within_one(runs: list[Json], kind: str | None, name: str) -> bool:
    """Return whether a figure lies from 0 to 1, so that several can be drawn on one scale."""
    return bool(over_time(runs, kind, [name])["value"].between(0, 1).all())


def over_time(runs: list[Json], kind: str | None, names: list[str]) -> pd.DataFrame:
    """Return figures of the runs of a kind that are done, by when they began."""
    rows = [
        (pd.Timestamp(run["begun"]).tz_convert(None), one["name"], one["value"])
        for run in runs
        if run["name"] == kind and run["status"] == "done"
        for one in run["figures"]
        if one["name"] in names
    ]
    return pd.DataFrame(rows, columns=["time", "figure", "value"])


def _plot(rows: pd.DataFrame) -> Any:
    return gr.LinePlot(rows, visible=rows["time"].nunique() > 1)


def strip_of(run: Json | None, does: dict[str, str]) -> str:
    """Return what is under way, for every tab."""
    if run is None:
        return ""
    said = tag("span", escape(f"Under way: {named(does, run['name'])}, "
                              f"{lasted(run['seconds'])}"))  # fmt: skip
    done = run["progress"]
    meter = bar(done, f"{done:.0%}") if done is not None else tag("span", "", class_="at-working")
    return tag("div", said + meter + press("Stop", {"do": "stop", "id": run["id"]}, "at-stop"),
               class_="at-strip", role="status")  # fmt: skip


def one_run(run: Json, does: dict[str, str]) -> str:
    """Return a run: how it stands, its figures, log and result."""
    on = run["status"] == "running"
    head = badge(run["status"], STATUS[run["status"]]) + escape(
        f" {lasted(run['seconds'])} · ") + ago(run["begun"])  # fmt: skip
    if on and run["progress"] is not None:
        head += bar(run["progress"], f"{run['progress']:.0%}")
    ways = press("Stop", {"do": "stop", "id": run["id"]}, "at-stop") if on else ""
    about = run["about"] or {}
    on_what = f"{about.get('catalog')}, {about.get('items', 0):,} items, version " \
              f"{about.get('version')}" if about else ""  # fmt: skip
    body = tag("p", head, class_="at-say") + ways + facts([
        ("On", escape(on_what)), ("Answered by", escape(str(about.get("answers") or ""))),
    ])  # fmt: skip
    if run["status"] == "lost":
        body += tag("p", "The server ended before this did.", class_="at-say")
    body += figures(run["figures"]) if run["figures"] else ""
    if run["log"].strip():
        log = verbatim(run["log"].strip(), "what it told")
        body += log if on or run["status"] == "failed" else fold("What it told on the way", log)
    if run["result"] is not None:
        body += fold("The whole result", verbatim(_pretty(run["result"]), "result"))
    return panel(named(does, run["name"]), body, "run")


def _pretty(value: Any) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)


def figures(found: list[Json]) -> str:
    """Return figures with their intervals."""
    rows = [
        (escape(one["name"]), number(one["value"]), between(one["low"], one["high"]),
         {"higher": "more is better", "lower": "less is better"}.get(one["better"], ""))
        for one in found
    ]  # fmt: skip
    return grid(("figure", "#value", "#95 % interval", "~better"), rows, "Figures")


def comparison(both: Json, does: dict[str, str]) -> str:
    """Return two runs side by side: which is better, by how much, and whether that is chance."""
    first, second = both["first"], both["second"]
    said = tag("p", tag("strong", escape(both["said"])), class_="at-say")
    if not both["alike"]:
        said += tag("p", "They are of different kinds; only what has the same name is compared.",
                    class_="at-none-yet")  # fmt: skip
    rows = [
        (
            escape(one["name"]), number(one["first"]), number(one["second"]),
            signed(one["difference"]), between(one["low"], one["high"]),
            badge(SAID[one["verdict"]], VERDICTS.get(one["verdict"], "")),
        )
        for one in both["rows"]
    ]  # fmt: skip
    heads = ("figure", "#first", "#second", "#difference", "#95 % interval", "~verdict")
    plot = whiskers(
        [(one["name"], one["difference"], one["low"], one["high"])
         for one in both["rows"] if one["low"] is not None and one["verdict"] != "changed"],
        "Second less first, each on a scale of its own", zero=True,
    )  # fmt: skip
    note = tag("p", "Intervals are as if the runs had measured different cases: where both "
               "measured the same ones, they are wider than need be.",
               class_="at-none-yet")  # fmt: skip
    named = facts([(label, _named(run, does))
                   for label, run in (("First", first), ("Second", second))])  # fmt: skip
    return panel("Two runs side by side", named + said + grid(heads, rows, "") + plot + note,
                 "compared")  # fmt: skip


def _named(run: Json, does: dict[str, str]) -> str:
    about = run["about"] or {}
    on = f", {about['catalog']} version {about['version']}, {about['answers']}" if about else ""
    return escape(named(does, run["name"])) + ", " + ago(run["begun"]) + escape(on)


def listing(runs: list[Json], does: dict[str, str], watched: Watched) -> str:
    """Return the runs, newest first."""
    rows = [
        (
            opens(named(does, run["name"]), {"do": "open", "id": run["id"]}),
            badge(run["status"], STATUS[run["status"]]), ago(run["begun"]),
            lasted(run["seconds"]), _main(run), _compare(run, watched),
        )
        for run in runs
    ]  # fmt: skip
    current = next((n for n, run in enumerate(runs) if run["id"] == watched.id), None)
    count = len(watched.chosen)
    said = f"Runs ({count} chosen to compare)" if count == 1 else "Runs"
    heads = ("run", "~state", "begun", "#took", "figures", "compare")
    empty = "Nothing was run yet: choose something above and press Start."
    return unseen("Runs") + grid(heads, rows, said, current=current, empty=empty)


def _main(run: Json) -> str:
    """Return the first figures of a run that say how good something is."""
    values = {one["name"]: one["value"] for one in run["figures"]}
    if names := told_first(run["figures"])[:2]:
        return escape(" · ".join(f"{name} {number(values[name])}" for name in names))
    return escape(plural(len(run["figures"]), "figure")) if run["figures"] else ""


def _compare(run: Json, watched: Watched) -> str:
    if run["status"] != "done" or not run["figures"]:
        return ""
    on = run["id"] in watched.chosen
    made = press("Chosen" if on else "Choose", {"do": "choose", "id": run["id"]})
    return made.replace("<button", f'<button aria-pressed="{"true" if on else "false"}"', 1)
