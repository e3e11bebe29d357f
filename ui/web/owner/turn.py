"""One turn taken apart, as the owner reads it: pure, from the JSON of `ui.owner.looking`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ui.web.markup import escape, tag
from ui.web.owner.pieces import aside, bar, bars, facts, flags, fold, grid, press, verbatim
from ui.web.owner.telling import (
    ago,
    count,
    listed,
    milliseconds,
    named,
    number,
    percent,
    short,
)
from ui.web.words import Words

Json = dict[str, Any]

PARTS = ("want", "avoid", "prefer", "drop", "change", "refs")
"""What an act says of mentions."""

SCORES = ("kept", "all_words", "relevance", "words", "wishes", "text", "price", "quality",
          "unavailable", "rerank")  # fmt: skip
"""What a score is added up from, in this order."""

STAGES = ("desk", "link", "plan", "apply", "retrieve", "explain", "reply", "words", "store")
_LEAST_MS = 0.05


def turn_view(words: Words, turn: Json, opened: str = "") -> str:
    """Return a turn taken apart.

    Args:
        opened: What it is of: its heading takes the focus where that is another than before.
    """
    return "".join((
        _head(words, turn, opened), _said(words, turn), _told(words, turn["told"]),
        tag("div", _wishes(words, turn["before"], turn["after"]) + _planned(words, turn),
            class_="at-two-wide"),
        tag("div", mentions(words, turn["mentions"]) + _times(words, turn["timings"]),
            class_="at-two-wide"),
        _shown(words, turn["shown"]), candidates(words, turn), _rest(words, turn),
    ))  # fmt: skip


def _head(words: Words, turn: Json, opened: str) -> str:
    place, turns = turn["number"], turn["turns"]
    ways = ""
    if place > 1:
        ways += press(words("turn.earlier"), {"do": "turn", "number": place - 1})
    if place < turns:
        ways += press(words("turn.later"), {"do": "turn", "number": place + 1})
    said = words("turn.place", n=place, of=turns)
    title = tag("h2", escape(said), tabindex="-1", data_opened=opened)
    inner = title + flags(words, turn["flags"], told=True) + tag("span", ways, class_="at-ways")
    return tag("div", inner, class_="at-turn-head")


def _said(words: Words, turn: Json) -> str:
    heard = tag("p", escape(turn["utterance"]), class_="at-heard")
    answer = tag("p", escape(turn["reply"]), class_="at-answer")
    return tag("div", heard + answer, class_="at-talk") + facts(_who(words, turn))


def _who(words: Words, turn: Json) -> list[tuple[str, str]]:
    """Return who planned and worded a turn."""
    planner = words("turn.by_rules" if turn["planner"] == "rules" else "turn.by_model")
    if turn["fallback"]:
        planner = words("turn.by_fallback", why=turn["fallback"])
    said = [("planned", planner)]
    if turn["model"]:
        asked = words("turn.asked_with", model=turn["model"], prompt=turn["prompt_id"])
        said.append(("model", asked + (words("turn.shortened") if turn["shortened"] else "")))
    voice = turn["voice"]
    if voice and voice not in ("rules", turn["model"]):
        said.append(("voice", str(voice)))
    said += [
        ("given_up", "; ".join(turn["relaxations"])),
        ("notes", "; ".join(map(str, turn["notes"]))),
        ("worded", "; ".join(_written(words, one) for one in turn["written"])),
        ("desk", _service(words, turn["service"]) if turn["service"] else ""),
    ]
    return [(words(f"turn.{name}"), escape(value)) for name, value in said if value]


def _written(words: Words, one: Json) -> str:
    if one["fallback"]:
        return words("turn.template_instead", why=one["fallback"])
    if one["writer"] == "template":
        return words("turn.by_template")
    return words("turn.by_writer", model=one["model"], kept=one["kept"],
                 rewritten=one["rewritten"], dropped=one["dropped"])  # fmt: skip


def _service(words: Words, service: Json) -> str:
    told = {
        name: value for name, value in service.items() if value not in (None, "", [], {}, False)
    }
    return listed(words, told)


def _told(words: Words, events: Sequence[Json]) -> str:
    """Return what somebody told of the turn's answer and items; nothing where they did not."""
    rows = [
        (ago(words, one["time"]), escape(named(words, "kind", one["kind"])), escape(valued(one)),
         escape(one["title"] or words("turn.whole_answer")))
        for one in events
    ]  # fmt: skip
    heads = (words("head.when"), words("head.what"), words("head.value"), words("head.about"))
    return grid(heads, rows, words("turn.told")) if rows else ""


