"""A text as those who look for personal data read it: forms of letters as one types them.

Full-width letters become plain ones and invisible characters go, so that "４１１１" and a number
with hidden characters in it are numbers like any other. Han, kana and hangul, which are written
without blanks, stand apart from the digits and letters next to them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from agent.privacy.found import Found

HAN = "\u3400-\u9fff\uf900-\ufaff"
_JOINED = re.compile(f"[{HAN}\u3005-\u3007\u3040-\u30ff\uac00-\ud7af]")
"""Letters of scripts that put no blanks between words."""

_HIDDEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


@dataclass(frozen=True, slots=True)
class Reading:
    """A text read.

    Args:
        text: With plain forms of letters, and nothing invisible.
        apart: The same, as long, with bars for letters of scripts that put no blanks between words.
        places: Where each character was; None where all are where they were.
    """

    text: str
    apart: str
    places: tuple[int, ...] | None = None

    def placed(self, one: Found) -> Found:
        """Return something found, where it is in the text as it was."""
        if self.places is None:
            return one
        return Found(self.places[one.start], self.places[one.end - 1] + 1, one.kind)


def read(text: str) -> Reading:
    """Return a text as it is read."""
    if text.isascii():
        return Reading(text, text)
    places = None
    if _HIDDEN.search(text):
        places = tuple(at for at, char in enumerate(text) if not _HIDDEN.match(char))
        text = "".join(text[at] for at in places)
    plain = "".join(map(_plain, text))
    return Reading(plain, _JOINED.sub("|", plain), places)


def _plain(char: str) -> str:
    """Return the plain form of a character that is only another form of it."""
    if char < "\u2000":
        return char
    form = unicodedata.normalize("NFKC", char)
    return form if len(form) == 1 and form.isascii() else char
