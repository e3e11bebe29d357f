"""The lexicon: every way a catalog's facet values may be called, as key to entries.

Built from the facets alone. It does not know the utterance, the slate or the session.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from babel import Locale, UnknownLocaleError

from agent.linking.text import key_of, norm, tokenize
from agent.linking.vocabulary import colours, general
from retrieval.catalog import Facet
from retrieval.spelling import english

LONGEST = 8
"""Longest name, in tokens, that is looked up."""

WHOLE = 0.95
"""Score from which a name is the value's own name, not a part of it."""

_SPLIT = re.compile(r"\s*(?:&|/|,|\band\b|\(|\)|:|;|\|)\s*")


@dataclass(frozen=True, slots=True)
class Entry:
    """One meaning of a key: values of a facet, wider values, and how sure the link is."""

    facet: str
    values: tuple[str, ...]
    family: tuple[str, ...] = ()
    score: float = 1.0
    note: str = ""


@dataclass(slots=True)
class Lexicon:
    """Key to meanings, with the vocabulary for spelling correction."""

    entries: dict[str, tuple[Entry, ...]] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    facets: tuple[Facet, ...] = ()

    def lookup(self, key: str) -> tuple[Entry, ...]:
        """Return the meanings of a key, the surest first."""
        return self.entries.get(key, ())

    def has_role(self, facet: str, role: str) -> bool:
        """Return whether a facet of the catalog has a role."""
        return any(f.name == facet and f.role == role for f in self.facets)


class _Builder:
    """Collects names in order of sureness; a surer name of the same facet is not overruled."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Entry]] = defaultdict(dict)
        self.tokens: Counter[str] = Counter()

    def add(self, key: str, entry: Entry) -> None:
        if not key or (key in general().stop and entry.score < 1.0):
            return
        own = self.found[key].get(entry.facet)
        if own is None or own.score < entry.score:
            self.found[key][entry.facet] = entry
        elif own.score == entry.score and own.values != entry.values:
            values = tuple(dict.fromkeys((*own.values, *entry.values)))
            self.found[key][entry.facet] = replace(own, values=values)

    def is_named(self, key: str) -> bool:
        """Return whether a key is some value's own name."""
        return any(entry.score >= 0.97 for entry in self.found.get(key, {}).values())

    def has(self, key: str, facet: str) -> bool:
        own = self.found.get(key, {}).get(facet)
        return own is not None


def _names(value: str) -> Iterable[tuple[str, float]]:
    """Yield the ways one value is written, with how sure each is."""
    yield value, 1.0
    bare = re.sub(r"\s*\([^)]*\)", "", value)
    if bare != value:
        yield bare, 0.97
    if value.casefold().endswith((".com", ".org", ".net")):
        yield value[:-4], 0.98
    if value.casefold().endswith("ves"):
        yield value[:-3] + "f", 0.98
    parts = [part for part in _SPLIT.split(value) if part]
    if len(parts) > 1:
        for part in parts:
            yield part, 0.9


def _common_tokens(facet: Facet) -> frozenset[str]:
    """Return norms that most values of a facet share ("Level"), which people leave out."""
    counts: Counter[str] = Counter()
    for value, _ in facet.values:
        counts.update({token.norm for token in tokenize(value) if token.is_word})
    if len(facet.values) < 3:
        return frozenset()
    return frozenset(word for word, n in counts.items() if n >= 0.6 * len(facet.values))


def _add_values(builder: _Builder, facet: Facet) -> None:
    common = _common_tokens(facet)
    for value, count in facet.values:
        if facet.role == "language" and len(value) < 6 and _language_names(value):
            continue
        for name, score in _names(value):
            builder.add(key_of(name), Entry(facet.name, (value,), score=score))
        for name in _reworded(value):
            builder.add(name, Entry(facet.name, (value,), score=0.95))
        norms = [token.norm for token in tokenize(value) if token.is_word]
        for word in norms:
            builder.tokens[word] += count
        rest = [word for word in norms if word not in common]
        if common and rest and len(rest) < len(norms):
            builder.add("".join(rest), Entry(facet.name, (value,), score=0.95))


def _reworded(value: str) -> Iterable[str]:
    """Yield keys of a name of several words with one word replaced by a synonym."""
    norms = [token.norm for token in tokenize(value) if token.is_word]
    if not 1 < len(norms) < 4:
        return
    for i, word in enumerate(norms):
        for group in general().synonyms:
            if word in group:
                yield from ("".join([*norms[:i], other, *norms[i + 1 :]]) for other in group)


def _group(facet: Facet, position: int) -> dict[str, list[str]]:
    """Return values grouped by their first (0) or last (-1) word."""
    groups: dict[str, list[str]] = defaultdict(list)
    for value, _ in facet.values:
        for part in _SPLIT.split(value):
            norms = [token.norm for token in tokenize(part) if token.is_word]
            if len(norms) > 1 and len(norms[position]) > 2 and value not in groups[norms[position]]:
                groups[norms[position]].append(value)
    return groups


