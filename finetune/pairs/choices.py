"""Choices among the items of a slate, as preferences over the lines of prompt choose@1.

What was taken is preferred to what was skipped above it ("click > skip above": Joachims, Granka,
Pan, Hembrooke, Gay 2005) and to what was turned down anywhere on the slate. Below the item taken
nothing is known to have been seen, so nothing there was skipped; on slates of a policy that
explores, what stands between it and something touched below it was seen, and lost by half. What was
passed over on earlier slates is in `finetune.pairs.earlier`. Of two items taken neither lost.

On slates of a policy that explores, a pair weighs the inverse of the chance that it could be
observed at all (Joachims, Swaminathan, Schnabel 2017; Horvitz, Thompson 1952):

    w(i) = min(CLIP, 1 / (q(i, r) * p(r))),   p(r) = r ** -ETA

with q(i, r) the logged chance that the policy puts the item taken at its rank, and p(r) the chance
that a rank is looked at. Elsewhere other placings had no chance, so nothing can be corrected: 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from agent.choice_prompt import choice_messages, choice_text
from agent.interleaving import INTERLEAVED
from agent.logged import LoggedSession, LoggedSlate, Shown
from agent.state import Need
from finetune.pairs.earlier import PASSED, deepest, looked_at, passed_over
from finetune.pairs.grades import Grade, Graded, graded
from finetune.pairs.keys import origin
from finetune.pairs.rows import Dropped, Pair, Prompt, Unpaired
from retrieval.catalog import Facet

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
    verdicts = {slate.id: graded(session, slate) for slate in session.slates}
    turns = {turn.id: turn for turn in session.turns}
    seen = []
    for slate in session.slates:
        if all(one.grade is Grade.SKIPPED for one in verdicts[slate.id]):
            continue
        turn = turns.get(slate.turn_id or "")
        if turn is None:
            yield Dropped("choice", "a feed: no need was told")
        else:
            seen.append(_Seen(session, slate, turn.state.need, verdicts, facets))
    latest: dict[str, dict[str, bool]] = {}
    for one in seen:
        signs = (v for v in verdicts[one.slate.id] if v.grade is not Grade.SKIPPED)
        own = latest.setdefault(one.asked, {})
        own.update((v.shown.item_id, v.grade > 0) for v in signs)
    for one in seen:
        yield from _of_slate(one, latest[one.asked])


@dataclass(frozen=True)
class _Seen:
    """A slate that somebody reacted to, and the need it answered."""

    session: LoggedSession
    slate: LoggedSlate
    need: Need
    verdicts: Mapping[str, Sequence[Graded]]
    facets: tuple[Facet, ...]

    @cached_property
    def prompt(self) -> Prompt:
        return choice_messages(self.need, self.facets)

    @property
    def asked(self) -> str:
        return self.prompt[-1]["content"]

    @cached_property
    def own(self) -> Sequence[Graded]:
        """The items of the slate, in rank order."""
        return self.verdicts[self.slate.id]

    @cached_property
    def _lines(self) -> dict[str, str]:
        return {one.shown.item_id: choice_text(one.shown.fields, self.facets) for one in self.own}

    def line(self, one: Graded) -> str:
        """Return the line of an item of the slate, or of an earlier one."""
        own = self._lines.get(one.shown.item_id)
        return choice_text(one.shown.fields, self.facets) if own is None else own

    def losers(self, taken: Graded) -> list[Graded]:
        """Return what an item was preferred to: turned down first, then the best placed."""
        above = [one for one in self.own if one.shown.rank < taken.shown.rank]
        lost = [one for one in self.own if one.grade < 0]
        lost += [one for one in above if one.grade is Grade.SKIPPED]
        return sorted(lost, key=lambda one: (min(one.grade, 0), one.shown.rank))

    def below(self, taken: Graded) -> list[Graded]:
        """Return what was seen below an item and left, on a slate that was drawn."""
        if inverse_propensity(taken.shown, self.slate.policy) is None:
            return []
        seen = range(taken.shown.rank + 1, deepest(self.own))
        return [v for v in self.own if v.shown.rank in seen and v.grade is Grade.SKIPPED]

    def pair(self, taken: Graded, lost: Sequence[Graded], share: float = 1.0) -> Pair:
        """Return the pair of an item and those it was preferred to."""
        lines = list(dict.fromkeys(map(self.line, lost)))
        events = dict.fromkeys(id for one in (taken, *lost) for id in one.events)
        return Pair(
            prompt=self.prompt, chosen=self.line(taken), rejected=lines[0],
            others=tuple(lines[1 : MOST_OTHERS + 1]), kind="choice",
            weight=share * taken.grade / Grade.PURCHASED, **origin(self.session, events),
        )  # fmt: skip


def _of_slate(seen: _Seen, latest: Mapping[str, bool]) -> Iterator[Choice | Unpaired | Dropped]:
    """Yield the rows of a slate.

    Args:
        latest: Item id to whether it was taken the last time there was a verdict for this need.
    """
    stand = [v for v in seen.own if latest.get(v.shown.item_id) is (v.grade > 0) and seen.line(v)]
    taken = sorted((v for v in stand if v.grade > 0), key=lambda v: (-v.grade, v.shown.rank))
    alike = {"", *map(seen.line, taken)}  # items that read alike can't be told apart

    def may_lose(one: Graded) -> bool:
        return not latest.get(one.shown.item_id, False) and seen.line(one) not in alike

    paired = False
    for one in taken:
        inverse = inverse_propensity(one.shown, seen.slate.policy)
        for lost, share in ((seen.losers(one), 1.0), (seen.below(one), PASSED)):
            lost = list(filter(may_lose, lost))
            if lost:
                paired = True
                yield Choice(seen.pair(one, lost, share), inverse)
        for other, share in _earlier(seen, one):
            if may_lose(other):
                paired = True
                yield Choice(seen.pair(one, [other], PASSED * share))
    if taken and not paired:
        yield Dropped("choice", "nothing was passed over: unpaired")
    for one in stand:
        if one.grade > 0 or one.grade in SURE:
            yield Unpaired(
                prompt=seen.prompt, completion=seen.line(one), label=one.grade > 0, kind="choice",
                weight=abs(one.grade) / Grade.PURCHASED, **origin(seen.session, one.events),
            )  # fmt: skip


def _earlier(seen: _Seen, taken: Graded) -> Iterator[tuple[Graded, float]]:
    """Yield what was left on earlier slates for an item that was not merely clicked."""
    if taken.grade >= Grade.SELECTED:
        yield from passed_over(seen.session, seen.slate, seen.need, seen.verdicts, seen.facets)


def inverse_propensity(taken: Shown, policy: str) -> float | None:
    """Return 1 / (q p), clipped at CLIP; None for a policy that does not draw by known chances."""
    drawn = policy.partition("+")[0]  # "+" and a name: who ranked, not how it was drawn
    if drawn == "greedy" or drawn.startswith(INTERLEAVED):
        return None
    return min(CLIP, 1 / (max(taken.propensity, 1e-9) * looked_at(taken.rank)))
