"""One turn taken apart, as the owner reads it: pure, from the JSON of `ui.owner.looking`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ui.web.markup import escape, tag
from ui.web.owner.pieces import bar, bars, facts, flags, fold, grid, press, verbatim
from ui.web.owner.telling import listed, named, number, percent, plural, short

Json = dict[str, Any]

KINDS = {
    "value": "a value", "number": "a number", "reference": "items shown before",
    "item": "an item by its name", "facet": "a facet by its name", "relative": "more or less of",
    "order": "an order", "keyword": "words of the texts", "unknown": "not in the catalog",
}  # fmt: skip

ACTS = {
    "recommend": "Look for something new", "refine": "Change what is looked for",
    "like": "Look for what is like it", "more": "Show others", "compare": "Compare",
    "explain": "Say why", "detail": "Tell a detail", "select": "Take it", "reject": "Not that one",
    "undo": "Take the last change back", "reset": "Start over", "elicit": "Ask back",
    "answer": "Answer about the shop", "handoff": "Call a person", "chitchat": "Small talk",
}  # fmt: skip

PARTS = {"want": "wanted", "avoid": "not wanted", "prefer": "rather", "drop": "no longer asked",
         "change": "changed", "refs": "about"}  # fmt: skip

SCORES = {
    "kept": "kept facets", "all_words": "all words", "relevance": "relevance",
    "words": "words met", "wishes": "wishes met", "text": "likeness", "price": "price",
    "quality": "quality", "unavailable": "cannot be had", "rerank": "read again",
}  # fmt: skip

_LEAST_MS = 0.05
STAGES = ("desk", "link", "plan", "apply", "retrieve", "explain", "reply", "words", "store")


def turn_view(turn: Json, opened: str = "") -> str:
    """Return a turn taken apart.

    Args:
        opened: What it is of: its heading takes the focus where that is another than before.
    """
    return "".join((
        _head(turn, opened), _said(turn),
        tag("div", _wishes(turn["before"], turn["after"]) + _planned(turn), class_="at-two-wide"),
        tag("div", mentions(turn["mentions"]) + _times(turn["timings"]), class_="at-two-wide"),
        candidates(turn), _rest(turn),
    ))  # fmt: skip


def _head(turn: Json, opened: str) -> str:
    place, count = turn["number"], turn["turns"]
    ways = ""
    if place > 1:
        ways += press("‹ Turn before", {"do": "turn", "number": place - 1})
    if place < count:
        ways += press("Next turn ›", {"do": "turn", "number": place + 1})
    title = tag("h2", escape(f"Turn {place} of {count}"), tabindex="-1", data_opened=opened)
    inner = title + flags(turn["flags"], words=True) + tag("span", ways, class_="at-ways")
    return tag("div", inner, class_="at-turn-head")


def _said(turn: Json) -> str:
    heard = tag("p", escape(turn["utterance"]), class_="at-heard")
    answer = tag("p", escape(turn["reply"]), class_="at-answer")
    return tag("div", heard + answer, class_="at-talk") + facts(_who(turn))


def _who(turn: Json) -> list[tuple[str, str]]:
    """Return who planned and worded a turn."""
    planner = "the rules" if turn["planner"] == "rules" else "a language model"
    if turn["fallback"]:
        planner = f"the rules, as the model failed: {turn['fallback']}"
    said = [("Planned by", escape(planner))]
    if turn["model"]:
        asked = f"{turn['model']}, asked with {turn['prompt_id']}"
        said.append(("Model", escape(asked + (", shortened" if turn["shortened"] else ""))))
    voice = turn["voice"]
    if voice and voice not in ("rules", turn["model"]):
        said.append(("Answered as", escape(str(voice))))
    if turn["relaxations"]:
        said.append(("Given up", escape("; ".join(turn["relaxations"]))))
    if turn["notes"]:
        said.append(("Notes", escape("; ".join(map(str, turn["notes"])))))
    written = [_written(one) for one in turn["written"]]
    if written:
        said.append(("Worded", escape("; ".join(written))))
    if turn["service"]:
        said.append(("Service desk", escape(_service(turn["service"]))))
    return said


def _written(one: Json) -> str:
    if one["fallback"]:
        return f"by the template, as the model failed: {one['fallback']}"
    if one["writer"] == "template":
        return "by the template"
    return (f"by {one['model']}: {one['kept']} sentences kept, {one['rewritten']} replaced, "
            f"{one['dropped']} left out")  # fmt: skip


def _service(service: Json) -> str:
    told = {
        name: value for name, value in service.items() if value not in (None, "", [], {}, False)
    }
    return listed(told)


def _wishes(before: Sequence[str], after: Sequence[str]) -> str:
    """Return wishes as chips: kept, new, and taken back."""
    made = [tag("li", escape(one), class_="at-wish") for one in before if one in after]
    made += [tag("li", tag("span", "+ ", aria_label="new") + escape(one), class_="at-wish at-new")
             for one in after if one not in before]  # fmt: skip
    made += [tag("li", tag("del", escape(one)), class_="at-wish at-gone")
             for one in before if one not in after]  # fmt: skip
    inner = tag("ul", "".join(made), class_="at-chips") if made else _nothing("No wishes.")
    return tag("section", tag("h3", "Wishes: kept, new, taken back") + inner)


def _nothing(words: str) -> str:
    return tag("p", escape(words), class_="at-none-yet")


def _planned(turn: Json) -> str:
    said = {one["id"]: one["text"] for one in turn["mentions"]}
    made = "".join(tag("li", _act(act, said)) for act in turn["acts"])
    return tag("section", tag("h3", "Plan") + tag("ol", made, class_="at-plan"))


def _act(act: Json, said: Mapping[str, str]) -> str:
    """Return an act in words, with what people said for the ids it points at."""
    parts = [
        f"{words}: {', '.join(said.get(id, id) for id in act[name])}"
        for name, words in PARTS.items()
        if act.get(name)
    ]
    parts += [f"in their words: {act['text']}"] if act.get("text") else []
    parts += [f"facet: {act['facet']}"] if act.get("facet") else []
    parts += ["why not"] if act.get("why_not") else []
    head = tag("strong", escape(named(ACTS, act["act"])))
    return head + escape(f" ({'; '.join(parts)})" if parts else "")


def mentions(found: Sequence[Json]) -> str:
    """Return what was recognised in a turn."""
    rows = [
        (escape(one["text"]), escape(named(KINDS, one["kind"])), escape(_meant(one)))
        for one in found
    ]
    return grid(("said", "taken for", "meant"), rows, "What was recognised", empty="Nothing.")


def _meant(one: Json) -> str:
    values, facet = listed(one.get("values") or ()), one.get("facet") or ""
    parts = [f"{facet}: {values}" if facet and values else facet or values]
    low, high = one.get("low"), one.get("high")
    if low is not None or high is not None:
        strict = bool(one.get("strict"))
        parts.append(" ".join(
            [f"{'above' if strict else 'from'} {low}"] * (low is not None)
            + [f"{'under' if strict else 'up to'} {high}"] * (high is not None)
        ))  # fmt: skip
    if one.get("direction"):
        parts.append("more" if one["direction"] == "up" else "less")
    if one.get("items"):
        parts.append(plural(len(one["items"]), "item"))
    if one.get("note"):
        parts.append(str(one["note"]))
    if one.get("score", 1.0) < 1:
        parts.append(f"{percent(one['score'])} sure")
    return "; ".join(part for part in parts if part)


def _times(timings: Mapping[str, float]) -> str:
    order = [name for name in STAGES if name in timings]
    order += [name for name in timings if name not in order]
    order = [name for name in order if timings[name] >= _LEAST_MS]
    whole = sum(timings.values())
    return bars({name: timings[name] for name in order}, "ms",
                f"Where the time went: {number(whole, 0)} ms")  # fmt: skip


def candidates(turn: Json) -> str:
    """Return the ranking with what each score was made of."""
    found = turn["candidates"]
    parts = [name for name in SCORES if any(one["parts"].get(name) for one in found)]
    parts += sorted({name for one in found for name in one["parts"]} - set(SCORES))
    heads = ("#rank", "item", "score", "#shown", "#meaning", "#text",
             *(f"#{named(SCORES, name)}" for name in parts))  # fmt: skip
    most = max((abs(one["score"]) for one in found), default=1.0) or 1.0
    rows = [
        (
            str(one["rank"]), tag("span", escape(one["title"]) + " " + short(one["id"]),
                                  class_="at-item"),
            bar(max(one["score"], 0) / most, number(one["score"])),
            f"{one['shown']}." if one["shown"] else "no", _score(one["vector"]),
            _score(one["words"]), *(_score(one["parts"].get(name)) for name in parts),
        )
        for one in found
    ]  # fmt: skip
    matched = turn["matched"]
    said = "" if matched is None else f": {plural(matched, 'item')} meet every wish"
    note = "Ranked again over the catalog as it is now." if rows else ""
    empty = "This turn was about items already shown, or about the shop: nothing was searched."
    return grid(heads, rows, f"Candidates{said}", empty=empty, stacks=False) + (
        tag("p", escape(note), class_="at-none-yet") if note else ""
    )


def _score(value: float | None) -> str:
    return "" if value is None else escape(number(value))


def _rest(turn: Json) -> str:
    prompt = "".join(
        tag("h4", escape(one["role"])) + verbatim(one["content"], f"prompt, {one['role']}")
        for one in turn["prompt"]
    ) or _nothing("No model was asked in this turn.")  # fmt: skip
    searched = turn.get("searched") or ""
    filtered = (tag("p", escape(f"Searched for: {searched}")) if searched else "") + verbatim(
        _pretty(turn["filter"]), "filter of the search"
    )
    stored = {name: turn[name] for name in ("acts", "mentions", "shown", "service", "written")}
    return (
        fold("Prompt that the model was shown (personal data is masked)", prompt)
        + fold("Filter of the search", filtered)
        + fold("As stored", verbatim(_pretty(stored), "as stored"))
    )


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)
