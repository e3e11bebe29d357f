"""From the profiles of a sample to the treatment of every column.

First the columns an item has one of (id, title, price, …), then each remaining column by itself
(`retrieval.loading.kinds`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import get_args

from retrieval.loading import words
from retrieval.loading.kinds import facet_column, role_of
from retrieval.loading.mapping import PRICE, Column, Mapping, Use
from retrieval.loading.profile import Profile
from retrieval.loading.values import currency, vocabulary

USES: tuple[Use, ...] = get_args(Use)
RESERVED = frozenset({"id", "title", "description", "text", "image", "url", "currency", PRICE})
"""Names that mean something else than a facet in items, filters and rows sent over HTTP."""


MAIN_TEXT = vocabulary("description desc summary overview about details plot abstract body")
"""Names of texts that come before other texts in the description."""


def infer_mapping(profiles: Sequence[Profile]) -> Mapping:
    """Return the mapping that names and contents of the columns suggest.

    A column that must exist (id, title) may be missing from the answer: the caller lets the
    owner's file speak first and checks then.
    """
    top = [p for p in profiles if p.within is None]
    chosen: dict[str, Column] = {}
    for use, score in _SCORES.items():
        free = [p for p in top if p.name not in chosen]
        best = _best(free, score)
        if best is not None:
            chosen[best.name] = Column(best.name, use)
    _add_prices([p for p in top if p.name not in chosen], chosen)
    _add_subtitle(top, chosen)
    columns = [chosen.get(p.name) or _other(p) for p in top]
    columns += keys(profiles, columns)
    first = [*chosen, *(p.name for p in top if MAIN_TEXT.intersection(words.tokens(p.name)))]
    return Mapping(in_order(_named(_one_of_a_role(columns)), first))


def in_order(columns: Iterable[Column], first: Sequence[str]) -> tuple[Column, ...]:
    """Return columns by use, among each use those named first in that order."""
    place = {name: number for number, name in enumerate(first)}
    uses = {use: number for number, use in enumerate(USES)}

    def key(column: Column) -> tuple[int, int]:
        known = place.get(column.name, len(place)) if column.within is None else len(place)
        return (uses[column.use], known)

    return tuple(sorted(columns, key=key))


def _best(profiles: list[Profile], score: Callable[[Profile], float]) -> Profile | None:
    scored = [(score(p), -number, p) for number, p in enumerate(profiles)]
    scored.sort(key=lambda entry: entry[:2], reverse=True)
    return scored[0][2] if scored and scored[0][0] > 0 else None


def _rank(names: Sequence[str], name: str) -> float:
    """Return 1 for the first of a list of names, less for later ones, 0 for others."""
    plain = words.plain(name)
    return 1 - names.index(plain) / (2 * len(names)) if plain in names else 0.0


def _id_score(p: Profile) -> float:
    if p.coverage < 0.5 or p.maps or p.lists or p.length > 80:
        return 0.0
    named = _rank(words.ID_NAMES, p.name)
    parts = words.tokens(p.name)
    if not named and len(parts) > 1 and parts[-1] in ("id", "sku", "asin", "isbn"):
        named = 0.4
    least = 0.5 if named > 0.9 else 0.7
    return named + p.uniqueness if named and p.uniqueness >= least else 0.0


def _title_score(p: Profile) -> float:
    if p.coverage < 0.3 or p.maps or p.lists or p.numbers > 0.9 or p.urls > 0.5:
        return 0.0
    named = _rank(words.TITLE_NAMES, p.name)
    if named:
        return 3 + named
    parts = words.tokens(p.name)
    if parts and parts[-1] in ("title", "name") and not role_of(p):
        return 2 + p.uniqueness / 2
    looks = p.uniqueness > 0.6 and 5 < p.length < 120 and p.words > 1.2 and not p.dates[1] > 0.5
    return 1 + min(p.words, 8) / 20 if looks and not _is_text_name(p.name) else 0.0


def _is_text_name(name: str) -> bool:
    return bool(words.TEXT_WORDS.intersection(words.tokens(name)))


def _image_score(p: Profile) -> float:
    named = bool(words.IMAGE_WORDS.intersection(words.tokens(p.name)))
    content = max(p.images, p.urls * 0.9 if named else 0.0)
    return content + named if content > 0.5 else 0.0


def _url_score(p: Profile) -> float:
    named = bool(words.URL_WORDS.intersection(words.tokens(p.name)))
    return p.urls + named if p.urls > 0.5 and p.images < 0.5 else 0.0


def _currency_score(p: Profile) -> float:
    codes = p.share(lambda text: currency(text) is not None)
    named = words.plain(p.name) in words.CURRENCY_NAMES
    return codes + named if codes > 0.8 and (named or "currency" in words.tokens(p.name)) else 0.0


_SCORES: dict[Use, Callable[[Profile], float]] = {
    "id": _id_score,
    "image": _image_score,
    "url": _url_score,
    "currency": _currency_score,
    "title": _title_score,
}


def price_score(p: Profile) -> float:
    """Return how much a column looks like what the buyer pays; 0 or less for other columns."""
    parts = set(words.tokens(p.name))
    if p.maps or p.lists or p.coverage == 0:
        return 0.0
    named = bool(words.PRICE_WORDS & parts) and not (parts & {"id", "currency", "range"})
    paid = bool(words.PAID_WORDS & parts)
    if not named:
        marked = p.currencies.total() / p.filled if p.filled else 0.0
        named = marked > 0.8 and p.prices > 0.8
    if not named:
        return 0.0
    old = bool(words.OLD_WORDS & parts)
    return 2 + (1 if paid and not old else 0) - (1.5 if old else 0) + p.coverage


def price_column(p: Profile, facet: str = PRICE) -> Column:
    """Return the treatment of a column of prices: currency, cents and decimal mark."""
    named = words.currency_of(p.name)
    inside = p.currencies.most_common(1)
    cents = bool(words.CENT_WORDS.intersection(words.tokens(p.name)))
    return Column(
        p.name,
        "price",
        facet=facet,
        kind="numeric",
        role="price",
        label="price" if facet == PRICE else words.label_of(p.name),
        unit=named or (inside[0][0] if inside else None),
        scale=0.01 if cents else 1.0,
        decimal=p.decimal,
    )


def _add_prices(free: list[Profile], chosen: dict[str, Column]) -> None:
    """Choose the price the buyer pays, and the one that stands in where that one is empty."""
    scored = sorted(((price_score(p), p) for p in free if price_score(p) > 0), key=lambda s: -s[0])
    if not scored:
        return
    readable = [p for _, p in scored if p.prices > 0.5]
    if not readable:
        first = scored[0][1]
        chosen[first.name] = price_column(first)
        return
    first = readable[0]
    chosen[first.name] = price_column(first)
    for other in readable[1:]:
        old_only = {"old", "was", "compare", "before", "previous"} & set(words.tokens(other.name))
        if other.coverage > 0.9 > first.coverage and not old_only:
            own = _facet_name(other.name)
            chosen[other.name] = replace(price_column(other, own), role=None)
            return


def _add_subtitle(top: list[Profile], chosen: dict[str, Column]) -> None:
    """Let a short description complete titles that are only series names ("BESTÅ")."""
    title = next((p for p in top if p.name in chosen and chosen[p.name].use == "title"), None)
    if title is None or title.rows < 20 or title.uniqueness > 0.5 or title.words > 2.5:
        return
    for p in top:
        short = p.coverage > 0.9 and p.words < 9 and p.length < 60 and p.uniqueness > 0.1
        if p.name not in chosen and _is_text_name(p.name) and short and "slug" not in p.name:
            chosen[p.name] = Column(p.name, "title")
            return


def _other(p: Profile) -> Column:
    if p.maps:
        return Column(p.name, "map")
    if p.filled == 0:
        return Column(p.name, "ignore")
    if p.urls > 0.5 or p.images > 0.5:
        return Column(p.name, "ignore")
    return facet_column(p)


def keys(profiles: Sequence[Profile], top: Sequence[Column]) -> list[Column]:
    """Return the treatment of the keys of free maps; roles go to columns first."""
    maps = {column.name for column in top if column.use == "map"}
    roles = {column.role for column in top if column.role}
    found = []
    for p in profiles:
        column = facet_column(p) if p.within in maps and p.filled and p.urls < 0.5 else None
        if column is not None and column.use == "facet":
            rare = p.coverage < (0.5 if column.role in ("category", "brand") else 0.05)
            taken = column.role in roles or column.role in ("popularity", "date", "rating")
            found.append(replace(column, role=None) if rare or taken else column)
    return found


def _one_of_a_role(columns: list[Column]) -> list[Column]:
    """Keep the first rating, availability, audience and language; others are plain facets."""
    seen: set[str] = set()
    kept = []
    for column in columns:
        once = column.role in ("rating", "availability", "audience", "language")
        if once and column.role in seen:
            column = replace(column, role=None)
        seen.add(column.role or "")
        kept.append(column)
    return kept


def _facet_name(name: str) -> str:
    return f"{name}_value" if name in RESERVED else name


def _named(columns: list[Column]) -> list[Column]:
    """Give every facet a name of its own: the column's, but for reserved and repeated ones."""
    used = {column.facet for column in columns if column.use == "price"}
    named = []
    for column in columns:
        if column.use == "facet":
            name = _facet_name(column.name)
            if name in used:
                name = f"{column.within}_{name}"
            column = replace(column, facet=name)
            used.add(name)
        named.append(column)
    return named
