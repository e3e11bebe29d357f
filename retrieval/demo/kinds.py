"""The kinds of item the demo shop sells, read from `kinds/*.toml`: pure values.

This module does not know how many items there will be, nor any single one of them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

Range = tuple[float, float, float]
"""Low, high and step of a number."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One cut or type within a kind; what it names overrides the kind's own."""

    name: str
    shape: str
    text: str
    materials: tuple[str, ...]
    features: tuple[str, ...]
    numbers: Mapping[str, Range]


@dataclass(frozen=True, slots=True)
class Kind:
    """One category: what its items are called, cost and are made of.

    Args:
        cut_column: Name of the column the cut is written to ("cut" of a shirt, "design" of a sofa).
        share: How many of the full catalog's items, relative to other kinds.
        facts: Sentences with a number of the item in braces.
        feature_texts: Sentences for each feature.
    """

    department: str
    category: str
    noun: str
    cut_column: str
    brands: Mapping[str, float]
    share: int
    price: tuple[float, float]
    colours: tuple[str, ...]
    materials: tuple[str, ...]
    cuts: tuple[Cut, ...]
    styles: tuple[str, ...]
    features: tuple[str, ...]
    feature_texts: Mapping[str, list[str]]
    openers: tuple[str, ...]
    audience: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    fits: tuple[str, ...] = ()
    numbers: Mapping[str, Range] | None = None
    facts: tuple[str, ...] = ()


@cache
def read_toml(name: str) -> dict[str, Any]:
    """Return a data file of this package."""
    return tomllib.loads((files(__package__) / name).read_text("utf-8"))


def _ranges(raw: Mapping[str, list[float]]) -> dict[str, Range]:
    return {name: (low, high, step) for name, (low, high, step) in raw.items()}


def _cut(name: str, raw: dict[str, Any], kind: dict[str, Any]) -> Cut:
    return Cut(
        name=name,
        shape=raw["shape"],
        text=raw["text"],
        materials=tuple(raw.get("materials", kind["materials"])),
        features=tuple(raw.get("features", kind["features"])),
        numbers=_ranges(kind.get("numbers", {}) | raw.get("numbers", {})),
    )


def _kind(raw: dict[str, Any], department: dict[str, Any]) -> Kind:
    cuts = tuple(_cut(name, cut, raw) for name, cut in raw["cuts"].items())
    plain: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()
    }
    plain |= {"cuts": cuts, "numbers": _ranges(raw.get("numbers", {}))}
    return Kind(
        department=department["department"],
        cut_column=department["cut_column"],
        brands=department["brands"],
        feature_texts=department["features"],
        **plain,
    )


@cache
def kinds() -> tuple[Kind, ...]:
    """Return every kind of the shop, department by department."""
    names = ("clothing", "shoes", "home", "electronics", "outdoor", "toys")
    departments = [read_toml(f"kinds/{name}.toml") for name in names]
    return tuple(
        _kind(raw, department) for department in departments for raw in department["kinds"]
    )


def quotas(total: int) -> list[int]:
    """Return how many items of each kind make a catalog of `total`, by largest remainder."""
    shares = [kind.share for kind in kinds()]
    exact = [total * share / sum(shares) for share in shares]
    counts = [int(count) for count in exact]
    by_rest = sorted(range(len(exact)), key=lambda i: counts[i] - exact[i])
    for i in by_rest[: total - sum(counts)]:
        counts[i] += 1
    return counts
