"""Experiments as the owner sees them: which run and ran, between what, what people chose.

What they say is read as `attune feedback experiment` reads it (`ui.experiments.compared`), from the
sessions that began while the shares were as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, variance
from typing import Any

from agent.errors import UserInputError
from agent.logged import LoggedSession
from agent.store import Store
from finetune.errors import DataError
from finetune.experiments.interleaving import Comparison
from finetune.experiments.logs import CHOICES, arms, succeeded
from finetune.experiments.sequential import LEAST, Reading, half_width
from finetune.registry import BASE, Change, Registry
from ui.errors import UIError
from ui.experiments import compared

Json = dict[str, Any]

ALPHA = 0.05
MOST_PAST = 20
DECIDES = 20.0
"""The evidence at which interleaved slates decide."""

_ENDS = frozenset({"end", "promote", "rollback", "experiment", "canary"})


@dataclass(frozen=True, slots=True)
class Trial:
    """One experiment or canary.

    Args:
        arms: Share of each by its name in the registry; the first is what others are compared with.
        since: When its shares became what they are; earlier sessions were shared out otherwise.
    """

    title: str
    kind: str
    arms: Mapping[str, float]
    begun: datetime
    since: datetime
    ended: datetime | None = None
    interleaved: bool = False
    who: str = ""
    why: str = ""
    ended_by: str = ""
    changes: tuple[datetime, ...] = field(default=())

    def to_json(self, base: str) -> Json:
        """Return it as JSON; `voice` is what turns were stored with."""
        named = [{"name": name, "voice": base if name == BASE else name, "share": share}
                 for name, share in self.arms.items()]  # fmt: skip
        return {
            "title": self.title, "kind": self.kind, "arms": named, "begun": _iso(self.begun),
            "since": _iso(self.since), "ended": self.ended and _iso(self.ended),
            "interleaved": self.interleaved, "who": self.who, "why": self.why,
            "ended_by": self.ended_by,
        }  # fmt: skip


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="seconds")


def overview(folder: Path, store: Store, base: str) -> Json:
    """Return the experiment or canary under way with its reading, those before, and what may be.

    Args:
        folder: Of the registry; one that is not there has tried nothing.
        base: Name of the voice without an adapter.
    """
    if not folder.is_dir():
        return {"running": None, "past": [], "adapters": [], "live": BASE, "base": base,
                "version": 0}  # fmt: skip
    with Registry(folder) as registry:
        live, version = registry.live(), registry.routes().version
        found = trials(registry.history())
        usable = [{"name": one.name, "status": one.status,
                   "passed": bool(one.judgement and one.judgement.passed)}
                  for one in registry.list() if one.marked is None]  # fmt: skip
    running = found[-1] if found and found[-1].ended is None else None
    past = [one for one in found if one.ended is not None][: -MOST_PAST - 1 : -1]
    return {
        "running": running and {**running.to_json(base), **reading(running, store, base)},
        "past": [one.to_json(base) for one in past],
        "adapters": usable, "live": live.name if live else BASE, "base": base,
        "version": version,
    }  # fmt: skip


def one_before(folder: Path, store: Store, base: str, begun: str) -> Json:
    """Return an experiment that began at a moment, with its reading.

    Raises:
        UserInputError: If none did.
    """
    if folder.is_dir():
        with Registry(folder) as registry:
            for one in trials(registry.history()):
                if _iso(one.begun) == begun:
                    return {**one.to_json(base), **reading(one, store, base)}
    raise UserInputError(f"no experiment began at {begun[:40]!r}")


def trials(history: Iterable[Change]) -> list[Trial]:
    """Return the experiments and canaries of a registry's history, the oldest first."""
    found: list[Trial] = []
    live = BASE
    for change in history:
        open_ = found[-1] if found and found[-1].ended is None else None
        if open_ is not None and _changes_shares(change, open_):
            shares = _shares_of(change, live)
            kept = {name: shares[name] for name in open_.arms if name in shares}
            found[-1] = replace(open_, arms=kept or shares, since=change.time,
                                changes=(*open_.changes, change.time))  # fmt: skip
            continue
        if open_ is not None and _ends(change, open_):
            found[-1] = replace(open_, ended=change.time, ended_by=change.action)
        if change.action in ("experiment", "canary"):
            title = str(change.facts.get("title") or f"canary of {change.adapter}")
            found.append(Trial(
                title, change.action, _shares_of(change, live), change.time, change.time,
                interleaved=bool(change.facts.get("interleaved")), who=change.who, why=change.why,
            ))  # fmt: skip
        if change.action == "promote":
            live = change.adapter or BASE
        elif change.action == "rollback":
            live = change.facts.get("live") or BASE
    return found


