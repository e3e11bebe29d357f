"""The tab of experiments: what is compared on people, what they chose, begin, share and stop."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

import gradio as gr

from ui.web.api import Json
from ui.web.markup import escape, tag
from ui.web.owner.adapters import share_of
from ui.web.owner.deciding import Deciding, body_of, decided_on
from ui.web.owner.desk import Desk, Told
from ui.web.owner.pieces import (
    aside,
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
    said,
    tick,
    unseen,
    whiskers,
)
from ui.web.owner.telling import ago, between, named, number, percent, signed
from ui.web.words import Words

BASE = "base"
HOW = ("shared", "interleaved")


def make_tab(desk: Desk, told: gr.HTML) -> tuple[Any, list[Any], list[Any]]:
    """Make the tab; return what fills it, with its inputs and outputs."""
    return _View(desk).make("experiment", told)


class _View(Deciding):
    """The experiment under way, and what is decided about it."""

    path: ClassVar[str] = "/v1/owner/experiments"
    decisions: ClassVar[frozenset[str]] = frozenset({"begin", "reshare", "end"})

    def overview(self, found: Json) -> str:
        """Return the experiment under way and those before."""
        return overview(self.words, found)

    def question(self, step: str, action: Json, found: Json) -> str:
        """Return what is asked before a decision."""
        return question(self.words, step, found)

    async def other(self, do: str, action: Json) -> list[Any]:
        """Open an experiment that has ended."""
        if do != "past":
            return await super().other(do, action)
        found, told = await self.desk.get(f"{self.path}/past?begun={quote(str(action['begun']))}")
        if found is None:
            return [gr.skip(), gr.skip(), told.markup()]
        title = self.words("trial.what_it_said", title=found["title"])
        box = panel(self.words, title, reading(self.words, found), "past")
        return [gr.skip(), box, told.markup()]

    async def decide(self, step: str, given: dict[str, str]) -> Told:
        """Send a decision with what was typed."""
        body = body_of(given)
        if step == "end":
            return await self.sent(f"{self.path}:end", body, "trial.done_end")
        share = share_of(given.get("share", ""))
        if share is None:
            return Told(self.words("decide.bad_share"), trouble=True)
        trial, control = given.get("trial", ""), given.get("control", "")
        if step == "reshare" and given.get("kind") == "canary":
            body |= {"name": trial, "share": share, "force": True}
            return await self.sent("/v1/owner/adapters:canary", body, "trial.done_reshare")
        body["arms"] = {control: round(1 - share, 6), trial: round(share, 6)}
        if step == "reshare":
            return await self.sent(f"{self.path}:reshare", body, "trial.done_reshare")
        if trial == control:
            return Told(self.words("trial.two_different"), trouble=True)
        interleaved = given.get("how") == "interleaved"
        if interleaved:
            body["arms"] = {control: 0.5, trial: 0.5}
        title = given.get("title", "")
        body |= {"title": title, "interleaved": interleaved, "force": given.get("force") == "yes"}
        return await self.sent(f"{self.path}:begin", body, "trial.done_begin", title=title)


def question(words: Words, step: str, found: Json) -> str:
    """Return what is asked before a decision."""
    running = found["running"]
    if step == "begin":
        return _new(words, found)
    if running is None:
        return tag("p", escape(words("trial.none_any_more")), class_="at-empty")
    title, arms = running["title"], running["arms"]
    decided = decided_on(words, found)
    if step == "end":
        return confirm(words, words("trial.ask_end", title=title),
                       words("trial.says_end", live=_named(words, found["live"], found)), decided,
                       words("trial.go_end"), "end", stops=True)  # fmt: skip
    control, trial = arms[0], arms[1]
    share = field("share", words("trial.share_of", name=trial["name"]), f"{trial['share'] * 100:g}",
                  kind="number", min="1", max="99", step="any")  # fmt: skip
    about = hidden("control", control["name"]) + hidden("trial", trial["name"])
    about += hidden("kind", running["kind"])
    return confirm(words, words("trial.ask_reshare", title=title),
                   words("trial.says_reshare", name=control["name"]), about + share + decided,
                   words("trial.go_reshare"), "reshare")  # fmt: skip


def _named(words: Words, name: str, found: Json) -> str:
    """Return what an arm is called: the base by its own name."""
    return words("trial.base", base=found["base"]) if name == BASE else name


def _new(words: Words, found: Json) -> str:
    """Return the form of a new experiment."""
    names = [(BASE, _named(words, BASE, found))]
    names += [(one["name"], f"{one['name']} ({named(words, 'status', one['status'])}"
               + ("" if one["passed"] else words("trial.not_passed")) + ")")
              for one in reversed(found["adapters"])
              if one["status"] != "refused"]  # fmt: skip
    last = names[1][0] if len(names) > 1 else BASE
    control = found["live"] if found["live"] != last else BASE
    made = "".join((
        field("title", words("trial.title"), maxlength="120", required=True),
        choice("control", words("trial.compare"), names, control),
        choice("trial", words("trial.with"), names, last),
        choice("how", words("trial.how"), [(one, words(f"trial.how_{one}")) for one in HOW]),
        field("share", words("trial.share"), "50", kind="number", min="1", max="99", step="any"),
        decided_on(words, found), tick("force", words("decide.force")),
    ))  # fmt: skip
    return confirm(words, words("trial.ask_begin"), words("trial.says_begin"), made,
                   words("trial.go_begin"), "begin")  # fmt: skip


def overview(words: Words, found: Json) -> str:
    """Return the experiment under way with what it says, and those before."""
    running = found["running"]
    if running is None:
        can = bool(found["adapters"])
        way = press(words("trial.begin"), {"do": "ask-begin"}, "at-go") if can else ""
        told = said(words("trial.none" if can else "trial.nothing_to_compare"))
        head = tag("div", told + way, class_="at-turn-head")
    else:
        head = _running(words, running)
    if not found.get("served", True):
        head = aside(words("trial.not_served")) + head
    return unseen(words("tab.experiments")) + head + _past(words, found["past"])


def _kind(words: Words, one: Json) -> str:
    kind = (
        "canary" if one["kind"] == "canary" else "interleaved" if one["interleaved"] else "shared"
    )
    return words(f"trial.kind_{kind}")


def _running(words: Words, one: Json) -> str:
    title = tag("h2", escape(one["title"]) + " " + badge(_kind(words, one), "live"))
    ways = "" if one["interleaved"] or len(one["arms"]) > 2 else press(
        words("trial.reshare"), {"do": "ask-reshare"})  # fmt: skip
    ways += press(words("trial.stop"), {"do": "ask-end"}, "at-stop")
    line = f"{escape(words('trial.begun'))} {ago(words, one['begun'])}"
    line += escape(f" · {one['who']}" if one["who"] else "")
    line += escape(f" · {one['why']}" if one["why"] else "")
    if one["since"] != one["begun"]:
        line += f" · {escape(words('trial.shares_since'))} {ago(words, one['since'])}"
    told = tag("p", line, class_="at-none-yet")
    return tag("div", title + tag("span", ways, class_="at-ways"), class_="at-turn-head") + told \
        + reading(words, one)  # fmt: skip


def reading(words: Words, one: Json) -> str:
    """Return what people's choices say of an experiment."""
    shares = {arm["name"]: arm["share"] for arm in one["arms"]}
    of = words("trial.of_slates" if one["interleaved"] else "trial.of_conversations")
    head = cards([
        (words("trial.conversations"), f"{one['sessions']:,}", words("trial.under_shares")),
        *((name, percent(share), of) for name, share in shares.items()),
    ])  # fmt: skip
    told = "".join(in_words(words, both) for both in one["comparisons"])
    return head + told + _arms(words, one, shares) + _plots(words, one)


