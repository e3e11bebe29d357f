"""The words of the pages: one table per language, one file per table.

`strings/en.toml` has every key; another language is a file beside it, and what it lacks is English.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

DEFAULT = "en"


@cache
def _table(language: str, of: str = "ui.web") -> Mapping[str, str]:
    text = (files(of) / "strings" / f"{language}.toml").read_text("utf-8")
    return {
        f"{section}.{name}": value
        for section, entries in tomllib.loads(text).items()
        for name, value in entries.items()
    }


def languages() -> list[str]:
    """Return the languages there are tables for, the default one first."""
    folder = files("ui.web") / "strings"
    found = sorted(one.name.removesuffix(".toml") for one in folder.iterdir()
                   if one.name.endswith(".toml"))  # fmt: skip
    return [DEFAULT, *(one for one in found if one != DEFAULT)]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language: words("shop.send").

    Args:
        of: The package whose tables they are in.
    """

    language: str = DEFAULT
    of: str = "ui.web"

    def __call__(self, key: str, **values: object) -> str:
        """Return the words of a key, with values put in; KeyError where there is no such key."""
        own = _table(self.language, self.of)
        text = own[key] if key in own else _table(DEFAULT, self.of)[key]
        return text.format(**values) if values else text

    def get(self, key: str) -> str | None:
        """Return the words of a key, or None."""
        return _table(self.language, self.of).get(key) or _table(DEFAULT, self.of).get(key)
