"""The phrase table of a language: words, patterns and signs, read from one file.

    [language]     script: a letter class of regular expressions that tells its letters
    [characters]   variants: pairs of signs, the second is what the tables are written in
    [numerals]     digits, units: sign=value pairs
    [names.NAME]   English = "phrase|phrase": phrases that a part of this name may be
    [classes]      regular expressions that a part of this name may be
    [words]        English = "phrase|phrase"
    [[patterns]]   find: a regular expression; say: English, with its named parts in braces

In `find`, `{n}` is a number, `{x}` anything within a clause, `{name}` a class, `^` and `$` the ends
of a clause; digits behind a name tell parts apart (`{x1}`). In `say`, a part is carried over in its
turn; a number comes out in figures, with `:th` as an ordinal, with `:year` as a year.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from agent.languages.numerals import Numerals

CLAUSE_ENDS = ",.。!?;\n"
_START = rf"(?<![^{re.escape(CLAUSE_ENDS)}\s])"
_PART = re.compile(r"\{([a-z]+)(\d*)\}")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way of saying something, and its English."""

    find: re.Pattern[str]
    say: str
    numbers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Phrases:
    """How people speak a language to a shop, in the words that the linker knows.

    Args:
        letters: Matches a letter that only this language's script has; None where it has none.
        spaced: Whether words stand apart by blanks.
        words: Phrase to English.
        endings: What a name may have at its end, or not ("蓝" and "蓝色").
        variants: Sign to the one that the tables are written in.
        names: For parts of a name, phrase to English.
    """

    letters: re.Pattern[str] | None = None
    spaced: bool = True
    words: Mapping[str, str] = field(default_factory=dict)
    patterns: tuple[Pattern, ...] = ()
    numerals: Numerals = field(default_factory=Numerals)
    endings: tuple[str, ...] = ()
    variants: Mapping[int, str] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@cache
def phrases(code: str) -> Phrases | None:
    """Return the phrase table of a language; None where there is none."""
    file = resources.files("agent.languages") / "data" / f"{code}.toml"
    return made(tomllib.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


@cache
def tables() -> tuple[str, ...]:
    """Return the codes of the languages that there are phrase tables for."""
    folder = resources.files("agent.languages") / "data"
    names = [file.name for file in folder.iterdir()]
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def made(table: Mapping[str, Any]) -> Phrases:
    """Return the phrase table of a file's content."""
    language = table.get("language", {})
    numerals = {name: _pairs(row) for name, row in table.get("numerals", {}).items()}
    signs = Numerals(numerals.get("digits", {}), numerals.get("units", {}))
    names = {name: _english(rows) for name, rows in table.get("names", {}).items()}
    words = _english(table.get("words", {}))
    words |= dict.fromkeys(table.get("dropped", {}).get("words", "").split("|"), "")
    words.pop("", None)
    parts = _parts(names, table.get("classes", {}), signs)
    script = language.get("script", "")
    return Phrases(
        letters=re.compile(script) if script else None,
        spaced=bool(language.get("spaced", True)),
        words=words,
        patterns=tuple(_pattern(row, parts) for row in table.get("patterns", ())),
        numerals=signs,
        endings=tuple(language.get("endings", "").split()),
        variants=_variants(table.get("characters", {}).get("variants", "")),
        names=names,
    )


def _english(rows: Mapping[str, str]) -> dict[str, str]:
    """Return phrase to English; of two rows with a phrase the first one counts."""
    found: dict[str, str] = {}
    for english, said in rows.items():
        for phrase in said.split("|"):
            found.setdefault(phrase.strip().lower(), english)
    return found


def _pairs(row: str) -> dict[str, int]:
    return {sign: int(value) for sign, _, value in (one.partition("=") for one in row.split())}


def _variants(pairs: str) -> dict[int, str]:
    return {ord(pair[0]): pair[1] for pair in pairs.split()}


def _parts(
    names: Mapping[str, Mapping[str, str]], classes: Mapping[str, str], signs: Numerals
) -> dict[str, str]:
    """Return what stands for each name in a pattern; a class may use those before it."""
    figures = r"\d[\d,]*(?:\.\d+)?"
    if signs.digits:
        units = "".join(map(re.escape, signs.units))
        figures += f"[{units}]?|[{''.join(map(re.escape, signs.digits))}{units}]+"
    parts = {"n": f"(?:{figures})"}
    for name, phrases_ in names.items():
        longest = sorted(phrases_, key=len, reverse=True)
        parts[name] = f"(?:{'|'.join(map(re.escape, longest))})"
    parts["x"] = rf"[^{re.escape(CLAUSE_ENDS)}]+?"
    for name, text in classes.items():
        parts[name] = f"(?:{_filled(text, parts)})"
    return parts


def _filled(text: str, parts: Mapping[str, str]) -> str:
    return _PART.sub(lambda m: parts[m[1]] if m[1] in parts else m[0], text)


def _pattern(row: Mapping[str, str], parts: Mapping[str, str]) -> Pattern:
    """Return a pattern; a part in braces becomes a group where its English is said."""
    said = {f"{one[1]}{one[2]}" for one in _PART.finditer(re.sub(r":\w+\}", "}", row["say"]))}
    numbers: set[str] = set()

    def group(match: re.Match[str]) -> str:
        name = f"{match[1]}{match[2]}"
        if match[1] not in parts:
            return match[0]
        if name not in said:
            return f"(?:{parts[match[1]]})"
        said.remove(name)
        if match[1] == "n":
            numbers.add(name)
        return f"(?P<{name}>{parts[match[1]]})"

    find = row["find"]
    opened, closed = find.startswith("^"), find.endswith("$")
    body = _PART.sub(group, find.removeprefix("^").removesuffix("$"))
    end = parts.get("end", rf"(?=\s*(?:[{re.escape(CLAUSE_ENDS)}]|\Z))") if closed else ""
    text = f"{_START if opened else ''}{body}{end}"
    return Pattern(re.compile(text, re.IGNORECASE), row["say"], frozenset(numbers))
