"""Sentences read back: which words stand at the placeholders of a template."""

from __future__ import annotations

import re
from functools import lru_cache
from string import Formatter


@lru_cache(maxsize=4096)
def placeholders(template: str) -> frozenset[str]:
    """Return the names of a template's placeholders."""
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name)


@lru_cache(maxsize=4096)
def _pattern(template: str) -> re.Pattern[str]:
    parts, seen = [], set()
    for words, name, _, _ in Formatter().parse(template):
        parts.append(re.escape(words))
        if name:
            parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>.*?)")
            seen.add(name)
    return re.compile("".join(parts), re.DOTALL)


def read(template: str, text: str) -> dict[str, str] | None:
    """Return what stands at each placeholder of a template, None where a text is none of it."""
    match = _pattern(template).fullmatch(text)
    return None if match is None else match.groupdict()
