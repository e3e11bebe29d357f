"""Makes the service desk of a project: what its service.toml says, its pages, its tools."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from agent.dialogue import Parts
from agent.service.config import read_config
from agent.service.desk import ServiceDesk
from agent.service.escalation import Escalation
from agent.service.openings import Openings
from agent.store_handovers import Handovers
from retrieval.project import has_manifest
from retrieval.retriever import Retriever
from ui.knowledge import make_knowledge
from ui.settings import Settings


def now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


def make_desk(retriever: Retriever, settings: Settings, parts: Parts) -> ServiceDesk:
    """Return the service desk of an open project.

    Raises:
        BadService: If service.toml or a tool's file cannot be used.
    """
    config = read_config(retriever.folder)
    hours = config.hours.hours() if config.hours else None
    knowledge = make_knowledge(retriever, settings)
    return ServiceDesk(
        parts.linker,
        Escalation(config.handover, hours, config.contact, Handovers(parts.store.database), now),
        # Pages may be added to a project that is open.
        pages=lambda: knowledge if has_manifest(knowledge.folder) else None,
        openings=Openings(config.openings, hours, now),
    )


def with_desk(parts: Parts, retriever: Retriever, settings: Settings) -> Parts:
    """Return the parts with the desk of the project they are of."""
    return replace(parts, desk=make_desk(retriever, settings, parts))
