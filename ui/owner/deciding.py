"""What the owner decides from a page: adapters promoted, rolled back; experiments begun, ended.

The registry of the project decides what is allowed, as it does for `attune adapters`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from agent.errors import AdapterRefused, Conflict, NoSuchAdapter
from finetune.errors import FinetuneError
from finetune.registry import BASE, Registry

WHO = "owner's page"

_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def opened(folder: Path, *names: str, version: int | None = None) -> Iterator[Registry]:
    """Hold the registry in a folder for a decision on adapters.

    Args:
        version: Of what was served when it was decided; two who press at once do not go back twice.

    Raises:
        NoSuchAdapter: If one of them is not there.
        AdapterRefused: If the decision is not allowed; says why.
        Conflict: If something else was decided since.
    """
    if not folder.is_dir():
        raise AdapterRefused("there are no adapters yet: a round of learning, or attune adapters "
                             "add, makes the first")  # fmt: skip
    try:
        with _ONE_AT_A_TIME, Registry(folder, who=WHO) as registry:
            if version not in (None, registry.routes().version):
                raise Conflict("something else was decided meanwhile; look again, then decide")
            known = {entry.name for entry in registry.list()} | {BASE}
            if missing := [name for name in names if name not in known]:
                raise NoSuchAdapter(f"there is no adapter {missing[0][:200]!r} here")
            yield registry
    except FinetuneError as error:
        raise AdapterRefused(str(error)) from error


def promote(folder: Path, name: str, *, force: bool, why: str, version: int | None = None) -> None:
    """Have an adapter answer everybody."""
    with opened(folder, name, version=version) as registry:
        registry.promote(name, force=force, why=why)


def canary(
    folder: Path, name: str, share: float, *, force: bool, why: str, version: int | None = None
) -> None:
    """Have an adapter answer a share of the sessions that begin; or change that share."""
    with opened(folder, name, version=version) as registry:
        registry.canary(name, share, force=force, why=why)


def rollback(folder: Path, *, why: str, version: int | None = None) -> str | None:
    """Go back to what answered before; return it, None for the base."""
    with opened(folder, version=version) as registry:
        return registry.rollback(why)


def retire(folder: Path, name: str, *, why: str, version: int | None = None) -> None:
    """Take an adapter out of use."""
    with opened(folder, name, version=version) as registry:
        registry.retire(name, why)


def begin(
    folder: Path,
    title: str,
    arms: Mapping[str, float],
    *,
    interleaved: bool,
    force: bool,
    why: str,
    version: int | None = None,
) -> None:
    """Begin an experiment between adapters, or an adapter and the base."""
    with opened(folder, *arms, version=version) as registry:
        registry.experiment(title, arms, interleaved=interleaved, force=force, why=why)


def reshare(
    folder: Path, arms: Mapping[str, float], *, why: str, version: int | None = None
) -> None:
    """Share sessions otherwise among the arms of the experiment under way."""
    with opened(folder, *arms, version=version) as registry:
        registry.reshare(arms, why)


def end(folder: Path, *, why: str, version: int | None = None) -> None:
    """End the experiment or canary: the live adapter answers everybody."""
    with opened(folder, version=version) as registry:
        registry.end_trial(why)
