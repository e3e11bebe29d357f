"""Simulated users: a hidden target, wishes, a taste, patience; and how they are drawn.

A user's wishes hold for the target. What was said of them is `finetune.simulator.mind`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from random import Random
from typing import Literal

from agent.state import Constraint
from finetune.simulator.population import Population
from finetune.simulator.speech import adjectives
from finetune.simulator.taste import Taste, draw_taste
from finetune.simulator.world import World
from retrieval.catalog import Facet, Item
from retrieval.filters import matches, words

WishKind = Literal["want", "avoid", "below"]

_LOOKED_AT = 30
"""Items among which a user finds their target by taste."""

_DRAWS = 20
_PRICED = 0.35
"""Share of users with a limit on the price, where there are prices."""

_DEAR = 2
"""Below this quantile of the prices (the median) an item can be called cheap."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A hard wish of a user.

    Args:
        constraint: What it demands of an item.
        value: The value or the bound, as it is spoken of.
        decoy: What is said first by who will change their mind.
    """

    kind: WishKind
    constraint: Constraint
    role: str
    value: str
    decoy: str = ""

    @property
    def facet(self) -> str:
        """The facet it is about."""
        return self.constraint.facet

    def met(self, item: Item) -> bool:
        """Return whether an item meets it."""
        return matches(self.constraint.filter(), item)


@dataclass(frozen=True, slots=True)
class User:
    """A simulated user.

    Args:
        name: Whose sessions it are, the same for every contestant.
        wishes: Hard wishes in the order in which they are told, the category first.
        vague: What is said besides: an adjective, "cheap", or a wider category.
        further: Facets on which the likeness to the target counts, never told as hard wishes.
        patience: Turns before the user gives up.
    """

    name: str
    target: Item
    taste: Taste
    wishes: tuple[Wish, ...]
    vague: tuple[str, ...]
    wide: str
    further: tuple[str, ...]
    patience: int
    consent: bool
    population: Population

    def utility(self, item: Item) -> float:
        """Return how much the user would like to have an item: taste, and likeness to the target.

        u(i) = taste(i) + alike * mean over further facets of |V(i) & V(target)| / |V(target)|
        """
        shares = []
        for facet in self.further:
            own, wished = set(item.values(facet)), set(self.target.values(facet))
            shares.append(len(own & wished) / len(wished))
        alike = sum(shares) / len(shares) if shares else 1.0
        return self.taste.of(item) + self.population.alike * alike

    def relevance(self, item: Item) -> float:
        """Return how near an item comes to what the user would take, 0 to 1.

        The share of hard wishes met, times 1 for what the user would take and less below it.
        """
        met = sum(wish.met(item) for wish in self.wishes) / max(1, len(self.wishes))
        short = self.utility(self.target) - self.population.margin - self.utility(item)
        return met * exp(-max(0.0, short))

    def accepts(self, item: Item) -> bool:
        """Return whether the user would take an item."""
        if item.id == self.target.id:
            return True
        least = self.utility(self.target) - self.population.margin
        return all(wish.met(item) for wish in self.wishes) and self.utility(item) >= least


def draw_users(world: World, population: Population, n: int, seed: int) -> list[User]:
    """Return n users; the same for the same catalog, population and seed."""
    return [_draw(world, population, Random(f"user {seed} {i}"), f"sim-{seed}-{i}")
            for i in range(n)]  # fmt: skip


def _draw(world: World, population: Population, random: Random, name: str) -> User:
    taste = draw_taste(population, world.tastes, random)
    target = _target(world, taste, population.sharpness, random)
    wishes = _wishes(world, target, population, random)
    asked = {wish.facet for wish in wishes if wish.kind == "want"}
    skipped = {world.category.name} if world.category else set()
    further = [name for name in world.chosen.weights if name not in asked | skipped]
    vague = _vague(world, target, random) if random.random() < population.vague else ()
    wide = world.spoken(target, world.wider) or ""
    return User(
        name=name, target=target, taste=taste, wishes=wishes, vague=vague,
        wide=wide if random.random() < population.vague else "",
        further=tuple(name for name in further if target.values(name)),
        patience=random.randint(*population.patience),
        consent=random.random() < population.consent, population=population,
    )  # fmt: skip


def _target(world: World, taste: Taste, sharpness: float, random: Random) -> Item:
    seen = random.sample(world.items, min(_LOOKED_AT, len(world.items)))
    weights = [exp(sharpness * taste.of(item)) for item in seen]
    return random.choices(seen, weights)[0]


def _wishes(world: World, target: Item, population: Population, random: Random) -> tuple[Wish, ...]:
    """Return the category, then a few other wishes in random order."""
    category = world.spoken(target, world.category)
    first = [_want(world.category, category)] if world.category and category else []
    open = [name for name, values in world.sayable.items() if len(values) > 1]
    random.shuffle(open)
    count = random.randint(*population.wishes)
    others: list[Wish] = []
    if world.price and target.number(world.price.name) and random.random() < _PRICED:
        others.append(_below(world.price, target, random))
    peers = world.kinds.get(category or "", world.items)
    for name in open:
        if len(others) >= count:
            break
        drawn = _on(world, world.facets[name], target, peers, population, random)
        others += [drawn] if drawn is not None else []
    random.shuffle(others)
    return (*first, *others)


def _on(
    world: World,
    facet: Facet,
    target: Item,
    peers: Sequence[Item],
    population: Population,
    random: Random,
) -> Wish | None:
    """Return a wish on a facet that the target meets: a value of its own, or none of another's."""
    own = {str(value) for value in target.values(facet.name)}
    sayable = world.sayable[facet.name]
    if not own:
        return None
    other = _other(facet.name, own, sayable, peers, random)
    if other and random.random() < population.avoids:
        limit = Constraint(facet=facet.name, excluded=(other,))
        return Wish("avoid", limit, facet.role or facet.name, other)
    said = sorted(own & sayable)
    if not said:
        return None
    decoy = other if random.random() < population.changes else ""
    return _want(facet, random.choice(said), decoy)


def _other(
    facet: str, own: set[str], sayable: frozenset[str], peers: Sequence[Item], random: Random
) -> str:
    """Return a value that items of the kind have and the target has not, a frequent one rather."""
    for _ in range(_DRAWS):
        values = [str(value) for value in random.choice(peers).values(facet)]
        found = sorted(value for value in values if value in sayable and value not in own)
        if found:
            return random.choice(found)
    return ""


def _want(facet: Facet, value: str, decoy: str = "") -> Wish:
    limit = Constraint(facet=facet.name, values=(value,))
    return Wish("want", limit, facet.role or facet.name, value, decoy)


def _below(price: Facet, target: Item, random: Random) -> Wish:
    """Return a round bound a little above the target's price."""
    wanted = (target.number(price.name) or 0.0) * random.uniform(1.05, 1.4)
    step = 1 if wanted < 20 else 5 if wanted < 100 else 10 if wanted < 1000 else 100
    bound = float(-(-wanted // step) * step)
    return Wish("below", Constraint(facet=price.name, high=bound), "price", f"{bound:g}")


def _vague(world: World, target: Item, random: Random) -> tuple[str, ...]:
    """Return something soft that is so of the target, as people say it."""
    text = set(words(target.description))
    found = [word for word in adjectives() if set(words(word)) <= text]
    price = target.number(world.price.name) if world.price else None
    if world.price and price is not None and price < world.price.quantiles[_DEAR]:
        found.append("cheap")
    return (random.choice(found),) if found else ()
