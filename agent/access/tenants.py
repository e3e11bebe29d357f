"""tenants.toml: who is served by one process, each with a catalog and a store of its own.

    [shop]
    project = "shop"                      # its project directory, beside this file
    rate_key = "120/minute"
    tokens_tenant = 2_000_000             # a day
    origins = ["https://www.shop.example"]

    [books]
    project = "books"
    store_env = "BOOKS_STORE"             # the variable that holds the URL of its store
    schema = "books"                      # of that PostgreSQL

The file is read when the server starts. This module opens nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from agent.access.errors import BadLimits, BadTenants
from agent.access.keys import TENANT
from agent.access.rates import parse_rate

_ORIGIN = re.compile(r"\*|https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")

Tokens = Annotated[int, Field(ge=1)]


class TenantEntry(BaseModel):
    """One tenant as its file has it.

    Args:
        project: Its project directory; relative to the file.
        store: URL of its session store; by default a file in the project.
        store_env: Variable of the environment that holds the URL, for one with a password.
        schema_: Of that PostgreSQL, so that tenants can share a database.
        rate_key, rate_tenant: Requests of each key, and of all together, e.g. "60/minute".
        tokens_key, tokens_tenant: What each key, and all together, may use in a day.
        origins: Of web pages that may call from the browser.
        prompts: Folder with its own wordings of prompts; relative to the file.
        explainer, llm_prompt, deadline_s, explain_s, explore: As the settings of these names;
            without them the settings count.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: Path
    store: str | None = None
    store_env: str | None = None
    schema_: str | None = Field(None, alias="schema")
    rate_key: str | None = None
    rate_tenant: str | None = None
    tokens_key: Tokens | None = None
    tokens_tenant: Tokens | None = None
    origins: tuple[str, ...] = ()
    prompts: Path | None = None
    explainer: Literal["template", "model"] | None = None
    llm_prompt: Literal["auto", "plan@1", "plan@2"] | None = None
    deadline_s: float | None = Field(None, gt=0)
    explain_s: float | None = Field(None, gt=0)
    explore: float | None = Field(None, ge=0, le=1)

    @model_validator(mode="after")
    def _fits(self) -> TenantEntry:
        if self.store is not None and self.store_env is not None:
            raise ValueError("store and store_env both name the store; give one")
        if self.schema_ is not None and self.store is None and self.store_env is None:
            raise ValueError("a schema is one of PostgreSQL's; name it with store or store_env")
        for rate in filter(None, (self.rate_key, self.rate_tenant)):
            try:
                parse_rate(rate)
            except BadLimits as error:
                raise ValueError(str(error)) from error
        check_origins(self.origins)
        return self


@dataclass(frozen=True, slots=True)
class TenantsFile:
    """The tenants by name, in the order of the file.

    Args:
        folder: What relative paths start from.
    """

    folder: Path
    tenants: Mapping[str, TenantEntry]

    def project(self, name: str) -> Path:
        """Return the project directory of a tenant."""
        return self.folder / self.tenants[name].project

    def overrides(self, name: str) -> dict[str, Any]:
        """Return the settings that are a tenant's own."""
        entry = self.tenants[name]
        names = ("explainer", "llm_prompt", "deadline_s", "explain_s", "explore")
        found = {name: getattr(entry, name) for name in names}
        if entry.prompts is not None:
            found["prompts"] = self.folder / entry.prompts
        return {name: value for name, value in found.items() if value is not None}


_FILE = TypeAdapter(dict[str, TenantEntry])


def read_tenants(path: Path) -> TenantsFile:
    """Return the tenants that a file names.

    Raises:
        BadTenants: If it cannot be read, or says what cannot be: the first such thing is told.
    """
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadTenants(f"{path}: cannot be read ({error})") from error
    try:
        tenants = _FILE.validate_python(read)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        said = first["msg"].removeprefix("Value error, ")
        raise BadTenants(f"{path}: {where}: {said}, got {str(first['input'])[:80]!r}") from error
    if not tenants:
        raise BadTenants(f'{path}: names no tenant; expected [NAME] and below it project = "DIR"')
    for name in tenants:
        if not TENANT.fullmatch(name):
            raise BadTenants(f"{path}: {name!r} is no name of a tenant; expected 1 to 32 of a-z, "
                             "0-9 and -")  # fmt: skip
    found = TenantsFile(path.absolute().parent, tenants)
    _check_apart(path, found)
    return found


def check_origins(origins: tuple[str, ...]) -> None:
    """Pass origins as browsers send them.

    Raises:
        ValueError: If one is none.
    """
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(f"{origin!r} is no origin; expected such as https://shop.example, "
                             "without a path, or *")  # fmt: skip


def _check_apart(path: Path, found: TenantsFile) -> None:
    """Refuse two tenants in one place: each would see what is the other's."""
    projects: dict[Path, str] = {}
    stores: dict[tuple[str, str | None], str] = {}
    for name, entry in found.tenants.items():
        folder = found.project(name).resolve()
        if folder in projects:
            raise BadTenants(f"{path}: {projects[folder]!r} and {name!r} have one project, "
                             f"{str(entry.project)!r}; give each its own")  # fmt: skip
        projects[folder] = name
        place = entry.store or (f"${entry.store_env}" if entry.store_env else None)
        if place is None:
            continue
        store = (place, entry.schema_)
        if store in stores:
            raise BadTenants(f"{path}: {stores[store]!r} and {name!r} have one store; give each a "
                             "schema, or a database, of its own")  # fmt: skip
        stores[store] = name
