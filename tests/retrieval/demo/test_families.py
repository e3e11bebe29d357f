from __future__ import annotations

from random import Random

import pytest

from retrieval.demo.families import NAMES, families, round_price
from retrieval.demo.kinds import kinds, read_toml
from retrieval.demo.writing import description, reviews, title
from retrieval.filters import words


@pytest.mark.parametrize(
    ("price", "shown"),
    [(1234.0, 1229.0), (305.0, 299.0), (59.6, 59.95), (23.3, 23.45), (9.2, 9.0), (0.1, 0.5)],
)
def test_price_is_rounded_like_a_shop(price, shown):
    assert round_price(price) == pytest.approx(shown)


def test_names_are_no_words_of_trade():
    trade = {word for kind in kinds() for word in words(f"{kind.noun} {kind.category}")}
    trade |= {word for name in read_toml("materials.toml") for word in words(name)}
    trade |= {word for kind in kinds() for colour in kind.colours for word in words(colour)}
    assert not trade & {word for name in NAMES for word in words(name)}


def test_product_names_are_unique_per_brand():
    seen = {}
    for family in families(1200, Random(3)):
        key = (family.kind.category, family.brand, family.name)
        cut = seen.setdefault(key, family.cut)
        assert family.cut == cut


def test_qualities_agree():
    for family in families(1200, Random(4)):
        assert not {"organic", "recycled"} <= set(family.features)
        assert len(set(family.features)) == len(family.features)


def test_sizes_are_a_run():
    for family in families(800, Random(5)):
        every = family.kind.sizes
        assert bool(family.sizes) == bool(every)
        if every:
            start = every.index(family.sizes[0])
            assert family.sizes == every[start : start + len(family.sizes)]


def test_words_come_from_the_family():
    family = next(iter(families(200, Random(1))))
    said = description(family, Random(2))
    assert family.cut.text in said
    assert any(text in said for text in read_toml("materials.toml")[family.material]["texts"])
    assert family.name in title(family, "Light Blue")
    assert "light blue" in title(family, "Light Blue")


@pytest.mark.parametrize(("rating", "mood"), [(4.6, "good"), (3.6, "fair"), (2.9, "bad")])
def test_review_mood_matches_rating(rating, mood):
    family = next(iter(families(200, Random(1))))
    pools = read_toml("reviews.toml")
    for seed in range(20):
        said = reviews(family, rating, Random(seed))
        assert 1 <= len(said) <= 3
        assert all(text.startswith(tuple(pools[mood])) for text in said)
        assert all(text.endswith(tuple(pools["closing"][mood])) for text in said)
