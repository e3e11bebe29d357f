"""Experiments as sessions hold them: slates for off-policy estimates, arms of an A/B test, and
interleaved slates.

This module reads values (`agent.logged`); it does not know how another policy ranks: it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agent.feedback import Kind
from agent.interleaving import INTERLEAVED, policy_of
from agent.logged import LoggedSession, LoggedSlate, LoggedTurn
from finetune.errors import DataError
from finetune.experiments.interleaving import Interleaved, Team, winner
from finetune.experiments.off_policy import RankedLog
from finetune.experiments.sequential import Arms

EXPLORED = "explore:"

CHOICES: tuple[Kind, ...] = ("click", "select", "purchase")
SUCCESS: tuple[Kind, ...] = ("select", "purchase")

Ranking = Callable[[LoggedSession, LoggedTurn], Sequence[str]]
"""What another policy would have shown in a turn, best first; raises nothing."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One slate: by rank, chances of logging and target policy, and what was earned."""

    session: int
    propensity: list[float]
    target: list[float]
    reward: list[float]


def ranked_log(
    sessions: Iterable[LoggedSession],
    ranking: Ranking,
    *,
    ranks: int = 5,
    kinds: Sequence[Kind] = CHOICES,
) -> RankedLog:
    """Return the explored slates of sessions beside what another policy would have shown.

    Greedy slates say nothing of other items and are left out. Shorter slates count as having
    earned nothing at the ranks they lack. How much of the target is supported is told by its
    weights, whose mean is 1 at every rank where all of it is.

    Args:
        kinds: Feedback that counts as a reward of 1 for the item it is about.

    Raises:
        DataError: If no slate was explored.
    """
    rows = [
        row
        for number, session in enumerate(sessions)
        for row in _rows(number, session, ranking, ranks, kinds)
    ]
    if not rows:
        raise DataError(
            "no explored slate among the sessions: set ATTUNE_EXPLORE, e.g. to 0.1, so that some"
            " slates are drawn by chance, and come back when people have used them"
        )
    propensity, target, reward = (
        np.array([getattr(row, name) for row in rows], float)
        for name in ("propensity", "target", "reward")
    )
    support = np.minimum((target / propensity).mean(axis=0), 1.0)
    used = target.any(axis=0) | (propensity < 1).any(axis=0)
    supported = float(support[used].mean()) if used.any() else 0.0
    mean = reward.mean(axis=0)
    return RankedLog(
        propensity=propensity,
        target=target,
        reward=reward,
        group=np.array([row.session for row in rows]),
        supported=np.full(len(rows), supported),
        predicted=np.tile(mean, (len(rows), 1)),
        predicted_target=np.full(len(rows), mean.sum()),
    )


def _rows(
    number: int, session: LoggedSession, ranking: Ranking, ranks: int, kinds: Sequence[Kind]
) -> Iterator[_Row]:
    turns = {turn.id: turn for turn in session.turns}
    chosen = {(e.slate_id, e.item_id) for e in session.events if e.kind in kinds}
    for slate in session.slates:
        turn = turns.get(slate.turn_id or "")
        if turn is None or not slate.policy.startswith(EXPLORED) or not slate.items:
            continue
        wanted = ranking(session, turn)
        items = slate.items[:ranks]
        lacking = ranks - len(items)
        yield _Row(
            number,
            [item.propensity for item in items] + [1.0] * lacking,
            [
                float(rank < len(wanted) and wanted[rank] == item.item_id)
                for rank, item in enumerate(items)
            ]
            + [0.0] * lacking,
            [float((slate.id, item.item_id) in chosen) for item in items] + [0.0] * lacking,
        )


def succeeded(session: LoggedSession, kinds: Sequence[Kind] = SUCCESS) -> float:
    """Return 1.0 for a session in which somebody took something, else 0.0."""
    return float(any(event.kind in kinds for event in session.events))


def arms(
    sessions: Iterable[LoggedSession],
    control: str,
    trial: str,
    outcome: Callable[[LoggedSession], float] = succeeded,
) -> Arms:
    """Return the outcomes of an A/B test by the voice that sessions were answered with.

    One user counts once, with the mean of their sessions: sessions of one person are not
    independent. Sessions that changed voices, had another one, or interleaved slates, are left
    out.
    """
    seen: dict[str, dict[str, list[float]]] = {control: {}, trial: {}}
    for session in sessions:
        voices = {turn.voice for turn in session.turns}
        if any(slate.policy.startswith(INTERLEAVED) for slate in session.slates):
            continue
        if len(voices) == 1 and (voice := voices.pop()) in seen:
            own = seen[voice].setdefault(session.user or session.id, [])
            own.append(outcome(session))
    means = {
        voice: tuple(sum(values) / len(values) for values in people.values())
        for voice, people in seen.items()
    }
    return Arms(means[control], means[trial])


def winners(
    sessions: Iterable[LoggedSession], pair: tuple[str, str] | None = None
) -> Iterator[Team | None]:
    """Yield, for each interleaved slate that had a choice, which ranking it was picked by.

    Args:
        pair: The voices of A and B, to leave out slates of other experiments.
    """
    for session in sessions:
        voices = {turn.slate_id: turn.voice for turn in session.turns}
        chosen: dict[str, list[str]] = {}
        for event in session.events:
            if event.kind in CHOICES and event.item_id is not None:
                chosen.setdefault(event.slate_id, []).append(event.item_id)
        for slate in session.slates:
            if slate.id not in chosen or (teams := teams_of(slate)) is None:
                continue
            if pair is None or (
                voices.get(slate.id) == pair[0] and slate.policy == policy_of(teams.teams, pair[1])
            ):
                yield winner(teams, chosen[slate.id])


def teams_of(slate: LoggedSlate) -> Interleaved | None:
    """Return an interleaved slate with its teams; None for another one."""
    head, mark, rest = slate.policy.partition(INTERLEAVED)
    letters = rest.partition("+")[0]
    if head or not mark or len(letters) != len(slate.items) or set(letters) - {"A", "B"}:
        return None
    teams: tuple[Team, ...] = tuple("A" if letter == "A" else "B" for letter in letters)
    return Interleaved(tuple(item.item_id for item in slate.items), teams)


def by_voice(sessions: Iterable[LoggedSession]) -> Mapping[str, int]:
    """Return how many sessions each voice answered, most first."""
    counts: dict[str, int] = {}
    for session in sessions:
        for voice in {turn.voice for turn in session.turns}:
            counts[voice or ""] = counts.get(voice or "", 0) + 1
    return dict(sorted(counts.items(), key=lambda one: -one[1]))