def in_words(words: Words, both: Json) -> str:
    """Return in words what the tests say of one beside the first."""
    names = {"trial": both["trial"], "control": both["control"]}
    lines = []
    if both["waiting"]:
        lines.append(said(words("trial.waiting", why=both["waiting"])))
    if both["test"] is not None:
        lines.append(_tested(words, both["test"], names))
    if both["interleaved"] is not None:
        lines.append(_interleaved(words, both["interleaved"], names))
    return "".join(lines)


def _tested(words: Words, test: Json, names: dict[str, str]) -> str:
    difference = signed(100 * test["difference"], 1)
    if test["low"] is None:
        return said(words("trial.too_few", few=min(test["users"]), least=test["least"],
                          difference=difference))  # fmt: skip
    kind = {"better": "good", "worse": "bad"}.get(test["decision"], "")
    within = between(words, 100 * test["low"], 100 * test["high"], 1)
    detail = words("trial.detail", difference=difference, between=within,
                   sure=f"{1 - test['alpha']:.0%}")  # fmt: skip
    verdict = badge(words(f"trial.{test['decision']}", **names), kind)
    return tag("p", f"{verdict} {escape(detail)}", class_="at-say")


def _interleaved(words: Words, slates: Json, names: dict[str, str]) -> str:
    won = {"A": names["control"], "B": names["trial"]}
    verdict = words("trial.chosen_more", name=won[slates["decided"]]) if slates["decided"] else (
        words("trial.undecided"))  # fmt: skip
    kind = {"A": "bad", "B": "good"}.get(slates["decided"] or "", "")
    told = words("trial.slates_won", control=names["control"], a=f"{slates['wins_a']:,}",
                 trial=names["trial"], b=f"{slates['wins_b']:,}",
                 ties=f"{slates['ties']:,}")  # fmt: skip
    strength = min(slates["evidence"] / slates["decides"], 1.0)
    of = words("trial.evidence", n=f"{slates['evidence']:.3g}", of=f"{slates['decides']:g}")
    return tag("p", f"{badge(verdict, kind)} {escape(told)} {bar(strength, of)}", class_="at-say")


