"""Several tenants in one server: their projects and stores opened, the models shared.

`attune serve --tenants FILE` and `attune tenants check FILE`.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent.access.errors import BadTenants
from agent.access.keyring import Keyring
from agent.access.tenants import TenantEntry, TenantsFile, read_tenants
from agent.errors import AgentError
from agent.store import Store
from retrieval.errors import RetrievalError
from retrieval.project import has_manifest, read_manifest
from ui.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from agent.server.context import Context, Tenant
    from agent.server.limits import Limits
    from ui.shared_models import Models

read = read_tenants


def store_of(file: TenantsFile, name: str, settings: Settings) -> Store:
    """Open the store of a tenant.

    Raises:
        BadTenants: If there is no such tenant, or the variable with its URL is not set.
        StoreError: If it cannot be opened.
    """
    from ui.privacy_wiring import secrets_of

    entry, folder = _entry(file, name), file.project(name)
    url = _url(name, entry) or f"sqlite:///{(folder / 'sessions.db').absolute()}"
    return Store(url, secrets_of(folder, settings), schema=entry.schema_)


def place_of(file: TenantsFile, name: str) -> tuple[Path, str | None, str | None]:
    """Return the project of a tenant, and the URL and schema of its store where they are given.

    Raises:
        BadTenants: If the variable with the URL is not set.
    """
    entry = _entry(file, name)
    return file.project(name), _url(name, entry), entry.schema_


def _entry(file: TenantsFile, name: str) -> TenantEntry:
    if name not in file.tenants:
        raise BadTenants(f"no tenant {name!r}; there are {', '.join(file.tenants)}")
    return file.tenants[name]


def _url(name: str, entry: TenantEntry) -> str | None:
    if entry.store_env is None:
        return entry.store
    url = os.environ.get(entry.store_env)
    if not url:
        raise BadTenants(f"the store of {name!r} is in the variable {entry.store_env!r}, which is "
                         "not set")  # fmt: skip
    return url


def make_tenants(file: TenantsFile, settings: Settings) -> dict[str, Tenant]:
    """Return the tenants of a file, their stores open, their catalogs not yet.

    Raises:
        BadTenants, StoreError: If a store cannot be opened; those opened are closed again.
    """
    from ui.shared_models import Models

    models = Models(settings)
    made: dict[str, Tenant] = {}
    try:
        for name in file.tenants:
            made[name] = _tenant(file, name, settings, models)
    except BaseException:
        for tenant in made.values():
            tenant.close()
        raise
    return made


def _tenant(file: TenantsFile, name: str, settings: Settings, models: Models) -> Tenant:
    from agent.server.context import Tenant
    from ui.access_wiring import limits_of_tenant

    entry, store = file.tenants[name], store_of(file, name, settings)
    own = settings.model_copy(update=file.overrides(name))

    def make() -> Context:
        return _open(file.project(name), own, models, store, limits_of_tenant(entry, settings))

    return Tenant(name, Keyring(store.database, name), make, entry.origins, store.close)


def _open(
    folder: Path, settings: Settings, models: Models, store: Store, limits: Limits
) -> Context:
    """Open the catalog of a tenant and begin its work in the background."""
    from agent.server.app import make_context
    from ui import wiring
    from ui.background import Background

    project = wiring.open_project(folder, settings, write=True, models=models, store=store)
    background = Background(project, settings)

    def close() -> None:
        background.stop(settings.stop_s)
        project.close()

    background.start()
    context = make_context(project.parts, **wiring.served_with(project, settings), limits=limits)
    return replace(context, close=close)


def make_service(path: Path, settings: Settings, host: str) -> FastAPI:
    """Return the HTTP API over the tenants of a file.

    Raises:
        BadTenants: If the file cannot be used, or keys are not to be asked for.
    """
    from agent.server.app import create_service
    from agent.server.lifetime import live
    from ui.access_wiring import capacity_of, limits_of, rules_of

    if settings.auth == "open":
        raise BadTenants("ATTUNE_AUTH=open lets anybody in, and the key says which tenant is meant;"
                         " take required, or serve one project")  # fmt: skip
    tenants = make_tenants(read(path), settings)
    app = create_service(
        tenants,
        limits=limits_of(settings),
        rules=replace(rules_of(settings, host), auth="required", local_only=False),
        capacity=capacity_of(settings),
    )

    def stop() -> None:
        for tenant in tenants.values():
            tenant.close()

    live(app, start=lambda: _warm(tenants), stop=stop, threads=settings.threads,
         drain_s=settings.drain_s)  # fmt: skip
    return app


def _warm(tenants: Mapping[str, Tenant]) -> None:
    """Open the catalogs one after the other, in the background.

    A request opens its own at once. Those that nobody asks for must be opened too, since there may
    be work left for them: somebody to hand over to.
    """

    def open_all() -> None:
        for tenant in tenants.values():
            with suppress(AgentError):  # told in the log, and to those who ask
                tenant.open()

    threading.Thread(target=open_all, name="attune-tenants", daemon=True).start()


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of one tenant.

    Args:
        problems: Why it cannot be served; empty where it can.
    """

    name: str
    catalog: str
    keys: int
    problems: tuple[str, ...]


def check(path: Path, settings: Settings) -> list[Checked]:
    """Look at every tenant of a file as a server would, without serving."""
    file = read(path)
    return [_checked(file, name, settings) for name in file.tenants]


def _checked(file: TenantsFile, name: str, settings: Settings) -> Checked:
    folder, problems, catalog, keys = file.project(name), list[str](), "", 0
    try:
        if not has_manifest(folder):
            raise BadTenants(f"{file.tenants[name].project} is no project directory; make one with "
                             "attune index FILE --out DIR")  # fmt: skip
        catalog = read_manifest(folder).name
        store = store_of(file, name, settings)
        keys = sum(1 for key in Keyring(store.database, name).list() if key.revoked is None)
        store.close()
    except (AgentError, RetrievalError, OSError) as error:
        problems.append(str(error))
    return Checked(name, catalog, keys, tuple(problems))


@click.group()
def tenants() -> None:
    """Several tenants in one server (attune serve --tenants FILE)."""


@tenants.command("check")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check_command(file: Path, as_json: bool) -> None:
    """Check a tenants.toml: its projects, stores and keys."""
    from ui.cli import settings

    found = check(file, settings())
    if as_json:
        click.echo(json.dumps({"tenants": [asdict(one) for one in found]}))
    for one in [] if as_json else found:
        said = "; ".join(one.problems) or f"catalog {one.catalog}, {one.keys} keys"
        click.echo(f"{one.name}: {said}")
    if any(one.problems for one in found):
        raise SystemExit(1)
