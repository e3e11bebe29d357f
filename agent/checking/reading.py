"""One sentence read against an item: placeholders for what it names, and a verdict on each.

What a sentence names (`agent.checking.mentioned`) is replaced by placeholders, as a model would
have written them; what is said around them is then judged by `agent.telling`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from agent import claims as making
from agent.checking.mentioned import found_in
from agent.checking.scene import Found, Scene
from agent.facts import BROKEN, Fact, Relation, facts, slot_of
from agent.needs import soft_words
from agent.state import Constraint
from agent.telling import Words, clauses, misleads, plain, segments_of, words_of
from agent.turn import Evidence, Reason
from agent.wording import clean, label, title_of
from retrieval.catalog import Item, Role, primary
from retrieval.filters import TEXT, contains, fold, text_of, words
from retrieval.rerank import available

Status = Literal["supported", "contradicted", "unsupported"]

_SAME = re.compile(r"\b(?:same|common|shares?|keeps the|stays with)\b")
_THAN = re.compile(
    r"(?<![FG]\d )(?<![FG]\d\d )\b((?:cheaper|dearer|less expensive|more expensive"
    r"|costs less|costs more|(?:better|higher|lower|worse) rated)) than xother(\d+)\b"
)
_OTHER = re.compile(r"\bxother(\d+)\b")
_AGAINST = re.compile(
    r"\b(?:not|no|instead of|rather than|without|clear of|in place of|avoids?|unlike|n't)"
    r"(?: (?:in|by|from|of|for|the|made|under|any|its|have|size)){0,3}$",
    re.IGNORECASE,
)
_RUN = re.compile(r"\bF(\d+) ?(?:, and|,|and)? ?F(\d+)\b")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One statement of a text and whether it holds, with what it rests on or why it does not."""

    text: str
    status: Status
    why: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass
