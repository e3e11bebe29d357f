"""The tab of adapters: which answer, what the gate measured of each, promote and roll back."""

from __future__ import annotations

from typing import Any, ClassVar

import gradio as gr

from ui.web.api import Json
from ui.web.markup import escape, tag
from ui.web.owner.deciding import Deciding, body_of, decided_on
from ui.web.owner.desk import Desk, Told
from ui.web.owner.pieces import (
    aside,
    badge,
    confirm,
    field,
    grid,
    hidden,
    press,
    said,
    tick,
    unseen,
)
from ui.web.owner.telling import ago, between, named, number, percent, signed, yes
from ui.web.words import Words

STATUS = {
    "candidate": "", "canary": "live", "live": "good", "retired": "", "refused": "bad",
    "forgotten": "bad",
}  # fmt: skip
_TENTH = 10


def make_tab(desk: Desk, told: gr.HTML) -> tuple[Any, list[Any], list[Any]]:
    """Make the tab; return what fills it, with its inputs and outputs."""
    return _View(desk).make("adapter", told)


class _View(Deciding):
    """The adapters, and what is decided about them."""

    path: ClassVar[str] = "/v1/owner/learning"
    decisions: ClassVar[frozenset[str]] = frozenset({"promote", "canary", "retire", "rollback"})

    def overview(self, found: Json) -> str:
        """Return the adapters."""
        return overview(self.words, found)

    def question(self, step: str, action: Json, found: Json) -> str:
        """Return what is asked before a decision."""
        return question(self.words, step, str(action.get("name", "")), found)

    async def decide(self, step: str, given: dict[str, str]) -> Told:
        """Send a decision with what was typed."""
        body, name = body_of(given), given.get("name", "")
        path = f"/v1/owner/adapters:{step}"
        if step == "rollback":
            done, told = await self.desk.post(path, body)
            if done is None:
                return told
            back = done.get("live") or self.words("adapter.without")
            return Told(self.words("adapter.done_rollback", name=back))
        body |= {"name": name, "force": given.get("force") == "yes"}
        if step == "canary":
            share = share_of(given.get("share", ""))
            if share is None:
                return Told(self.words("decide.bad_share"), trouble=True)
            body["share"] = share
            return await self.sent(path, body, "adapter.done_canary", name=name,
                                   share=percent(share))  # fmt: skip
        return await self.sent(path, body, f"adapter.done_{step}", name=name)


def share_of(typed: str) -> float | None:
    """Return the share that somebody typed in percent; None where it is none."""
    try:
        share = float(typed.removesuffix("%").strip().replace(",", ".")) / 100
    except ValueError:
        return None
    return share if 0 < share < 1 else None


def question(words: Words, step: str, name: str, found: Json) -> str:
    """Return what is asked before a decision."""
    now = found["live"] or words("adapter.base_alone", base=found["base"])
    fit = any(one["name"] == name and _fit(one, found) for one in found["adapters"])
    force = "" if fit or step in ("retire", "rollback") else tick("force", words("decide.force"))
    share = field("share", words("decide.share"), str(_TENTH), kind="number", min="1", max="99",
                  step="any") if step == "canary" else ""  # fmt: skip
    inner = hidden("name", name) + share + decided_on(words, found) + force
    return confirm(
        words, words(f"adapter.ask_{step}", name=name),
        words(f"adapter.says_{step}", name=name, now=now), inner, words(f"adapter.go_{step}"),
        step, stops=step in ("retire", "rollback"),
    )  # fmt: skip


def _fit(one: Json, found: Json) -> bool:
    """Return whether the gate's word on an adapter still holds: about what answers now, unused."""
    beside = {"base", one["base"]} if found["live"] is None else {found["live"]}
    return bool(one["passed"]) and one["status"] != "retired" and one["beside"] in beside


def overview(words: Words, found: Json) -> str:
    """Return the adapters, their figures side by side and what was done with them."""
    live_now, trial = found["live"], found["trial"]
    answers = live_now or words("adapter.base_alone", base=found["base"])
    line = words("adapter.now", name=answers)
    line += words("adapter.on_trial", name=trial) if trial else ""
    told = said(line) + ("" if found["served"] else aside(words("adapter.not_served")))
    told += "".join(
        tag("p", f"{badge('!', 'bad')} {escape(_problem(words, name, why, found))}",
            class_="at-say")
        for name, why in found["problems"].items()
    )  # fmt: skip
    back = press(words("adapter.back"), {"do": "ask-rollback"}, "at-stop") if live_now else ""
    return "".join(
        (
            unseen(words("tab.adapters")),
            tag("div", tag("div", told) + back, class_="at-turn-head"),
            _table(words, found["adapters"]),
            side_by_side(words, found["adapters"]),
            history(words, found["history"]),
        )
    )


