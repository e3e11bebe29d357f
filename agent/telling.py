"""Whether a sentence with placeholders tells its facts as they are.

Values cannot be wrong: placeholders are filled from the catalog. So three things are left to
check: every placeholder exists, the words between them claim nothing of their own, and what is
said around a fact agrees with how it stands to its wish ("over your budget" is not "as you
wanted"). Words are judged by lists in `agent/strings/telling_LANGUAGE.toml`; what a list lacks is
refused. This module knows no model and makes no sentence.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from agent.facts import BROKEN, Fact
from agent.placeholders import parts

_WORD = re.compile(r"\b[FWG]\d+\b|[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+(?:[.,]\d+)*")
_SHORT = (
    (re.compile(r"\bcan['’]?t\b"), "can not"),
    (re.compile(r"\bwon['’]t\b"), "will not"),
    (re.compile(r"n['’]t\b"), " not"),
    (re.compile(r"['’](?:s|re|ve|d|ll|m)\b"), ""),
)
_MARK = re.compile(r"[,;:()]|\s[–—-]\s|[–—]")


@dataclass(frozen=True, slots=True)
class Words:
    """What the words of one language imply, as patterns; see the head of its table."""

    free: frozenset[str]
    patterns: dict[str, tuple[str, ...]]
    joints: re.Pattern[str]
    slots: dict[str, re.Pattern[str]]
    counts: dict[str, int]

    def says(self, kind: str, clause: str, fact: Fact) -> bool:
        """Return whether a clause says a kind of thing of a fact."""
        return any(_compiled(p, fact.id).search(clause) for p in self.patterns[kind])

    def without(self, kind: str, clause: str, fact: Fact) -> str:
        """Return a clause without what says a kind of thing of a fact."""
        for pattern in self.patterns[kind]:
            clause = _compiled(pattern, fact.id).sub(" ", clause)
        return clause


@lru_cache(maxsize=4096)
def _compiled(pattern: str, id: int) -> re.Pattern[str]:
    for letter in "FWG":
        pattern = pattern.replace(f"{{{letter}}}", rf"\b{letter}{id}\b")
    return re.compile(pattern)


@cache
def words_of(language: str) -> Words | None:
    """Return the word lists of a language; None where there are none."""
    if not re.fullmatch("[a-z]{2,3}", language):
        return None
    file = resources.files("agent") / "strings" / f"telling_{language}.toml"
    if not file.is_file():
        return None
    table: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    lists = {key: value for key, value in table.items() if isinstance(value, list)}
    lists |= {key: [table[key]] for key in ("negation", "counted")}
    kinds = {key: tuple(p.replace("{tail}", table["tail"]).replace("{wanting}", table["wanting"])
                        for p in value) for key, value in lists.items()}  # fmt: skip
    slots = {slot: re.compile(pattern) for slot, pattern in table["slots"].items()}
    free = frozenset(table["free"].split())
    return Words(free, kinds, re.compile(table["joints"]), slots, table["counts"])


def wrong(sentence: str, facts: Sequence[Fact], language: str = "en") -> str | None:
    """Return why a sentence must not be said, in a few words; None when it may be."""
    known = words_of(language)
    if known is None:
        return f"no word lists for {language!r}"
    by_id = {fact.id: fact for fact in facts}
    offered = {name for fact in facts for name in fact.fills} | {"T"}
    named = [name for _, name in parts(sentence) if name]
    if unknown := [name for name in named if name not in offered]:
        return f"no placeholder {{{unknown[0]}}}"
    told = [by_id[int(name[1:])] for name in dict.fromkeys(named) if name[0] == "F"]
    if not told:
        return "tells no fact"
    ids = {fact.id for fact in told}
    if stray := [name for name in named if name != "T" and int(name[1:]) not in ids]:
        return f"{{{stray[0]}}} without its fact"
    text = plain(sentence)
    if bad := _not_free(text, known):
        return f"claims of its own: {bad}"
    if _overcounts(text, len(told), known):
        return "counts more than it tells"
    said = clauses(text, known)
    for fact in told:
        if reason := misleads(fact, said[fact.id], known):
            return reason
    return None


def plain(sentence: str) -> str:
    """Return a sentence in lower case, negations written out, placeholders as F1, W1, G1, T."""
    said = "".join(f"{words.casefold()} {name} " for words, name in parts(sentence))
    for short, long in _SHORT:
        said = short.sub(long, said)
    return re.sub(r"\s+", " ", said).strip(" .!?")


def _not_free(text: str, known: Words) -> str:
    if "{" in text or "}" in text:
        return "a broken placeholder"
    found = [word for word in _WORD.findall(text) if not re.fullmatch(r"[FWG]\d+|T", word)]
    strange = [word for word in found if word not in known.free]
    # Signs carry meaning too: "€", "%", "*" are no words, but no sentence needs them.
    odd = re.sub(r"[\w\s.,;:!?()'’–—-]", "", text)
    return " ".join(strange[:3]) or odd[:3]


def _overcounts(text: str, told: int, known: Words) -> bool:
    counted = re.compile(known.patterns["counted"][0])
    return any(known.counts[match[1]] > told for match in counted.finditer(text))


@dataclass(slots=True)
class Segment:
    """A stretch of a sentence up to a mark or joint; `ids` are the facts that it names."""

    text: str
    ends: str
    ids: set[int]

    @property
    def facts(self) -> set[int]:
        """Return the facts whose own value it names."""
        return {int(n) for n in re.findall(r"\bF(\d+)\b", self.text)}


def segments_of(text: str, known: Words) -> list[Segment]:
    """Return a plain sentence cut at marks and joints."""
    cut = known.joints.sub(lambda match: f"\0{match[0]}", text)
    found: list[Segment] = []
    at = 0
    marks = re.compile(f"{_MARK.pattern}|\0|$")
    for match in marks.finditer(cut):
        said = cut[at : match.start()].replace("\0", "").strip()
        at = match.end()
        if said:
            numbers = {int(n) for n in re.findall(r"\b[FWG](\d+)\b", said)}
            found.append(Segment(said, match[0].strip(), numbers))
    return found


def clauses(text: str, known: Words) -> dict[int, str]:
    """Return, per fact, the words said of it: its own segment and those that lean on it."""
    found = segments_of(text, known)
    said: dict[int, list[str]] = {}
    waiting: list[str] = []
    last: set[int] = set()
    for segment in found:
        own = segment.facts or (segment.ids & set(said)) or segment.ids
        if own:
            for id in own:
                said.setdefault(id, []).extend([*waiting, segment.text])
            waiting, last = [], own
        elif segment.ends == ":" or not last:
            waiting.append(segment.text)
        else:
            for id in last:
                said[id].append(segment.text)
    for id in last:
        said[id].extend(waiting)
    return {id: " , ".join(clauses) for id, clauses in said.items()}


def _polarity(clause: str, fact: Fact, known: Words) -> tuple[bool, bool]:
    """Return whether a clause tells its wish as kept, and whether as broken ("not met")."""
    kept = broken = False
    negation = re.compile(known.patterns["negation"][0])
    for pattern in known.patterns["kept"]:
        for match in _compiled(pattern, fact.id).finditer(clause):
            before = " ".join(clause[: match.start()].rsplit(",", 1)[-1].split()[-3:])
            if negation.search(f"{before} {match[0]}"):
                broken = True
            else:
                kept = True
    broken = broken or known.says("broken", clause, fact) or bool(negation.search(clause))
    return kept, broken


def misleads(fact: Fact, clause: str, known: Words) -> str | None:
    """Return how a clause puts a fact in a wrong light; None when it doesn't."""
    if fact.slot == "category":
        clause = " ".join(known.without("places", clause, fact).split())
    alone = len(set(re.findall(r"\bF\d+\b", clause))) == 1
    for slot, cue in known.slots.items():
        about = "price" if fact.relation in ("cheaper", "dearer") else fact.slot
        # A field called "cable colour" may be spoken of as such, whatever its role.
        if alone and slot != about and cue.search(clause) and not cue.search(fact.label):
            return f"F{fact.id} is about {about}, not {slot}"
    lacking = (fact.relation, fact.slot) == ("avoided", "text")
    absent = lacking or fact.relation in ("lacks", "unknown")
    if not absent and (known.says("denied", clause, fact) or known.says("kept_out", clause, fact)):
        return f"F{fact.id} holds, and is denied"
    if fact.relation in BROKEN:
        return _not_as_broken(fact, clause, known)
    if fact.relation in ("under", "above", "within"):
        return _not_within(fact, clause, known)
    if fact.relation in ("same", "instead", "cheaper", "dearer"):
        return _not_beside(fact, clause, known)
    return _not_as_it_is(fact, clause, known)