def _arms(words: Words, one: Json, shares: dict[str, float]) -> str:
    rows = [
        (
            tag("strong", escape(arm["name"])),
            bar(shares[arm["name"]], percent(shares[arm["name"]])),
            f"{arm['people']:,}", f"{arm['sessions']:,}", f"{arm['turns']:,}", f"{arm['wins']:,}",
            _mean(words, arm["success"], share=True), _mean(words, arm["reward"]),
            f"{number(arm['stars'], 1)} ({arm['ratings']:,})" if arm["ratings"] else "",
        )
        for arm in one["per_arm"]
    ]  # fmt: skip
    numbers = ("people", "conversations", "turns", "took", "of_people", "per_slate", "stars")
    heads = (words("head.arm"), words("head.share"),
             *(f"#{words(f'head.{name}')}" for name in numbers))  # fmt: skip
    return grid(heads, rows, words("trial.arms"))


def _mean(words: Words, mean: Json, *, share: bool = False) -> str:
    if mean["mean"] is None:
        return ""
    told = [percent(mean[name], 1) if share else number(mean[name], 2)
            for name in ("mean", "low", "high")]  # fmt: skip
    if mean["low"] is None:
        return told[0]
    within = words("figure.between", low=told[1], high=told[2])
    return told[0] + tag("small", f" ({escape(within)})")


def _plots(words: Words, one: Json) -> str:
    made = ""
    for key in ("success", "reward"):
        rows = [(arm["name"], arm[key]["mean"], arm[key]["low"], arm[key]["high"])
                for arm in one["per_arm"] if arm[key]["mean"] is not None]  # fmt: skip
        made += whiskers(words, rows, words(f"trial.plot_{key}"))
    return tag("div", made, class_="at-two-wide") if made else ""


def _past(words: Words, past: list[Json]) -> str:
    rows = [
        (
            opens(one["title"], {"do": "past", "begun": one["begun"]}), escape(_kind(words, one)),
            escape(", ".join(f"{arm['name']} {arm['share']:.0%}" for arm in one["arms"])),
            ago(words, one["begun"]), ago(words, one["ended"]),
            escape(named(words, "ended", one["ended_by"])),
        )
        for one in past
    ]  # fmt: skip
    heads = tuple(words(f"head.{one}") for one in ("experiment", "kind", "between", "begun",
                                                   "ended", "how"))  # fmt: skip
    return grid(heads, rows, words("trial.past"), empty=words("trial.no_past"))
