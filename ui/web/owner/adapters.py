"""The tab of adapters: which answer, what the gate measured of each, promote and roll back."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui.web.api import Json
from ui.web.markup import escape, tag
from ui.web.owner.desk import OWN, Desk, Told, fields, live, pressed
from ui.web.owner.pieces import badge, confirm, field, grid, hidden, press, tick, unseen
from ui.web.owner.telling import ago, between, named, number, percent, signed, yes

STATUS = {
    "candidate": "", "canary": "live", "live": "good", "retired": "", "refused": "bad",
    "forgotten": "bad",
}  # fmt: skip
ACTIONS = {
    "add": "added", "judge": "judged by the gate", "promote": "promoted", "canary": "canary",
    "experiment": "experiment begun", "reshare": "shares changed", "end": "trial ended",
    "rollback": "rolled back", "retire": "retired", "forget": "marked: its data was deleted",
}  # fmt: skip
FORCE = "although the gate has not passed it beside what answers now"
_TENTH = 10


def make_tab(desk: Desk, told: gr.HTML) -> tuple[Any, list[Any], list[Any]]:
    """Make the tab; return what fills it, with its inputs and outputs."""
    view = _View(desk)
    asked = live("at-owner-adapter-asked")
    shown = live("at-owner-adapters", tag("p", "Looking …", class_="at-empty"))
    parts = [shown, asked, told]
    for piece in (shown, asked):
        piece.click(view.act, None, parts, **OWN)
    return view.look, [], parts


class _View:
    """Draws the tab, and decides what is confirmed."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def look(self) -> list[Any]:
        """Return the adapters."""
        found, told = await self.desk.get("/v1/owner/learning")
        if found is None:
            return [gr.skip(), gr.skip(), told.markup()]
        return [overview(found), "", told.markup()]

    async def act(self, event: gr.EventData) -> list[Any]:
        """Ask before a decision; take it when it is confirmed."""
        action = pressed(event)
        do = str(action.get("do", ""))
        if do.startswith("ask-"):
            found, told = await self.desk.get("/v1/owner/learning")
            if found is None:
                return [gr.skip(), gr.skip(), told.markup()]
            asking = question(do.removeprefix("ask-"), str(action.get("name", "")), found)
            return [gr.skip(), asking, Told().markup()]
        if do not in ("promote", "canary", "retire", "rollback"):
            return [gr.skip(), "", Told().markup()]
        told = await self._decide(do, fields(action))
        if told.trouble:
            return [gr.skip(), gr.skip(), told.markup()]
        shown, _, _ = await self.look()
        return [shown, "", told.markup()]

    async def _decide(self, step: str, given: dict[str, str]) -> Told:
        body: Json = {"why": given.get("why", "")}
        if step != "rollback":
            body |= {"name": given.get("name", ""), "force": given.get("force") == "yes"}
        if step == "canary":
            share = share_of(given.get("share", ""))
            if share is None:
                return Told("The share must be a number above 0 and below 100.", trouble=True)
            body["share"] = share
        return await self.desk.decide(f"/v1/owner/adapters:{step}", body)


def share_of(typed: str) -> float | None:
    """Return the share that somebody typed in percent; None where it is none."""
    try:
        share = float(typed.removesuffix("%").strip().replace(",", ".")) / 100
    except ValueError:
        return None
    return share if 0 < share < 1 else None


def question(step: str, name: str, found: Json) -> str:
    """Return what is asked before a decision."""
    now = found["live"] or f"{found['base']}, without an adapter,"
    fit = any(one["name"] == name and _fit(one, found) for one in found["adapters"])
    force = "" if fit or step == "retire" else tick("force", FORCE)
    about = hidden("name", name)
    why = field("why", "Why (kept in the history)", maxlength="500")
    if step == "promote":
        says = (f"{name} will answer everybody from the next conversation on. {now} answers now "
                "and can be returned to.")  # fmt: skip
        return confirm(f"Promote {name}?", says, about + why + force, "Promote", step)
    if step == "canary":
        share = field("share", "Percent of the conversations that begin", str(_TENTH),
                      kind="number", min="1", max="99", step="any")  # fmt: skip
        says = f"{name} will answer a share of the conversations that begin; {now} the others."
        return confirm(f"Try {name} on some?", says, about + share + why + force, "Begin", step)
    if step == "retire":
        says = f"{name} will answer nobody; conversations that have it go on with {now}."
        return confirm(f"Take {name} out of use?", says, about + why, "Retire", step, stops=True)
    says = (f"{now} answers now. What answered before it will answer everybody at once; a canary "
            "or an experiment ends.")  # fmt: skip
    return confirm("Roll back?", says, why, "Roll back", "rollback", stops=True)