def valued(event: Json) -> str:
    """Return the value of something told, with its unit."""
    value = event["value"]
    if isinstance(value, int | float):
        said = number(float(value), 2)
        return {"rating": f"{said} / 5", "dwell": f"{said} s"}.get(event["kind"], said)
    return str(value or "")


def _wishes(words: Words, before: Sequence[str], after: Sequence[str]) -> str:
    """Return wishes as chips: kept, new, and taken back."""
    made = [tag("li", escape(one), class_="at-wish") for one in before if one in after]
    made += [tag("li", tag("span", "+ ", aria_label=words("turn.new")) + escape(one),
                 class_="at-wish at-new") for one in after if one not in before]  # fmt: skip
    made += [tag("li", tag("del", escape(one)), class_="at-wish at-gone")
             for one in before if one not in after]  # fmt: skip
    inner = tag("ul", "".join(made), class_="at-chips") if made else aside(words("turn.no_wishes"))
    return tag("section", tag("h3", escape(words("turn.wishes"))) + inner)


def _planned(words: Words, turn: Json) -> str:
    said = {one["id"]: one["text"] for one in turn["mentions"]}
    made = "".join(tag("li", act_in_words(words, act, said)) for act in turn["acts"])
    return tag("section", tag("h3", escape(words("turn.plan"))) + tag("ol", made, class_="at-plan"))


def act_in_words(words: Words, act: Json, said: Mapping[str, str]) -> str:
    """Return an act in words, with what people said for the ids it points at."""
    parts = [
        f"{words(f'act_part.{name}')}: {', '.join(said.get(id, id) for id in act[name])}"
        for name in PARTS
        if act.get(name)
    ]
    parts += [words("act_part.text", text=act["text"])] if act.get("text") else []
    parts += [words("act_part.facet", facet=act["facet"])] if act.get("facet") else []
    parts += [words("act_part.why_not")] if act.get("why_not") else []
    head = tag("strong", escape(named(words, "act", act["act"])))
    return head + escape(f" ({'; '.join(parts)})" if parts else "")


def mentions(words: Words, found: Sequence[Json]) -> str:
    """Return what was recognised in a turn."""
    rows = [
        (escape(one["text"]), escape(named(words, "mention", one["kind"])),
         escape(_meant(words, one)))
        for one in found
    ]  # fmt: skip
    heads = (words("head.said"), words("head.taken_for"), words("head.meant"))
    return grid(heads, rows, words("turn.recognised"), empty=words("turn.nothing_recognised"))


def _meant(words: Words, one: Json) -> str:
    values, facet = listed(words, one.get("values") or ()), one.get("facet") or ""
    parts = [f"{facet}: {values}" if facet and values else facet or values]
    low, high = one.get("low"), one.get("high")
    way = "strict" if one.get("strict") else "loose"
    ends = [words(f"bound.low_{way}", n=number(low))] if low is not None else []
    ends += [words(f"bound.high_{way}", n=number(high))] if high is not None else []
    parts.append(" ".join(ends))
    if one.get("direction"):
        parts.append(words("bound.more" if one["direction"] == "up" else "bound.less"))
    if one.get("items"):
        parts.append(count(words, "items", len(one["items"])))
    if one.get("note"):
        parts.append(str(one["note"]))
    if one.get("score", 1.0) < 1:
        parts.append(words("turn.sure", share=percent(one["score"])))
    return "; ".join(part for part in parts if part)


