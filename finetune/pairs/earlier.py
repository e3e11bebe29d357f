"""What was passed over on the way to what was taken: items of earlier slates of a session.

Most slates end with their first item taken and nothing skipped above it. But whoever takes an item
in the end has often seen others before that would have done as well, and left them. These are
weaker losers than those beside it: each weighs

    PASSED * grade(taken) * p(r),   p(r) = r ** -ETA

with p(r) the chance that its rank was looked at, 1 where something below it was touched. Only items
count that meet every hard constraint of the need with which the other was taken, as they were
shown; ranks less likely to be seen than `LIKELY` are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agent.logged import LoggedSession, LoggedSlate
from agent.state import Need
from finetune.pairs.catalog import as_item
from finetune.pairs.grades import Grade, Graded
from retrieval.catalog import Facet
from retrieval.filters import matches

ETA = 1.0
"""How fast looking falls with rank: p(r) = 1/r, as in section 6 of Joachims et al. 2017."""

PASSED = 0.5
"""How much less an item weighs that was left for one on another slate, or below it on its own."""

LIKELY = 0.5
MOST = 4
"""Losers of earlier slates for each item taken."""


def looked_at(rank: int) -> float:
    """Return the chance that a rank is looked at."""
    chance: float = rank**-ETA
    return chance


def deepest(verdicts: Sequence[Graded]) -> int:
    """Return the last rank of a slate that was certainly looked at: something was done there."""
    return max((v.shown.rank for v in verdicts if v.grade is not Grade.SKIPPED), default=0)


def passed_over(
    session: LoggedSession,
    slate: LoggedSlate,
    need: Need,
    graded_by_slate: Mapping[str, Sequence[Graded]],
    facets: tuple[Facet, ...],
) -> Iterator[tuple[Graded, float]]:
    """Yield the items of earlier slates that were left for one of this slate, with their weights.

    Args:
        need: What was wanted when it was taken.
        graded_by_slate: The items of every slate of the session with their grades.
    """
    verdicts = [v for of_slate in graded_by_slate.values() for v in of_slate]
    out = {v.shown.item_id for v in verdicts if v.grade > 0}
    out |= {one.item_id for one in slate.items}
    found: dict[str, tuple[Graded, float]] = {}
    for earlier in session.slates[: session.slates.index(slate)]:
        seen = deepest(graded_by_slate[earlier.id])
        for one in graded_by_slate[earlier.id]:
            id, rank = one.shown.item_id, one.shown.rank
            chance = 1.0 if rank <= seen else looked_at(rank)
            if id in out or chance < max(LIKELY, found.get(id, (one, 0.0))[1]):
                continue
            if matches(need.filter(), as_item(one.shown, facets)):
                found[id] = (one, chance)
    yield from sorted(found.values(), key=lambda pair: (-pair[1], pair[0].shown.rank))[:MOST]
