"""Texts as people type them into a search box, made from an item without any label.

Each family is one way to ask; it says what an item must have to answer. Families in `HELD` are
never trained on: an encoder that only learned our templates gains nothing on them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from finetune.encoder.corpus import Corpus, Wanted, stems
from retrieval.catalog import Facet, Role, by_role
from retrieval.lexical import is_searchable

SLIP = 0.15
"""Share of phrases with a typing error."""
COMMON = 0.1
"""A word that a larger share of titles have says little."""
TRIES = 4
_ORDER: tuple[Role, ...] = ("audience", "colour", "material", "brand", "category")
"""How English puts them: women's black leather Clarks boots."""
_ASKING = (
    "i am looking for {}", "do you have {}", "show me {}", "what {} can you recommend",
    "i need {} please", "any good {}?",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text somebody might search with, and what answers it."""

    text: str
    wanted: Wanted
    family: str


Make = Callable[[Corpus, int, Random], Phrase | None]


def title_part(corpus: Corpus, row: int, random: Random) -> Phrase | None:
    """A few words of the title, as they stand there."""
    found = _words(corpus.items[row].title)
    if len(found) < 2:
        return None
    length = random.randint(2, min(5, len(found)))
    start = 0 if random.random() < 0.3 else random.randint(0, len(found) - length)
    return _of_words(found[start : start + length], "title_part")


def title_words(corpus: Corpus, row: int, random: Random) -> Phrase | None:
    """Some words of the title, others dropped."""
    found = _words(corpus.items[row].title)
    if len(found) < 4:
        return None
    chosen = sorted(random.sample(range(len(found)), random.randint(2, 4)))
    return _of_words([found[place] for place in chosen], "title_words")


def terms(corpus: Corpus, row: int, random: Random) -> Phrase | None:
    """One or two neighbouring words that several titles have: patch cable, toner."""
    found = _words(corpus.items[row].title)
    most = COMMON * len(corpus)
    spans = [found[i : i + n] for n in (1, 2, 2) for i in range(len(found) - n + 1)]
    random.shuffle(spans)
    for span in spans:
        key = stems(" ".join(span))
        says = all(is_searchable(word) and not word.isdigit() for word in span)
        if key and says and 2 <= corpus.title_frequency[key] <= most:
            return _of_words(span, "terms")
    return None


def facets(corpus: Corpus, row: int, random: Random) -> Phrase | None:
    """Values in the order of speech: black leather boots."""
    item, chosen = corpus.items[row], []
    bare = [[facet.name] for facet in corpus.facets if facet.role not in ("category", "brand")]
    for role in _ORDER:
        known = [facet for facet in by_role(corpus.facets, role) if facet.name in item.fields]
        likely = 0.9 if role == "category" else 0.4
        if known and random.random() < likely:
            facet = known[0 if random.random() < 0.7 else -1]
            value = _value(corpus, row, facet, random)
            chosen += [value] if value else []
    if not chosen or [facet for facet, _ in chosen] in bare:
        return None
    spoken = " ".join(_spoken(value, random) for _, value in chosen)
    return Phrase(spoken, Wanted(values=frozenset(chosen)), "facets")


def mixed(corpus: Corpus, row: int, random: Random) -> Phrase | None:
    """A value and a word or two of the title: HP pavilion notebook."""
    named, base = facets(corpus, row, random), terms(corpus, row, random)
    if named is None or base is None:
        return None
    values = sorted(named.wanted.values)
    value = values[random.randrange(len(values))]
    parts = [_spoken(value[1], random), base.text]
    random.shuffle(parts)
    wanted = Wanted(frozenset([value]), base.wanted.stems)
    return Phrase(" ".join(dict.fromkeys(parts)), wanted, "mixed")


def clause(corpus: Corpus, row: int, random: Random) -> Phrase | None:
    """A piece of a sentence of the description (inverse cloze; Lee et al., ACL 2019)."""
    parts = re.split(r"[.;\n•|]+", corpus.items[row].description)
    long_enough = [found for part in parts if len(found := _words(part)) >= 3]
    if not long_enough:
        return None
    found = random.choice(long_enough)
    length = random.randint(3, min(8, len(found)))
    start = random.randint(0, len(found) - length)
    return _of_words(found[start : start + length], "clause")


def asking(corpus: Corpus, row: int, random: Random) -> Phrase | None:
    """A sentence around values or words."""
    base = (facets if random.random() < 0.5 else terms)(corpus, row, random)
    if base is None:
        return None
    return replace(base, text=random.choice(_ASKING).format(base.text), family="asking")


FAMILIES: dict[str, tuple[Make, int]] = {
    "title_part": (title_part, 4),
    "title_words": (title_words, 2),
    "terms": (terms, 5),
    "facets": (facets, 5),
    "mixed": (mixed, 2),
    "clause": (clause, 2),
}
"""Families trained on, and how often each is tried."""

HELD: dict[str, tuple[Make, int]] = {"asking": (asking, 1)}
"""Families that training never sees."""


def make_phrase(
    corpus: Corpus, row: int, random: Random, families: dict[str, tuple[Make, int]] | None = None
) -> Phrase | None:
    """Return a phrase made from an item, with a typing error now and then; None if none can be.

    Args:
        families: To choose from, by default those trained on.
    """
    known = list((families or FAMILIES).values())
    for _ in range(TRIES):
        [(make, _)] = random.choices(known, [weight for _, weight in known])
        found = make(corpus, row, random)
        if found is not None and found.text.strip():
            text = found.text.lower() if random.random() < 0.8 else found.text
            return replace(found, text=slip(text, random) if random.random() < SLIP else text)
    return None


def slip(text: str, random: Random) -> str:
    """Return a text with a typing error in one of its longer words, if it has one."""
    found = text.split()
    long_enough = [place for place, word in enumerate(found) if len(word) > 4 and word.isalpha()]
    if not long_enough:
        return text
    place = random.choice(long_enough)
    word = found[place]
    at = random.randrange(1, len(word) - 1)
    found[place] = random.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :],
        ]
    )
    return " ".join(found)


def _words(text: str) -> list[str]:
    """Return the words of a text without the punctuation around them."""
    stripped = (word.strip(".,:;!?()[]{}\"'“”‘’-–—/&+*|") for word in text.split())
    return [word for word in stripped if word]


def _of_words(found: list[str], family: str) -> Phrase:
    text = " ".join(found)
    return Phrase(text, Wanted(stems=frozenset(stems(text))), family)


def _value(corpus: Corpus, row: int, facet: Facet, random: Random) -> tuple[str, str] | None:
    """Return one value of a facet that can be said in a few words."""
    values = [value for value in corpus.items[row].values(facet.name) if isinstance(value, str)]
    short = [value.lower() for value in values if re.search(r"[^\W\d_]{2}", value)]
    short = [value for value in short if len(value.split()) <= 6]
    return (facet.name, random.choice(short)) if short else None


def _spoken(value: str, random: Random) -> str:
    """Return a value as it is said: one of several joined by "&", in the singular or as it is."""
    parts = [part for part in re.split(r"\s*[&,/]\s*|\s+and\s+", value) if part]
    said = random.choice(parts) if parts else value
    if random.random() < 0.4 and len(said) > 4 and said.endswith("s") and said[-2] not in "su":
        return said[:-1]
    return said
