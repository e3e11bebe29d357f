"""Makes the service desk of a project: what its service.toml says, its pages, its tools, people.

The secrets that service.toml names are read from the environment here, and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from agent.dialogue import Parts
from agent.jobs import Handler
from agent.service.config import NAME, BadService, ServiceConfig, ToolsTable, read_config
from agent.service.desk import ServiceDesk
from agent.service.escalation import JOB, Escalation
from agent.service.handover import Announcer
from agent.service.openings import Openings
from agent.service.tooling import ToolDesk
from agent.store import Store
from agent.store_handovers import Handovers
from agent.tools import Caller, Server, load
from agent.tools.matching import Encode, Matcher
from agent.tools.signing import checked_secret
from retrieval.project import has_manifest
from retrieval.retriever import Retriever
from ui.knowledge import make_knowledge
from ui.settings import Settings

DEMO = """\
# What the owner of a shop says about its service desk; docs/service.md has all there is to say.
contact = "Write to help@shop.example."

[hours]
zone = "Europe/Berlin"
monday = ["9:00-18:00"]
tuesday = ["9:00-18:00"]
wednesday = ["9:00-18:00"]
thursday = ["9:00-18:00"]
friday = ["9:00-16:00"]
holidays = ["01-01", "05-01", "12-25", "12-26"]

[[openings]]
text = "Hello! I find things in this catalog, and know the shop's pages on delivery and returns."
suggestions = ["Blue shirts under 60", "How long does delivery take?", "Talk to a person"]

[[openings]]
language = "zh"
text = "您好！我可以帮您在目录里找商品，也了解本店配送和退货的规定。"
suggestions = ["60以下的蓝色衬衫", "多久能送到？", "转人工"]

[handover]
"""


def has_service(folder: Path) -> bool:
    """Return whether a project has settings for its service desk."""
    return (folder / NAME).exists()


def add_demo_service(folder: Path) -> None:
    """Give the demo project a service desk, unless it has one."""
    if not has_service(folder):
        (folder / NAME).write_text(DEMO, encoding="utf-8")


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
    escalation = Escalation(
        config.handover, hours, config.contact, Handovers(parts.store.database), now
    )
    announcer(config, parts.store)  # so that a missing secret is told now
    return ServiceDesk(
        parts.linker,
        escalation,
        # Pages may be added to a project that is open.
        pages=lambda: knowledge if has_manifest(knowledge.folder) else None,
        openings=Openings(config.openings, hours, now),
        tools=make_tools(retriever, config, parts),
    )


def with_desk(parts: Parts, retriever: Retriever, settings: Settings) -> Parts:
    """Return the parts with the desk of the project they are of."""
    return replace(parts, desk=make_desk(retriever, settings, parts))


def make_tools(retriever: Retriever, config: ServiceConfig, parts: Parts) -> ToolDesk:
    """Return what uses the tools of a project; there may be none but a client's own."""
    tools = load(retriever.folder)
    sources = {tool.source for tool in tools}
    unknown = sorted(set(config.tools) - sources)
    if unknown:
        raise BadService(f"{NAME}: [tools.{unknown[0]}] names no file of tools; "
                         f"there are: {', '.join(sorted(sources)) or 'none'}")  # fmt: skip
    servers = {source: server_of(config.tools.get(source, ToolsTable())) for source in sources}
    matcher = Matcher(tools, encode_with(retriever))
    return ToolDesk(tools, matcher, Caller(servers), clock_of(config), parts.masker)


def clock_of(config: ServiceConfig) -> Callable[[], datetime]:
    """Return a clock that shows the time where the shop is."""
    if config.hours is None:
        return now
    zone = config.hours.hours().zone
    return lambda: now().astimezone(zone)


def encode_with(retriever: Retriever) -> Encode | None:
    """Return the catalog's encoder, where it knows meaning."""
    encoder = retriever.encoder
    return None if encoder.name.startswith("hashing") else encoder.encode_queries


def server_of(table: ToolsTable) -> Server:
    """Return how the tools of a file are called."""
    secret = _secret(table.secret_env) if table.secret_env else ""
    bearer = variable(table.authorization_env) if table.authorization_env else ""
    return Server(secret, bearer, table.timeout_s)


def announcer(config: ServiceConfig, store: Store) -> Announcer | None:
    """Return what announces hand-overs; None where they wait in the list."""
    table = config.handover
    if table is None or table.url is None:
        return None
    return Announcer(store, table.url, _secret(table.secret_env or ""), table.timeout_s)


def service_jobs(folder: Path, store: Store) -> Mapping[str, Handler]:
    """Return what runs the jobs of a project's desk, by kind."""
    made = announcer(read_config(folder), store)
    return {} if made is None else {JOB: made}


def variable(name: str) -> str:
    """Return an environment variable that service.toml names.

    Raises:
        BadService: If it is not set, or is one of the server's own: those who write a project's
            files must not have it sent anywhere.
    """
    if name.removeprefix("ATTUNE_").lower() in Settings.model_fields:
        raise BadService(f"{NAME} names {name}, which is the server's own; take another variable")
    value = os.environ.get(name, "")
    if not value:
        raise BadService(f"{NAME} names the variable {name}, which is not set; set it, or take the "
                         "line out")  # fmt: skip
    return value


def _secret(name: str) -> str:
    try:
        return checked_secret(variable(name))
    except ValueError as error:
        raise BadService(f"{name}: {error}") from error
