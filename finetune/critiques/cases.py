"""Makes critique cases from any catalog: a reference, edits in words, and the gold items.

A case is made only where it says something: another item of the same kind satisfies it, and the
items most like the reference do not all satisfy it already. Deterministic by seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random

import numpy as np

from finetune.critiques.facets import Chosen, choose
from finetune.critiques.format import KINDS, Case, Edits, Kind
from finetune.critiques.gold import TOLERANCE, Mask, Scores, Table, amount, folded
from finetune.critiques.phrasing import Speaker, directions
from finetune.errors import FinetuneError
from retrieval.catalog import Facet, Item

TOP = 5
"""Items of an answer that count."""

_LEAST_KEPT = 0.5
"""Some item must satisfy the edits and keep this much: else nothing is like the reference."""

_ALIKE = 10
"""Of this many items most like the reference, at least one must break the edits."""

_TRIES = 40
_EITHER = 0.2
"""Share of changes that name two values, either of which will do."""

_SHAPES: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "change": (("change",),),
    "negate": (("negate",),),
    "relative": (("relative",),),
    "several": (
        ("change", "change"), ("change", "relative"), ("negate", "relative"),
        ("change", "change", "relative"), ("change", "negate", "relative"),
    ),
    "change+negate": (("change", "negate"),),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """What a set of edits leaves of the catalog: which items satisfy it, what each item keeps."""

    satisfying: Mask
    scores: Scores

    def best(self) -> tuple[float, ...]:
        """Return the keep scores of the best satisfying items, highest first."""
        found = np.sort(self.scores[self.satisfying])[::-1][:TOP]
        return tuple(round(float(score), 6) for score in found)

    def gold(self, items: Sequence[Item]) -> tuple[str, ...]:
        """Return the ids of the satisfying items that keep about as much as is possible."""
        least = self.scores[self.satisfying].max() - TOLERANCE - 1e-9
        rows = np.flatnonzero(self.satisfying & (self.scores >= least))
        return tuple(items[row].id for row in rows.tolist())


class CaseMaker:
    """Makes cases over the items of one catalog.

    Raises:
        FinetuneError: If the catalog has no facet to keep, or none to change.
    """

    def __init__(self, items: Sequence[Item], facets: Sequence[Facet], name: str) -> None:
        self._chosen = choose(facets, len(items), name)
        self._speaker = Speaker(facets)
        numbers = [facet.name for facet in self._chosen.numbers]
        self.table = Table(items, list(self._chosen.weights), numbers)

    def cases(self, n: int, seed: int) -> list[Case]:
        """Return n cases, about as many of every kind that the catalog allows.

        Raises:
            FinetuneError: If not a single case can be made.
        """
        random = Random(f"critiques {seed}")
        kinds = [kind for kind in KINDS if any(map(self._possible, _SHAPES[kind]))]
        found: list[Case] = []
        for kind in islice(cycle(kinds), _TRIES * n):
            case = self._try(kind, f"c{len(found) + 1:05d}", random)
            found += [case] if case is not None else []
            if len(found) == n:
                break
        if not found:
            raise FinetuneError(
                f"no critique of these {len(self.table.items)} items can be satisfied by another "
                "item of the same kind that keeps half of the reference; give a larger catalog"
            )
        return found

    def _possible(self, shape: Sequence[str]) -> bool:
        by_number = sum(part == "relative" for part in shape)
        values, numbers = len(self._chosen.values), len(self._chosen.numbers)
        return len(shape) - by_number <= values and by_number <= numbers

    def _try(self, kind: Kind, id: str, random: Random) -> Case | None:
        """Return a case of a kind, or None where a number of draws gave none."""
        shapes = [shape for shape in _SHAPES[kind] if self._possible(shape)]
        for _ in range(_TRIES):
            reference = random.choice(self.table.items)
            draw = _Draw(reference, self._peers(reference), self._chosen, self.table, random)
            edits = draw.edits(random.choice(shapes))
            judged = self._judged(edits, draw) if edits is not None else None
            if edits is None or judged is None:
                continue
            return Case(
                **edits.model_dump(), id=id, kind=kind, reference=reference.id,
                text=self._speaker.say(edits, random), keep=self._keep(reference, edits.facets),
                satisfying=int(judged.satisfying.sum()), best=judged.best(),
                gold=judged.gold(self.table.items),
            )  # fmt: skip
        return None

    def _keep(self, reference: Item, without: Sequence[str] = ()) -> dict[str, float]:
        return {
            name: weight
            for name, weight in self._chosen.weights.items()
            if name not in without and reference.values(name)
        }

    def _peers(self, reference: Item) -> Sequence[int]:
        """Return the rows of the items of the reference's kind; where it has none, all rows."""
        category = self._chosen.category
        own = sorted(folded(reference, category)) if category else []
        if category is None or not own:
            return range(len(self.table.items))
        rows = [self.table.with_value(category, value) for value in own]
        found: list[int] = np.concatenate(rows).tolist()
        return found

    def _judged(self, edits: Edits, draw: _Draw) -> Judged | None:
        """Return what edits leave, or None where the case would be empty or trivial."""
        reference, keep = draw.reference, self._keep(draw.reference, edits.facets)
        if len(keep) < min(2, len(self._chosen.weights) - 1) or not keep:
            return None
        satisfying = self.table.satisfying(edits, reference)
        scores = self.table.keep_scores(reference, keep)
        if not satisfying[np.asarray(draw.peers)].any() or scores[satisfying].max() < _LEAST_KEPT:
            return None
        alike = self.table.keep_scores(reference, self._keep(reference))
        alike[self.table.rows[reference.id]] = -1.0
        nearest = np.argsort(-alike, kind="stable")[:_ALIKE]
        return None if satisfying[nearest].all() else Judged(satisfying, scores)


