"""The kind, role and unit of one column, by its name and its cells."""

from __future__ import annotations

import itertools
import re
from collections import Counter

from retrieval.catalog import FacetKind, Role
from retrieval.loading import values, words
from retrieval.loading.colours import is_colour
from retrieval.loading.mapping import Column
from retrieval.loading.profile import Profile
from retrieval.loading.values import vocabulary

SEPARATORS = (" | ", "|", ";", " > ", ">", " / ", "/", ",")
STRONG = frozenset({" | ", "|", ";", " > ", ">"})
"""Separators that hardly occur inside a name; the others must prove themselves."""
MARKED = frozenset(
    {"category", "brand", "colour", "material", "size", "audience", "language", "availability"}
)
"""Roles whose columns are facets however many different values they have."""
INTERNAL = vocabulary("id ids hash uuid guid index")
"""Words of keys that mean nothing to people; part numbers do, and are searched for."""
MANY = 20_000
_AND = re.compile(r"(?:^|\s)(?:&|and|und|et|y)\s")
GENDERS = vocabulary(
    "men women unisex boys girls male female man woman kids children adults boy girl baby m f "
    "mens womens herren damen kinder homme femme hombre mujer"
)


def facet_column(p: Profile) -> Column:
    """Return a column's treatment as a facet, or as text when it is none."""
    if _is_code(p):
        searched = p.numbers < 0.9 and not INTERNAL.intersection(words.tokens(p.name))
        return Column(p.name, "description" if searched else "ignore", within=p.within)
    if _is_prose(p):
        return Column(p.name, "description", within=p.within)
    for read in (_list, _boolean, _numeric, _date, _categorical):
        column = read(p)
        if column is not None:
            return column
    return Column(p.name, "description", within=p.within)


def _is_code(p: Profile) -> bool:
    """Return whether a column holds keys of things, which nobody filters by."""
    parts = words.tokens(p.name)
    return bool(words.CODE_WORDS.intersection(parts)) and (p.uniqueness > 0.3 or "id" in parts)


def _is_prose(p: Profile) -> bool:
    """Return whether a column holds running text or names of single items."""
    parts = words.tokens(p.name)
    if p.types["value"] or p.types["bool"] or p.numbers > 0.5:
        return False
    if words.TEXT_WORDS.intersection(parts):
        return p.words > 3 or p.distinct > 50
    return parts[-1:] in (("name",), ("title",)) and p.uniqueness > 0.3 and len(parts) <= 2


def _column(p: Profile, kind: FacetKind, unit: str | None = None, **more: str | None) -> Column:
    return Column(
        p.name,
        "facet",
        kind=kind,
        role=role_of(p, kind),
        label=words.label_of(p.name),
        unit=unit,
        decimal=p.decimal if kind == "numeric" else ".",
        separator=more.get("separator"),
        format=more.get("format"),
        within=p.within,
    )


def role_of(p: Profile, kind: FacetKind | None = None) -> Role | None:
    """Return what a column means, as far as its kind allows."""
    parts = set(words.tokens(p.name))
    for role, names in words.ROLE_WORDS.items():
        if parts & names and _allowed(role, p, parts, kind):
            return role
    if kind in ("categorical", "list") and p.share(is_colour) > 0.7 and p.distinct > 1:
        return "colour"
    genders = p.share(lambda text: text.casefold().replace("'", "") in GENDERS)
    return "audience" if genders > 0.8 and kind == "categorical" else None


def _allowed(role: Role, p: Profile, parts: set[str], kind: FacetKind | None) -> bool:
    text = kind in ("categorical", "list", None)
    if role in ("colour", "brand", "category", "audience", "material", "language"):
        qualified = bool(parts & words.COUNT_WORDS) or "compatibility" in parts
        return text and not qualified and p.numbers < 0.5
    if role == "size":
        return kind in ("categorical", "list", "numeric", None) and len(parts) <= 2
    if role == "availability":
        return kind in ("boolean", "numeric", "categorical", None)
    if role == "rating":
        counted = bool(parts & words.COUNT_WORDS)
        return kind == "numeric" and not counted and p.bounds[0] >= 0 and p.bounds[1] <= 100
    if role == "popularity":
        return kind == "numeric" and p.bounds[1] > 10
    return kind == "date" or (kind == "numeric" and _years(p))


