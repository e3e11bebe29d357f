"""The job `reindex`: bring a served project to what its catalog's files say now.

Only differences are written, through the retriever that serves: searches go on, and see each write
when it is done. What the columns mean stays as it is (`mapping.toml`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.errors import HopelessJob
from agent.jobs import Handler
from retrieval.errors import CatalogError
from retrieval.loading import load
from retrieval.retriever import Retriever
from retrieval.sync import apply, differences
from ui.settings import Settings


def make_reindex(retriever: Retriever, settings: Settings) -> Handler:
    """Return what brings a project to its catalog's files; the payload may allow deletions."""

    def reindex(payload: Mapping[str, Any]) -> Mapping[str, Any]:
        if settings.catalog is None:
            raise HopelessJob("ATTUNE_CATALOG names no file of the catalog")
        allowed = payload.get("allow_delete")
        try:
            loaded = load([settings.catalog], mapping=retriever.folder / "mapping.toml")
            found = differences(loaded, retriever, allow=allowed)
        except (CatalogError, OSError) as error:
            raise HopelessJob(str(error)) from error
        apply(found, retriever)
        return {
            "added": len(found.added), "changed": len(found.changed),
            "deleted": len(found.deleted), "kept": found.kept, "unchanged": found.unchanged,
            "rejected": found.rejected,
        }  # fmt: skip

    return reindex
