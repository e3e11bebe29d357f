"""An item as the payload of a Qdrant point, in forms that the server can compare.

Each field is stored under a safe key in the forms that its values need: `k` keywords for `eq`, `n`
numbers, `d` dates as numbers, `w` words for `contains`, `v` values as facets list them. Pure; knows
neither filters (`retrieval.engines.qdrant_filters`) nor the server.
"""

from __future__ import annotations

import hashlib
import math
import re
import sys
import uuid
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeGuard

from retrieval.catalog import FieldValue, Item
from retrieval.exact import written
from retrieval.filters import fold, text_of, words

_NAMESPACE = uuid.UUID("5d2d7fbb-4f0c-5a1c-9d0e-2a4f5c1b7e63")
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_]{1,64}")
_UNSAFE = re.compile("[\x00\ufffd\ud800-\udfff]")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_FORM = "0000-00-00"

Payload = dict[str, Any]


@lru_cache(maxsize=100_000)
def point_id(item_id: str) -> str:
    """Return the id of an item's point: a UUID, since Qdrant takes no other text."""
    return str(uuid.uuid5(_NAMESPACE, item_id))


@lru_cache(maxsize=10_000)
def key_of(field: str) -> str:
    """Return the key a field is stored under: its name, or a digest if that is no plain word."""
    if _PLAIN_KEY.fullmatch(field):
        return field
    return "-" + hashlib.blake2b(field.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def storable(text: str) -> str:
    """Return text that UTF-8 can hold; different texts stay different."""
    return _UNSAFE.sub(lambda match: f"\ufffd{ord(match[0]):04x}", text)


def restored(text: str) -> str:
    """Return the text that `storable` was given."""
    return re.sub("\ufffd([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), text)


def keywords(value: FieldValue) -> list[str]:
    """Return the keywords under which `eq` finds a single value of an item.

    Text is found by its folded form. True is found by "true" in any case but not by " true", as
    `retrieval.filters` defines it, which takes a keyword of its own.
    """
    spelt = str(value).casefold()
    if isinstance(value, bool):
        return [f"?{spelt}"]
    found = [storable(f"={fold(value)}")] if isinstance(value, str) else []
    return [*found, f"?{spelt}"] if spelt in ("true", "false") else found


def finite(value: float) -> float:
    """Return a number that JSON can hold: infinity is the largest number there is."""
    largest = sys.float_info.max
    return min(max(float(value), -largest), largest)


def date_number(text: str) -> int:
    """Return a date YYYY-MM-DD as a number that sorts alike."""
    return int(text.replace("-", ""))


def first_date_from(bound: str) -> int:
    """Return the smallest number of a date text that is not less than a text, compared as texts.

    "2024-03" gives 20240300, "2024-03-01" 20240301, "2024-03-01T12" 20240302, "x" 100000000.
    """
    digits, rest = 0, 8
    for place, form in enumerate(_DATE_FORM):
        if place == len(bound):
            return int(digits * 10**rest)
        if form == "-":
            if bound[place] != "-":
                return int((digits + (bound[place] > "-")) * 10**rest)
        elif "0" <= bound[place] <= "9":
            digits, rest = digits * 10 + int(bound[place]), rest - 1
        else:
            return int((digits + (bound[place] > "9")) * 10**rest)
    return digits + (len(bound) > len(_DATE_FORM))


def is_number(value: FieldValue) -> TypeGuard[float]:
    """Return whether a value is compared as a number: true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def kind_of(value: FieldValue) -> str:
    """Return what kind of single value this is: number, flag, date or text."""
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, str):
        return "date" if DATE.fullmatch(value) else "text"
    return "number"


def kinds_of(item: Item) -> dict[str, set[str]]:
    """Return the kinds of value in each field of an item; "many" marks lists that can be sorted."""
    kinds = {name: {kind_of(value) for value in item.values(name)} for name in item.fields}
    for name, value in item.fields.items():
        if isinstance(value, tuple) and len(value) > 1 and kinds[name] & {"number", "date"}:
            kinds[name].add("many")
    return {name: found for name, found in kinds.items() if found}


def payload_of(item: Item, body: str, seq: int, length: int) -> Payload:
    """Return the payload of an item's point.

    Args:
        body: The item as `retrieval.item_json` writes it.
        seq: Its place in the order of insertion.
        length: Of its text, in tokens (`retrieval.engines.bm25_terms`).
    """
    payload: Payload = {"id": item.id, "body": body, "seq": seq, "length": length}
    forms: dict[str, dict[str, Any]] = {form: {} for form in "kndwv"}
    present = [name for name in item.fields if item.values(name)]
    for name in present:
        _add_forms(forms, key_of(name), item.values(name))
    payload |= {form: fields for form, fields in forms.items() if fields}
    payload["e"] = [storable(name) for name in present]
    payload["s"] = [storable(name) for name in present if _has_plain_text(item.values(name))]
    if spoken := words(text_of(item)):
        payload["t"] = " ".join(spoken)
    return payload


def _has_plain_text(values: tuple[FieldValue, ...]) -> bool:
    return any(kind_of(value) == "text" for value in values)


def _add_forms(
    forms: Mapping[str, dict[str, Any]], key: str, values: tuple[FieldValue, ...]
) -> None:
    """Add the forms of one field's values; forms without content are left out."""
    numbers = [value for value in values if is_number(value)]
    spoken = words(" \n ".join(map(str, values)))
    found = {
        "k": sorted({word for value in values for word in keywords(value)}),
        "n": [finite(number) + 0.0 for number in numbers if not math.isnan(number)],
        "d": [date_number(str(value)) for value in values if kind_of(value) == "date"],
        "v": sorted({storable(f"={written(value)}") for value in values}),
    }
    for form, content in found.items():
        if content:
            forms[form][key] = content
    if spoken:
        forms["w"][key] = " ".join(spoken)