def _times(words: Words, timings: Mapping[str, float]) -> str:
    order = [name for name in STAGES if name in timings]
    order += [name for name in timings if name not in order]
    told = {named(words, "stage", name): (timings[name], milliseconds(timings[name]))
            for name in order if timings[name] >= _LEAST_MS}  # fmt: skip
    heads = (words("head.what"), words("head.value"))
    return bars(heads, told, words("turn.times", time=milliseconds(sum(timings.values()))))


def _shown(words: Words, shown: Sequence[Json]) -> str:
    """Return the items of the slate as they were shown, with the reasons that were given."""
    rows = [
        (str(one["rank"]), tag("span", escape(one["title"] or "") + " " + short(one["id"]),
                               class_="at-item"),
         number(one["score"]), escape("; ".join(one["reasons"])))
        for one in shown
    ]  # fmt: skip
    heads = (f"#{words('head.rank')}", words("head.item"), f"#{words('head.score')}",
             words("head.reasons"))  # fmt: skip
    return grid(heads, rows, words("turn.shown"), empty=words("turn.none_shown"))


def candidates(words: Words, turn: Json) -> str:
    """Return the ranking with what each score was made of."""
    found = turn["candidates"]
    parts = [name for name in SCORES if any(one["parts"].get(name) for one in found)]
    parts += sorted({name for one in found for name in one["parts"]} - set(SCORES))
    heads = (f"#{words('head.rank')}", words("head.item"), words("head.score"),
             f"#{words('head.shown')}", f"#{words('head.meaning')}", f"#{words('head.text')}",
             *(f"#{named(words, 'score', name)}" for name in parts))  # fmt: skip
    most = max((abs(one["score"]) for one in found), default=1.0) or 1.0
    rows = [
        (
            str(one["rank"]), tag("span", escape(one["title"]) + " " + short(one["id"]),
                                  class_="at-item"),
            bar(max(one["score"], 0) / most, number(one["score"])),
            f"{one['shown']}." if one["shown"] else words("say.no"), _score(one["vector"]),
            _score(one["words"]), *(_score(one["parts"].get(name)) for name in parts),
        )
        for one in found
    ]  # fmt: skip
    matched = turn["matched"]
    said = words("turn.candidates")
    if matched is not None:
        said += words("turn.matched", items=count(words, "items", matched))
    table = grid(heads, rows, said, empty=words("turn.nothing_searched"), stacks=False)
    return table + (aside(words("turn.ranked_again")) if rows else "")


def _score(value: float | None) -> str:
    return "" if value is None else escape(number(value))


def _rest(words: Words, turn: Json) -> str:
    prompt = "".join(
        tag("h4", escape(one["role"]))
        + verbatim(one["content"], f"{words('turn.prompt')}, {one['role']}")
        for one in turn["prompt"]
    ) or aside(words("turn.no_prompt"))  # fmt: skip
    searched = turn.get("searched") or ""
    said = tag("p", escape(words("turn.searched", text=searched))) if searched else ""
    filtered = said + verbatim(_pretty(turn["filter"]), words("turn.filter"))
    states = "".join(
        tag("h4", escape(words(f"turn.state_{when}")))
        + verbatim(_pretty(turn["state"][when]), words(f"turn.state_{when}"))
        for when in ("before", "after")
    )
    stored = {name: turn[name] for name in ("acts", "mentions", "shown", "service", "written")}
    return (
        fold(words("turn.prompt_of_model"), prompt)
        + fold(words("turn.filter"), filtered)
        + fold(words("turn.state"), tag("div", states))
        + fold(words("turn.stored"), verbatim(_pretty(stored), words("turn.stored")))
    )


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)
