"""Whether a tenant can take turns, and what will hinder it soon: reasons and warnings.

A reason is a request that would fail now; everything else is a warning, since whoever asks takes
the process out of service for a reason. A language model that is down is a warning: rules answer.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.database import Database
from agent.dialogue import Parts
from agent.errors import AgentError, StoreError
from agent.llm_planner import LLMPlanner
from agent.observability.schema import standing
from agent.routing import AdapterRouter
from agent.store_backlog import backlog
from retrieval.errors import RetrievalError

log = logging.getLogger(__name__)

LOW_BYTES = 500_000_000
"""Free space below which the disk is low; a busy day writes less."""

LONG_S = 600.0
"""A job that is due for so long is not worked on; workers look every few seconds."""


@dataclass(slots=True)
class Standing:
    """How a tenant stands.

    Args:
        reasons: Why it cannot take turns.
        warnings: What is wrong although it can.
    """

    reasons: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def standing_of(parts: Parts, router: AdapterRouter | None = None) -> Standing:
    """Return how a tenant stands, by trying."""
    found = Standing()
    database = parts.store.database
    found.reasons += _tried(parts.store.check, "the store cannot be written")
    if not found.reasons:
        _look_at_store(database, found)
    found.reasons += _tried(
        lambda: parts.retriever.search("", k=1), "the catalog cannot be searched"
    )
    found.warnings += _low(database)
    found.warnings += _model(parts)
    if router is not None:
        problems = router.status().problems
        found.warnings += [f"adapters, {about}: {text}" for about, text in problems.items()]
    return found


def _tried(check: Callable[[], Any], failed: str) -> list[str]:
    try:
        check()
    except StoreError as error:
        # Without its place, which is nobody's business who asks without a key.
        log.error("not ready: %s", error)
        return [f"{failed}: {str(error).split(': ', 1)[-1]}"]
    except (AgentError, RetrievalError) as error:
        return [str(error)]
    except Exception as error:
        log.error("readiness check failed", exc_info=error)
        return [f"{failed} ({type(error).__name__}); see the log"]
    return []


def _look_at_store(database: Database, found: Standing) -> None:
    try:
        stands, waiting = standing(database), backlog(database)
    except AgentError as error:
        log.error("not ready: %s", error)
        found.reasons.append("the store cannot be read; see the log")
        return
    if stands == "older":
        found.reasons.append("the store's tables are older than this version; restart it")
    elif stands == "newer":
        found.warnings.append("the store's tables are of a newer version; update this one too")
    if waiting.oldest_s > LONG_S:
        minutes = waiting.oldest_s / 60
        found.warnings.append(f"a job has been due for {minutes:.0f} min; does a worker run?")
    if dead := waiting.of("dead"):
        found.warnings.append(f"{dead} jobs were given up; see `attune jobs list --status dead`")


def _low(database: Database) -> list[str]:
    """Return that the disk of a store in a file is low, if it is."""
    file = database.engine.url.database
    if database.engine.dialect.name != "sqlite" or not file or file == ":memory:":
        return []
    try:
        free = shutil.disk_usage(Path(file).parent).free
    except OSError:
        return []
    return [f"{free / 1e6:,.0f} MB are free on the store's disk"] if free < LOW_BYTES else []


def _model(parts: Parts) -> list[str]:
    planner = parts.planner
    if isinstance(planner, LLMPlanner) and planner.breaker.state != "closed":
        return ["the language model does not answer; turns are planned by rules"]
    return []
