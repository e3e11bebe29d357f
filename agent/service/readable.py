"""Words as cues have them: chat spelling written out, misspelt words of service desks put right.

Only what cues are matched against is changed, never what is stored, shown or asked of the pages.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache, lru_cache

from agent.knowledge.questions import written_out
from agent.knowledge.words import rarity, vocabulary

SHORTEST = 5
"""Shorter words have too many near ones."""
NEAR = 0.82
"""Likeness from which a word is taken for a misspelt one."""
_MORE = "policy policies person human agent manager support service complaint please number address"
_WORD = re.compile(r"(?<![<\w'])[a-z]+(?![\w'>])")


@lru_cache(maxsize=4096)
def readable(text: str) -> str:
    """Return a text in lower case as cues have it; tags like <V1> stay."""
    return _WORD.sub(lambda found: _corrected(found[0]), written_out(text).lower())


@lru_cache(maxsize=20_000)
def _corrected(word: str) -> str:
    if len(word) < SHORTEST or rarity(word) < 1.0:
        return word
    near = get_close_matches(word, _words(), n=1, cutoff=NEAR)
    return near[0] if near else word


@cache
def _words() -> tuple[str, ...]:
    return tuple(dict.fromkeys((*vocabulary(), *_MORE.split())))
