"""The tab of experiments: what is compared on people, what they chose, begin, share and stop."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import gradio as gr

from ui.web.api import Json
from ui.web.markup import escape, tag
from ui.web.owner.adapters import FORCE, share_of
from ui.web.owner.desk import OWN, Desk, Told, fields, live, pressed
from ui.web.owner.pieces import (
    badge,
    bar,
    cards,
    choice,
    confirm,
    field,
    grid,
    hidden,
    opens,
    panel,
    press,
    tick,
    unseen,
    whiskers,
)
from ui.web.owner.telling import ago, between, named, number, percent, plural, signed

BASE = "base"
HOW = (("shared", "Each conversation is answered by one of them"),
       ("interleaved", "Both rankings take turns in each slate"))  # fmt: skip
DECISIONS = {
    "better": "{trial} is better than {control}.", "worse": "{trial} is worse than {control}.",
    "undecided": "Undecided: let it run.",
}  # fmt: skip
ENDED = {"end": "stopped", "promote": "promoted", "rollback": "rolled back", "retire": "retired",
         "experiment": "another began", "canary": "another began"}  # fmt: skip


def make_tab(desk: Desk, told: gr.HTML) -> tuple[Any, list[Any], list[Any]]:
    """Make the tab; return what fills it, with its inputs and outputs."""
    view = _View(desk)
    asked = live("at-owner-experiment-asked")
    shown = live("at-owner-experiments", tag("p", "Looking …", class_="at-empty"))
    parts = [shown, asked, told]
    for piece in (shown, asked):
        piece.click(view.act, None, parts, **OWN)
    return view.look, [], parts


class _View:
    """Draws the tab, and decides what is confirmed."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def look(self) -> list[Any]:
        """Return the experiment under way and those before."""
        found, told = await self.desk.get("/v1/owner/experiments")
        if found is None:
            return [gr.skip(), gr.skip(), told.markup()]
        return [overview(found), "", told.markup()]

    async def act(self, event: gr.EventData) -> list[Any]:
        """Ask before a decision; take it when it is confirmed; open one that has ended."""
        action = pressed(event)
        do = str(action.get("do", ""))
        if do == "past":
            path = f"/v1/owner/experiments/past?begun={quote(str(action['begun']))}"
            found, told = await self.desk.get(path)
            inner = "" if found is None else reading(found)
            box = panel(f"{found['title']}: what it said", inner, "past") if found else gr.skip()
            return [gr.skip(), box, told.markup()]
        if do.startswith("ask-"):
            found, told = await self.desk.get("/v1/owner/experiments")
            box = gr.skip() if found is None else question(do.removeprefix("ask-"), found)
            return [gr.skip(), box, told.markup()]
        if do not in ("begin", "reshare", "end"):
            return [gr.skip(), "", Told().markup()]
        told = await self._decide(do, fields(action))
        if told.trouble:
            return [gr.skip(), gr.skip(), told.markup()]
        shown, _, _ = await self.look()
        return [shown, "", told.markup()]

    async def _decide(self, step: str, given: dict[str, str]) -> Told:
        body: Json = {"why": given.get("why", "")}
        if step == "end":
            return await self.desk.decide("/v1/owner/experiments:end", body)
        share = share_of(given.get("share", ""))
        if share is None:
            return Told("The share must be a number above 0 and below 100.", trouble=True)
        trial, control = given.get("trial", ""), given.get("control", "")
        if step == "reshare" and given.get("kind") == "canary":
            body |= {"name": trial, "share": share, "force": True}
            return await self.desk.decide("/v1/owner/adapters:canary", body)
        body["arms"] = {control: round(1 - share, 6), trial: round(share, 6)}
        if step == "begin":
            if trial == control:
                return Told("Choose two different ones to compare.", trouble=True)
            interleaved = given.get("how") == "interleaved"
            if interleaved:
                body["arms"] = {control: 0.5, trial: 0.5}
            body |= {"title": given.get("title", ""), "interleaved": interleaved,
                     "force": given.get("force") == "yes"}  # fmt: skip
        return await self.desk.decide(f"/v1/owner/experiments:{step}", body)


_WHY = field("why", "Why (kept in the history)", maxlength="500")