def _problem(words: Words, name: str, why: str, found: Json) -> str:
    """Return what is wrong with an adapter here, or with what serves them."""
    known = any(one["name"] == name for one in found["adapters"])
    return words("adapter.problem", name=name, why=why) if known else f"{name}: {why}"


def _table(words: Words, adapters: list[Json]) -> str:
    rows = [
        (
            tag("strong", escape(one["name"])),
            badge(named(words, "status", one["status"]), STATUS.get(one["status"], "")),
            percent(one["share"]) if one["share"] else "", _gate(words, one),
            ago(words, one["added"]), escape(named(words, "method", one["method"])),
            escape(one["parent"] or ""), tag("span", _ways(words, one), class_="at-ways"),
        )
        for one in reversed(adapters)
    ]  # fmt: skip
    names = ("adapter", "state", "#answers", "gate", "added", "made_by", "grown_from", "~to_do")
    heads = tuple(f"{one[0]}{words(f'head.{one[1:]}')}" if one[0] in "#~" else
                  words(f"head.{one}") for one in names)  # fmt: skip
    return grid(heads, rows, words("tab.adapters"), empty=words("adapter.none"))


def _gate(words: Words, one: Json) -> str:
    if one["forgotten"]:
        return badge(words("adapter.forgotten"), "bad")
    if one["passed"] is None:
        return escape(words("adapter.not_judged"))
    word = badge(words("adapter.passed"), "good") if one["passed"] else badge(
        words("status.refused"), "bad")  # fmt: skip
    return f"{word} {escape(words('adapter.beside', name=one['beside']))}"


def _ways(words: Words, one: Json) -> str:
    name, status = one["name"], one["status"]
    steps = []
    if status != "live" and not one["forgotten"]:
        steps += ["promote", "canary"]
    if status in ("candidate", "canary"):
        steps += ["retire"]
    return "".join(press(words(f"adapter.way_{step}"), {"do": f"ask-{step}", "name": name})
                   for step in steps)  # fmt: skip


def side_by_side(words: Words, adapters: list[Json]) -> str:
    """Return what the gate measured of each version, a row for each figure."""
    judged = [one for one in adapters if one["gate"]]
    names = list(dict.fromkeys(row["metric"] for one in judged for row in one["gate"]["metrics"]))
    values = [{row["metric"]: row for row in one["gate"]["metrics"]} for one in judged]
    rows = [
        (figure_name(words, name), *(_measured(words, own.get(name)) for own in values))
        for name in names
    ]
    heads = (words("head.figure"), *(f"#{one['name']}" for one in judged))
    note = aside(words("adapter.in_brackets")) if rows else ""
    return grid(heads, rows, words("adapter.measured"), empty=words("adapter.measured_none")) + note


def figure_name(words: Words, name: str) -> str:
    """Return what a figure is in words, with its name in reports beside."""
    known = words.get(f"measure.{name}")
    if known is None:
        return escape(name)
    return escape(known) + " " + tag("code", escape(name))


def _measured(words: Words, row: Json | None) -> str:
    if row is None:
        return ""
    told = number(row["adapter"])
    if row["before"] is None:
        return told
    moved = signed(row["adapter"] - row["before"])
    if row["low"] is not None:
        moved += f", {between(words, row['low'], row['high'])}"
    style = "at-bad" if row["against"] else "at-good" if row["improved"] else ""
    return tag("span", f"{told} " + tag("small", escape(f"({moved})")), class_=style or None)


def history(words: Words, changes: list[Json]) -> str:
    """Return what was done with adapters, newest first."""
    rows = [
        (
            ago(words, one["time"]), escape(named(words, "done", one["what"])),
            escape(one["adapter"] or ""), escape(one["who"]), escape(one["why"]),
            yes(words, True) if one["forced"] else "",
        )
        for one in changes
    ]  # fmt: skip
    heads = tuple(words(f"head.{one}") for one in ("when", "what", "adapter", "who", "why",
                                                   "forced"))  # fmt: skip
    return grid(heads, rows, words("adapter.history"), empty=words("adapter.no_history"))
