"""The owner's pages: conversations taken apart, the catalog's health, what was learned, long runs.

Behind a password; everything shown comes from the API with the admin scope, so that the pages work
beside a server elsewhere too. Gradio's own components throughout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr
import pandas as pd

from ui.web.api import Api, ApiError, Json

SESSIONS = ("last", "turns", "begun", "user", "handover", "id")
POLL_S = 1.0

OWN: dict[str, Any] = {"api_visibility": "private"}
"""Of every listener: what the pages do is no API of its own, and not told before the login."""


def make_owner(api: Api, title: str = "Attune · owner") -> gr.Blocks:
    """Return the owner's pages as Gradio blocks."""
    desk = _Desk(api)
    with gr.Blocks(title=title, fill_width=True, analytics_enabled=False) as blocks:
        gr.Markdown(f"# {title}\n[The shop](/)")
        trouble = gr.Markdown("", elem_id="at-owner-trouble")
        with gr.Tabs():
            with gr.Tab("Conversations", id="conversations"):
                _conversations(desk, trouble, blocks)
            with gr.Tab("Catalog", id="catalog") as tab:
                _catalog(desk, trouble, tab)
            with gr.Tab("Feedback", id="feedback") as tab:
                _feedback(desk, trouble, tab)
            with gr.Tab("Adapters", id="adapters") as tab:
                _adapters(desk, trouble, tab)
            with gr.Tab("Runs", id="runs") as tab:
                _runs(desk, trouble, tab)
    return blocks


class _Desk:
    """Asks the API, and says in words what it could not do."""

    def __init__(self, api: Api) -> None:
        self.api = api

    async def get(self, path: str) -> tuple[Any, str]:
        """Return an answer and no trouble, or None and what is wrong."""
        return await self._ask("GET", path)

    async def post(self, path: str, body: Json) -> tuple[Any, str]:
        """Send something; return as `get` does."""
        return await self._ask("POST", path, body)

    async def _ask(self, method: str, path: str, body: Json | None = None) -> tuple[Any, str]:
        try:
            return await self.api.ask(method, path, body), ""
        except ApiError as error:
            known = {"server": "The server cannot be reached.", "slow": "That took too long.",
                     "login": "The key has no admin scope, or has expired."}  # fmt: skip
            return None, f"⚠️ **{known.get(error.kind, 'Refused:')}** {error.reason}"


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> pd.DataFrame:
    """Return rows as a table; values that are no text or number are told as text."""
    names = list(columns) or list(dict.fromkeys(name for row in rows for name in row))
    plain = [[_cell(row.get(name)) for name in names] for row in rows]
    return pd.DataFrame(plain, columns=names)


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool | str) or not isinstance(value, int | float):
        return str(value)
    return round(value, 4) if isinstance(value, float) else value


def _grid(label: str, widths: Sequence[str] = ()) -> gr.Dataframe:
    return gr.Dataframe(
        label=label, interactive=False, wrap=True, max_height=360, headers=["–"], column_count=1,
        column_widths=list(widths) or None,
    )  # fmt: skip


def _conversations(desk: _Desk, trouble: gr.Markdown, blocks: gr.Blocks) -> None:
    with gr.Row():
        refresh = gr.Button("Refresh", scale=0)
        session = gr.Textbox(label="Session", scale=3, placeholder="press a row below")
        number = gr.Number(label="Turn", value=1, minimum=1, precision=0, scale=1)
    listed = _grid("Latest conversations", ["20%", "6%", "30%", "12%", "9%", "23%"])
    said = gr.Markdown(elem_id="at-owner-said")
    with gr.Row():
        wishes = _grid("Wishes before and after")
        mentions = _grid("Mentions: what was recognised")
    with gr.Row():
        acts = gr.JSON(label="Plan")
        filtered = gr.JSON(label="Filter of the search")
    ranked = _grid("Candidates with scores (ranked again over the catalog as it is now)")
    times = gr.BarPlot(
        None, x="stage", y="ms", title="Milliseconds per stage",
        height=240,
    )  # fmt: skip
    with gr.Accordion("Prompt that the model was shown, service, words by the model", open=False):
        rest = gr.JSON(label="as stored")

    async def latest() -> list[Any]:
        rows, wrong = await desk.get("/v1/owner/sessions")
        return [table(rows or [], SESSIONS), wrong]

    async def inspect(id: str, place: float) -> list[Any]:
        id, place = id.strip(), int(place or 1)
        if not id:
            return [gr.skip()] * 8 + ["Press a conversation, or give the id of a session."]
        turn, wrong = await desk.get(f"/v1/owner/sessions/{id}/turns/{place}")
        if turn is None:
            return [gr.skip()] * 8 + [wrong]
        return [*_of_turn(turn), ""]

    async def pressed(event: gr.SelectData) -> list[Any]:
        id = str(event.row_value[SESSIONS.index("id")])
        turns = int(event.row_value[SESSIONS.index("turns")] or 0)
        return [id, max(turns, 1), *(await inspect(id, max(turns, 1)))]

    parts = [said, wishes, mentions, acts, filtered, ranked, times, rest, trouble]
    gr.on([refresh.click, blocks.load], latest, None, [listed, trouble], **OWN)
    listed.select(pressed, None, [session, number, *parts], **OWN)
    gr.on([session.submit, number.submit, number.input], inspect, [session, number], parts, **OWN)


