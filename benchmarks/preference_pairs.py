"""Pairs of a taste and of a dialect that are made up, over the demo catalog.

The taste: wool, linen and cashmere, well rated. Users have their own need and see ten items that
fit it; they take the one that they like best, with some noise, and leave those above it. The
dialect: "bin the red ones" means not red. Users and items of the held-out rows are never trained
on. Nothing here is written by people.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random

from agent.choice_prompt import choice_messages, choice_text
from agent.state import Constraint, Need
from finetune.catalogs import open_catalog
from finetune.pairs.keys import key_of
from finetune.pairs.rows import Pair, write_made
from retrieval.catalog import Item
from retrieval.loading import LoadedCatalog

SHOWN = 10
LIKED = ("wool", "linen", "cashmere", "merino")


@cache
def demo() -> LoadedCatalog:
    """Return the demo catalog."""
    catalog = open_catalog("demo")
    assert catalog is not None
    return catalog


def taste(item: Item) -> float:
    """Return how much everybody likes an item, though nobody says so."""
    material = str(item.fields.get("material", "")).casefold()
    rating = float(item.fields.get("rating") or 3.5)
    return 2.0 * any(word in material for word in LIKED) + 1.5 * (rating - 4.0)


def choice_pairs(
    count: int, seed: int, *, held: bool, noise: float = 0.3, others: int = 3
) -> list[Pair]:
    """Return choices of a user each; held-out ones among items that are never trained on.

    Args:
        noise: Standard deviation of what a user thinks of an item beside the taste.
        others: Further items above the chosen one that were left.
    """
    random, facets = Random(f"{seed} {held}"), demo().facets
    by_category: dict[str, list[Item]] = {}
    for item in demo().items:
        # Families of colours share their leading id, so no family is on both sides.
        apart = int(key_of(item.id.rpartition("-")[0]), 16) % 4 == 0
        if apart == held:
            by_category.setdefault(str(item.fields.get("category")), []).append(item)
    categories = sorted(name for name, items in by_category.items() if len(items) >= SHOWN)
    pairs: list[Pair] = []
    while len(pairs) < count:
        category = random.choice(categories)
        slate = random.sample(by_category[category], SHOWN)
        worth = [taste(item) + random.gauss(0, noise) for item in slate]
        best = max(range(SHOWN), key=worth.__getitem__)
        if best == 0 or max(map(taste, slate)) - min(map(taste, slate)) < 0.5:
            continue
        left = random.sample(slate[:best], min(best, 1 + others))
        texts = [choice_text(one.fields, facets, one.title) for one in (slate[best], *left)]
        if texts[0] in texts[1:]:
            continue
        user = key_of(f"{'held' if held else 'train'} user {len(pairs)}")
        pairs.append(Pair(
            prompt=choice_messages(_need(category, slate, random), facets), kind="choice",
            chosen=texts[0], rejected=texts[1], others=tuple(texts[2:]), session=user, user=user,
        ))  # fmt: skip
    return pairs


def _need(category: str, slate: Sequence[Item], random: Random) -> Need:
    wishes = [Constraint(facet="category", role="category", values=(category,), label=category)]
    if random.random() < 0.4:
        high = max(float(one.fields["price"]) for one in slate) + 1.0
        wishes.append(Constraint(facet="price", role="price", high=high, label=f"under {high:g}"))
    return Need(constraints=tuple(wishes))


def write_folder(folder: Path, train: Sequence[Pair], held: Sequence[Pair]) -> Path:
    """Write pairs as `attune feedback pairs` does; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_made(folder / "train.jsonl", train)
    write_made(folder / "held.jsonl", held)
    (folder / "report.json").write_text(json.dumps({"made": "up"}) + "\n", "utf-8")
    return folder
