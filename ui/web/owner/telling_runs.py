"""Runs as the owner reads them: pure, from the JSON of `ui.owner.runs`."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ui.web.api import Json
from ui.web.markup import escape, tag
from ui.web.owner.adapters import figure_name
from ui.web.owner.pieces import (
    aside,
    badge,
    bar,
    facts,
    fold,
    grid,
    opens,
    panel,
    press,
    said,
    unseen,
    verbatim,
    whiskers,
)
from ui.web.owner.telling import ago, between, count, lasted, named, number, signed
from ui.web.words import Words

STATUS = {"running": "live", "done": "good", "failed": "bad", "stopped": "", "lost": "bad"}
VERDICTS = {"better": "good", "worse": "bad"}
CASES = "cases"
"""What a result holds for comparing in pairs; not worth reading."""
_MOST_NAMED = 4
_MOST_LATEST = 12


def told_first(found: list[Json]) -> list[str]:
    """Return the figures that say how good something is; those with an interval first."""
    rated = [one for one in found if one["better"]]
    return [one["name"] for one in sorted(rated, key=lambda one: one["low"] is None)]


def strip_of(words: Words, run: Json | None, does: Mapping[str, str]) -> str:
    """Return what is under way, for every tab."""
    if run is None:
        return ""
    what = words("run.under_way", what=_does(does, run),
                 time=lasted(words, run["seconds"]))  # fmt: skip
    done = run["progress"]
    meter = bar(done, f"{done:.0%}") if done is not None else tag("span", "", class_="at-working")
    stop = press(words("run.stop"), {"do": "stop", "id": run["id"]}, "at-stop")
    return tag("div", tag("span", escape(what)) + meter + stop, class_="at-strip", role="status")


def _does(does: Mapping[str, str], run: Json) -> str:
    """Return what a run does; its name where this version has no such run any more."""
    return does.get(run["name"]) or str(run["name"])


def one_run(words: Words, run: Json, does: Mapping[str, str]) -> str:
    """Return a run: how it stands, its figures, log and result."""
    on = run["status"] == "running"
    head = badge(words(f"state.{run['status']}"), STATUS[run["status"]])
    head += f" {escape(lasted(words, run['seconds']))} · {ago(words, run['begun'])}"
    if on and run["progress"] is not None:
        head += bar(run["progress"], f"{run['progress']:.0%}")
    stop = press(words("run.stop"), {"do": "stop", "id": run["id"]}, "at-stop") if on else ""
    about = run["about"] or {}
    body = tag("p", head, class_="at-say") + stop + facts([
        (words("run.on"), escape(_about(words, about))),
        (words("run.answered_by"), escape(str(about.get("answers") or ""))),
    ])  # fmt: skip
    if run["status"] in ("lost", "stopped"):
        body += said(words(f"run.{run['status']}"))
    if run["status"] == "failed":
        body += said(words("run.failed"))
    body += figures(words, run["figures"]) if run["figures"] else ""
    if run["log"].strip():
        log = verbatim(run["log"].strip(), words("run.log"))
        body += log if on or run["status"] == "failed" else fold(words("run.log"), log)
    if run["result"] is not None:
        body += fold(words("run.result"), verbatim(_pretty(run["result"]), words("run.result")))
    return panel(words, _does(does, run), body, "run")


def _about(words: Words, about: Json) -> str:
    if not about:
        return ""
    return words("run.about", name=about.get("catalog"), version=about.get("version"),
                 items=count(words, "items", about.get("items", 0)))  # fmt: skip


def _pretty(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        value = {name: one for name, one in value.items() if name != CASES}
    return json.dumps(value, indent=1, ensure_ascii=False)


def figures(words: Words, found: list[Json]) -> str:
    """Return figures with their intervals."""
    rows = [
        (figure_name(words, one["name"]), number(one["value"]),
         between(words, one["low"], one["high"]),
         escape(words(f"figure.{one['better']}")) if one["better"] else "")
        for one in found
    ]  # fmt: skip
    heads = (words("head.figure"), f"#{words('head.value')}", f"#{words('head.interval')}",
             f"~{words('head.better')}")  # fmt: skip
    return grid(heads, rows, words("run.figures"))


def intervals_over_time(words: Words, runs: Sequence[Json], names: Sequence[str]) -> str:
    """Return figures of the latest runs with their intervals; nothing where none has any.

    Args:
        runs: Of one kind, newest first.
    """
    made = ""
    for name in names:
        rows = [
            (f"{run['begun'][:16].replace('T', ' ')} UTC", one["value"], one["low"], one["high"])
            for run in reversed(runs[:_MOST_LATEST])
            for one in run["figures"]
            if one["name"] == name and one["low"] is not None
        ]
        made += whiskers(words, rows, named(words, "measure", name))
    if not made:
        return ""
    heading = unseen(words("run.intervals"))
    return fold(words("run.intervals"), heading + tag("div", made, class_="at-two-wide"))


def comparison(words: Words, both: Json, does: Mapping[str, str]) -> str:
    """Return two runs side by side: which is better, by how much, and whether that is chance."""
    first, second, found = both["first"], both["second"], both["rows"]
    told = tag("p", tag("strong", escape(verdict(words, found))), class_="at-say")
    if not both["alike"]:
        told += aside(words("compared.unlike"))
    rows = [
        (
            figure_name(words, one["name"]), number(one["first"]), number(one["second"]),
            signed(one["difference"]), between(words, one["low"], one["high"]),
            f"{one['cases']:,}" if one["cases"] else "",
            badge(words(f"compared.{one['verdict']}"), VERDICTS.get(one["verdict"], "")),
        )
        for one in found
    ]  # fmt: skip
    names = ("first", "second", "difference", "interval", "in_pairs")
    heads = (words("head.figure"), *(f"#{words(f'head.{name}')}" for name in names),
             f"~{words('head.verdict')}")  # fmt: skip
    plot = whiskers(
        words,
        [(named(words, "measure", one["name"]), one["difference"], one["low"], one["high"])
         for one in found if one["low"] is not None and one["verdict"] != "changed"],
        words("compared.plot"), zero=True,
    )  # fmt: skip
    notes = "".join(aside(words(f"compared.{name}")) for name, there in (
        ("paired", any(one["cases"] for one in found)),
        ("unpaired", any(one["low"] is not None and not one["cases"] for one in found)),
    ) if there)  # fmt: skip
    who = facts([(words(f"compared.{label}_run"), _named(words, run, does))
                 for label, run in (("first", first), ("second", second))])  # fmt: skip
    return panel(words, words("compared.title"), who + told + grid(heads, rows, "") + plot + notes,
                 "compared")  # fmt: skip


def verdict(words: Words, rows: Sequence[Json]) -> str:
    """Return in a sentence which of two runs is better."""
    by = {kind: [named(words, "measure", one["name"]) for one in rows if one["verdict"] == kind]
          for kind in ("better", "worse", "unclear")}  # fmt: skip
    if not rows:
        return words("compared.nothing_common")
    if not by["better"] and not by["worse"]:
        return words("compared.only_chance" if by["unclear"] else "compared.no_difference")
    parts = [words(f"compared.is_{kind}", what=_names(words, by[kind]))
             for kind in ("better", "worse") if by[kind]]  # fmt: skip
    if by["unclear"]:
        parts.append(words("compared.could_be", n=len(by["unclear"])))
    sure = all(one["low"] is not None for one in rows if one["verdict"] in VERDICTS)
    return " ".join(parts) + ("" if sure else " " + words("compared.unsure"))


def _names(words: Words, names: Sequence[str]) -> str:
    left = len(names) - _MOST_NAMED
    more = words("compared.and_more", n=left) if left > 0 else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _named(words: Words, run: Json, does: Mapping[str, str]) -> str:
    about = run["about"] or {}
    on = f" · {_about(words, about)} · {about.get('answers') or ''}" if about else ""
    what = escape(_does(does, run))
    return f"{what} · {ago(words, run['begun'])}{escape(on)}"


def listing(
    words: Words, runs: list[Json], does: Mapping[str, str], open_id: str, chosen: Collection[str]
) -> str:
    """Return the runs, newest first."""
    rows = [
        (
            opens(_does(does, run), {"do": "open", "id": run["id"]}),
            badge(words(f"state.{run['status']}"), STATUS[run["status"]]),
            ago(words, run["begun"]), escape(lasted(words, run["seconds"])), _main(words, run),
            _compare(words, run, chosen),
        )
        for run in runs
    ]  # fmt: skip
    current = next((n for n, run in enumerate(runs) if run["id"] == open_id), None)
    title = words("run.one_chosen" if len(chosen) == 1 else "tab.runs")
    heads = (words("head.run"), f"~{words('head.state')}", words("head.begun"),
             f"#{words('head.took_time')}", words("head.figures"),
             words("head.compare"))  # fmt: skip
    table = grid(heads, rows, title, current=current, empty=words("run.none"))
    return unseen(words("tab.runs")) + table


def _main(words: Words, run: Json) -> str:
    """Return the first figures of a run that say how good something is."""
    values = {one["name"]: one["value"] for one in run["figures"]}
    if names := told_first(run["figures"])[:2]:
        told = (f"{named(words, 'measure', name)} {number(values[name])}" for name in names)
        return escape(" · ".join(told))
    return escape(count(words, "figures", len(run["figures"]))) if run["figures"] else ""


def _compare(words: Words, run: Json, chosen: Collection[str]) -> str:
    if run["status"] != "done" or not run["figures"]:
        return ""
    on = run["id"] in chosen
    made = press(words("run.chosen" if on else "run.choose"), {"do": "choose", "id": run["id"]})
    return made.replace("<button", f'<button aria-pressed="{str(on).lower()}"', 1)
