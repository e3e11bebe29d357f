"""What privacy needs of a project and the settings: its secrets, and what masks texts."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from agent.linking import Linker
from agent.ports import Retriever
from agent.privacy.catalog import CatalogNames
from agent.privacy.masking import PersonalDataMasker
from agent.privacy.port import MASKS_NOTHING, Masker
from agent.privacy.secrets import Secrets
from retrieval.project import has_manifest
from ui.errors import UIError
from ui.settings import Settings

SECRET = "user.secret"
"""The generated secret for user ids, in the project directory."""


def secrets_of(folder: Path, settings: Settings) -> Secrets:
    """Return what the session store of a project is opened with.

    Without ATTUNE_USER_SECRET one is made on first use and kept in the project.
    """
    given = settings.user_secret.get_secret_value() if settings.user_secret else None
    user = given.encode() if given is not None else _own_secret(folder / SECRET)
    keys = settings.text_key.get_secret_value() if settings.text_key else ""
    return Secrets(user, tuple(key for key in keys.replace(",", " ").split() if key))


def secrets_beside(url: str, settings: Settings) -> Secrets:
    """Return what a store is opened with that is named by its URL: of the project it is in."""
    parsed = make_url(url)
    file = parsed.database if parsed.get_backend_name() == "sqlite" else None
    folder = Path(file or "").parent
    return secrets_of(folder if (folder / SECRET).is_file() else folder / "none", settings)


def _own_secret(path: Path) -> bytes | None:
    if not path.parent.is_dir():  # no project, only a store; it says whether it needs a secret
        return None
    try:
        if not path.exists():
            _make_secret(path)
        return path.read_bytes().strip()
    except OSError as error:
        raise UIError(
            f"cannot keep the secret for user ids in {str(path)!r} ({error.strerror}); make the "
            "folder writable, or set ATTUNE_USER_SECRET"
        ) from error


def _make_secret(path: Path) -> None:
    """Write a new secret in one step; whoever was first wins."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_hex(32).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(scratch, path)
    except FileExistsError:
        pass
    finally:
        scratch.unlink()


def make_masker(linker: Linker, retriever: Retriever, settings: Settings) -> Masker:
    """Return what masks personal data, by a catalog whose own names stay."""
    return PersonalDataMasker(CatalogNames(linker, retriever)) if settings.mask else MASKS_NOTHING


@contextmanager
def masker_of(folder: Path, settings: Settings) -> Iterator[Masker]:
    """Open what masks by the catalog of a project; where there is no catalog, by none."""
    if not settings.mask:
        yield MASKS_NOTHING
    elif not has_manifest(folder):
        yield PersonalDataMasker()
    else:
        from ui.wiring import open_retriever

        with open_retriever(folder, settings) as retriever:
            yield make_masker(Linker.build(retriever), retriever, settings)