def _fit(one: Json, found: Json) -> bool:
    """Return whether the gate's word on an adapter still holds: about what answers now, unused."""
    beside = {"base", one["base"]} if found["live"] is None else {found["live"]}
    return bool(one["passed"]) and one["status"] != "retired" and one["beside"] in beside


def overview(found: Json) -> str:
    """Return the adapters, their figures side by side and what was done with them."""
    live_now, trial = found["live"], found["trial"]
    answers = tag("strong", escape(live_now)) if live_now else escape(
        f"{found['base']}, without an adapter")  # fmt: skip
    said = tag("p", f"Answering now: {answers}"
               + (escape(f"; on trial: {trial}") if trial else ""), class_="at-say")  # fmt: skip
    if not found["served"]:
        said += tag("p", "No language model is served here, so the rules answer. What is decided "
                    "takes effect where one is.", class_="at-none-yet")  # fmt: skip
    back = press("Roll back …", {"do": "ask-rollback"}, "at-stop") if live_now else ""
    return "".join(
        (
            unseen("Adapters"),
            tag("div", said + back, class_="at-turn-head"),
            _table(found["adapters"]),
            side_by_side(found["adapters"]),
            history(found["history"]),
        )
    )


def _table(adapters: list[Json]) -> str:
    rows = [
        (
            tag("strong", escape(one["name"])), badge(one["status"], STATUS.get(one["status"], "")),
            percent(one["share"]) if one["share"] else "", _gate(one), ago(one["added"]),
            escape(one["method"]), escape(one["parent"] or ""),
            tag("span", _ways(one), class_="at-ways"),
        )
        for one in reversed(adapters)
    ]  # fmt: skip
    heads = ("adapter", "status", "#answers", "gate", "added", "made by", "from", "~what to do")
    return grid(heads, rows, "Adapters", empty="None yet: a round of learning makes the first "
                "(Runs), or attune adapters add.")  # fmt: skip


def _gate(one: Json) -> str:
    if one["forgotten"]:
        return badge("its data was deleted", "bad")
    if one["passed"] is None:
        return "not judged"
    word = badge("passed", "good") if one["passed"] else badge("refused", "bad")
    return word + escape(f" beside {one['beside']}")


def _ways(one: Json) -> str:
    name, status = one["name"], one["status"]
    made = ""
    if status != "live" and not one["forgotten"]:
        made += press("Promote …", {"do": "ask-promote", "name": name})
        made += press("Try on some …", {"do": "ask-canary", "name": name})
    if status in ("candidate", "canary"):
        made += press("Retire …", {"do": "ask-retire", "name": name})
    return made


def side_by_side(adapters: list[Json]) -> str:
    """Return what the gate measured of each version, a row for each figure."""
    judged = [one for one in adapters if one["gate"]]
    names = list(dict.fromkeys(row["metric"] for one in judged for row in one["gate"]["metrics"]))
    values = [{row["metric"]: row for row in one["gate"]["metrics"]} for one in judged]
    rows = [
        (escape(name), *(_measured(own.get(name)) for own in values)) for name in names
    ]  # fmt: skip
    heads = ("figure", *(f"#{one['name']}" for one in judged))
    note = tag("p", "In brackets: the difference to what answered before it, with its 95 % "
               "interval.", class_="at-none-yet") if rows else ""  # fmt: skip
    return grid(heads, rows, "What the gate measured, side by side",
                empty="The gate has measured none yet.") + note  # fmt: skip


def _measured(row: Json | None) -> str:
    if row is None:
        return ""
    said = number(row["adapter"])
    if row["before"] is None:
        return said
    moved = signed(row["adapter"] - row["before"])
    if row["low"] is not None:
        moved += f", {between(row['low'], row['high'])}"
    style = "at-bad" if row["against"] else "at-good" if row["improved"] else ""
    return tag("span", f"{said} " + tag("small", escape(f"({moved})")), class_=style or None)


def history(changes: list[Json]) -> str:
    """Return what was done with adapters, newest first."""
    rows = [
        (
            ago(one["time"]), escape(named(ACTIONS, one["what"])),
            escape(one["adapter"] or ""), escape(one["who"]), escape(one["why"]),
            yes(True) if one["forced"] else "",
        )
        for one in changes
    ]  # fmt: skip
    return grid(("when", "what", "adapter", "who", "why", "forced"), rows, "What was done",
                empty="Nothing yet.")  # fmt: skip