def _changes_shares(change: Change, trial: Trial) -> bool:
    same = change.action == trial.kind == "canary" and change.adapter in trial.arms
    return same or change.action == "reshare"


def _ends(change: Change, trial: Trial) -> bool:
    return change.action in _ENDS or (change.action == "retire" and change.adapter in trial.arms)


def _shares_of(change: Change, live: str) -> dict[str, float]:
    if change.action == "canary":
        share = float(change.facts["share"])
        return {live: 1 - share, str(change.adapter): share}
    return {str(name): float(share) for name, share in change.facts["arms"].items()}


def reading(trial: Trial, store: Store, base: str) -> Json:
    """Return what sessions say of a trial: of each arm, and of each beside the first."""
    until = trial.ended or datetime.now(UTC)
    own = [one for one in store.logged(trial.since) if trial.since <= one.created <= until]
    voices = {name: base if name == BASE else name for name in trial.arms}
    control, *others = voices
    return {
        "sessions": len(own),
        "per_arm": [_arm(own, name, voice) for name, voice in voices.items()],
        "comparisons": [
            {"control": control, "trial": name, **_compared(own, voices[control], voices[name])}
            for name in others
        ],
    }  # fmt: skip


def _compared(sessions: Sequence[LoggedSession], control: str, trial: str) -> Json:
    """Return the sequential test and the interleaved slates; with `waiting`, why there is none."""
    try:
        read, interleaved = compared(sessions, control, trial, ALPHA)
    except (UIError, DataError) as error:
        return {"test": None, "interleaved": None, "waiting": str(error)}
    return {"test": _test(read), "interleaved": _slates(interleaved), "waiting": ""}


def _test(found: Reading | None) -> Json | None:
    if found is None:
        return None
    wide = min(found.users) < LEAST
    return {
        **asdict(found), "low": None if wide else found.low, "high": None if wide else found.high,
        "least": LEAST, "alpha": ALPHA,
    }  # fmt: skip


def _slates(found: Comparison) -> Json | None:
    if not found.wins_a + found.wins_b + found.ties:
        return None
    return {**asdict(found), "decided": found.decided, "decides": DECIDES}


def choices_per_slate(session: LoggedSession) -> float:
    """Return how many items somebody chose of each slate with items, on average."""
    shown = [slate.id for slate in session.slates if slate.items]
    chosen = {(e.slate_id, e.item_id) for e in session.events if e.kind in CHOICES}
    return len(chosen) / len(shown) if shown else 0.0


def _arm(sessions: Sequence[LoggedSession], name: str, voice: str) -> Json:
    """Return what happened to the people of an arm: those that only it answered."""
    own = [one for one in sessions if {turn.voice for turn in one.turns} == {voice}]
    people = {one.user or one.id for one in own}
    stars = [float(e.value) for one in own for e in one.events
             if e.kind == "rating" and isinstance(e.value, int | float)]  # fmt: skip
    return {
        "name": name, "voice": voice, "sessions": len(own), "people": len(people),
        "turns": sum(len(one.turns) for one in own),
        "wins": sum(succeeded(one) > 0 for one in own),
        "success": _mean(arms(own, voice, "", succeeded).control),
        "reward": _mean(arms(own, voice, "", choices_per_slate).control),
        "stars": fmean(stars) if stars else None, "ratings": len(stars),
    }  # fmt: skip


def _mean(values: Sequence[float]) -> Json:
    """Return a mean with its confidence sequence, which holds however often one looks."""
    n = len(values)
    if not n:
        return {"mean": None, "low": None, "high": None, "n": 0}
    mean = fmean(values)
    if n < LEAST:
        return {"mean": mean, "low": None, "high": None, "n": n}
    width = half_width(n, variance(values) / n, ALPHA)
    return {"mean": mean, "low": max(0.0, mean - width), "high": mean + width, "n": n}
