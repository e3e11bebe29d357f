"""Numbers that were told: what they are of, and which others were told beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from agent.knowledge.words import words_of
from agent.tools.filling import read, read_all
from agent.tools.spec import Argument, Tool

MOST_FURTHER = 4
Others = tuple[dict[str, Any], ...]
"""Arguments that the same tool is to be used with later."""

NUMBER_OF = re.compile(r"\b(?:numbers?|no|nr|id|code)\b\.?", re.IGNORECASE)


def told_by(tool: Tool, text: str, today: date) -> tuple[Argument, str] | None:
    """Return the argument with a shape of its own that a text tells, and how."""
    for argument in tool.arguments:
        value = read(argument, text, today) if "pattern" in argument.schema else None
        if value is not None:
            return argument, str(value)
    return None


def says_only(text: str, value: str) -> bool:
    """Return whether a text says nothing besides a number: "and A-1235?"."""
    place = text.upper().find(value.upper())
    return place >= 0 and not words_of(f"{text[:place]} {text[place + len(value) :]}")


def named(text: str, argument: Argument, value: str) -> str:
    """Return a text with what a number is of before it: "where is order A-1234?"."""
    thing = NUMBER_OF.sub("", argument.label).strip()
    place = text.upper().find(value.upper())
    if not thing or place < 0 or thing in text.lower():
        return text
    return f"{text[:place]}{thing} {text[place:]}"


def further(tool: Tool, said: str, values: Mapping[str, Any]) -> Others:
    """Return what else a tool is to be used with: the second number of "cancel A-1 and A-2"."""
    for argument in tool.arguments:
        if (
            "pattern" in argument.schema
            and argument.name in values
            and values[argument.name] in said
        ):
            found = [one for one in read_all(argument, said) if one != values[argument.name]]
            return tuple({argument.name: one} for one in found[:MOST_FURTHER])
    return ()
