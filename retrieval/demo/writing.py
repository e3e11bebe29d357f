"""Word an item: title, description and what buyers say, all true of its fields."""

from __future__ import annotations

from random import Random

from retrieval.demo.families import Family
from retrieval.demo.kinds import read_toml

_POSSESSIVE = {
    "Men": "Men's", "Women": "Women's", "Boys": "Boys'", "Girls": "Girls'",
}  # fmt: skip


def title(family: Family, colour: str) -> str:
    """Return an item's title; each brand words its titles in one of three ways."""
    noun, cut = family.kind.noun, family.cut.name
    words = f"{cut} {noun}" if cut not in noun else noun
    whose = _POSSESSIVE.get(family.audience or "", "")
    order = sum(map(ord, family.brand)) % 3
    if order == 0:
        parts = [family.brand, family.name, family.material, words]
        return _capital(" ".join(parts)) + f", {colour.lower()}"
    if order == 1:
        parts = [family.name, whose.lower() if whose else "", colour.lower(), words]
        tail = f" in {family.material} by {family.brand}"
        return _capital(" ".join(filter(None, parts))) + tail
    parts = [family.brand, whose, family.name, words, f"({family.material}, {colour.lower()})"]
    return _capital(" ".join(filter(None, parts)))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def description(family: Family, random: Random) -> str:
    """Return three to five sentences: what it is, its cut and material, features, measures."""
    kind = family.kind
    material = random.choice(read_toml("materials.toml")[family.material]["texts"])
    middle = [family.cut.text, material]
    random.shuffle(middle)
    features = [random.choice(kind.feature_texts[feature]) for feature in family.features]
    facts = [random.choice(kind.facts).format(**family.numbers)] if kind.facts else []
    return " ".join([random.choice(kind.openers), *middle, *features, *facts])


def _mood(rating: float) -> str:
    return "good" if rating >= 4.0 else "fair" if rating >= 3.4 else "bad"


def reviews(family: Family, rating: float, random: Random) -> list[str]:
    """Return what one to three buyers wrote, in the mood of the rating."""
    pools = read_toml("reviews.toml")
    moods = random.sample(pools[_mood(rating)], random.choice((1, 2, 2, 3)))
    about = list(pools["department"][family.kind.department])
    about += pools["fit"][family.fit] if family.fit else []
    closing = random.sample(pools["closing"][_mood(rating)], len(moods))
    parts = zip(moods, random.sample(about, len(moods)), closing, strict=True)
    return [" ".join(sentences) for sentences in parts]
