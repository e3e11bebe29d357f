"""What a turn needs of privacy: a text with personal data masked."""

from __future__ import annotations

from typing import Protocol


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
