"""Which revision the tables of a store have, and which one this version wants."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from sqlalchemy import text

import agent
from agent.database import Database

Standing = Literal["same", "newer", "older"]
"""newer: another process, of a newer version, brought the tables further; that is borne, since
migrations only add. older: they were replaced by those of an older backup."""


def standing(database: Database) -> Standing:
    """Return how the tables of a store stand to this version.

    Raises:
        StoreError: If the store cannot be read.
    """
    with database.read() as connection:
        found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if found == head():
        return "same"
    return "older" if found in _revisions() else "newer"


def head() -> str:
    """Return the revision this version wants."""
    return _revisions()[0]


@cache
def _revisions() -> tuple[str, ...]:
    """Return every revision this version knows, newest first."""
    # Alembic takes a quarter of a second to import.
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    folder = Path(agent.__path__[0]) / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return tuple(one.revision for one in ScriptDirectory.from_config(config).walk_revisions())
