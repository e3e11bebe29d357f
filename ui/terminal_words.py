"""What the terminal says beside the assistant, by language; English where there is no table."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def terminal_words(language: str) -> Mapping[str, str]:
    """Return the words of a language."""
    folder = files("ui") / "strings"
    file = folder / f"{language}.toml"
    known = file if language.isalpha() and file.is_file() else folder / "en.toml"
    return tomllib.loads(known.read_text(encoding="utf-8"))


def told(name: str, language: str, **values: object) -> str:
    """Return a sentence in a language."""
    return terminal_words(language)[name].format(**values)
