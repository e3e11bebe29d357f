"""Who may call: what the settings say of keys, secrets and web pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr

from agent.errors import StoreError
from ui.checkup.findings import Finding, fail, note, ok, warn
from ui.privacy_wiring import secrets_of
from ui.settings import Settings

_SHORTEST = 24
"""Characters below which a key can be guessed."""


def access(settings: Settings) -> Iterator[Finding]:
    """Look at the settings that open a server, or fail to close it."""
    if settings.auth == "open":
        yield fail("access", "ATTUNE_AUTH=open: whoever reaches the server can use it",
                   "unset it, and make keys: attune keys add")  # fmt: skip
    else:
        yield ok("access", "others than this machine need a key")
    if "*" in settings.origins.split(","):
        yield warn("browsers", "ATTUNE_ORIGINS=*: pages of any site may call it",
                   "name the origins of your own pages")  # fmt: skip
    yield from _secrets(settings)
    yield from _text_key(settings)
    if settings.text_key is None:
        yield note("privacy", "what people write is stored in clear",
                   "attune privacy key makes an ATTUNE_TEXT_KEY")  # fmt: skip
    if settings.retention_days is None:
        yield note("privacy", "sessions are kept for ever", "set ATTUNE_RETENTION_DAYS")


def _secrets(settings: Settings) -> Iterator[Finding]:
    named = {
        "ATTUNE_ADMIN_KEY": settings.admin_key,
        "ATTUNE_METRICS_KEY": settings.metrics_key,
        "ATTUNE_USER_SECRET": settings.user_secret,
    }
    short = [name for name, secret in named.items() if _is_short(secret)]
    if short:
        yield fail("secrets", f"{', '.join(short)}: shorter than {_SHORTEST} characters",
                   "openssl rand -hex 32")  # fmt: skip


def _text_key(settings: Settings) -> Iterator[Finding]:
    try:
        secrets_of(Path("nowhere") / "none", settings)
    except StoreError as error:
        yield fail("secrets", str(error), "correct ATTUNE_TEXT_KEY: no server starts with it")


def _is_short(secret: SecretStr | None) -> bool:
    return secret is not None and len(secret.get_secret_value()) < _SHORTEST
