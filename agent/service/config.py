"""service.toml: what the owner of a shop says about the desk. Read once; errors name the key.

Secrets are never in it: it names the environment variables that hold them.
"""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.errors import AgentError
from agent.service.hours import DAYS, Hours, read_span, spans_of

NAME = "service.toml"

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class BadService(AgentError):
    """service.toml, or a tool's file, cannot be used: names the place and what is expected."""


def checked_url(url: str) -> str:
    """Return a URL that may be called: https, or http to this machine; ValueError otherwise."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    if not safe or not host:
        raise ValueError(
            f"{url!r} cannot be called: expected https://…, or http://localhost for tests"
        )
    if parts.username or parts.password or parts.fragment:
        raise ValueError("a URL has no user, password or #fragment; secrets come from variables")
    return url


def _span(text: str) -> str:
    read_span(text)
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f'{name!r} is no time zone; expected e.g. "Europe/Berlin"') from error
    return name


def _day(text: str) -> str:
    try:
        date.fromisoformat(text if len(text) > 5 else f"2000-{text}")
    except ValueError as error:
        raise ValueError(f'{text!r} is no day; expected "2026-12-25", or "12-25" for every year') \
            from error  # fmt: skip
    return text


Url = Annotated[str, AfterValidator(checked_url)]
Spans = list[Annotated[str, AfterValidator(_span)]]
Day = Annotated[str, AfterValidator(_day)]
Variable = Annotated[str, Field(pattern="^[A-Z_][A-Z0-9_]*$")]
Words = Annotated[str, Field(min_length=1, max_length=2_000)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HoursTable(_Table):
    """When somebody is there, per weekday; days that are left out are closed."""

    zone: Annotated[str, AfterValidator(_zone)]
    monday: Spans = []
    tuesday: Spans = []
    wednesday: Spans = []
    thursday: Spans = []
    friday: Spans = []
    saturday: Spans = []
    sunday: Spans = []
    holidays: list[Day] = []
    special: dict[Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$"), AfterValidator(_day)],
                  Spans] = {}  # fmt: skip

    def hours(self) -> Hours:
        """Return the hours as they are reckoned with."""
        single = {date.fromisoformat(day): () for day in self.holidays if len(day) > 5}
        yearly = {(int(day[:2]), int(day[3:])) for day in self.holidays if len(day) == 5}
        own = {date.fromisoformat(day): spans_of(spans) for day, spans in self.special.items()}
        week = tuple(spans_of(getattr(self, day)) for day in DAYS)
        return Hours(ZoneInfo(self.zone), week, {**single, **own}, frozenset(yearly))


class OpeningTable(_Table):
    """What a conversation opens with, in one language.

    Args:
        closed: The text outside the business hours.
        suggestions: What one may tap instead of typing.
    """

    text: Words
    language: Annotated[str, Field(pattern="^[a-z]{2,3}$")] = "en"
    closed: Words | None = None
    suggestions: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        [], max_length=10
    )


class RuleTable(_Table):
    """When a person takes over by itself: where all that the rule names holds.

    Args:
        words: Any of these is said.
        facet: A wish on it is said: a bound of at least `over`, or one of `values`.
        tool_failed: So many uses of tools in a row failed.
    """

    name: Annotated[str, Field(pattern="^[a-z0-9_-]{1,40}$")]
    words: list[Annotated[str, Field(min_length=2, max_length=100)]] = []
    facet: str | None = None
    over: float | None = None
    values: list[str] = []
    tool_failed: Annotated[int, Field(ge=1, le=20)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> RuleTable:
        if self.facet is not None and self.over is None and not self.values:
            raise ValueError("facet needs `over = NUMBER` or `values = [...]` beside it")
        if self.facet is None and (self.over is not None or self.values):
            raise ValueError("over and values need `facet = NAME` beside them")
        if not (self.words or self.facet or self.tool_failed):
            raise ValueError("a rule needs words, facet or tool_failed")
        return self


class HandoverTable(_Table):
    """How a person takes over.

    Args:
        url: Where it is announced; without one it waits in the list.
        secret_env: Variable with the secret that announcements are signed with.
        after_failures: Turns in a row that brought nothing; 0: never.
        while_open: Whether the bot goes on helping, or leaves everything to the person.
    """

    url: Url | None = None
    secret_env: Variable | None = None
    timeout_s: float = Field(default=5.0, gt=0, le=30)
    after_failures: int = Field(default=3, ge=0, le=20)
    while_open: Literal["help", "quiet"] = "help"
    rules: list[RuleTable] = []

    @model_validator(mode="after")
    def _is_signed(self) -> HandoverTable:
        if self.url is not None and self.secret_env is None:
            raise ValueError("url needs secret_env: the variable with the signing secret")
        return self


class ToolsTable(_Table):
    """How the tools of one file are called.

    Args:
        secret_env: Variable with the secret that calls are signed with.
        authorization_env: Variable with the value of the Authorization header.
        timeout_s: Seconds a call may take as a whole.
    """

    secret_env: Variable | None = None
    authorization_env: Variable | None = None
    timeout_s: float = Field(default=3.0, gt=0, le=30)


class ServiceConfig(_Table):
    """The whole file; every part may be left out.

    Args:
        contact: How people reach the shop by themselves, said where nothing else helps.
    """

    contact: Annotated[str, Field(max_length=500)] = ""
    hours: HoursTable | None = None
    openings: list[OpeningTable] = []
    handover: HandoverTable | None = None
    tools: dict[str, ToolsTable] = {}


def read_config(folder: Path) -> ServiceConfig:
    """Return what the service.toml of a project says; without the file, nothing.

    Raises:
        BadService: If it is no TOML, or a key is wrong: names the key and what is expected.
    """
    path = folder / NAME
    if not path.is_file():
        return ServiceConfig()
    try:
        return ServiceConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadService(f"{str(path)!r} is no TOML: {error}") from error
    except ValidationError as error:
        raise BadService(f"{str(path)!r}: {said(error)}") from error


def said(error: ValidationError) -> str:
    """Return what is wrong, key by key."""
    return "; ".join(_problem(dict(one)) for one in error.errors()[:5])


def _problem(one: dict[str, Any]) -> str:
    key = ".".join(str(part) for part in one["loc"]) or "the file"
    if one["type"] == "extra_forbidden":
        return f"there is no key {key!r}; look for a typing error"
    message = str(one["msg"]).removeprefix("Value error, ")
    shown = (
        ""
        if isinstance(one["input"], dict) or one["type"] == "missing"
        else (f", got {str(one['input'])[:80]!r}" if repr(one["input"]) not in message else "")
    )
    return f"{key}: {message}{shown}"
