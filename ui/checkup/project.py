"""A project directory: the catalog, the pages, the tools, the service desk, who may read it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import httpx2

from agent.knowledge import FOLDER as PAGES
from agent.observability.readiness import LOW_BYTES
from agent.service.config import NAME as SERVICE
from agent.service.config import ServiceConfig, read_config
from agent.tools.folder import files_of, load
from retrieval.errors import EncoderMismatch
from retrieval.project import has_manifest, read_manifest
from ui import wiring
from ui.checkup.findings import Finding, fail, note, ok, warn
from ui.privacy_wiring import SECRET
from ui.settings import Settings

_SLOW_MS = 300.0
_CALL_S = 5.0

_OPEN_TO_ALL = stat.S_IROTH | stat.S_IWOTH


def catalog(folder: Path, settings: Settings) -> Iterator[Finding]:
    """Look whether the index is whole, fits its encoder and answers."""
    manifest = read_manifest(folder)
    try:
        retriever = wiring.open_retriever(folder, settings)
    except EncoderMismatch as error:
        yield fail("catalog", str(error), "index again, or set ATTUNE_ENCODER as it was")
        return
    with retriever:
        items = retriever.index.count()
        said = f"{manifest.name}: {items:,} items, encoder {manifest.encoder}"
        if not items:
            yield fail("catalog", "it has no items", f"attune index FILE --out {folder}")
            return
        retriever.search("warm up", k=1)
        start = perf_counter()
        retriever.search("something blue", k=10)
        ms = (perf_counter() - start) * 1000
        slow = ms > _SLOW_MS
        timed = f"{said}; a search takes {ms:.0f} ms"
        yield warn("catalog", timed, "see docs/scale.md") if slow else ok("catalog", timed)
    rejects = folder / "rejects.csv"
    if rejects.is_file():
        lines = rejects.read_bytes().count(b"\n") - 1
        if lines > 0:
            yield note("catalog", f"{lines:,} rows or fields were not taken", f"see {rejects}")


def files(folder: Path) -> Iterator[Finding]:
    """Look at the folder itself: writable, space, who may read what is private."""
    if not os.access(folder, os.W_OK | os.X_OK):
        yield fail("files", f"{folder} cannot be written by this user",
                   "serve as the user who owns it, or chown it")  # fmt: skip
    private = [*folder.glob("sessions.db*"), folder / SECRET]
    readable = [path.name for path in private
                if path.is_file() and path.stat().st_mode & _OPEN_TO_ALL]  # fmt: skip
    closed = not folder.stat().st_mode & (stat.S_IROTH | stat.S_IXOTH)
    if readable and not closed:
        yield warn("files", f"every user of this machine can read {', '.join(readable)}",
                   f"chmod 700 {folder}")  # fmt: skip
    else:
        yield ok("files", f"{folder} is writable, and what is private is not open to others")
    free = shutil.disk_usage(folder).free
    said = f"{free / 1e9:.1f} GB are free"
    if free < LOW_BYTES:
        yield fail("disk", said, "free some space: turns are refused when it is full")
    else:
        yield ok("disk", said)


def pages(folder: Path, settings: Settings) -> Iterator[Finding]:
    """Look at the shop's own pages."""
    shelf = folder / PAGES
    if not has_manifest(shelf):
        yield note("knowledge", "no pages: questions about the shop are not answered",
                   "attune knowledge add FILE|FOLDER")  # fmt: skip
        return
    with wiring.open_retriever(shelf, settings) as retriever:
        sources = {item.fields.get("source") for item in retriever.items()}
        retriever.search("return", k=1)
    yield ok("knowledge", f"{len(sources)} sources can be searched")


def desk(folder: Path) -> Iterator[Finding]:
    """Look at service.toml and the tools: valid, their secrets there, the webhook reachable."""
    config = read_config(folder)
    if (folder / SERVICE).is_file():
        yield ok("service desk", f"{SERVICE} is valid")
    else:
        yield note("service desk", f"no {SERVICE}: no hours, openings or hand-over rules")
    lacking = [name for name in _variables(config) if not os.environ.get(name)]
    if lacking:
        yield fail("secrets", f"{SERVICE} names variables that are not set: {', '.join(lacking)}",
                   "set them where the server runs (and here, to check)")  # fmt: skip
    tools = load(folder)
    if files_of(folder):
        yield ok("tools", f"{len(tools)} tools: {', '.join(tool.name for tool in tools[:8])}")
    yield from _webhook(config)


def _variables(config: ServiceConfig) -> list[str]:
    tools = config.tools.values()
    named = [table.secret_env for table in tools] + [table.authorization_env for table in tools]
    named += [config.handover.secret_env] if config.handover else []
    return sorted({name for name in named if name})


def _webhook(config: ServiceConfig) -> Iterator[Finding]:
    handover = config.handover
    if handover is None or handover.url is None:
        yield note("hand-over", "no webhook: hand-overs wait in `attune handovers`")
        return
    # Asked for its options only: nothing may be announced that did not happen.
    try:
        answer = httpx2.options(handover.url, timeout=_CALL_S)
    except httpx2.HTTPError as error:
        yield fail("hand-over", f"{handover.url} cannot be reached ({type(error).__name__})",
                   "start it, or correct [handover] url; hand-overs are retried")  # fmt: skip
        return
    if answer.status_code >= 500:
        yield warn("hand-over", f"{handover.url} answers {answer.status_code}",
                   "see its log; hand-overs are retried until it takes them")  # fmt: skip
    else:
        yield ok("hand-over", f"{handover.url} answers")