def _add_heads(builder: _Builder, facet: Facet) -> None:
    """Add "shoes" for Casual Shoes, Sports Shoes… where the facet has no plain Shoes."""
    for word, values in _group(facet, -1).items():
        if not builder.has(word, facet.name):
            builder.add(word, Entry(facet.name, tuple(values), score=0.85))


def _add_surnames(builder: _Builder, facet: Facet) -> None:
    """Add the last word of a name ("tolkien") where it stands for at most a few values."""
    counts = dict(facet.values)
    for word, found in _group(facet, -1).items():
        values = _dominant(found, counts)
        if len(values) <= 5 and len(word) > 3 and not builder.has(word, facet.name):
            builder.add(word, Entry(facet.name, tuple(values), score=0.7))


def _dominant(values: list[str], counts: Mapping[str, int]) -> list[str]:
    """Return the one value that nearly all items with the name have, if there is one."""
    best = max(values, key=lambda value: counts[value])
    total = sum(counts[value] for value in values)
    return [best] if counts[best] >= 0.7 * total else values


def _family(value: str) -> tuple[str, ...]:
    """Return the base colours a colour value belongs to."""
    table = colours()
    whole = table.families(key_of(value))
    if whole:
        return whole
    norms = [token.norm for token in tokenize(value) if token.is_word]
    return tuple(base for word in reversed(norms) for base in table.families(word))


def _add_colours(builder: _Builder, facet: Facet) -> None:
    table = colours()
    members: dict[str, list[str]] = defaultdict(list)
    for value, _ in facet.values:
        for base in dict.fromkeys(_family(value)):
            members[base].append(value)
    exact = {key_of(value): value for value, _ in facet.values}
    for shade, names_ in table.shades.items():
        values = [exact[name] for name in names_ if name in exact]
        if values and not builder.has(shade, facet.name):
            builder.add(shade, Entry(facet.name, tuple(values), score=0.97))
    for base, values in members.items():
        names = [name for name, bases in table.bases.items() if bases[0] == base]
        own = exact.get(base) or next((exact[n] for n in ("gray",) if n in exact), None)
        own = own if own and base in _family(own)[:1] else None
        rest = tuple(value for value in values if value != own)
        chosen = Entry(facet.name, (own,), rest) if own else Entry(facet.name, tuple(values))
        builder.found[base][facet.name] = chosen
        for name in names:
            _add_shade(builder, facet, name, base, chosen)
    for name in table.bases:
        note = f"no item is {name}"
        builder.add(name, Entry(facet.name, (name.title(),), score=0.5, note=note))


def _add_shade(builder: _Builder, facet: Facet, name: str, base: str, chosen: Entry) -> None:
    if builder.has(name, facet.name):
        return
    partial = [value for value, _ in facet.values if name in key_of(value) and len(name) > 3]
    if partial:
        builder.add(name, Entry(facet.name, tuple(partial), score=0.9))
    elif name in ("gray", "grey"):
        builder.add(name, chosen)
    else:
        note = f"{name} is not a colour here; read as {base}"
        builder.add(name, Entry(facet.name, chosen.values, chosen.family, 0.6, note))


def _add_audience(builder: _Builder, facet: Facet) -> None:
    own: dict[str, str] = {}
    for value, _ in facet.values:
        for name, words in general().audience.items():
            if norm(value) in words and name not in own:
                own[name] = value
    for name, value in own.items():
        for word in general().audience[name]:
            if not builder.has(word, facet.name):
                builder.add(word, Entry(facet.name, (value,), score=0.95))


def _language_names(code: str) -> list[str]:
    try:
        name = Locale.parse(code.replace("-", "_")).get_language_name("en")
    except (UnknownLocaleError, ValueError):
        return []
    return [name] if name else []


def _add_languages(builder: _Builder, facet: Facet) -> None:
    spoken: dict[str, list[str]] = defaultdict(list)
    for value, _ in facet.values:
        for name in _language_names(value):
            spoken[key_of(name)].append(value)
    for name, values in spoken.items():
        builder.add(name, Entry(facet.name, tuple(values), score=0.98))


def _add_synonyms(builder: _Builder) -> None:
    """Let each word of a synonym group stand for what the others mean in this catalog."""
    for group in general().synonyms:
        known = {word: dict(builder.found.get(norm(word), {})) for word in group}
        for word in group:
            if known[word]:
                continue
            for other in group:
                for entry in known[other].values():
                    score = min(0.96, entry.score)
                    builder.add(norm(word), Entry(entry.facet, entry.values, entry.family, score))


