"""What a tool answered, in words: by the templates of its file, or field by field."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from agent.wording import clean, listing, number

_FIELD = re.compile(r"\{([A-Za-z_][\w.-]*)\}")
MOST_FIELDS = 8
LONGEST = 300


def tell(templates: Sequence[str], result: Any, arguments: Mapping[str, Any]) -> str:
    """Return the words of the first template whose fields are all there; else field by field."""
    values = {**arguments, **(result if isinstance(result, dict) else {"result": result})}
    for template in templates:
        names = _FIELD.findall(template)
        found = {name: spoken(_at(values, name)) for name in names}
        if all(found.values()):
            return _put(template, found)
    return fields(result)


def _put(template: str, found: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda match: found[match[1]], template)


def fields(result: Any) -> str:
    """Return the plain fields of an answer as one line."""
    if not isinstance(result, dict):
        return spoken(result)
    told = [(name, spoken(value)) for name, value in result.items()]
    return "; ".join(f"{_label(name)}: {text}" for name, text in told[:MOST_FIELDS] if text)


def spoken(value: Any) -> str:
    """Return a value as it is read; nothing for one that cannot be."""
    if value is None or isinstance(value, dict):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(float(value))
    if isinstance(value, list):
        return listing([text for one in value[:MOST_FIELDS] if (text := spoken(one))])
    return _dated(str(value)) or clean(str(value), LONGEST)


def _at(values: Mapping[str, Any], path: str) -> Any:
    found: Any = values
    for part in path.split("."):
        if isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        elif isinstance(found, Mapping):
            found = found.get(part)
        else:
            return None
    return found


def _label(name: str) -> str:
    return clean(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").lower(), 40)


def _dated(text: str) -> str:
    """Return an ISO date as people say it; nothing for another text."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?", text):
        return ""
    from babel.dates import format_date

    try:
        moment = date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        return ""
    said = str(format_date(moment, "d MMMM y", "en"))
    return f"{said}, {moment.hour}:{moment.minute:02}" if isinstance(moment, datetime) else said
