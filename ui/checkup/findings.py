"""Findings as values, and the running of checks: a check that breaks is a finding too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from agent.observability.logs import redact

Level = Literal["ok", "note", "warn", "fail"]
"""note: worth knowing, nothing to do. warn: will hurt some day. fail: does not work, or is open."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        about: What was looked at, in a word or two.
        said: What was found.
        advice: What to do; empty where there is nothing.
    """

    level: Level
    about: str
    said: str
    advice: str = ""


_SEE = "see the message; nothing that depends on it was looked at"
_ADVICE = {
    "catalog": "attune index FILE --out DIR makes the index anew; conversations are kept",
    "files": "serve as the user who owns the folder",
    "store": "correct ATTUNE_STORE, or restore a backup (docs/deploy.md)",
    "knowledge": "attune knowledge add FILE|FOLDER indexes the pages anew",
    "service desk": "correct that file: no server starts with it (docs/service.md)",
    "model": "correct ATTUNE_LLM and ATTUNE_MODEL (docs/llm.md); rules plan meanwhile",
    "tenants": "correct the file of tenants (docs/access.md)",
}
"""What to do where a check broke, by what it looked at; the message says what is wrong."""

Check = Callable[[], Iterable[Finding]]


def ok(about: str, said: str) -> Finding:
    """Return that something is as it should be."""
    return Finding("ok", about, said)


def note(about: str, said: str, advice: str = "") -> Finding:
    """Return something worth knowing."""
    return Finding("note", about, said, advice)


def warn(about: str, said: str, advice: str) -> Finding:
    """Return something that works and should not stay so."""
    return Finding("warn", about, said, advice)


def fail(about: str, said: str, advice: str) -> Finding:
    """Return something that does not work, or is open to everybody."""
    return Finding("fail", about, said, advice)


def run(checks: Iterable[tuple[str, Check]]) -> Iterator[Finding]:
    """Yield what checks find, one after the other; none of them stops the others."""
    for about, check in checks:
        try:
            yield from check()
        except Exception as error:
            said = " ".join(redact(str(error)).split()) or type(error).__name__
            yield fail(about, said, _ADVICE.get(about, _SEE))