def _add_kinds(builder: _Builder, facets: tuple[Facet, ...]) -> None:
    """Let "shoes" stand for Sneakers, Boots and Sandals where there is no such category."""
    tables = {"category": general().kinds, "material": general().materials}
    for facet in facets:
        if facet.role not in tables or facet.kind not in _LISTED:
            continue
        named = {value: key_of(value) for value, _ in facet.values}
        for kind, members in tables[facet.role].items():
            values = tuple(v for v, key in named.items() if _is_a(key, members))
            if len(values) > 1 and not builder.is_named(kind):
                builder.add(kind, Entry(facet.name, values, score=0.95))


def _is_a(key: str, members: frozenset[str]) -> bool:
    return key in members or any(len(m) > 3 and key.endswith(m) for m in members)


_LISTED = ("categorical", "list")

_CERTAIN = frozenset({"category", "colour", "brand", "size", "language", "availability"})
"""Roles whose values are linked however few items have them."""

_ENOUGH = 0.3
"""Share of items that must have a value before other facets' values are taken as hard wishes;
words of rarer attributes stay words, since most items do not say."""


def is_linked(facet: Facet) -> bool:
    """Return whether the values of a facet are names that people may mean."""
    if facet.kind not in _LISTED:
        return False
    return facet.role in _CERTAIN or facet.coverage >= _ENOUGH


def _add_facet(builder: _Builder, facet: Facet) -> None:
    _add_values(builder, facet)
    if facet.role == "colour":
        _add_colours(builder, facet)
    elif facet.role == "category":
        _add_heads(builder, facet)
    elif facet.role == "audience":
        _add_audience(builder, facet)
    elif facet.role == "language":
        _add_languages(builder, facet)
    elif facet.kind == "list":
        _add_surnames(builder, facet)


def build(facets: Iterable[Facet], occurs: Callable[[str], int] = lambda word: 0) -> Lexicon:
    """Return the lexicon of a catalog's facets.

    Args:
        occurs: How many items' texts contain a word; a name that is an everyday word and mostly
            stands for something else there is left out.
    """
    all_facets = tuple(facets)
    builder = _Builder()
    for facet in all_facets:
        if is_linked(facet):
            _add_facet(builder, facet)
        elif facet.kind == "boolean" and (facet.role or facet.coverage >= _ENOUGH):
            _add_boolean(builder, facet)
    _drop_everyday_names(builder, all_facets, occurs)
    _add_synonyms(builder)
    _add_kinds(builder, all_facets)
    return Lexicon(entries=_sorted(builder.found), tokens=dict(builder.tokens), facets=all_facets)


_OPPOSITES = {"paid": ("unpaid",), "available": ("soldout",)}


def _add_boolean(builder: _Builder, facet: Facet) -> None:
    """Add "paid" and "free" for is_paid, "in stock" for a yes/no availability."""
    norms = [t.norm for t in tokenize(facet.label) if t.norm not in ("is", "ha", "has", "can")]
    names = {"".join(norms)}
    if facet.role == "availability":
        names |= {"instock", "available", "availablenow", "inthestock"}
    said = {word for words in general().roles.values() for word in words}
    names |= {n for n in norms if len(n) > 5 and n not in general().stop and n not in said}
    for name in names:
        if len(name) > 3:
            builder.add(name, Entry(facet.name, ("true",)))
    for norm_ in norms:
        for opposite in _OPPOSITES.get(norm_, ()):
            builder.found[opposite][facet.name] = Entry(facet.name, ("false",))


UNLIKELY = 0.55
"""Score of a name that is an everyday word: meant only where the words around say so."""

_MEANT = 0.35


def _drop_everyday_names(
    builder: _Builder, facets: tuple[Facet, ...], occurs: Callable[[str], int]
) -> None:
    """Drop names of brands and people that are common words meaning something else here."""
    named = {f.name: dict(f.values) for f in facets if f.role not in ("category", "colour",
             "audience", "language", "size", "availability") and f.kind in _LISTED}  # fmt: skip
    facet_words = {word for role in general().roles.values() for word in role}
    for key, entries in builder.found.items():
        for name, entry in list(entries.items()):
            everyday = key in english() or norm(key) in english()
            if entry.score < 1.0 and (key in facet_words or key in general().not_heads):
                del entries[name]
            elif name in named and everyday:
                own = sum(named[name].get(value, 0) for value in entry.values)
                if entry.score < 0.95:
                    del entries[name]
                elif own < _MEANT * occurs(key):
                    entries[name] = replace(entry, score=UNLIKELY)


def _sorted(found: Mapping[str, Mapping[str, Entry]]) -> dict[str, tuple[Entry, ...]]:
    return {
        key: tuple(sorted(entries.values(), key=lambda entry: -entry.score))
        for key, entries in found.items()
        if entries
    }
