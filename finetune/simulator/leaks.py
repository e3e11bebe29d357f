"""Whether a user gave the hidden target away. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from retrieval.catalog import Item

RUN = 3
"""So many words of the title in its order say which item it is."""

_WORD = re.compile(r"[^\W_]+")


def leaked(utterance: str, target: Item) -> bool:
    """Return whether an utterance names the target: its id, its title, or a run of title words."""
    said, title = _words(utterance), _words(target.title)
    id = _words(target.id)
    # A bare number is as likely a bound or a size; only with letters is it surely the id.
    if id and _within(id, said) and not target.id.isdigit():
        return True
    run = min(RUN, len(title))
    if run == 0 or (run == 1 and len(title[0]) < 4):
        return False
    return any(_within(title[at : at + run], said) for at in range(len(title) - run + 1))


def leaks(utterances: Iterable[str], target: Item) -> list[str]:
    """Return the utterances that name the target."""
    return [utterance for utterance in utterances if leaked(utterance, target)]


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _within(run: list[str], said: list[str]) -> bool:
    return any(said[at : at + len(run)] == run for at in range(len(said) - len(run) + 1))