def question(step: str, found: Json) -> str:
    """Return what is asked before a decision."""
    running = found["running"]
    if step == "begin":
        return _new(found)
    if running is None:
        return tag("p", "None is under way any more.", class_="at-empty")
    title, arms = running["title"], running["arms"]
    if step == "end":
        says = (f"{found['live']} will answer everybody from the next conversation on. What was "
                "seen so far stays readable below.")  # fmt: skip
        return confirm(f"Stop {title}?", says, _WHY, "Stop it", "end", stops=True)
    control, trial = arms[0], arms[1]
    share = field("share", f"Percent of the conversations that begin for {trial['name']}",
                  f"{trial['share'] * 100:g}", kind="number", min="1", max="99",
                  step="any")  # fmt: skip
    about = hidden("control", control["name"]) + hidden("trial", trial["name"])
    about += hidden("kind", running["kind"])
    says = (f"{control['name']} answers the others. Most people stay with what they have; from now "
            "on only conversations under the new shares are counted.")  # fmt: skip
    return confirm(f"Change the shares of {title}?", says, about + share + _WHY, "Change",
                   "reshare")  # fmt: skip


def _new(found: Json) -> str:
    """Return the form of a new experiment."""
    names = [(BASE, f"{found['base']} (without an adapter)")]
    names += [(one["name"], f"{one['name']} ({one['status']}"
               + ("" if one["passed"] else ", not passed") + ")")
              for one in reversed(found["adapters"])
              if one["status"] != "refused"]  # fmt: skip
    last = names[1][0] if len(names) > 1 else BASE
    control = found["live"] if found["live"] != last else BASE
    made = "".join((
        field("title", "What it is called", maxlength="120", required=True),
        choice("control", "Compare", names, control), choice("trial", "with", names, last),
        choice("how", "How", HOW, "shared"),
        field("share", "Percent for the second (of rankings in turn: always half)", "50",
              kind="number", min="1", max="99", step="any"),
        _WHY, tick("force", FORCE),
    ))  # fmt: skip
    says = ("People are not told. One that is better or worse shows after some hundred people; the "
            "test may be looked at as often as you like.")  # fmt: skip
    return confirm("Begin an experiment", says, made, "Begin", "begin")


def overview(found: Json) -> str:
    """Return the experiment under way with what it says, and those before."""
    running = found["running"]
    if running is None:
        can = bool(found["adapters"])
        said = ("None is under way. An experiment has part of the people answered by another "
                "adapter, and says which they choose more from."
                if can else "Nothing to compare yet: a round of learning makes the first adapter "
                "(Runs), or attune adapters add.")  # fmt: skip
        way = press("Begin an experiment …", {"do": "ask-begin"}, "at-go") if can else ""
        head = tag("div", tag("p", escape(said), class_="at-say") + way, class_="at-turn-head")
    else:
        head = _running(running)
    if not found.get("served", True):
        head = tag("p", "No language model is served here, so the rules answer and nobody meets "
                   "the arms.", class_="at-none-yet") + head  # fmt: skip
    return unseen("Experiments") + head + _past(found["past"])


def _running(one: Json) -> str:
    kind = "canary" if one["kind"] == "canary" else "interleaved" if one["interleaved"] else "A/B"
    title = tag("h2", escape(one["title"]) + " " + badge(kind, "live"))
    ways = "" if one["interleaved"] or len(one["arms"]) > 2 else press(
        "Change shares …", {"do": "ask-reshare"})  # fmt: skip
    ways += press("Stop …", {"do": "ask-end"}, "at-stop")
    by = f" by {one['who']}" if one["who"] else ""
    why = f": {one['why']}" if one["why"] else ""
    changed = "" if one["since"] == one["begun"] else f" · shares as they are {ago(one['since'])}"
    line = tag("p", f"Begun {ago(one['begun'])}{escape(by + why)}{changed}", class_="at-none-yet")
    return tag("div", title + tag("span", ways, class_="at-ways"), class_="at-turn-head") + line \
        + reading(one)  # fmt: skip


def reading(one: Json) -> str:
    """Return what people's choices say of an experiment."""
    shares = {arm["name"]: arm["share"] for arm in one["arms"]}
    head = cards([
        ("conversations", f"{one['sessions']:,}", "under these shares"),
        *((name, percent(share), "of each slate" if one["interleaved"] else "of conversations")
          for name, share in shares.items()),
    ])  # fmt: skip
    said = "".join(_said(both) for both in one["comparisons"])
    return head + said + _arms(one, shares) + _plots(one)


