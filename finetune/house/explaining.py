"""Training rows for the wording of explanations: prompt explain@1 and what to answer.

Facts come from items of a catalog and sampled wishes, words from `phrases/explain.txt`, whose head
describes its format. Values are never in a row: the program fills them in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random

from agent.explain_prompt import house_messages
from agent.facts import BROKEN, KEPT, Fact, facts
from finetune.catalogs import open_catalog
from finetune.wishing import asked
from prompts import Message
from retrieval.loading import LoadedCatalog

_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
_SLOT = re.compile(r"\{([pnvwg]?)([1-9])\}")
_MOST = 5

BESIDE = frozenset({"same", "instead", "cheaper", "dearer"})
_GROUPS: Mapping[str, frozenset[str]] = {
    "good": frozenset(KEPT),
    "bad": frozenset(BROKEN),
    "beside": BESIDE,
    "plain": frozenset({"plain", "unknown"}),
}
_LATER = ("However", "Still", "Besides", "Also", "As for the rest", "On the other hand",
          "On the plus side", "The trade-off", "To be")  # fmt: skip
"""Openings that make sense after another sentence."""
_FIRST = ("First of all",)
_TRIES = 12


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line: what facts it takes (relations and slots; empty slots: any), and its text."""

    takes: tuple[tuple[frozenset[str], frozenset[str]], ...]
    text: str

    def fits(self, chosen: Sequence[Fact]) -> bool:
        """Return whether facts, in order, are what the pattern takes."""
        return len(chosen) == len(self.takes) and all(
            fact.relation in relations and (not slots or fact.slot in slots)
            for fact, (relations, slots) in zip(chosen, self.takes, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Wording:
    """The patterns of explain.txt by kind."""

    forms: Mapping[tuple[str, str], tuple[str, ...]]
    clauses: tuple[Pattern, ...]
    sentences: tuple[Pattern, ...]
    direct: tuple[Pattern, ...]


@cache
def wording() -> Wording:
    """Return the patterns of explain.txt.

    Raises:
        ValueError: If a line is not in the format that the file's head describes.
    """
    text = files("finetune.house").joinpath("phrases/explain.txt").read_text("utf-8")
    forms: dict[tuple[str, str], tuple[str, ...]] = {}
    kinds: dict[str, list[Pattern]] = {"c": [], "s": [], "d": []}
    for number, line in enumerate(text.splitlines(), start=1):
        head, bar, said = line.partition(" | ")
        kind, *takes = head.split() or ["#"]
        if kind.startswith("#"):
            continue
        if not bar or kind not in ("f", *kinds) or not takes:
            raise ValueError(f"explain.txt, line {number}: expected 'f|c|s|d … | text': {line!r}")
        if kind == "f":
            key = (takes[0], takes[1])
            forms[key] = (*forms.get(key, ()), said.strip())
        else:
            taken = tuple(_taken(spec, grouped=kind == "s") for spec in takes)
            kinds[kind].append(Pattern(taken, said.strip()))
    return Wording(forms, tuple(kinds["c"]), tuple(kinds["s"]), tuple(kinds["d"]))


def _taken(spec: str, grouped: bool) -> tuple[frozenset[str], frozenset[str]]:
    relations, _, slots = spec.partition(":")
    named: frozenset[str] = frozenset()
    for name in relations.split("/"):
        named |= _GROUPS[name] if grouped else {name}
    return named, frozenset(slots.split("/")) if slots else frozenset()


def rows(seed: int, n: int, catalog: str = "demo") -> Iterator[tuple[tuple[Message, ...], str]]:
    """Yield n pairs of messages and completion; the same seed gives the same rows."""
    loaded = open_catalog(catalog)
    if loaded is None:
        raise ValueError(f"catalog {catalog!r} is not here; 'demo' always is")
    random = Random(seed)
    made = 0
    while made < n:
        given = sampled(loaded, random)
        if given:
            made += 1
            yield house_messages(given), completion(given, random)


def sampled(catalog: LoadedCatalog, random: Random) -> tuple[Fact, ...]:
    """Return the facts of a sampled item and need; now and then in another order, or fewer."""
    one = asked(catalog.items, catalog.facets, catalog.currency, random)
    reasons = list(one.reasons)
    if random.random() < 0.2:
        random.shuffle(reasons)
    if random.random() < 0.3:
        reasons = reasons[: random.randint(1, 3)]
    return facts(reasons[:_MOST], one.item, one.state, catalog.facets, catalog.currency, one.others)


def completion(given: Sequence[Fact], random: Random) -> str:
    """Return words for facts: each is told once, in one to three sentences."""
    said: list[str] = []
    for chosen in _grouped(given, random):
        for _ in range(_TRIES):
            text = _sentence(chosen, random)
            if _reads_well(text, first=not said):
                break
        if said:
            text = text.replace("{T}", "It" if text.startswith("{T}") else "it")
        said.append(text[:1].upper() + text[1:])
    return " ".join(said)


def _reads_well(text: str, first: bool) -> bool:
    """Return whether a sentence stands well where it will: its opening, its colons, its also."""
    if text.startswith(_LATER if first else _FIRST):
        return False
    return all(part.count(":") < 2 for part in text.split(".")) and text.count("also") < 2


def _grouped(given: Sequence[Fact], random: Random) -> Iterator[list[Fact]]:
    """Yield the facts in sentences: those for which a pattern exists together."""
    left = sorted(given, key=_told_when)
    while left:
        size = min(len(left), random.choice((1, 2, 2, 3, 3, 4)))
        while size > 1 and not _patterns(left[:size]):
            size -= 1
        yield left[:size]
        left = left[size:]


def _told_when(fact: Fact) -> int:
    groups = (BESIDE, KEPT, BROKEN)
    return next((place for place, group in enumerate(groups) if fact.relation in group), 3)


def _patterns(chosen: Sequence[Fact]) -> list[Pattern]:
    known = wording()
    direct = [p for p in known.direct if p.fits(chosen) and _offered(p.text, chosen)]
    return [*direct, *direct, *(p for p in known.sentences if p.fits(chosen))]


def _offered(text: str, chosen: Sequence[Fact]) -> bool:
    """Return whether the facts have every wish and gap that a text names."""
    for form, place in _SLOT.findall(text):
        fact = chosen[int(place) - 1]
        if (form == "w" and not fact.wish) or (form == "g" and not fact.gap):
            return False
    return True


def _sentence(chosen: Sequence[Fact], random: Random) -> str:
    pattern = random.choice(_patterns(chosen))
    text = choose(pattern.text, random)
    if pattern in wording().sentences:
        clauses = {str(place): clause(fact, random) for place, fact in enumerate(chosen, 1)}
        text = re.sub(r"(\{[1-9]\})( and )", lambda m: _joined(clauses[m[1][1]], m[2]), text)
        return re.sub(r"\{([1-9])\}", lambda match: clauses[match[1]], text)
    return _named(text, chosen, random)


def _joined(clause: str, word: str) -> str:
    """Return a clause with the word after it; one with a tail of its own is closed by a comma."""
    return f"{clause},{word}" if "," in clause or ":" in clause else f"{clause}{word}"


def clause(fact: Fact, random: Random) -> str:
    fitting = [p for p in wording().clauses if p.fits((fact,)) and _offered(p.text, (fact,))]
    own = [p for p in fitting if p.takes[0][1]]
    chosen = own if own and random.random() < 0.5 else fitting
    return _named(choose(random.choice(chosen).text, random), (fact,), random)


def _named(text: str, chosen: Sequence[Fact], random: Random) -> str:
    """Return a text with forms worded and slots numbered as the facts are."""

    def named(match: re.Match[str]) -> str:
        form, fact = match[1], chosen[int(match[2]) - 1]
        if form in ("w", "g"):
            return f"{{{form.upper()}{fact.id}}}"
        own = f"{{F{fact.id}}}"
        if not form:
            return own
        said = random.choice(wording().forms[fact.slot, form])
        return choose(said, random).replace("{}", own)

    return _SLOT.sub(named, text)


def choose(text: str, random: Random) -> str:
    """Return a text with one way taken of each choice."""
    while (match := _CHOICE.search(text)) is not None:
        text = text[: match.start()] + random.choice(match[1].split("|")) + text[match.end() :]
    return re.sub(r"  +", " ", text)
