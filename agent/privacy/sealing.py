"""Encrypting texts at rest: Fernet (AES-128-CBC with HMAC-SHA256), keys that can be rotated."""

from __future__ import annotations

from collections.abc import Sequence

from agent.errors import StoreError


class FernetSealer:
    """Encrypts with the first key; decrypts with any. See `agent.sealed.Sealer`.

    Raises:
        StoreError: If a key is none, or the library is missing.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            from cryptography.fernet import Fernet, InvalidToken, MultiFernet
        except ModuleNotFoundError as error:
            raise StoreError(
                "ATTUNE_TEXT_KEY is set, but the library to encrypt with is not installed; "
                "pip install 'attune[encrypt]'"
            ) from error
        try:
            own = [Fernet(key) for key in keys]
        except ValueError as error:
            raise StoreError(
                "a key in ATTUNE_TEXT_KEY is no Fernet key (32 bytes in URL-safe base64); make "
                "one with `attune privacy key`"
            ) from error
        self._first, self._all = own[0], MultiFernet(own)
        self._wrong = InvalidToken

    def seal(self, text: str) -> str:
        """Return a text encrypted with the first key."""
        return self._first.encrypt(text.encode("utf-8", "surrogatepass")).decode("ascii")

    def open(self, sealed: str) -> str:
        """Return what was encrypted with any of the keys."""
        try:
            return self._all.decrypt(sealed.encode()).decode("utf-8", "surrogatepass")
        except self._wrong as error:
            raise StoreError(
                "what was said is encrypted with another key, or damaged; ATTUNE_TEXT_KEY must "
                "have the key it was written with"
            ) from error

    def current(self, sealed: str) -> bool:
        """Return whether a text is encrypted with the first key."""
        try:
            self._first.decrypt(sealed.encode())
        except self._wrong:
            return False
        return True


def new_key() -> str:
    """Return a new key."""
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode("ascii")