def _said(both: Json) -> str:
    """Return in words what the tests say of one beside the first."""
    names = {"trial": both["trial"], "control": both["control"]}
    lines = []
    if both["waiting"]:
        lines.append(tag("p", escape(f"Nothing to read yet: {both['waiting']}."), class_="at-say"))
    test = both["test"]
    if test is not None:
        lines.append(_tested(test, names))
    slates = both["interleaved"]
    if slates is not None:
        lines.append(_interleaved(slates, names))
    return "".join(lines)


def _tested(test: Json, names: dict[str, str]) -> str:
    difference = signed(test["difference"])
    if test["low"] is None:
        few, least = min(test["users"]), test["least"]
        said = (f"Too few people to say anything: {few} in the smaller arm, {least} are needed "
                f"(so far {difference}).")  # fmt: skip
        return tag("p", escape(said), class_="at-say")
    verdict = DECISIONS[test["decision"]].format(**names)
    kind = {"better": "good", "worse": "bad"}.get(test["decision"], "")
    detail = (f" Share of people who took something: {difference} "
              f"({between(test['low'], test['high'])}), right with {1 - test['alpha']:.0%} however "
              "often it is looked at.")  # fmt: skip
    return tag("p", badge(verdict, kind) + escape(detail), class_="at-say")


def _interleaved(slates: Json, names: dict[str, str]) -> str:
    won = {"A": names["control"], "B": names["trial"]}
    verdict = f"{won[slates['decided']]} is chosen from more." if slates["decided"] else (
        "Undecided: let it run.")  # fmt: skip
    kind = {"A": "bad", "B": "good"}.get(slates["decided"] or "", "")
    ties = plural(slates["ties"], "tie")
    said = (f" Slates won: {names['control']} {slates['wins_a']}, {names['trial']} "
            f"{slates['wins_b']}, {ties}. Evidence ")  # fmt: skip
    strength = min(slates["evidence"] / slates["decides"], 1.0)
    meter = bar(strength, f"{slates['evidence']:.3g} of {slates['decides']:g} that decide")
    return tag("p", badge(verdict, kind) + escape(said) + meter, class_="at-say")


def _arms(one: Json, shares: dict[str, float]) -> str:
    rows = [
        (
            tag("strong", escape(arm["name"])), bar(shares[arm["name"]], percent(
                shares[arm["name"]])), f"{arm['people']:,}", f"{arm['sessions']:,}",
            f"{arm['turns']:,}", f"{arm['wins']:,}", _mean(arm["success"], share=True),
            _mean(arm["reward"]),
            f"{number(arm['stars'], 1)} ({arm['ratings']})" if arm["ratings"] else "",
        )
        for arm in one["per_arm"]
    ]  # fmt: skip
    heads = ("arm", "share", "#people", "#conversations", "#turns", "#took something",
             "#of people", "#choices per slate", "#stars")  # fmt: skip
    return grid(heads, rows, "Arms")


def _mean(mean: Json, *, share: bool = False) -> str:
    if mean["mean"] is None:
        return ""
    if share:
        said, low, high = (percent(mean[name], 1) for name in ("mean", "low", "high"))
    else:
        said, low, high = (number(mean[name], 2) for name in ("mean", "low", "high"))
    return said + (tag("small", f" ({low} to {high})") if mean["low"] is not None else "")


def _plots(one: Json) -> str:
    made = ""
    for key, label in (("success", "Share of people who took something"),
                       ("reward", "Choices per slate")):  # fmt: skip
        rows = [(arm["name"], arm[key]["mean"], arm[key]["low"], arm[key]["high"])
                for arm in one["per_arm"] if arm[key]["mean"] is not None]  # fmt: skip
        made += whiskers(rows, label)
    return tag("div", made, class_="at-two-wide") if made else ""


def _past(past: list[Json]) -> str:
    rows = [
        (
            opens(one["title"], {"do": "past", "begun": one["begun"]}),
            "canary" if one["kind"] == "canary" else "interleaved" if one["interleaved"] else "A/B",
            escape(", ".join(f"{arm['name']} {arm['share']:.0%}" for arm in one["arms"])),
            ago(one["begun"]), ago(one["ended"]), named(ENDED, one["ended_by"]),
        )
        for one in past
    ]  # fmt: skip
    return grid(("experiment", "kind", "between", "begun", "ended", "how"), rows, "Before",
                empty="None has ended yet.")  # fmt: skip
