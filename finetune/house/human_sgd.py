"""Schema-Guided Dialogue user turns as phrase lines: acts and slots come from its annotation.

A turn about booking a table and one about buying a lamp are asked for in the same words; so the
kinds of things (restaurant, flight, song) and their values become slots, and turns that talk about
anything else (dates, seats, calendars) are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from finetune.house.human_text import (
    Labelled,
    joined,
    pattern,
    plain,
    regex,
    replace_value,
    sub,
    table,
    tidy,
)

Turn = Mapping[str, Any]

_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six")
_PLURALS = {"bus": "buses", "property": "properties", "activity": "activities"}
_ONE = pattern("sgd", "one")
_MANY = "|".join(_PLURALS.get(noun, noun + "s") for noun in _ONE.split("|"))
_SOME = f"{_MANY}|{pattern('sgd', 'mass')}"
_BOTH = f"{_SOME}|{_ONE}"
_OVER = pattern("sgd", "over")
_SUBJECT = (
    rf"(?i)\b(?!{_OVER})(?:it|that|this)"
    r"(?=(?:'s|'ll|'d| is| will| would| works| sounds| looks| seems| does| should| could)\b)"
)
_OBJECT = r"(?i)\b(take|book|get|want|do|go with|watch|buy|reserve|have) (?:it|that|this)\b"
_ASKING = re.compile(r"\b(?:does|do|is|are|has|have|if|can|any|what|how|which|tell)\b", re.I)
_DECLINES = re.compile(r"(?:no|nope|nah|not|that)\b", re.IGNORECASE)
_UNWANTED = re.compile(r"(?:n't|not) (?:want|need|like) (?:it|that|this|them|any)\b", re.IGNORECASE)
_DISLIKED = re.compile(r"\b(?:don'?t|didn'?t|not) (?:really )?(?:like|care for|a fan)\b", re.I)


def _informs(turn: Turn) -> list[tuple[str, list[str]]]:
    return [(slot, values) for act, slot, values in turn["acts"]
            if act == "INFORM" and slot != "intent"]  # fmt: skip


def _filled(turn: Turn, titles: bool = False) -> str | None:
    """Return the text with every annotated value as a slot, or None where one can't be placed."""
    text: str | None = turn["text"]
    for name, values in sorted(_informs(turn), key=lambda s: -max(map(len, s[1]), default=0)):
        if text is None or len(values) != 1:
            return None
        text = _put(name, values[0], text)
    return None if text is None or ("{T}" in text and not titles) else text


def _put(name: str, value: str, text: str) -> str | None:
    if value == "dontcare":
        return _one_more(text, table("sgd", "anything").get(name), "{xF}")
    if value in ("True", "False"):
        return _one_more(
            text, table("sgd", "flags").get(name), "{K}" if value == "True" else "{-K}"
        )
    if name in table("sgd", "counts") or value.isdigit():
        return _count(name, value, text)
    if regex("sgd", "dates").fullmatch(name):
        put = replace_value(text, value, "{V}")
        odd = put is None or re.search(r"\b(?:on|at|from|of|in|for the|th) \{V\}", put)
        return None if odd else put
    if regex("sgd", "titles").fullmatch(name):
        return replace_value(text, value, "{T}")
    return replace_value(text, value, "{V}") if regex("sgd", "values").fullmatch(name) else None


def _one_more(text: str, words: str | None, slot: str) -> str | None:
    """Return the text with the one match as a slot."""
    put = text if words is None else sub(words, slot, text)
    return put if put.count(slot) == text.count(slot) + 1 else None


def _count(name: str, value: str, text: str) -> str | None:
    number = value
    if value.isdigit() and int(value) < len(_NUMBERS):
        number = rf"(?:{value}|{_NUMBERS[int(value)]})"
    people = pattern("sgd", "people").replace("{}", number)
    words = table("sgd", "counts").get(name)
    counted = words and words.replace("{}", number)
    return _one_more(text, f"for {people}", "for {S}") or _one_more(text, counted, "{V}")


def _things(text: str | None) -> str | None:
    """Return the text with kinds of things as "one" and "ones", if it names one at most."""
    if text is None:
        return None
    text = sub(rf"(?:(?:{_ONE}) )?(?:{_SOME})", "ones", text)
    text = sub(rf"an? (?:(?:{_ONE}) )?(?:{_ONE})", "one", text)
    text = sub(rf"(?:(?:{_ONE}) )?(?:{_ONE})", "one", text)
    return text if len(re.findall(r"\bones?\b", text)) < 2 else None


def _need(text: str | None) -> str | None:
    """Return a request with the first kind of thing as its category."""
    if text is None:
        return None
    text = sub(r"(?:a |one |some )?place to (?:eat|stay|live|dine)(?: at| in)?", "{C}", text, 1)
    if "{C}" not in text:
        way = "(?:one[- ]way |round[- ]?trip )?"
        text = sub(rf"{way}(?:(?:{_ONE}) )?(?:{_BOTH})", "{C}", text, 1)
    return _things(text) if text.count("{C}") == 1 else None


