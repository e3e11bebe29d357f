"""Whether people, or the answers they get, have changed since a reference time.

Each signal is a share or a distribution over what turns hold: what people ask for, how it is
planned, what they do with slates. Sessions are the unit: turns of one are not independent. This
module reads values (`agent.logged`), no store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agent.logged import LoggedSession, LoggedTurn
from finetune.errors import DataError
from retrieval.metrics import holm

LEAST = 20
"""Sessions on each side before anything is said."""
NOTABLE = 0.1
"""Population stability index above which a change is worth looking at; .25 is a large one (Siddiqi
2006, section 6.3)."""

_PERMUTATIONS = 500
_OTHER = "other"
_MOST = 20

Signal = Callable[[LoggedSession], Iterator[str]]


def _acts(session: LoggedSession) -> Iterator[str]:
    for turn in session.turns:
        yield from (act.act for act in turn.plan.acts)


def _wished(session: LoggedSession) -> Iterator[str]:
    for turn in session.turns:
        for mention in turn.plan.mentions:
            yield mention.facet or mention.kind


def _unknown_words(session: LoggedSession) -> Iterator[str]:
    for turn in session.turns:
        found = any(mention.kind == "unknown" for mention in turn.plan.mentions)
        yield "unknown words" if found else "all known"


def _planners(session: LoggedSession) -> Iterator[str]:
    for turn in session.turns:
        yield "fallback" if turn.plan.fallback else turn.plan.planner


def _lengths(session: LoggedSession) -> Iterator[str]:
    for turn in session.turns:
        words = len(turn.utterance.split())
        yield "1-2 words" if words < 3 else "3-6" if words < 7 else "7-14" if words < 15 else "15+"


def _turns(session: LoggedSession) -> Iterator[str]:
    yield str(len(session.turns)) if len(session.turns) < 6 else "6+"


def _results(session: LoggedSession) -> Iterator[str]:
    for turn in session.turns:
        yield "wish set aside" if turn.relaxations else "as wished"


def _repaired(turn: LoggedTurn) -> bool:
    return any(act.act in ("undo", "reset", "reject") for act in turn.plan.acts)


def _repairs(session: LoggedSession) -> Iterator[str]:
    for turn in session.turns[1:]:
        yield "repair" if _repaired(turn) else "goes on"


def _reactions(session: LoggedSession) -> Iterator[str]:
    kinds = {event.slate_id: event.kind for event in session.events if event.kind != "impression"}
    for slate in session.slates:
        yield kinds.get(slate.id, "nothing")


def _ranks(session: LoggedSession) -> Iterator[str]:
    ranks = {(s.id, item.item_id): item.rank for s in session.slates for item in s.items}
    for event in session.events:
        rank = ranks.get((event.slate_id, event.item_id or ""))
        if rank is not None and event.kind in ("click", "select", "purchase"):
            yield f"rank {rank}"


SIGNALS: Mapping[str, Signal] = {
    "acts": _acts,
    "facets spoken of": _wished,
    "unknown words": _unknown_words,
    "planners": _planners,
    "utterance length": _lengths,
    "turns per session": _turns,
    "wishes set aside": _results,
    "repairs": _repairs,
    "reactions to slates": _reactions,
    "ranks chosen": _ranks,
}


@dataclass(frozen=True, slots=True)
class Change:
    """How one signal has changed.

    Args:
        psi: Population stability index between the two times.
        p: Chance of as large an index if nothing had changed (sessions permuted), Holm-corrected
            over the signals.
        moved: The values that changed most: value, share before, share now.
    """

    signal: str
    psi: float
    p: float
    moved: tuple[tuple[str, float, float], ...]

    @property
    def drifted(self) -> bool:
        """Whether the change is both notable and not by chance."""
        return self.psi >= NOTABLE and self.p < 0.05


@dataclass(frozen=True, slots=True)
class Drift:
    """All signals, those that changed most first."""

    before: int
    now: int
    changes: tuple[Change, ...]

    @property
    def drifted(self) -> bool:
        """Whether any signal has drifted."""
        return any(change.drifted for change in self.changes)


def drift(before: Sequence[LoggedSession], now: Sequence[LoggedSession], *, seed: int = 0) -> Drift:
    """Compare the sessions of two times.

    Raises:
        DataError: If either time has too few sessions.
    """
    for name, sessions in (("reference", before), ("present", now)):
        if len(sessions) < LEAST:
            raise DataError(
                f"{len(sessions)} sessions in the {name} time: expected at least {LEAST}; take a"
                " longer time"
            )
    found = []
    for name, signal in SIGNALS.items():
        counts, values = _counts([*before, *now], signal)
        if len(values) > 1:
            found.append(_change(name, counts, values, len(before), seed))
    p = holm({one.signal: one.p for one in found})
    corrected = [replace(one, p=p[one.signal]) for one in found]
    return Drift(len(before), len(now), tuple(sorted(corrected, key=lambda one: -one.psi)))


def _counts(sessions: Sequence[LoggedSession], signal: Signal) -> tuple[np.ndarray, list[str]]:
    """Return counts of values by session, (sessions, values); rare values as one."""
    own = [Counter(signal(session)) for session in sessions]
    total: Counter[str] = Counter()
    for counter in own:
        total.update(counter)
    values = [value for value, _ in total.most_common(_MOST)]
    rest = len(total) > len(values)
    counts = np.array([[counter[value] for value in values] for counter in own], float)
    if rest:
        every = np.array([counter.total() for counter in own], float)
        counts = np.column_stack([counts, every - counts.sum(axis=1)])
    return counts, [*values, *([_OTHER] if rest else [])]


def _shares(counts: np.ndarray) -> np.ndarray:
    summed = counts.sum(axis=0) + 0.5
    shares: np.ndarray = summed / summed.sum()
    return shares


def _psi(before: np.ndarray, now: np.ndarray) -> float:
    """Return sum (q - p) ln(q / p) of two distributions (Siddiqi 2006; Jeffreys' divergence)."""
    return float(((now - before) * np.log(now / before)).sum())


def _change(name: str, counts: np.ndarray, values: list[str], split: int, seed: int) -> Change:
    before, now = _shares(counts[:split]), _shares(counts[split:])
    psi = _psi(before, now)
    chance = np.random.default_rng(seed)
    larger = 0
    for _ in range(_PERMUTATIONS):
        mixed = counts[chance.permutation(len(counts))]
        larger += _psi(_shares(mixed[:split]), _shares(mixed[split:])) >= psi
    order = np.argsort(-np.abs(now - before))[:3]
    moved = tuple(
        (values[at], round(float(before[at]), 4), round(float(now[at]), 4)) for at in order
    )
    return Change(name, round(psi, 4), (larger + 1) / (_PERMUTATIONS + 1), moved)
