"""Draw families: one product in several colours, and siblings that differ in one facet more.

Families are what makes "the same but blue" have a right answer. This module does not know how an
item is worded (`retrieval.demo.writing`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from random import Random

from retrieval.demo.kinds import Cut, Kind, quotas, read_toml
from retrieval.demo.kinds import kinds as all_kinds

NAMES = tuple((files(__package__) / "names.txt").read_text("utf-8").split())
"""Model names; none is a colour, a material or a word of the trade."""


@dataclass(frozen=True, slots=True)
class Family:
    """What all colours of one product share."""

    number: int
    kind: Kind
    brand: str
    name: str
    cut: Cut
    material: str
    style: str
    audience: str | None
    fit: str | None
    sizes: tuple[str, ...]
    features: tuple[str, ...]
    numbers: Mapping[str, float]
    price: float
    colours: tuple[str, ...]


def _factor(material: str) -> float:
    return float(read_toml("materials.toml")[material]["price"])


def round_price(price: float) -> float:
    """Return a price as shops write it: whole from 300 on, else ending in .95, .90 or .50."""
    if price >= 300:
        return float(round(price / 10) * 10 - 1)
    if price >= 40:
        return round(price) - 0.05
    return max(round(price * 2) / 2 - 0.05, 0.95) if price > 15 else round(price * 2) / 2 or 0.5


def _near(level: float, random: Random) -> float:
    """Return a level between 0 and 1 close to another one."""
    return min(1.0, max(0.0, level + random.uniform(-0.15, 0.15)))


def _numbers(cut: Cut, level: float, random: Random) -> dict[str, float]:
    """Draw the measures of one product; they grow together, as a bigger tent is a heavier one."""
    drawn: dict[str, float] = {}
    for name, (low, high, step) in cut.numbers.items():
        value = low + step * round((high - low) / step * _near(level, random))
        whole = all(float(part).is_integer() for part in (low, step))
        drawn[name] = int(value) if whole else round(value, 1)
    return drawn


def _features(cut: Cut, material: str, random: Random) -> tuple[str, ...]:
    """Draw one to three features that the material can have and that agree with each other."""
    never = read_toml("materials.toml")[material].get("never", [])
    possible = [feature for feature in cut.features if feature not in never]
    chosen = random.sample(possible, min(len(possible), random.randint(1, 3)))
    if "organic" in chosen and "recycled" in chosen:
        chosen.remove("recycled")
    return tuple(chosen)


def _sizes(kind: Kind, random: Random) -> tuple[str, ...]:
    """Return a run of neighbouring sizes, as shops stock them."""
    if not kind.sizes:
        return ()
    start = random.randint(0, len(kind.sizes) // 3)
    end = len(kind.sizes) - random.randint(0, len(kind.sizes) // 3)
    return kind.sizes[start:end]


def _price(kind: Kind, brand: str, material: str, level: float, random: Random) -> float:
    low, high = kind.price
    share = 0.5 * level + 0.5 * random.triangular(0, 1, 0.2)
    middle = (low + (high - low) * share) * kind.brands[brand] * _factor(material) ** 0.8
    return round_price(max(low * 0.6, middle))


def _family(number: int, kind: Kind, size: int, random: Random) -> Family:
    cut, level = random.choice(kind.cuts), random.random()
    brand, material = random.choice(tuple(kind.brands)), random.choice(cut.materials)
    return Family(
        number=number,
        kind=kind,
        brand=brand,
        name=random.choice(NAMES),
        cut=cut,
        material=material,
        style=random.choice(kind.styles),
        audience=random.choice(kind.audience) if kind.audience else None,
        fit=random.choice(kind.fits) if kind.fits else None,
        sizes=_sizes(kind, random),
        features=_features(cut, material, random),
        numbers=_numbers(cut, level, random),
        price=_price(kind, brand, material, level, random),
        colours=tuple(random.sample(kind.colours, min(size, len(kind.colours)))),
    )


def _sibling(family: Family, number: int, random: Random) -> Family | None:
    """Return the same product in another material, or None where its features rule that out."""
    materials = read_toml("materials.toml")
    others = [
        material
        for material in family.cut.materials
        if material != family.material
        and not set(materials[material].get("never", [])) & set(family.features)
    ]
    if not others:
        return None
    material = random.choice(others)
    price = family.price * (_factor(material) / _factor(family.material)) ** 0.8
    kept = family.colours[: max(2, len(family.colours) - 1)]
    return replace(family, number=number, material=material, price=round_price(price), colours=kept)


def _of_kind(kind: Kind, quota: int, first: int, random: Random) -> Iterator[Family]:
    taken: set[tuple[str, str]] = set()
    number = first
    while quota > 0:
        family = _family(number, kind, random.choice((1, 3, 4, 4, 5, 5, 6)), random)
        if (family.brand, family.name) in taken:
            continue
        taken.add((family.brand, family.name))
        sibling = _sibling(family, number + 1, random) if random.random() < 0.25 else None
        for one in (family, sibling):
            if one is not None and quota > 0:
                one = replace(one, colours=one.colours[:quota])
                yield one
                number, quota = number + 1, quota - len(one.colours)


def families(total: int, random: Random) -> Iterator[Family]:
    """Yield families whose colours together are `total` items, spread over all kinds."""
    first = 1
    for kind, quota in zip(all_kinds(), quotas(total), strict=True):
        for family in _of_kind(kind, quota, first, random):
            first = family.number + 1
            yield family
