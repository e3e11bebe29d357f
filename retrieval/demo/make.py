"""Make the demo catalog: a JSONL file and one drawn picture for each silhouette and colour.

The same seed gives the same bytes. Everything is invented; no row comes from a real shop.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from retrieval.demo.drawing import draw
from retrieval.demo.families import Family, families, round_price
from retrieval.demo.writing import description, reviews, title

_FIRST_RELEASE = date(2021, 1, 4)
_NEW_FROM = date(2025, 8, 1)
_LAST_RELEASE = date(2025, 10, 27)


def _sku(family: Family, colour: str) -> str:
    prefix = family.kind.category[:3].upper()
    return f"{prefix}-{family.number:04d}-{colour.replace(' ', '').upper()}"


def _release(random: Random) -> date:
    span = (_LAST_RELEASE - _FIRST_RELEASE).days
    return _FIRST_RELEASE + timedelta(days=int(span * random.random() ** 0.7))


def _stock(random: Random) -> int:
    return (
        0
        if random.random() < 0.08
        else random.choice((random.randint(1, 9), random.randint(10, 140)))
    )


def _judged(family: Family, released: date, random: Random) -> dict[str, Any]:
    """Return rating, review count and snippets; a brand-new item may have none yet."""
    if released >= _NEW_FROM and random.random() < 0.7:
        return {}
    rating = round(min(5.0, max(2.4, random.gauss(4.1, 0.45))), 1)
    count = max(3, int(random.lognormvariate(3.6, 1.1)))
    return {
        "rating": rating,
        "reviews": count,
        "review_snippets": reviews(family, rating, random),
    }


def _row(family: Family, colour: str, text: str, released: date, random: Random) -> dict[str, Any]:
    price = round_price(family.price * 0.8) if random.random() < 0.1 else family.price
    row: dict[str, Any] = {
        "sku": _sku(family, colour),
        "title": title(family, colour),
        "department": family.kind.department,
        "category": family.kind.category,
        "brand": family.brand,
        "colour": colour,
        "material": family.material,
        family.kind.cut_column: family.cut.name,
        "style": family.style,
        "fit": family.fit,
        "audience": family.audience,
        "sizes": list(family.sizes) or None,
        "qualities": list(family.features) or None,
        **family.numbers,
        "price_eur": round(price, 2),
        "stock": _stock(random),
        **_judged(family, released, random),
        "released": released.isoformat(),
        "description": text,
        "image": f"images/{_picture(family, colour)}",
    }
    return {key: value for key, value in row.items() if value is not None}


def _picture(family: Family, colour: str) -> str:
    return f"{family.cut.shape}-{colour.replace(' ', '-').lower()}.svg"


def _with_gaps(row: dict[str, Any], random: Random) -> dict[str, Any]:
    """Return a row with now and then a value missing, as real catalogs have it."""
    losses = {"style": 0.05, "fit": 0.06, "released": 0.04, "brand": 0.01, "qualities": 0.05}
    gone = {key for key, share in losses.items() if random.random() < share}
    return {key: value for key, value in row.items() if key not in gone}


def rows(items: int, seed: int) -> list[tuple[dict[str, Any], Family]]:
    """Return the catalog's rows, each with the family it belongs to."""
    random = Random(seed)
    made: list[tuple[dict[str, Any], Family]] = []
    for family in families(items, random):
        text, released = description(family, random), _release(random)
        for colour in family.colours:
            row = _row(family, colour, text, released, random)
            made.append((_with_gaps(row, random), family))
    return made


def make_demo(out: Path, *, items: int = 2400, seed: int = 7) -> Path:
    """Write the demo catalog and its pictures into a folder; return the catalog file.

    Raises:
        ValueError: If fewer than one item is asked for.
    """
    if items < 1:
        raise ValueError(f"items must be 1 or more, got {items!r}")
    made = rows(items, seed)
    (out / "images").mkdir(parents=True, exist_ok=True)
    pictures = {row["image"]: (family.cut.shape, row["colour"]) for row, family in made}
    for name, (shape, colour) in pictures.items():
        (out / name).write_text(draw(shape, colour), "utf-8")
    lines = (json.dumps(row, ensure_ascii=False) for row, _ in made)
    catalog = out / "demo.jsonl"
    catalog.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return catalog
