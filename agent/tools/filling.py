"""Arguments of a tool from what was said, by their schema. It asks nothing and calls nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from agent.knowledge.features import matches
from agent.knowledge.words import Word, words_of
from agent.tools.dates import find_date
from agent.tools.schemas import fits
from agent.tools.spec import Argument, Tool

LONGEST = 500
"""Characters of what was said that are looked at, and of a free text that is passed on."""

_FORMATS = {
    "email": r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    "uuid": r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "uri": r"https?://\S+",
}
_NUMBER = re.compile(r"(?<![\w.,-])-?\d+(?:[.,]\d+)?(?![\w-])")
_WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
_PLACES = {
    "1": 0, "one": 0, "first": 0, "2": 1, "two": 1, "second": 1, "3": 2, "three": 2, "third": 2,
    "4": 3, "four": 3, "fourth": 3, "last": -1,
}  # fmt: skip
_PLACE = re.compile(rf"(?:(?:the|number|no|option) )*({'|'.join(_PLACES)})(?: one| option)?")
_YES = re.compile(r"\b(?:yes|yeah|yep|sure|true|on|please)\b", re.IGNORECASE)
_NO = re.compile(r"\b(?:no|nope|not|don'?t|false|off|without)\b", re.IGNORECASE)
_LEAD = re.compile(
    r"^\W*(?:(?:it(?:'s| is)|that(?:'s| is| would be)|this is|because|because of|"
    r"my \w+(?: \w+)? is|"
    r"the \w+(?: \w+)? is|i think|sure,?|ok,?|yes,?|well,?)\s+)+",
    re.IGNORECASE,
)
_REASON = re.compile(r"\b(?:because|since|as it|reason is|due to)\s+(.{3,})", re.IGNORECASE)


def fill(
    tool: Tool,
    text: str,
    *,
    known: Mapping[str, Any],
    context: Mapping[str, str],
    items: Sequence[str],
    today: date,
) -> dict[str, Any]:
    """Return the arguments that are known, or told by the text; what is known stays.

    Args:
        items: Items of the catalog that are spoken of, by id.
        context: What came with the request, by the names that arguments have there.
    """
    values = dict(known)
    left = text[:LONGEST]
    for argument in sorted(tool.arguments, key=_firmness):
        if argument.name in values:
            continue
        found = _from_context(argument, context)
        if found is None and argument.item:
            found = items[0] if items else None
        if found is None and not argument.item:
            found = read(argument, left, today)
            if isinstance(found, str) and found in left:
                left = left.replace(found, " ", 1)  # one number is not two arguments
        if found is not None and fits(found, argument.schema):
            values[argument.name] = found
        elif "default" in argument.schema and argument.required:
            values[argument.name] = argument.schema["default"]
    return values


def _firmness(argument: Argument) -> int:
    """Return how late an argument is read: those of a certain shape go first."""
    schema = argument.schema
    if "pattern" in schema or schema.get("format") in _FORMATS:
        return 0
    return 1 if _shape(argument) or "enum" in schema or schema.get("format") == "date" else 2


def _from_context(argument: Argument, context: Mapping[str, str]) -> Any:
    given = context.get(argument.context)
    return None if given is None else _as(argument, given)


def _as(argument: Argument, text: str) -> Any:
    """Return a text as a value of the argument's type, None where it is none."""
    try:
        if argument.type == "integer":
            return int(text)
        if argument.type == "number":
            return float(text.replace(",", "."))
    except ValueError:
        return None
    if argument.type == "boolean":
        return {"true": True, "false": False}.get(text.lower())
    return text


def read(argument: Argument, text: str, today: date) -> Any:
    """Return the value of an argument that a text tells; None where it tells none.

    A value of no certain shape is told only where the text names the argument.
    """
    schema = argument.schema
    if "enum" in schema:
        return _enumerated(schema["enum"], text)
    if schema.get("format") == "date":
        found = find_date(text, today)
        return None if found is None else found.isoformat()
    shape = _shape(argument)
    if shape is not None:
        return next((one for one in _shaped(shape, text) if fits(one, schema)), None)
    if argument.type in ("integer", "number"):
        return next((one for one in _numbers(argument, text) if fits(one, schema)), None)
    if argument.type == "boolean":
        return None
    return _named(argument, text)


def read_all(argument: Argument, text: str) -> list[str]:
    """Return all values of an argument with a shape of its own that a text tells, in order."""
    shape = _shape(argument)
    found = _shaped(shape, text) if shape is not None else ()
    return list(dict.fromkeys(one for one in found if fits(one, argument.schema)))