@dataclass(frozen=True, slots=True)
class _Draw:
    """Draws edits of one reference.

    Args:
        peers: Rows of the items of its kind, from which wanted values are taken, so that common
            values are asked for more often.
    """

    reference: Item
    peers: Sequence[int]
    chosen: Chosen
    table: Table
    random: Random

    def edits(self, shape: Sequence[str]) -> Edits | None:
        """Return edits of different facets, or None where the reference has nothing to edit."""
        drawn: dict[str, dict[str, object]] = {"change": {}, "negate": {}, "relative": {}}
        taken: set[str] = set()
        for part in shape:
            names = self._open(part, taken)
            name = self.random.choice(names) if names else ""
            asked = _DRAWN[part](self, name) if name else None
            if not asked:
                return None
            drawn[part][name] = asked
            taken.add(name)
        return Edits.model_validate(drawn)

    def _open(self, part: str, taken: set[str]) -> list[str]:
        """Return the facets that can be edited in a way and are not yet."""
        if part == "relative":
            known = [f.name for f in self.chosen.numbers]
            names = [n for n in known if not np.isnan(amount(self.reference.fields.get(n)))]
        else:
            names = [name for name in self.chosen.values if self.reference.values(name)]
        return [name for name in names if name not in taken]

    def direction(self, facet: str) -> str:
        """Return up or down."""
        known = next(one for one in self.chosen.numbers if one.name == facet)
        return self.random.choice(directions(known))

    def wanted(self, facet: str) -> tuple[str, ...]:
        """Return one value, or two, that other items of the reference's kind have."""
        own, sayable = folded(self.reference, facet), self.chosen.values[facet]
        most = 2 if self.random.random() < _EITHER else 1
        found: dict[str, None] = {}
        for _ in range(_TRIES):
            peer = self.table.items[self.peers[self.random.randrange(len(self.peers))]]
            values = [value for value in sorted(folded(peer, facet) - own) if value in sayable]
            found.update({self.random.choice(values): None} if values else {})
            if len(found) == most:
                break
        return tuple(sayable[value] for value in found)

    def unwanted(self, facet: str) -> tuple[str, ...]:
        """Return a value that the reference has."""
        sayable = self.chosen.values[facet]
        own = sorted(value for value in folded(self.reference, facet) if value in sayable)
        return (sayable[self.random.choice(own)],) if own else ()


_DRAWN: dict[str, Callable[[_Draw, str], object]] = {
    "change": _Draw.wanted, "negate": _Draw.unwanted, "relative": _Draw.direction,
}  # fmt: skip
