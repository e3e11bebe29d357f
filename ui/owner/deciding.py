"""What the owner decides from a page: adapters promoted, rolled back; experiments begun, ended.

The registry of the project decides what is allowed, as it does for `attune adapters`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from agent.errors import AdapterRefused, NoSuchAdapter
from finetune.errors import FinetuneError
from finetune.registry import BASE, Registry

WHO = "owner's page"


@contextmanager
def opened(folder: Path, *names: str) -> Iterator[Registry]:
    """Hold the registry in a folder for a decision on adapters.

    Raises:
        NoSuchAdapter: If one of them is not there.
        AdapterRefused: If the decision is not allowed; says why.
    """
    if not folder.is_dir():
        raise AdapterRefused("there are no adapters yet: a round of learning, or attune adapters "
                             "add, makes the first")  # fmt: skip
    try:
        with Registry(folder, who=WHO) as registry:
            known = {entry.name for entry in registry.list()} | {BASE}
            if missing := [name for name in names if name not in known]:
                raise NoSuchAdapter(f"there is no adapter {missing[0][:200]!r} here")
            yield registry
    except FinetuneError as error:
        raise AdapterRefused(str(error)) from error


def promote(folder: Path, name: str, *, force: bool, why: str) -> None:
    """Have an adapter answer everybody."""
    with opened(folder, name) as registry:
        registry.promote(name, force=force, why=why)


def canary(folder: Path, name: str, share: float, *, force: bool, why: str) -> None:
    """Have an adapter answer a share of the sessions that begin; or change that share."""
    with opened(folder, name) as registry:
        registry.canary(name, share, force=force, why=why)


def rollback(folder: Path, *, why: str) -> str | None:
    """Go back to what answered before; return it, None for the base."""
    with opened(folder) as registry:
        return registry.rollback(why)


def retire(folder: Path, name: str, *, why: str) -> None:
    """Take an adapter out of use."""
    with opened(folder, name) as registry:
        registry.retire(name, why)


def begin(
    folder: Path, title: str, arms: Mapping[str, float], *, interleaved: bool, force: bool, why: str
) -> None:  # fmt: skip
    """Begin an experiment between adapters, or an adapter and the base."""
    with opened(folder, *arms) as registry:
        registry.experiment(title, arms, interleaved=interleaved, force=force, why=why)


def reshare(folder: Path, arms: Mapping[str, float], *, why: str) -> None:
    """Share sessions otherwise among the arms of the experiment under way."""
    with opened(folder, *arms) as registry:
        registry.reshare(arms, why)


def end(folder: Path, *, why: str) -> None:
    """End the experiment or canary: the live adapter answers everybody."""
    with opened(folder) as registry:
        registry.end_trial(why)
