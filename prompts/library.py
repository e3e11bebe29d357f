"""Versioned prompts: load one by id and fill it in.

`plan@1` is the file `templates/plan.v1.md`. A line `--- system ---` (or user, assistant) starts a
message, `{{ name }}` is a variable, and everything else is taken as written. A released file is
never edited: the next wording is the next version (tests/prompts/released.json holds the hashes).
This module does not know what the prompts are for or which model reads them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypedDict, cast

from prompts.errors import MissingVariables, UnknownPrompt, UnknownVariables

Role = Literal["system", "user", "assistant"]


class Message(TypedDict):
    """One chat message as every OpenAI-compatible server takes it."""

    role: Role
    content: str


_ID = re.compile(r"([a-z][a-z0-9_]*)@([1-9][0-9]*)")
_FILE = re.compile(r"([a-z][a-z0-9_]*)\.v([1-9][0-9]*)\.(?:md|json)")
_PART = re.compile(r"^--- (system|user|assistant) ---\n", re.MULTILINE)
_VARIABLE = re.compile(r"\{\{ *([a-z_][a-z0-9_]*) *\}\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A prompt with places for variables.

    Args:
        own: It is an owner's wording of the released one.
    """

    name: str
    version: int
    text: str
    own: bool = False

    @property
    def id(self) -> str:
        """Name and version, as stored with every plan made from it; an owner's has its hash."""
        return f"{self.name}@{self.version}" + (f"+{self.hash[:8]}" if self.own else "")

    @property
    def hash(self) -> str:
        """SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables, in order of first use."""
        return tuple(dict.fromkeys(_VARIABLE.findall(self.text)))

    def render(self, **values: str) -> str:
        """Return the text with every variable filled in; values are not searched for variables.

        Raises:
            MissingVariables: If a variable of the template was not given.
            UnknownVariables: If a variable was given that the template does not have.
        """
        self._check(values)
        return _fill(self.text, values)

    def messages(self, **values: str) -> tuple[Message, ...]:
        """Return the filled-in text as chat messages, one per `--- role ---` line.

        A template without such lines is one user message. Raises like `render`.
        """
        self._check(values)
        return tuple(
            Message(role=role, content=_fill(text, values).strip()) for role, text in self._parts()
        )

    def _parts(self) -> Iterator[tuple[Role, str]]:
        # Split before filling in, so that no value can open a message of its own.
        before, *rest = _PART.split(self.text)
        if before.strip():
            yield "user", before
        for role, text in zip(rest[::2], rest[1::2], strict=True):
            yield cast(Role, role), text

    def _check(self, values: dict[str, str]) -> None:
        missing = [name for name in self.variables if name not in values]
        if missing:
            raise MissingVariables(
                f"prompt {self.id!r} needs {_names(self.variables)}; missing: {_names(missing)}"
            )
        unknown = [name for name in values if name not in self.variables]
        if unknown:
            has = _names(self.variables) or "no variables"
            raise UnknownVariables(f"prompt {self.id!r} has {has}; not: {_names(unknown)}")


def _fill(text: str, values: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values[match[1]], text)


def _names(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)


def available(kind: Literal["templates", "schemas"] = "templates") -> tuple[str, ...]:
    """Return the ids of all prompts (or schemas), by name, then version."""
    found = [_FILE.fullmatch(file.name) for file in files("prompts").joinpath(kind).iterdir()]
    ordered = sorted((match[1], int(match[2])) for match in found if match)
    return tuple(f"{name}@{version}" for name, version in ordered)


@cache
def load(id: str) -> Template:
    """Return the prompt with an id such as "plan@1".

    Raises:
        UnknownPrompt: If there is no such prompt; says which there are.
    """
    name, version = _find(id, "templates")
    path = files("prompts").joinpath("templates", f"{name}.v{version}.md")
    return Template(name, version, path.read_text(encoding="utf-8"))


def own(id: str, folder: Path) -> Template | None:
    """Return an owner's wording of a prompt, in a folder under the released file's name.

    Returns None where there is none. It has the variables of the released one, all of them.

    Raises:
        UnknownPrompt: If there is no such prompt, or the file cannot be read.
        MissingVariables, UnknownVariables: If its variables are others.
    """
    released = load(id)
    path = folder / f"{released.name}.v{released.version}.md"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UnknownPrompt(f"the prompt {str(path)!r} cannot be read: {error}") from error
    found = Template(released.name, released.version, text, own=True)
    has, wanted = {*found.variables}, {*released.variables}
    if wanted - has:
        raise MissingVariables(f"{path} lacks {_names(sorted(wanted - has))}, which {id} has")
    if has - wanted:
        raise UnknownVariables(f"{path} has {_names(sorted(has - wanted))}, which {id} lacks")
    return found


def schema(id: str) -> dict[str, Any]:
    """Return the JSON schema with an id such as "plan@1", a fresh copy to change freely.

    Raises:
        UnknownPrompt: If there is no such schema; says which there are.
    """
    name, version = _find(id, "schemas")
    path = files("prompts").joinpath("schemas", f"{name}.v{version}.json")
    return cast(dict[str, Any], json.loads(path.read_text(encoding="utf-8")))


def _find(id: str, kind: Literal["templates", "schemas"]) -> tuple[str, int]:
    match = _ID.fullmatch(id)
    if match is None or id not in available(kind):
        raise UnknownPrompt(
            f"no prompt {id!r} among the {kind}; there are {_names(available(kind))}"
        )
    return match[1], int(match[2])