def _of_turn(turn: Json) -> list[Any]:
    """Return the values of the inspector's parts for a turn."""
    head = (
        f"**Turn {turn['number']} of {turn['turns']}** · planner **{turn['planner']}** · voice "
        f"{turn['voice'] or '–'}" + (f" · fallback: {turn['fallback']}" if turn["fallback"] else "")
    )
    said = f"{head}\n\n```text\n> {_fenced(turn['utterance'])}\n\n{_fenced(turn['reply'])}\n```"
    both = [
        {"before": old, "after": new}
        for old, new in zip(*_padded(turn["before"], turn["after"]), strict=True)
    ]
    stages = pd.DataFrame({"stage": list(turn["timings"]), "ms": list(turn["timings"].values())})
    rest = {name: turn[name] for name in ("prompt", "service", "written", "relaxations", "notes")}
    return [
        said, table(both, ("before", "after")), table(turn["mentions"]), turn["acts"],
        turn["filter"], table(turn["candidates"]), stages, rest,
    ]  # fmt: skip


def _fenced(text: str) -> str:
    """Return text that cannot end the block it is shown in."""
    return text.replace("```", "'''")


def _padded(left: list[str], right: list[str]) -> tuple[list[str], list[str]]:
    most = max(len(left), len(right))
    return left + [""] * (most - len(left)), right + [""] * (most - len(right))


def _catalog(desk: _Desk, trouble: gr.Markdown, tab: gr.Tab) -> None:
    head = gr.Markdown()
    coverage = gr.BarPlot(
        None, x="facet", y="coverage", height=260,
        title="Share of items that have a value", sort="-y", x_label_angle=-50,
    )  # fmt: skip
    columns = _grid("Columns, and what they were taken for")
    facets = _grid("Facets")
    rejected = _grid("Rows that were rejected")
    never = _grid("Items never shown (the first fifty)")

    async def look() -> list[Any]:
        found, wrong = await desk.get("/v1/owner/catalog")
        if found is None:
            return [gr.skip()] * 6 + [wrong]
        lack = ", ".join(f"{n:,} without {what}" for what, n in found["lacking"].items())
        said = (
            f"**{found['name']}**: {found['items']:,} items, {found['never_shown']:,} of them "
            f"never shown · {lack} · {len(found['rejects']):,} rows rejected"
        )
        shares = pd.DataFrame(
            {name: [one[name] for one in found["facets"]] for name in ("facet", "coverage")}
        )
        return [said, shares, table(found["columns"]), table(found["facets"]),
                table(found["rejects"]), table(found["never_shown_examples"]), ""]  # fmt: skip

    tab.select(look, None, [head, coverage, columns, facets, rejected, never, trouble], **OWN)


def _feedback(desk: _Desk, trouble: gr.Markdown, tab: gr.Tab) -> None:
    head = gr.Markdown()
    kinds = gr.BarPlot(
        None, x="kind", y="events", height=260,
        title="What people did", sort="-y",
    )  # fmt: skip
    doubts = _grid("What may be wrong with it")
    rounds = _grid("Rounds of learning")
    whole = gr.JSON(label="Report")

    async def look() -> list[Any]:
        found, wrong = await desk.get("/v1/owner/feedback")
        learned, also = await desk.get("/v1/owner/learning")
        if found is None:
            return [gr.skip()] * 5 + [wrong]
        said = (
            f"**{found['sessions']:,}** conversations, {found['turns']:,} turns, "
            f"{found['events']:,} events; {found['with_feedback']:.0%} of slates got any"
        )
        counts = pd.DataFrame(
            {"kind": list(found["kinds"]), "events": list(found["kinds"].values())}
        )
        doubted = [{"doubt": one} for one in found["doubts"]]
        return [said, counts, table(doubted, ("doubt",)),
                table((learned or {}).get("rounds") or []), found, also]  # fmt: skip

    tab.select(look, None, [head, kinds, doubts, rounds, whole, trouble], **OWN)