def read_answer(argument: Argument, text: str, today: date) -> Any:
    """Return the value of an argument that was asked for; a free text is the whole answer."""
    text = text.strip()[:LONGEST]
    found = read(argument, text, today)
    if found is not None or argument.item:
        return found
    schema = argument.schema
    if "enum" in schema:
        return _placed(schema["enum"], text)
    if argument.type == "boolean":
        no, yes = _NO.search(text) is not None, _YES.search(text) is not None
        return None if no == yes else yes
    if argument.type != "string" or _shape(argument) is not None:
        return None
    if schema.get("format") == "date":
        return None
    bare = _LEAD.sub("", text).strip(" .!\"'") or text
    return next((one for one in (bare, text) if fits(one, schema)), None)


def _shape(argument: Argument) -> str | None:
    """Return the pattern that values have: as written, of a format, or like the examples."""
    schema = argument.schema
    if "pattern" in schema:
        return str(schema["pattern"]).removeprefix("^").removesuffix("$")
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    examples = [one for one in schema.get("examples", ()) if isinstance(one, str)]
    if argument.type == "string" and examples and all(re.search(r"\d", one) for one in examples):
        return "|".join(dict.fromkeys(_like(one) for one in examples))
    return None


def _like(example: str) -> str:
    """Return a pattern of texts like an example: letters as they are, digits any number of them."""
    parts = re.findall(r"\d+|[^\d]+", example)
    least = [min(len(part), 2) for part in parts]
    return "".join(
        rf"\d{{{most},20}}" if part.isdecimal() else re.escape(part)
        for part, most in zip(parts, least, strict=True)
    )


def _shaped(shape: str, text: str) -> Iterator[str]:
    """Yield what has a shape, standing alone; in capitals too, as order numbers are often typed."""
    try:
        pattern = re.compile(rf"(?<![\w-])(?:{shape})(?![\w-])")
    except re.error:
        return
    for said in (text, text.upper()):
        for match in pattern.finditer(said):
            yield match.group()
    if re.fullmatch(shape, squeezed := re.sub(r"[\s.]+", "", text).upper()):
        yield squeezed


def _enumerated(values: Sequence[Any], text: str) -> Any:
    """Return the one value of a list that a text names; none where it names two."""
    said = f" {_plain(text)} "
    found = [one for one in values if isinstance(one, str) and f" {_plain(one)} " in said]
    longest = [
        one for one in found if not any(_plain(one) in _plain(o) != _plain(one) for o in found)
    ]
    if not found:  # in other words: "it's broken" for "damaged"
        words = words_of(text)
        longest = [one for one in values if isinstance(one, str) and _is_said(one, words)]
    return longest[0] if len(longest) == 1 else None


def _is_said(value: str, words: Sequence[Word]) -> bool:
    """Return whether all words of a value are among some words, or others that mean the same."""
    own = words_of(_plain(value))
    return bool(own) and all(matches(own, words).values())


def _placed(values: Sequence[Any], text: str) -> Any:
    """Return the value of a list whose number is told: "the second one"."""
    found = _PLACE.fullmatch(_plain(text))
    place = _PLACES.get(found[1]) if found else None
    return values[place] if place is not None and place < len(values) else None


def _plain(text: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return " ".join(re.sub(r"[\W_]+", " ", spaced).casefold().split())


def _numbers(argument: Argument, text: str) -> Iterator[int | float]:
    """Yield the numbers of a text; those beside the argument's name first."""
    found = list(_NUMBER.finditer(text))
    words = set(_plain(f"{argument.name} {argument.label}").split()) - {"number", "of", "the"}

    def beside(match: re.Match[str]) -> bool:
        around = _plain(text[max(0, match.start() - 20) : match.end() + 20]).split()
        return not words.isdisjoint(around)

    for match in sorted(found, key=lambda one: not beside(one)):
        value = float(match.group().replace(",", "."))
        yield int(value) if argument.type == "integer" and value.is_integer() else value
    for word in _plain(text).split():
        if word in _WORDS:
            yield _WORDS[word]


def _named(argument: Argument, text: str) -> str | None:
    """Return a text of no certain shape that stands beside the argument's name."""
    if "reason" in argument.name.lower() and (because := _REASON.search(text)):
        return because[1].strip(" .!")
    names = {argument.label, _plain(argument.name)} - {""}
    for name in sorted(names, key=len, reverse=True):
        named = rf"\b{re.escape(name)}\b\W*(?:(?:is|no|nr|number)\b\W*)*"
        told = re.search(rf"{named}([\w@.+/-]*\d[\w@.+/-]*)", text, re.IGNORECASE)
        if told:
            return told[1].strip(".")
    return None
