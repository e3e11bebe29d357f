"""What kind of thing a question asks for (a duration, an amount), and whether a text gives it."""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from importlib.resources import files


@cache
def _kinds() -> tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...]:
    text = (files("agent.knowledge") / "kinds.toml").read_text(encoding="utf-8")
    return tuple(
        (name, re.compile(kind["asks"]), re.compile(kind["shows"]))
        for name, kind in tomllib.loads(text).items()
    )


@lru_cache(maxsize=1024)
def asked_kind(question: str) -> str | None:
    """Return the kind of thing that a question asks for; None where any sentence may answer."""
    text = question.casefold().replace("’", "'")
    return next((name for name, asks, _ in _kinds() if asks.search(text)), None)


def shows_kind(text: str, kind: str) -> bool:
    """Return whether a text has something of a kind in it."""
    shows = next(pattern for name, _, pattern in _kinds() if name == kind)
    return shows.search(text.casefold()) is not None
