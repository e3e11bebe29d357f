"""An item as the payload of a Qdrant point, in forms that the server can compare.

Catalogs may have thousands of fields, and an index per field does not scale. What can be said in
one index for all fields is: `k` keywords for `eq`, `e` marks of what a field has, `t` the words of
the whole text and `w` those of each field, for `contains`. Only numbers (`n`), dates (`d`) and
values as facets list them (`v`) are kept by field; each field has a safe key. Pure; knows neither
filters (`retrieval.engines.qdrant_filters`) nor the server.
"""

from __future__ import annotations

import hashlib
import math
import re
import sys
import uuid
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeGuard

from retrieval.catalog import FieldValue, Item
from retrieval.filters import fold, text_of, words
from retrieval.view import written

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
    if text.isascii() and "\x00" not in text:
        return text
    return _UNSAFE.sub(lambda match: f"\ufffd{ord(match[0]):04x}", text)


def restored(text: str) -> str:
    """Return the text that `storable` was given."""
    return re.sub("\ufffd([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), text)


def keywords(key: str, value: FieldValue) -> list[str]:
    """Return the keywords under which `eq` finds a single value of a field.

    Text is found by its folded form. True is found by "true" in any case but not by " true", as
    `retrieval.filters` defines it, which takes a keyword of its own. Numbers have none.
    """
    spelt = str(value).casefold()
    found = [storable(f"{key}={fold(value)}")] if isinstance(value, str) else []
    flag = isinstance(value, bool | str) and spelt in ("true", "false")
    return [*found, f"{key}?{spelt}"] if flag else found


def has_field(key: str) -> str:
    """Return the mark of items that have a field."""
    return f"={key}"


def has_words(key: str) -> str:
    """Return the mark of items with words in a field."""
    return f"~{key}"


def has_plain_text(key: str) -> str:
    """Return the mark of items with a text in a field that is no date."""
    return f"!{key}"


def field_words(key: str, spoken: Iterable[str]) -> str:
    """Return the words of one field as they stand among those of all fields.

    Each begins with a digest of the key, so that a phrase is found in this field only.
    """
    digest = hashlib.blake2b(key.encode(), digest_size=5).hexdigest()
    return " ".join(f"{digest}{word}" for word in spoken)


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
    payload |= {"e": [], "k": [], "n": {}, "d": {}, "v": {}}
    spoken = []
    for name in item.fields:
        if values := item.values(name):
            key = key_of(name)
            _add_forms(payload, key, values)
            if own := words(" \n ".join(map(str, values))):
                payload["e"].append(has_words(key))
                spoken.append(field_words(key, own))
    if spoken:
        payload["w"] = " ".join(spoken)
    if text := words(text_of(item)):
        payload["t"] = " ".join(text)
    return {name: form for name, form in payload.items() if form not in ({}, [])}


def _add_forms(payload: Payload, key: str, values: tuple[FieldValue, ...]) -> None:
    """Add the forms of one field's values; forms without content are left out."""
    payload["e"].append(has_field(key))
    if any(kind_of(value) == "text" for value in values):
        payload["e"].append(has_plain_text(key))
    payload["k"] += sorted({word for value in values for word in keywords(key, value)})
    numbers = [value for value in values if is_number(value)]
    found = {
        "n": [finite(number) + 0.0 for number in numbers if not math.isnan(number)],
        "d": [date_number(str(value)) for value in values if kind_of(value) == "date"],
        "v": sorted({storable(f"={written(value)}") for value in values}),
    }
    for form, content in found.items():
        if content:
            payload[form][key] = content
