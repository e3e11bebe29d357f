"""Which adapter answers whom: the file that serving processes follow, and the rule it is read by.

`routes.json` lies beside the adapters' folders and is replaced as a whole, so a reader sees the old
routes or the new ones, never half of them. Who decides them (`finetune.registry`) and who serves by
them (`agent.routing`) know only this file of each other.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agent.errors import BadRoutes
from retrieval.vector_file import sync_folder

ROUTES = "routes.json"

_UNITS = 2**64


@dataclass(frozen=True, slots=True)
class Canary:
    """An adapter that a share of the units is answered with, to be watched.

    Args:
        salt: Mixed into the hash, so that each canary meets other people.
    """

    name: str
    share: float
    salt: str


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of an experiment: an adapter, or None for the base model."""

    adapter: str | None
    share: float


@dataclass(frozen=True, slots=True)
class Experiment:
    """Adapters compared on people: their shares add up to 1.

    Args:
        interleaved: The rankings of its two arms take turns in each slate (`agent.interleaving`);
            everybody is answered with the first arm, whose ranking is A.
    """

    name: str
    salt: str
    arms: tuple[Arm, ...]
    interleaved: bool = False

    @property
    def rival(self) -> Arm | None:
        """Return the arm whose ranking is B, where slates are interleaved."""
        return self.arms[1] if self.interleaved else None


@dataclass(frozen=True, slots=True)
class Routes:
    """Who is answered with what.

    Args:
        version: Grows with every change.
        live: The adapter of everybody else; None for the base model without one.
        adapters: Folders of all adapters that may answer. A session keeps the one it began with
            while it is here; one that is not here any more was withdrawn.
    """

    version: int = 0
    live: str | None = None
    canary: Canary | None = None
    experiment: Experiment | None = None
    adapters: Mapping[str, Path] = field(default_factory=dict)

    @property
    def named(self) -> tuple[str, ...]:
        """Return the adapters that new sessions may be given, the live one first."""
        arms = self.experiment.arms if self.experiment else ()
        canary = self.canary.name if self.canary else None
        names = (self.live, canary, *(arm.adapter for arm in arms))
        return tuple(dict.fromkeys(name for name in names if name is not None))

    def assign(self, unit: str) -> str | None:
        """Return the adapter for a session or user, always the same by the same routes."""
        if self.experiment is not None:
            return _arm(self.experiment, unit)
        if self.canary is not None and position(self.canary.salt, unit) < self.canary.share:
            return self.canary.name
        return self.live

    def without(self, gone: Iterable[str]) -> Routes:
        """Return the routes where some adapters cannot be had: nobody new is sent to them.

        An experiment without one of its arms would compare nothing, so it does not take place.
        """
        lost = set(gone)
        canary = None if self.canary and self.canary.name in lost else self.canary
        experiment = self.experiment
        if experiment and any(arm.adapter in lost for arm in experiment.arms):
            experiment = None
        live = None if self.live in lost else self.live
        return replace(self, live=live, canary=canary, experiment=experiment)


def position(salt: str, unit: str) -> float:
    """Return where a unit falls in [0, 1), evenly and independently for each salt."""
    digest = hashlib.sha256(f"{salt}:{unit}".encode("utf-8", "backslashreplace")).digest()
    return int.from_bytes(digest[:8], "big") / _UNITS


def _arm(experiment: Experiment, unit: str) -> str | None:
    if experiment.interleaved:
        return experiment.arms[0].adapter
    at, reached = position(experiment.salt, unit), 0.0
    for arm in experiment.arms:
        reached += arm.share
        if at < reached:
            return arm.adapter
    return experiment.arms[-1].adapter


def read_routes(folder: Path) -> Routes:
    """Return the routes in a folder; those of the base model alone where there are none.

    Raises:
        BadRoutes: If the file can't be read; whoever follows it goes on as before.
    """
    path = folder / ROUTES
    try:
        return _parse(json.loads(path.read_text("utf-8")), folder)
    except FileNotFoundError:
        return Routes()
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadRoutes(f"{str(path)!r} cannot be read: {type(error).__name__}: {error}; "
                        "attune adapters list writes it anew") from error  # fmt: skip


def write_routes(folder: Path, routes: Routes) -> None:
    """Put routes in place of those there are, on disk when this returns; one writer at a time."""
    path = folder / ROUTES
    partial = path.with_name(f".{ROUTES}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(json.dumps(_plain(routes, folder), indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync_folder(folder)


def _plain(routes: Routes, folder: Path) -> dict[str, Any]:
    canary, experiment = routes.canary, routes.experiment
    return {
        "version": routes.version,
        "live": routes.live,
        "canary": canary
        and {"name": canary.name, "share": canary.share, "salt": canary.salt},
        "experiment": experiment
        and {
            "name": experiment.name,
            "salt": experiment.salt,
            "arms": [{"adapter": arm.adapter, "share": arm.share} for arm in experiment.arms],
            "interleaved": experiment.interleaved,
        },
        # Relative where they can be, so that a project may be moved.
        "adapters": {name: _relative(path, folder) for name, path in routes.adapters.items()},
    }  # fmt: skip


def _relative(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path.absolute())


def _parse(data: Mapping[str, Any], folder: Path) -> Routes:
    canary, experiment = data["canary"], data["experiment"]
    routes = Routes(
        version=int(data["version"]),
        live=data["live"],
        canary=canary and Canary(canary["name"], float(canary["share"]), canary["salt"]),
        experiment=experiment and Experiment(
            experiment["name"], experiment["salt"],
            tuple(Arm(arm["adapter"], float(arm["share"])) for arm in experiment["arms"]),
            bool(experiment.get("interleaved", False)),  # files of before had none
        ),
        adapters={name: folder / path for name, path in data["adapters"].items()},
    )  # fmt: skip
    if routes.experiment and routes.experiment.interleaved and len(routes.experiment.arms) != 2:
        raise ValueError(f"{len(routes.experiment.arms)} arms are interleaved, expected 2")
    if lost := [name for name in routes.named if name not in routes.adapters]:
        raise ValueError(f"no folder is given for {lost[0]!r}")
    return routes