def _not_as_broken(fact: Fact, clause: str, known: Words) -> str | None:
    says = {kind: known.says(kind, clause, fact) for kind in ("up", "down", "at", "ruled")}
    if fact.relation == "unwanted":
        if known.says("asked_for", clause, fact):
            return f"W{fact.id} was not asked for"
        if known.says("other_than", known.without("told_against", clause, fact), fact):
            return f"F{fact.id} is what was ruled out"
    if fact.relation not in ("unwanted", "limit") and says["ruled"]:
        return f"W{fact.id} was not ruled out"
    if says["up"] and fact.relation != "over":
        return f"F{fact.id} is not above a bound"
    if says["down"] and fact.relation != "below":
        return f"F{fact.id} is not below a bound"
    kept, broken = _polarity(clause, fact, known)
    ruled = says["ruled"] and fact.relation == "unwanted"
    way = {"over": says["up"], "below": says["down"], "limit": says["at"]}
    if kept:
        return f"the wish of F{fact.id} is not met"
    if not (broken or ruled or way.get(fact.relation)):
        return f"F{fact.id} is told as if it were wanted"
    return None


def _not_within(fact: Fact, clause: str, known: Words) -> str | None:
    if known.says("up", clause, fact) and fact.relation != "above":
        return f"F{fact.id} is not above the bound"
    if known.says("down", clause, fact) and fact.relation != "under":
        return f"F{fact.id} is not below the bound"
    if _polarity(clause, fact, known)[1] or known.says("ruled", clause, fact):
        return f"the wish of F{fact.id} is met"
    return None


