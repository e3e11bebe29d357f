"""What a turn needs of privacy: a text with personal data masked."""

from __future__ import annotations

import re
from typing import Protocol

MARK = re.compile(r"\[(?:mail|phone|card|iban|address|name|birth|id|ip)\]")


class Masker(Protocol):
    """Masks personal data."""

    def mask(self, text: str) -> str:
        """Return the text with each mail address, card number… replaced by its kind: "[mail]".

        A text without any comes back as it is.
        """
        ...


class NoMasker:
    """Leaves texts as they are."""

    def mask(self, text: str) -> str:
        """Return the text."""
        return text


MASKS_NOTHING = NoMasker()


def without_marks(text: str) -> str:
    """Return a masked text with blanks for what was masked: "[phone]" asks for no phone."""
    return MARK.sub(lambda mark: " " * len(mark[0]), text)
