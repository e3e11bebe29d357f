"""Choices among the items of a slate, as preferences over the lines of prompt choose@1.

What was taken is preferred to what was skipped above it ("click > skip above": Joachims, Granka,
Pan, Hembrooke, Gay 2005) and to what was turned down anywhere on the slate. Below the item taken
nothing is known to have been seen, so nothing there was skipped. Of two items taken neither lost.

On slates of a policy that explores, a pair weighs the inverse of the chance that it could be
observed at all (Joachims, Swaminathan, Schnabel 2017; Horvitz, Thompson 1952):

    w(i) = min(CLIP, 1 / (q(i, r) * p(r))),   p(r) = r ** -ETA

with q(i, r) the logged chance that the policy puts the item taken at its rank, and p(r) the chance
that a rank is looked at. Elsewhere other placings had no chance, so nothing can be corrected: 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.choice_prompt import choice_messages, choice_text
from agent.logged import LoggedSession, LoggedSlate, Shown
from finetune.pairs.grades import Grade, Graded, graded
from finetune.pairs.keys import origin
from finetune.pairs.rows import Dropped, Pair, Prompt, Unpaired
from retrieval.catalog import Facet

ETA = 1.0
"""How fast looking falls with rank: p(r) = 1/r, as in section 6 of Joachims et al. 2017."""

CLIP = 20.0
"""Most that a pair of an explored slate weighs before the weights are normalised."""

MOST_OTHERS = 6

SURE = (Grade.REJECTED, Grade.DISLIKED)
"""Grades that are a verdict on the item itself."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A pair, and its inverse propensity; None where the slate was not explored."""

    pair: Pair
    inverse: float | None = None


def choices(
    session: LoggedSession, facets: tuple[Facet, ...]
) -> Iterator[Choice | Unpaired | Dropped]:
    """Yield what the slates of a session say of its user's choices.

    For one need no item is both taken and passed over: the latest verdict on it stands.
    """
    seen = []
    for one in _seen(session, facets):
        if isinstance(one, Dropped):
            yield one
        else:
            seen.append(one)
    latest = {
        (one.prompt[-1]["content"], verdict.shown.item_id): verdict.grade > 0
        for one in seen
        for verdict in one.verdicts
        if verdict.grade is not Grade.SKIPPED
    }
    for one in seen:
        yield from _of_slate(session, one, {
            id: good for (need, id), good in latest.items() if need == one.prompt[-1]["content"]
        })  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Seen:
    """A slate with how its items were taken, the prompt of its need, and a line for each item."""

    slate: LoggedSlate
    verdicts: Sequence[Graded]
    prompt: Prompt
    lines: Mapping[str, str]

    def line(self, one: Graded) -> str:
        return self.lines[one.shown.item_id]

    def losers(self, taken: Graded) -> list[Graded]:
        """Return what an item was preferred to: turned down first, then the best placed."""
        above = [one for one in self.verdicts if one.shown.rank < taken.shown.rank]
        lost = [one for one in self.verdicts if one.grade < 0]
        lost += [one for one in above if one.grade is Grade.SKIPPED]
        return sorted(lost, key=lambda one: (min(one.grade, 0), one.shown.rank))


def _seen(session: LoggedSession, facets: tuple[Facet, ...]) -> Iterator[_Seen | Dropped]:
    """Yield the slates that somebody reacted to."""
    turns = {turn.id: turn for turn in session.turns}
    for slate in session.slates:
        verdicts = graded(session, slate)
        if all(one.grade is Grade.SKIPPED for one in verdicts):
            continue
        turn = turns.get(slate.turn_id or "")
        if turn is None:
            yield Dropped("choice", "a feed: no need was told")
            continue
        lines = {one.item_id: choice_text(one.fields, facets) for one in slate.items}
        yield _Seen(slate, verdicts, choice_messages(turn.state.need, facets), lines)


def _of_slate(
    session: LoggedSession, seen: _Seen, latest: Mapping[str, bool]
) -> Iterator[Choice | Unpaired | Dropped]:
    """Yield the rows of a slate.

    Args:
        latest: Item id to whether it was taken the last time there was a verdict for this need.
    """

    def stands(one: Graded) -> bool:
        return latest.get(one.shown.item_id) is (one.grade > 0)

    taken = [one for one in seen.verdicts if one.grade > 0 and stands(one) and seen.line(one)]
    good = {id for id, is_good in latest.items() if is_good}
    lines = {"", *map(seen.line, taken)}  # items that read alike can't be told apart
    paired = False
    for one in sorted(taken, key=lambda one: (-one.grade, one.shown.rank)):
        lost = [loser for loser in seen.losers(one)
                if loser.shown.item_id not in good and seen.line(loser) not in lines]  # fmt: skip
        if lost:
            paired = True
            yield _choice(session, seen, one, lost)
    if taken and not paired:
        yield Dropped("choice", "nothing was passed over: unpaired")
    for one in seen.verdicts:
        if seen.line(one) and stands(one) and (one.grade > 0 or one.grade in SURE):
            yield Unpaired(
                prompt=seen.prompt, completion=seen.line(one), label=one.grade > 0, kind="choice",
                weight=abs(one.grade) / Grade.PURCHASED, **origin(session, one.events),
            )  # fmt: skip


def _choice(session: LoggedSession, seen: _Seen, taken: Graded, lost: Sequence[Graded]) -> Choice:
    lines = list(dict.fromkeys(seen.line(one) for one in lost))
    events = dict.fromkeys(id for one in (taken, *lost) for id in one.events)
    pair = Pair(
        prompt=seen.prompt, chosen=seen.line(taken), rejected=lines[0],
        others=tuple(lines[1 : MOST_OTHERS + 1]), kind="choice",
        weight=taken.grade / Grade.PURCHASED, **origin(session, events),
    )  # fmt: skip
    return Choice(pair, inverse_propensity(taken.shown, seen.slate.policy))


def inverse_propensity(taken: Shown, policy: str) -> float | None:
    """Return 1 / (q p), clipped at CLIP; None for a policy that shows the same every time."""
    if policy.partition("+")[0] == "greedy":  # "+" and a name: who ranked, not how it was drawn
        return None
    looked_at: float = taken.rank**-ETA
    return min(CLIP, 1 / (max(taken.propensity, 1e-9) * looked_at))