def _years(p: Profile) -> bool:
    """Return whether most numbers are years of our time."""
    return p.share(lambda text: 1000 <= values.number(text) <= 2100) > 0.8


def _boolean(p: Profile) -> Column | None:
    seen = {text.casefold() for text in p.counts}
    if p.types["bool"] * 2 > p.filled:
        return _column(p, "boolean")
    if p.truths < 0.98 or len(seen) > 6:
        return None
    binary = seen <= {"0", "1"}
    named = bool(words.BOOL_WORDS.intersection(words.tokens(p.name)))
    if (binary and not named) or (len(seen) == 1 and p.within and not named):
        return _column(p, "numeric") if binary else None
    return _column(p, "boolean")


def _numeric(p: Profile) -> Column | None:
    if p.numbers >= 0.8:
        return _column(p, "numeric", words.currency_of(p.name) or words.unit_of(p.name))
    money = p.currencies.most_common(1)
    if money and p.prices > 0.8:
        return _column(p, "numeric", words.currency_of(p.name) or money[0][0])
    units = Counter[str]()
    for text in p.texts:
        if found := values.with_unit(text):
            units[found[1]] += p.counts[text]
    if units and units.most_common(1)[0][1] > 0.9 * p.filled:
        return _column(p, "numeric", units.most_common(1)[0][0])
    return None


def _date(p: Profile) -> Column | None:
    format, share = p.dates
    return _column(p, "date", format=format) if share > 0.8 else None


def _categorical(p: Profile) -> Column | None:
    role = role_of(p, "categorical")
    if role in MARKED and p.length < 60:
        return _column(p, "categorical")
    if p.length > 45 or p.words > 6:
        return None
    limit = 0.8 if p.filled < 50 else 0.5
    return _column(p, "categorical") if p.uniqueness <= limit else None


def _list(p: Profile) -> Column | None:
    if p.lists:
        lengths = sum(map(len, p.elements)) / max(len(p.elements), 1)
        return _column(p, "list") if p.elements and lengths < 60 else None
    if p.numbers > 0.5 or p.prices > 0.5 or p.dates[1] > 0.5 or p.length > 150:
        return None
    best: tuple[float, str] | None = None
    for separator in SEPARATORS:
        score = _list_score(p, separator)
        if score and (best is None or score > best[0]):
            best = (score, separator)
    return _column(p, "list", separator=best[1]) if best else None


def _list_score(p: Profile, separator: str) -> float:
    """Return how much the cells behave like lists: their parts recur in other combinations."""
    texts = list(itertools.islice(p.counts, MANY))
    several = [text for text in texts if separator in text]
    share = sum(p.counts[text] for text in several) / p.filled
    if share < 0.01 or (len(several) < 5 and p.rows > 50):
        return 0.0
    cells = {text: values.text_list(text, separator) for text in texts}
    if separator not in STRONG:
        several = [text for text in several if max(map(len, cells[text]), default=0) <= 60]
    uses = Counter(part for parts in cells.values() for part in parts)
    again = sum(any(uses[part] > 1 for part in cells[text]) for text in several)
    weight = again / max(len(several), 1)
    if separator in STRONG:
        return share * weight if weight >= 0.3 else 0.0
    enumerated = sum(_AND.search(cells[text][-1]) is not None for text in several if cells[text])
    phrases = enumerated > 0.2 * len(several)
    parts = [uses[part] > 1 for text in several for part in cells[text]]
    recurring = weight >= 0.6 and sum(parts) >= 0.4 * len(parts)
    return share * weight if several and recurring and not phrases else 0.0