class Reading:
    """One sentence being read: its placeholders, the facts behind them, what is wrong already."""

    sentence: str
    scene: Scene
    text: str = ""
    facts: list[Fact] = field(default_factory=list)
    wrong: list[tuple[Found, str]] = field(default_factory=list)
    bare: list[tuple[Found, str]] = field(default_factory=list)
    beside: set[int] = field(default_factory=set)
    other_facets: dict[int, list[Fact]] = field(default_factory=dict)

    def verdicts(self) -> Iterator[Verdict]:
        known = words_of("en")
        assert known is not None
        text = self._run_together(plain(self._masked()))
        self._check_same(text, known)
        text = self._without_comparisons(text)
        told = clauses(text, known)
        for fact in self.facts:
            yield self._judged(fact, told.get(fact.id, ""), known)
        for found, why in self.wrong:
            yield Verdict(self._near(found), "contradicted", why)
        for found, why in self.bare:
            yield Verdict(self._near(found), "supported", why, self._evidence(found))
        self.text = text

    def _run_together(self, text: str) -> str:
        """Return a text with the values of one field as one, and lists without their commas."""
        by_id = {fact.id: fact for fact in self.facts}
        at = 0
        while (match := _RUN.search(text, at)) is not None:
            left, right = by_id[int(match[1])], by_id[int(match[2])]
            if left.label == right.label and left.slot == right.slot != "text":
                kept, gone = (right, left) if left.relation == "plain" else (left, right)
                self.facts.remove(gone)
                text = text[: match.start()] + f"F{kept.id}" + text[match.end() :]
                text = re.sub(rf"\b([WG]){gone.id}\b", rf"\g<1>{kept.id}", text)
            elif "text" in (left.slot, right.slot) or not _OTHER.search(text):
                at = match.start() + len(f"F{left.id}")
            else:
                text = text[: match.start()] + f"F{left.id} F{right.id}" + text[match.end() :]
                at = match.start() + len(f"F{left.id} ")
        return text

    def _check_same(self, text: str, known: Words) -> None:
        """Note fields that are told to be those of another item and are not."""
        others = list(self.scene.others.values())
        for segment in segments_of(text, known):
            named = _OTHER.search(segment.text)
            if named is None or not _SAME.search(segment.text):
                continue
            other = others[int(named[1])]
            for fact in [fact for fact in self.facts if fact.id in segment.facts]:
                name = next((e.facet for e in fact.reason.evidence), "") if fact.reason else ""
                mine = {fold(str(v)) for v in self.scene.item.values(name or "")}
                if not mine & {fold(str(v)) for v in other.values(name or "")}:
                    self.wrong.append((Found(0, 0, "false"), f"{title_of(other)!r} differs"))

    def _without_comparisons(self, text: str) -> str:
        """Return a text without "cheaper than …", which is judged by the two prices."""
        others = list(self.scene.others.values())
        for match in reversed(list(_THAN.finditer(text))):
            role: Role = "rating" if "rated" in match[1] else "price"
            facet = primary(self.scene.vocabulary.facets, role)
            mine = self.scene.item.number(facet.name) if facet else None
            theirs = others[int(match[2])].number(facet.name) if facet else None
            found = Found(0, len(self.sentence), "own", (facet.name,) if facet else ())
            below = re.search(r"\b(?:cheaper|less|lower|worse)\b", match[1]) is not None
            if mine is None or theirs is None or mine == theirs or (mine < theirs) is not below:
                self.wrong.append((found, "the other way round in the catalog"))
            else:
                self.bare.append((found, "so in the catalog"))
            text = text[: match.start()] + text[match.end() :]
        return text

    def _judged(self, fact: Fact, clause: str, known: Words) -> Verdict:
        reasons = [misleads(one, clause, known) for one in self._readings(fact)]
        reason = reasons[0] if all(reasons) else None
        said = f"{fact.label or fact.slot}: {fact.own}" if fact.own else fact.text
        evidence = fact.reason.evidence if fact.reason else ()
        return Verdict(said, "contradicted" if reason else "supported", reason or "", evidence)

    def _readings(self, fact: Fact) -> Iterator[Fact]:
        """Yield the ways in which a fact may be told: also plainly, also beside another item."""
        yield fact
        if fact.relation in BROKEN - {"lacks"}:
            yield replace(fact, relation="plain")
        if fact.id in self.beside:
            yield replace(fact, relation="instead")
        yield from self.other_facets.get(fact.id, ())

    def _near(self, found: Found) -> str:
        return clean(self.sentence[max(0, found.start - 20) : found.end + 30], 80)

    def _evidence(self, found: Found) -> tuple[Evidence, ...]:
        item, name = self.scene.item, found.facets[0] if found.facets else None
        value = item.fields.get(name) if name else None
        return (Evidence(kind="field", item_id=item.id, facet=name, value=value),)

    def _masked(self) -> str:
        """Return the sentence with placeholders for what was found."""
        found = found_in(self.sentence, self.scene)
        marks: list[tuple[Found, str]] = []
        for place, one in enumerate(found):
            if one.part in ("own", "quoted", "stock", "missing"):
                marks.append((one, self._own(one, found)))
            elif one.part == "gap" and (other := self._other_after(found, place)):
                marks.append((one, self._difference(one, other)))
            elif one.part == "false":
                self.wrong.append((one, f"the item does not have {one.value!r}"))
                marks.append((one, " "))
            else:
                marks.append((one, ""))
        return self._put(self._linked(found, dict(marks)))

    def _linked(self, found: list[Found], marks: dict[Found, str]) -> dict[Found, str]:
        """Return the marks with wishes, gaps and items tied to the facts beside them."""
        for one in found:
            if one.part == "wish":
                marks[one] = self._wish(one)
            elif one.part == "gap" and not marks[one]:
                marks[one] = self._gap(one)
            elif one.part == "item":
                own = one.value == self.scene.item.id
                others = list(self.scene.others)
                marks[one] = "{T}" if own else f" xother{others.index(str(one.value))} "
        return marks

    def _put(self, marks: dict[Found, str]) -> str:
        text, at = "", 0
        for one in sorted(marks, key=lambda found: found.start):
            before = self.sentence[at : one.start].replace("{", "").replace("}", "")
            # "fit: slim" speaks of the facet, not of something that fits.
            for name in one.facets if one.part in ("own", "false") else ():
                own = label(self.scene.vocabulary.by_name.get(name), name)
                before = re.sub(rf"\b{re.escape(own)}:? ?$", "", before, flags=re.IGNORECASE)
            text += before + marks[one]
            at = one.end
            for name in one.facets if one.part == "own" else ():
                own = label(self.scene.vocabulary.by_name.get(name), name)
                if re.match(rf" {re.escape(own)}\b", self.sentence[at:], re.IGNORECASE):
                    at += len(own) + 1
        return text + self.sentence[at:].replace("{", "").replace("}", "")

    def _add(self, fact: Fact) -> str:
        self.facts.append(fact)
        return f"{{F{fact.id}}}"

    def _own(self, one: Found, found: list[Found]) -> str:
        """Return the placeholder of something the item has, or has not."""
        id = len(self.facts) + 1
        if one.part == "quoted":
            return self._quoted(one, id)
        item, names = self.scene.item, [*one.facets]
        names.sort(key=lambda name: self.scene.constraint(name) is None)
        name = names[0]
        facet = self.scene.vocabulary.by_name.get(name)
        if one.part == "stock" and available(item, facet) is not one.value:
            self.wrong.append((one, "the catalog says otherwise of its availability"))
            return " "
        fact = self._fact(id, name, one)
        if self._differs(name, found):
            self.beside.add(id)
        self.other_facets[id] = [self._fact(id, other, one) for other in names[1:]]
        return self._add(fact)

    def _differs(self, name: str, found: list[Found]) -> bool:
        """Return whether another item's value of a facet is named beside the item's own."""
        olds = {fold(str(v)) for item in self.scene.others.values() for v in item.values(name)}
        named = [one for one in found if one.part == "wish" and name in one.facets]
        return any(fold(str(one.value)) in olds for one in named)

    def _fact(self, id: int, name: str, one: Found) -> Fact:
        """Return the fact that a field is, by how the item stands to the wish on it."""
        scene = self.scene
        facets, view = scene.vocabulary.facets, making.View(scene.state, scene.vocabulary.facets,
                                                            scene.currency)  # fmt: skip
        constraint = scene.constraint(name)
        other_value = (
            constraint is not None
            and bool(constraint.values)
            and isinstance(one.value, str)
            and words(one.value) not in [words(value) for value in constraint.values]
        )
        reason = None
        if constraint is not None and scene.item.values(name):
            reason = making.missed(scene.item, view, constraint) or making.met(
                scene.item, view, constraint
            )
        reason = reason or making.stated(scene.item, view, name)
        [fact] = facts([reason], scene.item, scene.state, facets, scene.currency) or [
            Fact(id, "plain", slot_of(scene.vocabulary.by_name.get(name), name), str(one.value))
        ]
        if fact.relation == "met" and other_value:
            fact = replace(fact, relation="plain")
        return replace(fact, id=id)

    def _quoted(self, one: Found, id: int) -> str:
        said, scene = str(one.value), self.scene
        there = contains(text_of(scene.item), said)
        constraint = scene.constraint(TEXT) or Constraint(facet=TEXT)
        wanted = {*map(fold, constraint.values), *soft_words(scene.state.need)}
        relation: Relation = "plain" if there else "lacks"
        if fold(said) in map(fold, constraint.excluded):
            relation = "unwanted" if there else "avoided"
        elif there and (fold(said) in wanted or set(words(said)) <= wanted):
            relation = "mentions"
        evidence = Evidence(kind="text", item_id=scene.item.id, facet="text", value=said)
        reason = Reason(text=f"mentions {said!r}", evidence=(evidence,))
        return self._add(Fact(id, relation, "text", f"'{said}'", reason=reason))

    def _wish(self, one: Found) -> str:
        """Return the placeholder of a wish, tied to what the item has instead or as asked."""
        constraints = [c for name in one.facets if (c := self.scene.constraint(name))]
        if isinstance(one.value, str) and not _is_date(one.value):
            return self._wished_value(one, constraints)
        bounds = [c for c in constraints if any(_near(one.value, b) for b in (c.low, c.high))]
        if not bounds and any(_near(one.value, other.number(name)) for name in one.facets
                              for other in self.scene.others.values()):  # fmt: skip
            return self._tied("W", one, one.facets)
        if not bounds:
            self.wrong.append((one, f"no wish has the bound {one.value!r}"))
            return " "
        return self._tied("W", one, [c.facet for c in bounds])

    def _wished_value(self, one: Found, constraints: list[Constraint]) -> str:
        key = words(str(one.value))
        asked = [c.facet for c in constraints
                 if key in [words(v) for v in (*c.values, *c.excluded)]]  # fmt: skip
        beside = [name for name in one.facets for item in self.scene.others.values()
                  if key in [words(str(v)) for v in item.values(name)]]  # fmt: skip
        if not asked and not beside:
            self.wrong.append((one, f"no wish names {one.value!r}"))
            return " "
        return self._tied("W", one, asked or beside)

    def _tied(self, letter: str, one: Found, names: Sequence[str]) -> str:
        """Return a placeholder with the number of the fact on one of some facets."""
        about = [(f, {e.facet for one in (f, *self.other_facets.get(f.id, ()))
                      for e in (one.reason.evidence if one.reason else ())})
                 for f in self.facts]  # fmt: skip
        near = [f.id for f, facets in about if facets & set(names)]
        if near:
            return f"{{{letter}{near[-1]}}}"
        if not isinstance(one.value, str):
            return " "
        has = any(words(one.value) == words(str(v)) for n in names
                  for v in self.scene.item.values(n))  # fmt: skip
        if has and not _AGAINST.search(self.sentence[: one.start].rstrip(" :'")):
            return self._own(replace(one, part="own"), [])
        if has:
            self.wrong.append((one, f"the item has {one.value!r}"))
        else:
            self.bare.append((one, "the item does not have it"))
        return " "

    def _gap(self, one: Found) -> str:
        for fact in self.facts:
            names = [e.facet or "" for e in fact.reason.evidence] if fact.reason else []
            for name in set(names) & set(one.facets):
                own, constraint = self.scene.item.number(name), self.scene.constraint(name)
                bounds = (constraint.low, constraint.high) if constraint else ()
                gaps = [abs(own - b) for b in bounds
                        if own is not None and isinstance(b, int | float)]  # fmt: skip
                if any(_near(one.value, gap) for gap in gaps):
                    return f"{{G{fact.id}}}"
        if one.value in self.scene.item.fields.values():
            return self._own(replace(one, part="own"), [])
        self.wrong.append((one, f"no difference is {one.value!r}"))
        return " "

    def _other_after(self, found: list[Found], place: int) -> Item | None:
        after = self.sentence[found[place].end :]
        if not re.match(r" (?:cheaper|dearer|less|more|below|above)\b", after):
            return None
        if not re.match(r" (?:cheaper|dearer|more expensive|less)[.,;]|.{0,20}\bthan\b", after):
            later = found[place + 1 : place + 2]
            return self.scene.others.get(str(later[0].value)) if later else None
        named = [one for one in found if str(one.value) in self.scene.others]
        return self.scene.others[str(named[-1].value)] if named else None

    def _difference(self, one: Found, other: Item) -> str:
        """Return the placeholder of how much cheaper or dearer an item is than another."""
        price = primary(self.scene.vocabulary.facets, "price")
        mine = self.scene.item.number(price.name) if price else None
        theirs = other.number(price.name) if price else None
        if price is None or mine is None or theirs is None:
            self.wrong.append((one, "the catalog has no prices to compare"))
            return " "
        if not _near(one.value, abs(mine - theirs)):
            self.wrong.append((one, f"the difference is not {one.value!r}"))
            return " "
        way: Relation = "cheaper" if mine < theirs else "dearer"
        evidence = Evidence(kind="relation", item_id=self.scene.item.id, facet=price.name,
                            value="lower" if mine < theirs else "higher",
                            other_id=other.id)  # fmt: skip
        reason = Reason(text=way, evidence=(evidence,))
        return self._add(Fact(len(self.facts) + 1, way, "price", str(one.value), reason=reason))


def _is_date(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None


def _near(left: object, right: object) -> bool:
    if isinstance(left, int | float) and isinstance(right, int | float):
        return abs(left - right) < 0.006
    return left == right
