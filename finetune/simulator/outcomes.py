"""What came of simulated sessions, by user and in sum, and two runs side by side. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from finetune.errors import FinetuneError
from retrieval.metrics import Estimate, mean_interval, paired_bootstrap


@dataclass(frozen=True, slots=True)
class Line:
    """One turn of a transcript.

    Args:
        move: What the user meant to do.
        items: Ids of the slate.
        misread: Whether the user saw that they were misread.
    """

    text: str
    move: str
    reply: str
    items: tuple[str, ...]
    planner: str
    misread: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one user's session.

    Args:
        turns: Turns until something was taken; patience + 1 if nothing was.
        satisfaction: 1 to 5, by `finetune.simulator.satisfaction`.
        violations: Items shown that break the stated constraints, or are not in the catalog.
        misreadings: Turns in which the user noticed that they were misread.
        relevance: How near the best item that was looked at came, 0 to 1.
        leaked: Whether the user named the target; then it counts for nothing.
    """

    user: str
    session: str
    target: str
    taken: str | None
    success: bool
    turns: int
    satisfaction: float
    violations: int
    repeats: int
    misreadings: int
    repairs: int
    relevance: float
    consent: bool
    leaked: bool
    transcript: tuple[Line, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the outcome with its transcript as plain JSON values."""
        return asdict(self)


MEASURES: Mapping[str, Callable[[Outcome], float]] = {
    "success": lambda one: float(one.success),
    "turns": lambda one: float(one.turns),
    "satisfaction": lambda one: one.satisfaction,
    "violations": lambda one: float(one.violations),
    "repeats": lambda one: float(one.repeats),
    "misreadings": lambda one: float(one.misreadings),
    "repairs": lambda one: float(one.repairs),
    "relevance": lambda one: one.relevance,
}
"""What is averaged over users; more is better for success, satisfaction and relevance."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The outcomes of a simulation.

    Args:
        name: Who was measured.
        seconds: Wall time of the sessions.
    """

    name: str
    population: str
    seed: int
    users: tuple[Outcome, ...]
    seconds: float = 0.0

    @property
    def counted(self) -> tuple[Outcome, ...]:
        """The outcomes that count: without users who named their target."""
        return tuple(one for one in self.users if not one.leaked)

    def values(self, measure: str) -> list[float]:
        """Return a measure of `MEASURES` by user, leaking ones left out."""
        return [MEASURES[measure](one) for one in self.counted]

    def estimates(self) -> dict[str, Estimate]:
        """Return each measure's mean over users with its 95 % bootstrap interval.

        Raises:
            FinetuneError: If no session counts.
        """
        if not self.counted:
            raise FinetuneError(
                f"none of {len(self.users)} simulated sessions counts: every user named the target"
            )
        return {name: mean_interval(self.values(name), self.seed) for name in MEASURES}

    def to_json(self) -> dict[str, Any]:
        """Return the sums as plain JSON values, without transcripts."""
        return {
            "name": self.name, "population": self.population, "seed": self.seed,
            "n": len(self.counted), "leaked": len(self.users) - len(self.counted),
            "sessions_per_s": round(len(self.users) / self.seconds, 3) if self.seconds else None,
            **{name: one.to_json() for name, one in self.estimates().items()},
        }  # fmt: skip


def differences(candidate: Outcomes, baseline: Outcomes) -> dict[str, Estimate]:
    """Return candidate minus baseline of each measure, over the users both had, in pairs.

    Raises:
        FinetuneError: If they have no user in common.
    """
    theirs = {one.user: one for one in baseline.counted}
    pairs = [(one, theirs[one.user]) for one in candidate.counted if one.user in theirs]
    pairs = [(ours, other) for ours, other in pairs if ours.target == other.target]
    if not pairs:
        raise FinetuneError(
            f"{candidate.name!r} and {baseline.name!r} were not measured on the same users; "
            "simulate both with one population, seed and catalog"
        )
    return {
        name: paired_bootstrap([of(a) for a, _ in pairs], [of(b) for _, b in pairs], baseline.seed)
        for name, of in MEASURES.items()
    }
