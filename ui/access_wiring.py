"""Who may call a served project, and how much, as the settings say."""

from __future__ import annotations

from agent.access.tenants import TenantEntry, check_origins
from agent.access.usage import Budget
from agent.server.access import LOCAL_NAMES, Rules
from agent.server.limits import Capacity, Limits
from ui.errors import UIError
from ui.settings import Settings


def rules_of(settings: Settings, host: str | None) -> Rules:
    """Return how requests are let in to a server that listens on a host; None: it does not."""
    key, metrics = (
        secret.get_secret_value() if secret else None
        for secret in (settings.admin_key, settings.metrics_key)
    )
    local = host is None or host in LOCAL_NAMES or host == "::1"
    auth = "required" if settings.auth == "auto" and not local else settings.auth
    return Rules(auth, key, metrics, local_only=auth == "auto" and host is not None)


def limits_of(settings: Settings) -> Limits:
    """Return what clients may send to a server with one tenant."""
    return Limits(
        body_bytes=settings.body_bytes,
        rate_key=settings.rate_key,
        rate_tenant=settings.rate_tenant,
        tokens=Budget(settings.tokens_key, settings.tokens_tenant),
        origins=_origins(settings),
    )


def limits_of_tenant(entry: TenantEntry, settings: Settings) -> Limits:
    """Return what clients of a tenant may send: as its file says, else as the settings do."""
    return Limits(
        body_bytes=settings.body_bytes,
        rate_key=entry.rate_key or settings.rate_key,
        rate_tenant=entry.rate_tenant or settings.rate_tenant,
        tokens=Budget(
            entry.tokens_key or settings.tokens_key, entry.tokens_tenant or settings.tokens_tenant
        ),
        origins=entry.origins,
    )


def capacity_of(settings: Settings) -> Capacity:
    """Return what one process takes on."""
    storage = settings.limits_storage.get_secret_value()
    return Capacity(
        settings.request_s, settings.turns_at_once, at_once=settings.threads,
        wait_s=settings.wait_s, storage=storage,
    )  # fmt: skip


def _origins(settings: Settings) -> tuple[str, ...]:
    origins = tuple(one.strip() for one in settings.origins.split(",") if one.strip())
    try:
        check_origins(origins)
    except ValueError as error:
        raise UIError(f"ATTUNE_ORIGINS: {error}") from error
    return origins
