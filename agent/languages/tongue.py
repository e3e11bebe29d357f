"""A tongue: one language as it is spoken over one catalog, from files alone.

Sentences are in `agent/strings/{code}.toml`; words for a catalog's own facets and values are in
`languages/{code}.toml` of its project directory. What no file has a word for stays as the catalog
writes it. This module says nothing itself (`agent.wording`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

CODE = re.compile(r"[a-z]{2,3}")


def _folder() -> Traversable:
    return resources.files("agent") / "strings"


@cache
def table(language: str = "en") -> Mapping[str, Mapping[str, Any]]:
    """Return the strings of a language; English where there is no table for it."""
    folder = _folder()
    file = folder / f"{language}.toml" if CODE.fullmatch(language) else folder
    if not file.is_file():
        file = folder / "en.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


@cache
def spoken() -> tuple[str, ...]:
    """Return the codes of the languages that there are sentences in, English first."""
    names = [file.name for file in _folder().iterdir()]
    codes = {name.removesuffix(".toml") for name in names if name.endswith(".toml")}
    return ("en", *sorted(code for code in codes - {"en"} if CODE.fullmatch(code)))


def base(code: str) -> str:
    """Return the language of a code with a region or script: "zh-Hans-CN" is "zh"."""
    return re.split(r"[-_]", code.strip().lower(), maxsplit=1)[0]


@dataclass(frozen=True, slots=True, eq=False)
class Tongue:
    """A language, with its words for a catalog.

    Args:
        labels: Facet name to what people call it.
        values: Facet name to case-folded value to what people call that.
    """

    code: str = "en"
    labels: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def label(self, facet: str, known: str) -> str:
        """Return what a facet is called, `known` where there is no word."""
        return self.labels.get(facet, known)

    def value(self, facet: str, value: str) -> str:
        """Return what a value is called, itself where there is no word."""
        own = self.values.get(facet)
        return value if own is None else own.get(value.casefold(), value)


ENGLISH = Tongue()
"""What is spoken where nothing else is asked for."""
