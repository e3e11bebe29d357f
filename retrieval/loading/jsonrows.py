"""Rows of JSON lines, and of a JSON array (alone or inside one object), read piece by piece."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any

from retrieval.errors import CatalogError
from retrieval.loading.records import Reject, Row, excerpt

CHUNK = 1 << 20
LONGEST = 64_000_000
"""Characters one element of an array may have."""


def json_rows(text: IO[str], head: str, name: str) -> Iterator[Row | Reject]:
    """Yield one row per object: by lines where the first line is an object, else by elements."""
    first = head.lstrip("\ufeff \t\r\n").split("\n", 1)[0]
    if _is_line(first, len(head) >= CHUNK // 4):
        return _lines(text, name)
    return _elements(text, name)


def _is_line(first: str, cut: bool) -> bool:
    if not first.startswith("{"):
        return False
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        # A broken first line is one bad row, if the next thing is not an indented object.
        return cut or first.rstrip().endswith("}")
    return not (len(value) == 1 and _inner(value) is not None)


def _lines(text: IO[str], name: str) -> Iterator[Row | Reject]:
    for number, line in enumerate(text, 1):
        line = line.strip("\ufeff \t\r\n")
        if line:
            yield _parsed(name, number, line)


def _parsed(name: str, number: int, line: str) -> Row | Reject:
    try:
        if not line.isascii():
            line.encode()
        value = json.loads(line)
    except UnicodeEncodeError:
        return Reject(name, number, _column_of(line), "wrong encoding: not UTF-8", excerpt(line))
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", None) or "nested too deeply"
        return Reject(name, number, "", f"not JSON: {reason}", excerpt(line))
    return _object(name, number, value)


def _object(name: str, number: int, value: Any) -> Row | Reject:
    if isinstance(value, dict):
        return Row(name, number, value)
    reason = f"expected an object, got {type(value).__name__}"
    return Reject(name, number, "", reason, excerpt(value))


def _column_of(line: str) -> str:
    """Return the key whose value holds bytes that are no UTF-8."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    for key, cell in value.items() if isinstance(value, dict) else ():
        try:
            json.dumps(cell, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return str(key)
    return ""


def _inner(value: dict[str, Any]) -> list[Any] | None:
    """Return the only list of objects in an object ({"products": [...]}), or None."""
    lists = [v for v in value.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
    return lists[0] if len(lists) == 1 else None


def _elements(text: IO[str], name: str) -> Iterator[Row | Reject]:
    """Yield the elements of an array, or of several values after each other."""
    decoder = json.JSONDecoder()
    buffer, number, last = "", 0, False
    while True:
        buffer = buffer.lstrip(" \t\r\n,\ufeff")
        if number == 0 and buffer.startswith("["):
            buffer = buffer[1:].lstrip()
        if buffer.startswith("]") or (last and not buffer):
            return
        try:
            value, end = decoder.raw_decode(buffer)
            whole = end < len(buffer) or last
        except (ValueError, RecursionError) as error:
            whole = last or len(buffer) > LONGEST
            if whole:
                yield _broken(name, number, error, buffer)
                return
        if not whole:
            chunk = text.read(max(CHUNK, len(buffer)))
            last = not chunk
            buffer += chunk
            continue
        buffer = buffer[end:]
        inner = _inner(value) if isinstance(value, dict) and number == 0 else None
        if inner is not None and not buffer.strip():
            yield from (_object(name, n, element) for n, element in enumerate(inner, 1))
            return
        number += 1
        yield _object(name, number, value)


def _broken(name: str, number: int, error: Exception, buffer: str) -> Reject:
    reason = f"not JSON from here on: {getattr(error, 'msg', 'nested too deeply')}"
    if number == 0:
        raise CatalogError(f"{name!r} is {reason}; expected objects, got {excerpt(buffer)!r}")
    return Reject(name, number + 1, "", reason, excerpt(buffer))
