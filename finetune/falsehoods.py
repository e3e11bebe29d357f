"""False claims made on purpose, to see whether the checker finds them.

Each is a true explanation with one thing changed: a value, a number, a unit, the item, a "not", a
property made up, a comparison turned round, or a wish told the other way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from agent.facts import Fact, Relation, fill
from agent.wording import title_of
from finetune.house.explaining import clause, completion
from finetune.wishing import Asked
from retrieval.catalog import Facet, Item
from retrieval.filters import text_of, words
from retrieval.loading import LoadedCatalog

KINDS = ("value", "number", "unit", "item", "negation", "attribute", "comparison", "polarity")

_MADE_UP = (
    "waterproof", "handmade in Italy", "covered by a lifetime warranty", "dishwasher-proof",
    "award-winning", "fireproof", "certified organic", "loved by experts", "scratch-resistant",
    "the cheapest on the market", "the best you can buy",
)  # fmt: skip
_TURNED: dict[Relation, tuple[Relation, ...]] = {
    "met": ("missed",), "missed": ("met",), "under": ("over",), "over": ("under",),
    "within": ("over", "below"), "above": ("below",), "below": ("above",),
    "avoided": ("unwanted",), "unwanted": ("avoided",), "mentions": ("lacks",),
    "lacks": ("mentions",), "plain": ("met",), "cheaper": ("dearer",), "dearer": ("cheaper",),
}  # fmt: skip
_BOUNDED = ("price", "rating", "number", "date")


@dataclass(frozen=True, slots=True)
class Falsehood:
    """A text with one false claim, and the item it is given out to be about."""

    kind: str
    text: str
    item: Item


def falsehoods(
    one: Asked, given: Sequence[Fact], catalog: LoadedCatalog, random: Random
) -> Iterator[Falsehood]:
    """Yield false texts about a sampled item, at most one of each kind."""
    if not given:
        return
    true = fill(completion(given, random), given, title_of(one.item))
    made = {
        "value": _value(true, one, given, catalog, random),
        "number": _number(given, one, random),
        "unit": _unit(true, one),
        "negation": _negation(given, one, random),
        "attribute": f"{title_of(one.item)} is {_made_up(one, random)}. {true}",
        "comparison": _comparison(one, catalog, random),
        "polarity": _polarity(given, one, random),
    }
    for kind, text in made.items():
        if text is not None and text != true:
            yield Falsehood(kind, text, one.item)
    other = _other_item(one, given, catalog, random)
    if other is not None:
        swapped = fill(_told(given, random), given, title_of(other))
        yield Falsehood("item", swapped, other)


def _told(given: Sequence[Fact], random: Random) -> str:
    return completion(
        [fact for fact in given if fact.relation not in ("unknown",)] or given, random
    )


def _categorical(given: Sequence[Fact], facets: Sequence[Facet]) -> list[tuple[Fact, Facet]]:
    by_name = {facet.name: facet for facet in facets}
    pairs = [(f, by_name.get(f.reason.evidence[0].facet or "")) for f in given if f.reason]
    named = ("categorical", "list")
    found = [(f, facet) for f, facet in pairs if facet and facet.kind in named]
    return [(f, facet) for f, facet in found if f.relation != "same"]


def _value(
    true: str, one: Asked, given: Sequence[Fact], catalog: LoadedCatalog, random: Random
) -> str | None:
    """Put another value of the catalog in the place of one of the item's."""
    for fact, facet in _categorical(given, catalog.facets):
        own = {*words(text_of(one.item)), *(w for f in given for w in words(f.wish))}
        named = [v for v, _ in facet.values if v and not set(words(v)) & own and v[0].isalpha()]
        if named and fact.own:
            false = random.choice(named)
            said = fact.own if fact.slot != "other" else fact.own.removeprefix(f"{fact.label} ")
            if true.count(said) and len(said) > 2:
                head, _, tail = true.partition(said)
                if title_of(one.item) not in head + said + tail:
                    return head + false + tail
                at = true.rfind(said)
                inside = true.find(title_of(one.item))
                if not inside <= at < inside + len(title_of(one.item)):
                    return true[:at] + false + true[at + len(said) :]
    return None


