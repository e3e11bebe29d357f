"""A project's own words: `languages/{code}.toml` beside its catalog.

    [facets]
    colour = "颜色"
    [values.colour]
    "Light Blue" = ["浅蓝色", "淡蓝"]

The first word for a value is what is said, all of them are understood. Names of facets and values
are the catalog's; a name it does not have is ignored, as catalogs change.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.errors import AgentError

FOLDER = "languages"


class BadGlossary(AgentError):
    """A table of a project's words cannot be read."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")

    facets: dict[str, str | list[str]] = {}
    values: dict[str, dict[str, str | list[str]]] = {}


@dataclass(frozen=True, slots=True)
class Glossary:
    """Words of one language for a catalog: by facet, and by facet and value; the first is said."""

    facets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    values: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)


def read_glossary(file: Path) -> Glossary:
    """Return the words of a file; none where there is no file.

    Raises:
        BadGlossary: If the file is no such table.
    """
    if not file.is_file():
        return Glossary()
    try:
        table = _Table.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise BadGlossary(
            f"{file} cannot be read: {_told(error)}; it takes [facets] (name = word) and "
            "[values.FACET] (value = word, or a list of words)"
        ) from error
    return Glossary(
        {name: _words(words) for name, words in table.facets.items()},
        {
            name: {value: _words(words) for value, words in row.items()}
            for name, row in table.values.items()
        },
    )


def _told(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'][:2]))}: {first['msg']}"


def _words(words: str | list[str]) -> tuple[str, ...]:
    listed = [words] if isinstance(words, str) else words
    return tuple(one.strip() for one in listed if one.strip())