def _not_beside(fact: Fact, clause: str, known: Words) -> str | None:
    if fact.relation == "same" and known.says("differs", clause, fact):
        return f"F{fact.id} is the same"
    told = known.without("other_than", clause, fact) if fact.relation == "instead" else clause
    kept, broken = _polarity(told, fact, known)
    if broken or kept or known.says("ruled", told, fact) or known.says("asked_for", clause, fact):
        return f"F{fact.id} is no wish"
    said = {kind: known.says(kind, told, fact) for kind in ("same", "cheaper", "dearer")}
    if fact.relation in ("cheaper", "dearer") and not said[fact.relation]:
        return f"F{fact.id} is a difference"
    others = [kind for kind in said if kind != fact.relation]
    return f"F{fact.id} is {fact.relation}" if any(said[kind] for kind in others) else None


def _not_as_it_is(fact: Fact, clause: str, known: Words) -> str | None:
    """Return what is wrong with a kept wish that has no bound, a plain field or an unknown one."""
    if known.says("up", clause, fact) or known.says("down", clause, fact):
        return f"F{fact.id} has no bound"
    if fact.relation == "avoided":
        return _not_avoided(fact, clause, known)
    kept, broken = _polarity(clause, fact, known)
    if known.says("ruled", clause, fact):
        return f"F{fact.id} was not ruled out"
    if fact.relation == "unknown":
        return None if known.says("open", clause, fact) and not kept else "it is not known"
    if broken:
        return f"F{fact.id} holds"
    return f"F{fact.id} was not wished for" if kept and fact.relation == "plain" else None


def _not_avoided(fact: Fact, clause: str, known: Words) -> str | None:
    if known.says("asked_for", clause, fact):
        return f"W{fact.id} was not asked for"
    if fact.slot == "text":
        left_out = known.says("left_out", clause, fact)
        return None if left_out else f"F{fact.id} is not in the text"
    rest = known.without("other_than", known.without("told_against", clause, fact), fact)
    if _polarity(rest, fact, known)[1] or known.says("ruled", rest, fact):
        return f"the wish of F{fact.id} is met"
    # What was ruled out may be named only as ruled out ("fits your limit of {W}" would turn it).
    return f"W{fact.id} was ruled out" if re.search(rf"\bW{fact.id}\b", rest) else None


def sentences(text: str) -> Iterable[str]:
    """Yield the sentences of a text."""
    yield from (one.strip() for one in re.split(r"(?<=[.!?])\s+|\n+", text) if one.strip())