def _number(given: Sequence[Fact], one: Asked, random: Random) -> str | None:
    """Tell another number than the item's."""
    facts = [f for f in given if f.slot in ("price", "rating", "number")
             and f.relation not in ("unknown", "instead", "same")]  # fmt: skip
    if not facts:
        return None
    fact = random.choice(facts)
    match = re.search(r"\d[\d,]*(?:\.\d+)?", fact.own)
    if match is None:
        return None
    value = float(match[0].replace(",", ""))
    false = f"{round(value * random.choice((0.8, 0.9, 1.1, 1.25, 1.5)) + 0.3, 1):g}"
    if float(false) == value:
        return None
    own = fact.own[: match.start()] + false + fact.own[match.end() :]
    changed = [replace(f, own=own) if f is fact else f for f in given]
    return fill(completion(changed, random), changed, title_of(one.item))


def _unit(true: str, one: Asked) -> str | None:
    """Give a price in another currency, or a measure in another unit."""
    bare = true.replace(title_of(one.item), "\0")
    for sign, other in (("€", "$"), ("$", "€"), ("₹", "€")):
        if sign in bare:
            return bare.replace(sign, other).replace("\0", title_of(one.item))
    changed = re.sub(r"(?<=\d )(cm|mm|kg|g|W|l|ml|hours|GB)\b",
                     lambda m: "minutes" if m[0] == "hours" else "km", bare)  # fmt: skip
    return changed.replace("\0", title_of(one.item)) if changed != bare else None


def _negation(given: Sequence[Fact], one: Asked, random: Random) -> str | None:
    """Deny a fact that holds, without a word on the wish."""
    told = ("colour", "material", "brand", "category", "price", "rating")
    kept = ("met", "nice", "plain", "under", "above", "within")
    held = [fact for fact in given if fact.relation in kept and fact.slot in told]
    if not held:
        return None
    fact = random.choice(held)
    said = {
        "colour": ("It is not in {F}", "It does not come in {F}"),
        "material": ("It is not made of {F}", "It isn't made from {F}"),
        "brand": ("It is not by {F}", "It doesn't come from {F}"),
        "category": ("It is not one of the {F}", "It isn't listed under {F}"),
        "price": ("It does not cost {F}", "Its price is not {F}"),
        "rating": ("It is not rated {F}", "It hasn't been rated {F}"),
    }[fact.slot]
    text = random.choice(said).replace("{F}", f"{{F{fact.id}}}")
    return fill(f"{{T}}: {text}.", [fact], title_of(one.item))


def _made_up(one: Asked, random: Random) -> str:
    own = set(words(text_of(one.item))) | {w for c in one.state.need.constraints
                                           for v in c.values for w in words(v)}  # fmt: skip
    fresh = [said for said in _MADE_UP if not set(words(said)[:1]) & own]
    return random.choice(fresh)


def _comparison(one: Asked, catalog: LoadedCatalog, random: Random) -> str | None:
    """Say that an item is cheaper, or dearer, than one of its kind when it is the other way."""
    mine = one.item.number("price")
    others = [other for other in one.others.values() if other.number("price") not in (None, mine)]
    if mine is None or not others:
        return None
    theirs = others[0].number("price") or 0.0
    way = "cheaper" if mine > theirs else "dearer"
    return f"{title_of(one.item)} is {way} than {title_of(others[0])}."


def _polarity(given: Sequence[Fact], one: Asked, random: Random) -> str | None:
    """Tell a wish that is kept as broken, or the other way round."""
    turned = [f for f in given if f.relation in _TURNED]
    random.shuffle(turned)
    for fact in turned:
        relation = random.choice(_TURNED[fact.relation])
        about = fact.reason.evidence[0].facet if fact.reason else None
        if fact.relation == "plain" and one.state.need.constraint(about or ""):
            continue
        bounded = relation in ("over", "under", "below", "above")
        if bounded and fact.slot not in _BOUNDED:
            continue
        false = replace(fact, relation=relation, gap="", wish=fact.wish or fact.own)
        told = "{T} " + clause(false, random) + "."
        return fill(told, [false], title_of(one.item))
    return None


def _other_item(
    one: Asked, given: Sequence[Fact], catalog: LoadedCatalog, random: Random
) -> Item | None:
    """Return an item of which a told value does not hold."""
    names = [e.facet for f in given if f.reason and f.relation in ("met", "plain", "under", "above",
             "within", "nice") for e in f.reason.evidence if e.kind != "text"]  # fmt: skip
    for _ in range(30):
        other = random.choice(catalog.items)
        own = set(words(text_of(other)))
        for name in names:
            mine, theirs = one.item.fields.get(name or ""), other.fields.get(name or "")
            if theirs is None or mine is None or isinstance(mine, tuple):
                continue
            if isinstance(mine, str) and set(words(mine)) & own:
                continue
            if mine != theirs and title_of(other) != title_of(one.item):
                return other
    return None