def _sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.!?])\s+", text) if part]


def _finish(acts: str, text: str | None, context: str = "") -> Labelled | None:
    text = tidy(text or "")
    clear = len(text) > 2 and plain(text) and text.count("{T}") < 2
    return (acts, text, context) if clear and not regex("sgd", "odd").search(text) else None


def _open_request(turn: Turn) -> Labelled | None:
    text, acts = _filled(turn), "recommend"
    if text is not None and any(act == "SELECT" for act, _, _ in turn["acts"]):
        first, *rest = _sentences(text)
        head, body = _things(first), _need(" ".join(rest))
        if not regex("sgd", "takes").search(first) or head is None or body is None:
            return None
        text, acts = f"{head} {body}", "select+recommend"
    else:
        text = _need(text)
    return _finish(acts + ":add" * bool(text and joined(text)), text)


def _constraint(turn: Turn) -> Labelled | None:
    text = _things(_filled(turn))
    return _finish("refine" + ":add" * bool(text and joined(text)), text, "need")


def _negate(turn: Turn) -> Labelled | None:
    text = _things(_filled(turn, titles=True))
    return _finish("refine", text and text.replace("{T}", "{V}"), "need")


def _alternatives(turn: Turn) -> Labelled | None:
    text, informs, other = _things(_filled(turn)), _informs(turn), regex("sgd", "else")
    if text is None:
        return None
    if not informs:
        acts = "reject+more" if _DISLIKED.search(text) else "more"
        return _finish(acts, text, "slate") if other.search(text) else None
    apart = any("{" in part for part in _sentences(text) if not other.search(part))
    return _finish("refine+more" if apart and other.search(text) else "refine", text, "slate")


def _question(turn: Turn) -> Labelled | None:
    text = turn["text"]
    affirms = any(act == "AFFIRM" for act, _, _ in turn["acts"])
    if affirms or regex("sgd", "them").search(text):
        return None
    for flag in table("sgd", "flags").values():
        text = sub(flag, "{!K}", text)
    text = sub(pattern("sgd", "facets"), "{F}", text)
    text = sub("(?:this|that) one", "{it}", text)
    text = sub(rf"(?:the|this|that) (?:{_ONE})", "{R}", text)
    text = re.sub(r"(?i)(?<![\w{])it(?![\w}])", "{it}", text)
    text = re.sub(r"(?i)\b(for|of|about) (?:this|that)\b", r"\1 {it}", text)
    if text.count("{R}") + text.count("{it}") > 1 or "{" not in text or text.count("{F}") > 1:
        return None
    if re.search(r"\{R\}'s|rate|need \{!K\}", text) or not _ASKING.search(text):
        return None
    return _finish("detail", text, "focus")


def _taken(text: str) -> str:
    """Return the text with the one thing that is taken as a slot."""
    text = sub(rf"(?:this|that) (?:one|{_ONE})", "{it}", text, 1)
    if "{it}" not in text:
        text = sub(rf"the (?:{_ONE})", "{R}", text, 1)
    if "{" not in text:
        text = re.sub(_SUBJECT, "{it}", text, count=1)
    if "{" not in text:
        text = re.sub(_OBJECT, r"\1 {it}", text, count=1)
    return text


def _select(turn: Turn) -> Labelled | None:
    text: str | None = turn["text"]
    intends = any(act == "INFORM_INTENT" for act, _, _ in turn["acts"])
    if text is None or intends or not regex("sgd", "takes").search(text):
        return None
    titles = [values[0] for act, slot, values in turn["acts"] if act == "SELECT" and slot]
    text = replace_value(text, titles[0], "{T}") if titles else _taken(text)
    text = _things(text)
    left = re.sub(_OVER, "", text or "", flags=re.IGNORECASE)
    if re.search(r"(?i)(?<![{\w])(?:it|this|that|ones?)\b", left):
        return None
    return _finish("select", text, "focus")


def _reject(turn: Turn) -> Labelled | None:
    """A declined offer: nothing changes, so it is small talk; with a new request it is that."""
    if any(act == "INFORM_INTENT" for act, _, _ in turn["acts"]):
        return _finish("recommend", _need(_filled(turn)))
    text = turn["text"]
    if not _DECLINES.match(text) or _UNWANTED.search(text):
        return None
    return _finish("chitchat", sub(rf"(?:the|this|that|any) (?:{_BOTH})", "anything", text))


_KINDS: dict[str, Callable[[Turn], Labelled | None]] = {
    "open_request": _open_request,
    "constraint": _constraint,
    "negate_refine": _negate,
    "alternatives": _alternatives,
    "question": _question,
    "select": _select,
    "reject": _reject,
}


def sgd(turns: Iterable[Turn]) -> Iterator[Labelled]:
    """Yield the turns that can be labelled with confidence."""
    for turn in turns:
        service = turn["service"].partition("_")[0]
        if regex("sgd", "services").fullmatch(service) and (found := _KINDS[turn["kind"]](turn)):
            yield found
