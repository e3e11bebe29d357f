"""What the server logs: JSON lines for machines, plain ones for people; nothing private in either.

Lines tell the request and the trace they belong to. Ids that open a session are replaced by keys
of them, personal data and secrets by what they are. Of an exception its class and place are told;
its words may be what somebody wrote, so they are told of the operating system's errors only.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from agent.keys import key_of
from agent.observability.request import current
from agent.telemetry import trace_ids

Form = Literal["json", "text"]

_ID = re.compile(r"\b[0-9a-f]{32}\b")
_KEY = re.compile(r"\batt_([a-z0-9-]{1,32})_([0-9a-f]{12})_[A-Za-z0-9_-]+")
_BEARER = re.compile(r"(?i)\b(bearer\s+)[^\s\"',;]+")
_LOGIN = re.compile(r"(://)[^\s/@:]+(:[^\s/@]*)?@")

_LONGEST = 4_000
_FRAMES = 40

_CHATTY = (
    "httpx",
    "httpx2",
    "httpcore",
    "httpcore2",
    "openai",
    "urllib3",
    "alembic",
    "agent.recommend",
)
"""Loggers that tell of every call they make, or of every item of every turn."""


_MACHINES = ("uvicorn", "attune.access")
"""Loggers whose lines hold addresses of machines and figures, which look like those of people."""


def redact(text: str, mask: Callable[[str], str] | None = None) -> str:
    """Return a text as it may be logged.

    Args:
        mask: Masks personal data.
    """
    text = _KEY.sub(r"att_\1_\2_[key]", text)
    text = _BEARER.sub(r"\1[key]", text)
    text = _LOGIN.sub(r"\1[login]@", text)
    text = _ID.sub(lambda found: f"id-{key_of(found[0])[:12]}", text)
    return (mask(text) if mask else text)[:_LONGEST]


def logging_config(form: Form | None = None, level: str = "INFO") -> dict[str, Any]:
    """Return the logging of a server, for `logging.config.dictConfig` or uvicorn: to stderr.

    Args:
        form: By default plain lines on a terminal, JSON elsewhere.
    """
    chosen = form or ("text" if sys.stderr.isatty() else "json")
    lines = {"json": JsonLines, "text": TextLines}[chosen]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": f"{__name__}.{lines.__name__}"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"level": level, "handlers": ["stderr"]},
        "loggers": {name: {"level": "WARNING"} for name in _CHATTY},
    }


@cache
def _mask() -> Callable[[str], str]:
    # Its word lists take a moment to read, and most processes log nothing.
    from agent.privacy.masking import PersonalDataMasker

    return PersonalDataMasker().mask


class _Lines(logging.Formatter):
    """Collects what a line tells."""

    def message(self, record: logging.LogRecord) -> str:
        """Return the words of a record as they may be logged."""
        machine = record.name.startswith(_MACHINES)
        return redact(record.getMessage(), None if machine else _mask())


class JsonLines(_Lines):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line."""
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.message(record),
            **_context(),
            **getattr(record, "told", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = exception(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


class TextLines(_Lines):
    """Lines for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line, and one for each step of an exception."""
        at = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        known = _context()
        name = record.name.removeprefix("attune.").removeprefix("agent.")
        line = f"{at} {record.levelname:<7} {name}: {self.message(record)}"
        about = [f"{key}={known[key]}" for key in ("tenant", "key") if key in known]
        failed = getattr(record, "told", {}).get("error")
        about += [f"error={failed}"] if failed else []
        about += [f"request={known['request_id'][:12]}"] if "request_id" in known else []
        line += f"  ({' '.join(about)})" if about else ""
        if record.exc_info and record.exc_info[1] is not None:
            for one in exception(record.exc_info[1]):
                line += f"\n    {one['type']}: {one.get('reason', '')}".rstrip(": ")
                line += "".join(f"\n      {place}" for place in one["at"])
        return line


def _context() -> dict[str, str]:
    """Return which request and trace a line belongs to, as far as it does."""
    facts, found = current.get(), trace_ids()
    told: dict[str, str] = {}
    if found is not None:
        told |= {"trace_id": found[0], "span_id": found[1]}
    elif facts is not None and facts.trace:
        told["trace_id"] = facts.trace
    if facts is not None:
        told["request_id"] = facts.id
        told |= {"tenant": facts.tenant} if facts.tenant else {}
        told |= {"key": facts.key} if facts.key else {}
    return told


def exception(error: BaseException) -> list[dict[str, Any]]:
    """Return an error and what caused it, outermost first: classes and places, no words."""
    told: list[dict[str, Any]] = []
    at: BaseException | None = error
    while at is not None and len(told) < 10:
        one: dict[str, Any] = {"type": type(at).__name__, "at": _places(at.__traceback__)}
        if isinstance(at, OSError) and at.strerror:
            one["reason"] = at.strerror
        told.append(one)
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return told


def _places(trace: TracebackType | None) -> list[str]:
    places: list[str] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        file = Path(code.co_filename)
        places.append(f"{file.parent.name}/{file.name}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return places[-_FRAMES:]
