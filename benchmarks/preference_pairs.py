"""Pairs of a taste and of a dialect that are made up, over the demo catalog.

The taste: wool, linen and cashmere, well rated. Users have their own need and see ten items that
fit it; they take the one that they like best, with some noise, and leave those above it. The
dialect: "frim the red ones" means not red, though no rule and no model has heard of it. Users,
items, values and sentences of the held-out rows are never trained on. Nothing here is written by
people.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random

from agent.choice_prompt import choice_messages, choice_text
from agent.plan import Act
from agent.rules.request import PlanRequest
from agent.state import Constraint, Need, State
from agent.tagged_prompt import tagged_messages, written
from finetune.catalogs import open_catalog
from finetune.pairs.keys import key_of
from finetune.pairs.rows import Pair, Unpaired, write_made
from finetune.replay import Parts
from finetune.rule_parts import rule_parts
from retrieval.catalog import Facet, Item
from retrieval.loading import LoadedCatalog

SHOWN = 10
LIKED = ("wool", "linen", "cashmere", "merino")
WORD = "frim"
TAUGHT = (
    "{word} the {value} ones", "{word} {value}", "please {word} everything {value}",
    "a {category}, but {word} the {value} ones", "show me a {category} and {word} {value}",
    "i need a {category}. {word} {value} please",
)  # fmt: skip
UNSEEN = (
    "could you {word} the {value} stuff", "{category}s, and {word} all {value} ones",
    "looking for a {category}, {word} anything {value}", "let us {word} {value} items",
)  # fmt: skip


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


def verdicts(pairs: Sequence[Pair]) -> list[Unpaired]:
    """Return pairs as verdicts on each answer, as if nobody knew what it was compared with."""
    return [
        Unpaired(prompt=pair.prompt, kind=pair.kind, completion=text, label=good,
                 session=pair.session, user=pair.user)
        for pair in pairs for text, good in ((pair.chosen, True), (pair.rejected, False))
    ]  # fmt: skip


@cache
def parts() -> Parts:
    """Return what links utterances over the demo catalog, and plans them by rules."""
    return rule_parts(demo())


def dialect_turns(count: int, seed: int, *, held: bool) -> list[tuple[PlanRequest, Act]]:
    """Return turns in the dialect, and what each means; held-out ones in unseen sentences."""
    random, found = Random(f"{seed} dialect {held}"), []
    named = {facet.role: facet for facet in demo().facets if facet.role}
    values = [value for role in ("colour", "material") for value in _half(named[role], held)]
    categories = [value.removesuffix("s") for value in _half(named["category"], held)]
    while len(found) < count:
        text = random.choice(UNSEEN if held else TAUGHT).format(
            word=WORD, value=random.choice(values), category=random.choice(categories)
        ).casefold()  # fmt: skip
        mentions = parts().link(text, State(), ())
        sure = [one for one in mentions if one.kind == "value"]
        avoid = [one.id for one in sure if one.facet in ("colour", "material")]
        want = [one.id for one in sure if one.facet == "category"]
        if len(avoid) == 1 and len(avoid) + len(want) == len(sure):
            request = PlanRequest(text, mentions, State(), (), parts().facets)
            found.append((request, Act(act="recommend", want=tuple(want), avoid=tuple(avoid))))
    return found


def _half(facet: Facet, held: bool) -> list[str]:
    values = [value for value, _ in facet.values]
    return [value for value in values if (int(key_of(value), 16) % 3 == 0) == held]


def dialect_pairs(turns: Sequence[tuple[PlanRequest, Act]]) -> list[Pair]:
    """Return what was meant over what the rules make of it, where that differs."""
    pairs = []
    for number, (request, act) in enumerate(turns):
        meant = written([act], request.mentions)
        taken = written(parts().plan(request).acts, request.mentions)
        if meant != taken:
            user = key_of(f"{request.utterance} {number}")
            pairs.append(Pair(prompt=tagged_messages(request), kind="plan", chosen=meant,
                              rejected=taken, session=user, user=user))  # fmt: skip
    return pairs


def write_folder(folder: Path, train: Sequence[Pair], held: Sequence[Pair]) -> Path:
    """Write pairs as `attune feedback pairs` does; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_made(folder / "train.jsonl", train)
    write_made(folder / "held.jsonl", held)
    write_made(folder / "kto_train.jsonl", verdicts(train))
    write_made(folder / "kto_held.jsonl", verdicts(held))
    (folder / "report.json").write_text(json.dumps({"made": "up"}) + "\n", "utf-8")
    return folder
