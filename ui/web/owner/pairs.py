"""Preference pairs as people read them: what was asked, what was preferred to what. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from ui.web.api import Json
from ui.web.markup import escape, tag
from ui.web.owner.pieces import aside, badge, fold, grid, link, panel, press, verbatim
from ui.web.owner.telling import ago, count, named, number
from ui.web.owner.turn import act_in_words
from ui.web.words import Words

FILES = "/owner/files/pairs"
KINDS = ("plan", "choice", "explanation")
ENDINGS = {"promoted": "good", "refused": "bad"}
_PARTS = ("train", "held")
_MENTION = re.compile(r"\[([A-Z]\d+) ([^\[\]]+)\]")
"""How a prompt marks what was recognised, e.g. "[V1 colour]"."""


def pair_set(words: Words, one: Json) -> str:
    """Return a set of pairs: how many of what, and its files."""
    rows = []
    for kind in KINDS:
        cells = [_of(one, side, part, kind) for side in ("pairs", "kto") for part in _PARTS]
        show = press(words("pairs.show"), {"do": "examples", "name": one["name"], "kind": kind})
        rows.append((escape(words(f"pairs.of_{kind}")), *cells, show if cells[0] != "0" else ""))
    dropped = [words("pairs.dropped", n=f"{n:,}", why=reason, kind=words(f"pairs.of_{kind}"))
               for kind, reasons in (one["dropped"] or {}).items()
               for reason, n in reasons.items()]  # fmt: skip
    numbers = ("to_learn", "held_out", "single_to_learn", "single_held_out")
    heads = (words("head.pairs_of"), *(f"#{words(f'head.{name}')}" for name in numbers),
             f"~{words('head.examples')}")  # fmt: skip
    files = "".join(
        link(words("pairs.save", name=name),
             f"{FILES}?{urlencode({'name': one['name'], 'file': name})}")
        for name in one["files"]
    )  # fmt: skip
    of = words("pairs.made_of", talks=count(words, "talks", one["sessions"] or 0),
               people=count(words, "people", one["people"] or 0))  # fmt: skip
    title = tag("h3", f"{escape(set_name(words, one['name']))} {tag('small', escape(of))}")
    lines = "".join(tag("li", escape(line)) for line in dropped)
    lost = fold(words("pairs.lost"), tag("ul", lines, class_="at-lines")) if dropped else ""
    return tag("article", title + grid(heads, rows, "") + tag("p", files, class_="at-ways") + lost)


def _of(one: Json, side: str, part: str, kind: str) -> str:
    counts: Mapping[str, Any] = ((one.get(side) or {}).get(part)) or {}
    return f"{int(counts.get(kind, 0)):,}"


def set_name(words: Words, name: str) -> str:
    """Return how a set is called: by the round it was made in."""
    parts = name.split("/")
    if len(parts) > 1:
        return words("pairs.round", n=parts[1].removeprefix("round-").lstrip("0"))
    return words("pairs.by_run")


def examples(words: Words, rows: list[Json], name: str) -> str:
    """Return pairs: what was asked, and the answers side by side."""
    if not rows:
        return tag("p", escape(words("pairs.none_of_kind")), class_="at-empty")
    made = "".join(_pair(words, one) for one in rows)
    title = f"{count(words, 'pairs', len(rows))}: {set_name(words, name)}"
    note = aside(words(f"pairs.read_{rows[0]['kind']}"))
    return panel(words, title, note + made, "pairs")


def _pair(words: Words, one: Json) -> str:
    said = dict(_MENTION.findall(one["asked"]))
    weight = tag("small", escape(words("pairs.weight", n=number(one["weight"], 2))))
    kind_of = escape(named(words, "pairs", f"of_{one['kind']}"))
    title = tag("h3", f"{kind_of} {weight}")
    sides = "".join(
        tag("div", badge(words(f"pairs.{name}"), kind) + shown)
        for name, kind, shown in (
            ("asked", "", verbatim(one["asked"], words("pairs.asked"))),
            ("chosen", "good", answer(words, one["chosen"], said, words("pairs.chosen"))),
            ("rejected", "bad", answer(words, one["rejected"], said, words("pairs.rejected"))),
        )
    )
    return tag("article", title + tag("div", sides, class_="at-three"))


def answer(words: Words, text: str, said: Mapping[str, str], label: str) -> str:
    """Return an answer of the model: a plan in words, with the plan itself beside; else as it is.

    Args:
        said: What the prompt calls what the plan points at.
    """
    try:
        acts = json.loads(text)["acts"]
        named_ids = {id: f"{what} ({id})" for id, what in said.items()}
        told = "".join(tag("li", act_in_words(words, act, named_ids)) for act in acts)
    except (ValueError, KeyError, TypeError, AttributeError):
        return verbatim(text, label)
    return tag("ol", told, class_="at-plan") + verbatim(text, label)


def past_rounds(words: Words, rounds: list[Json]) -> str:
    """Return the rounds of learning and what became of them."""
    rows = [
        (
            str(one["number"]),
            badge(named(words, "ending", one["ending"]), ENDINGS.get(one["ending"], "")),
            ago(words, one.get("begun")), escape(one.get("adapter") or ""),
            f"{sum((one.get('pairs') or {}).values()):,}",
            escape("; ".join(one.get("reasons") or ())),
        )
        for one in rounds
    ]  # fmt: skip
    heads = (words("head.round"), words("head.ending"), words("head.begun"), words("head.adapter"),
             f"#{words('head.pairs')}", words("head.why"))  # fmt: skip
    return grid(heads, rows, words("pairs.rounds"), empty=words("pairs.no_rounds"))