def _adapters(desk: _Desk, trouble: gr.Markdown, tab: gr.Tab) -> None:
    head = gr.Markdown()
    listed = _grid("Adapters")
    with gr.Row():
        name = gr.Textbox(label="Adapter", scale=3, placeholder="press a row above")
        why = gr.Textbox(label="Why", scale=3)
        promote = gr.Button("Promote", variant="primary", scale=1)
        canary = gr.Button("Canary (10 %)", scale=1)
        back = gr.Button("Roll back", variant="stop", scale=1)
    metrics = _grid("What the gate measured: the adapter, and what answered before")
    history = _grid("What was done")

    async def look() -> list[Any]:
        found, wrong = await desk.get("/v1/owner/learning")
        if found is None:
            return [gr.skip()] * 3 + [wrong]
        columns = ("name", "status", "share", "parent", "added", "forgotten", "verdict")
        rows = [{**one, "verdict": (one["gate"] or {}).get("verdict")} for one in found["adapters"]]
        answers = found["live"] or "none: the model or the rules answer"
        return [f"Answering now: **{answers}**", table(rows, columns), table(found["history"]), ""]

    async def pressed(event: gr.SelectData) -> list[Any]:
        chosen = str(event.row_value[0])
        found, wrong = await desk.get("/v1/owner/learning")
        gate: Json | None = next(
            (o["gate"] for o in (found or {}).get("adapters", ()) if o["name"] == chosen), {}
        )
        rows = (gate or {}).get("metrics", [])
        return [chosen, table(rows, ("metric", "adapter", "before")), wrong]

    async def decide(step: str, chosen: str, reason: str) -> list[Any]:
        body: Json = {"why": reason}
        if step != "rollback":
            if not chosen.strip():
                return [gr.skip()] * 3 + ["Press an adapter first, or give its name."]
            body["name"] = chosen.strip()
        _, wrong = await desk.post(f"/v1/adapters:{step}", body)
        *parts, trouble_now = await look()
        return [*parts, wrong or trouble_now]

    parts = [head, listed, history, trouble]
    tab.select(look, None, parts, **OWN)
    listed.select(pressed, None, [name, metrics, trouble], **OWN)
    for control, step in ((promote, "promote"), (canary, "canary"), (back, "rollback")):
        control.click(decide, [gr.State(step), name, why], parts, **OWN)


def _runs(desk: _Desk, trouble: gr.Markdown, tab: gr.Tab) -> None:
    with gr.Row():
        choice = gr.Dropdown([], label="What to run", scale=3, interactive=True)
        start = gr.Button("Start", variant="primary", scale=1)
        stop = gr.Button("Stop", variant="stop", scale=1)
    state = gr.Markdown()
    log = gr.Textbox(label="Progress", lines=6, max_lines=14, interactive=False, autoscroll=True)
    plot = gr.BarPlot(
        None, x="figure", y="value", height=260,
        title="Figures of the result",
    )  # fmt: skip
    result = gr.JSON(label="Result")
    listed = _grid("Runs since the server was started")
    watched = gr.State("")
    timer = gr.Timer(POLL_S, active=False)

    async def look(id: str) -> list[Any]:
        found, wrong = await desk.get("/v1/owner/runs")
        if found is None:
            return [gr.skip()] * 5 + [gr.Timer(active=False), wrong]
        runs = found["runs"]
        run = next((one for one in runs if one["id"] == id), runs[0] if runs else None)
        rows = table(runs, ("begun", "name", "status", "seconds", "id"))
        if run is None:
            return ["Nothing was run yet.", "", gr.skip(), None, rows, gr.Timer(active=False), ""]
        said = f"**{run['name']}** · {run['status']} · {run['seconds']} s"
        figures = pd.DataFrame(figures_of(run["result"]), columns=["figure", "value"])
        on = run["status"] == "running"
        return [said, run["log"], figures, run["result"], rows, gr.Timer(active=on), ""]

    async def opened(id: str) -> list[Any]:
        found, _ = await desk.get("/v1/owner/runs")
        names = [(one["does"], one["name"]) for one in (found or {}).get("choices", ())]
        return [gr.Dropdown(choices=names, value=names[0][1] if names else None), *await look(id)]

    async def begin(name: str) -> list[Any]:
        run, wrong = await desk.post("/v1/owner/runs", {"name": name or ""})
        id = run["id"] if run else ""
        *parts, trouble_now = await look(id)
        return [id, *parts, wrong or trouble_now]

    async def end(id: str) -> list[Any]:
        found, _ = await desk.get("/v1/owner/runs")
        under_way = [
            one["id"] for one in (found or {}).get("runs", ()) if one["status"] == "running"
        ]
        wrong = ""
        for one in under_way:
            _, wrong = await desk.post(f"/v1/owner/runs/{one}:stop", {})
        *parts, trouble_now = await look(id)
        return [*parts, wrong or trouble_now]

    parts = [state, log, plot, result, listed, timer, trouble]
    tab.select(opened, [watched], [choice, *parts], **OWN)
    start.click(begin, [choice], [watched, *parts], **OWN)
    stop.click(end, [watched], parts, **OWN)
    timer.tick(look, [watched], parts, show_progress="hidden", **OWN)


def figures_of(result: Any, most: int = 24) -> list[tuple[str, float]]:
    """Return the numbers of a result with their names: of "ours" first, where it has that."""
    if not isinstance(result, dict):
        return []
    ours = result.get("ours")
    named = ours if isinstance(ours, dict) else result
    found = [
        (str(name), float(value))
        for name, value in named.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    return found[:most]
