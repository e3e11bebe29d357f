"""One round of learning: feedback to pairs, to an adapter, to the gate, to the registry.

    learner = Learner(folder, retriever, registry, "house", contestant)
    report = run_round(learner, sessions)

Each step leaves its result in the round's folder and is not done again where it is there: a round
that was interrupted goes on where it stopped, and nothing reaches users before the last step, one
transaction of the registry. Every step is in the audit trail. This module does not know where
sessions come from, nor who serves.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from agent.logged import LoggedSession
from finetune.adapters import CARD, open_adapter
from finetune.bases import resolve
from finetune.contestant import Contestant
from finetune.errors import DataError, LoopError
from finetune.events.audit import Audit
from finetune.events.caps import Limits, capped
from finetune.gate import Thresholds, Verdict, evaluate_gate
from finetune.gate.report import to_json, to_markdown
from finetune.loop.replay import kinds, write_replay
from finetune.pairs.make import PairsConfig, make_pairs, write_folder
from finetune.pairs.rows import read_pairs
from finetune.preference import dpo
from finetune.registry import BASE, Registry, name_of
from finetune.sft import last_checkpoint
from finetune.simulator import Population
from retrieval.retriever import Retriever

logger = logging.getLogger(__name__)

PAIRS, REPLAY, ADAPTER, GATE = "pairs", "replay.jsonl", "adapter", "gate.json"
BEGUN, ROUND = "begun.json", "round.json"

Ending = Literal["promoted", "refused", "too few pairs"]

_NAME = re.compile(r"round-(\d+)")

MakeContestant = Callable[[str, Path | None], Contestant]
"""From a name and an adapter's folder (None: the base without one) to what a gate measures."""


@dataclass(frozen=True, slots=True)
class Learner:
    """What rounds are run with.

    Args:
        folder: Where rounds are kept, one folder each.
        base: The model adapters are for, as `finetune.bases.resolve` knows it.
        config: How adapters are trained; by default as suits the base.
        limits: How much one person may teach.
        small: Whether the gate takes its sample of about a minute.
        population, users: Who the gate's simulated users are, and how many; by default plain ones,
            as many as `small` says.
    """

    folder: Path
    retriever: Retriever
    registry: Registry
    base: str
    contestant: MakeContestant
    pairs: PairsConfig = field(default_factory=PairsConfig)
    config: dpo.DPOConfig | None = None
    limits: Limits | None = None
    thresholds: Thresholds | None = None
    population: Population | None = None
    users: int | None = None
    small: bool = False
    seed: int = 0
    progress: bool = False

    @property
    def training(self) -> dpo.DPOConfig:
        """How adapters are trained."""
        return self.config or dpo.DPOConfig(
            base=self.base, seed=self.seed, prompts=(self.pairs.prompt, "choose@1")
        )


@dataclass(frozen=True, slots=True)
class Round:
    """What came of a round.

    Args:
        adapter: Its adapter's name in the registry, where one was trained.
        reasons: Why it ended so, in words.
        begun: When it began, in UTC: what people did later is the next round's.
        pairs: Pairs that were learned from, by kind.
    """

    number: int
    ending: Ending
    reasons: tuple[str, ...]
    begun: datetime
    adapter: str | None = None
    parent: str | None = None
    pairs: Mapping[str, int] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def promoted(self) -> bool:
        """Whether its adapter answers now."""
        return self.ending == "promoted"

    def to_json(self) -> dict[str, Any]:
        """Return the round as plain JSON values."""
        return {
            "number": self.number, "ending": self.ending, "reasons": list(self.reasons),
            "begun": self.begun.isoformat(), "adapter": self.adapter, "parent": self.parent,
            "pairs": dict(self.pairs),
            "metrics": dict(self.metrics),
        }  # fmt: skip


def run_round(learner: Learner, sessions: Iterable[LoggedSession]) -> Round:
    """Learn from sessions and put what was learned into service, if the gate lets it.

    An interrupted round goes on: then the sessions count only where its pairs are not made yet.

    Raises:
        LoopError: If a round's folder holds what no round wrote.
        FinetuneError: If a step cannot be done; the next call goes on from it.
    """
    number = _open_round(learner.folder)
    folder = learner.folder / f"round-{number:04}"
    folder.mkdir(parents=True, exist_ok=True)
    begun = _begun(folder)
    live = learner.registry.live()
    parent = live.name if live else None
    try:
        counts = _pairs(learner, folder, sessions)
    except DataError as error:
        few = Round(number, "too few pairs", (str(error),), begun, None, parent)
        return _ended(learner, folder, few)
    metrics = _adapter(learner, folder, counts, live.folder if live else None)
    name = learner.registry.add(folder / ADAPTER, resolve(learner.base), parent=parent)
    verdict = _gate(learner, folder, name, parent, live.folder if live else None)
    ending: Ending = "refused"
    if learner.registry.judge(name, folder / GATE):
        learner.registry.promote(name, why=f"round {number}")
        ending = "promoted"
    reasons = tuple(verdict["reasons"])
    done = Round(number, ending, reasons, begun, name, parent, counts, metrics)
    return _ended(learner, folder, done)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a step's result, which appears when it is complete: then the step is done."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(json.dumps(value, indent=2) + "\n", "utf-8")
    partial.replace(path)


def rounds(folder: Path) -> list[Round]:
    """Return the rounds that have ended, the oldest first.

    Raises:
        LoopError: If one cannot be read.
    """
    found = []
    for path in _folders(folder):
        if (path / ROUND).is_file():
            try:
                values = json.loads((path / ROUND).read_text("utf-8"))
                values["reasons"] = tuple(values["reasons"])
                values["begun"] = datetime.fromisoformat(values["begun"])
                found.append(Round(**values))
            except (ValueError, TypeError, KeyError) as error:
                raise LoopError(f"{str(path / ROUND)!r} is no round's report: {error}") from error
    return found


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and _NAME.fullmatch(path.name))


def _open_round(folder: Path) -> int:
    """Return the number of the round under way, else of the next one."""
    folders = _folders(folder)
    if not folders:
        return 1
    last = int(folders[-1].name.removeprefix("round-"))
    return last + 1 if (folders[-1] / ROUND).is_file() else last


def _begun(folder: Path) -> datetime:
    """Return when a round began; it begins now if it did not yet."""
    path = folder / BEGUN
    if not path.is_file():
        write_json(path, {"time": datetime.now(UTC).isoformat()})
    try:
        return datetime.fromisoformat(json.loads(path.read_text("utf-8"))["time"])
    except (ValueError, KeyError, TypeError) as error:
        raise LoopError(f"{str(path)!r} does not say when its round began: {error}") from error


def _pairs(learner: Learner, folder: Path, sessions: Iterable[LoggedSession]) -> dict[str, int]:
    """Make the pairs of the round; return how many there are to train on, by kind."""
    out = folder / PAIRS
    if not (out / "report.json").is_file():
        taught = capped(sessions, learner.limits)
        made = make_pairs(taught.sessions, learner.retriever, learner.pairs)
        write_folder(out, made)
        _note(learner, folder, "loop.pairs", data=made.report.get("hash"),
              sessions=made.report.get("sessions"), events=taught.report.kept,
              left_out=taught.report.given - taught.report.kept)  # fmt: skip
    return kinds(read_pairs(out / "train.jsonl"))


def _adapter(
    learner: Learner, folder: Path, counts: Mapping[str, int], start: Path | None
) -> dict[str, float]:
    """Train the round's adapter; return its metrics."""
    out = folder / ADAPTER
    if not (out / CARD).is_file():
        earlier = [path / PAIRS for path in _folders(learner.folder) if path < folder]
        replay = write_replay(
            folder / REPLAY, learner.retriever, earlier, sum(counts.values()), learner.seed
        )
        files = (replay.path,) if replay.earlier + replay.ordinary else ()
        sources = dpo.Sources((folder / PAIRS,), replay=files)
        dpo.train(
            learner.training, sources, out, start=start, progress=learner.progress,
            resume=last_checkpoint(out) is not None,
        )  # fmt: skip
    adapter = open_adapter(out, resolve(learner.base))
    _note(learner, folder, "loop.adapter", adapter=name_of(adapter), start=start and start.name,
          data=adapter.card.data_hash)  # fmt: skip
    return dict(adapter.card.metrics)


def _gate(
    learner: Learner, folder: Path, name: str, parent: str | None, live: Path | None
) -> dict[str, Any]:
    """Judge the round's adapter beside what answers now; return the report."""
    path = folder / GATE
    if path.is_file():
        with suppress(ValueError, KeyError):
            report: dict[str, Any] = json.loads(path.read_text("utf-8"))
            # What answers may have changed since it was judged.
            if report["config"]["baseline"] == (parent or BASE):
                return report
    verdict = evaluate_gate(
        learner.contestant(parent or BASE, live),
        learner.contestant(name, learner.registry.get(name).folder),
        learner.retriever,
        pairs=folder / PAIRS,
        thresholds=learner.thresholds,
        population=learner.population,
        users=learner.users,
        small=learner.small,
        seed=learner.seed,
        progress=learner.progress,
    )
    return _write_report(path, verdict)


def _write_report(path: Path, verdict: Verdict) -> dict[str, Any]:
    report = to_json(verdict)
    path.with_suffix(".md").write_text(to_markdown(verdict), "utf-8")
    write_json(path, report)
    return report


def _ended(learner: Learner, folder: Path, done: Round) -> Round:
    write_json(folder / ROUND, done.to_json())
    _note(learner, folder, "loop.round", ending=done.ending, adapter=done.adapter,
          parent=done.parent, pairs=dict(done.pairs))  # fmt: skip
    logger.info("round %d: %s", done.number, done.ending)
    return done


def _note(learner: Learner, folder: Path, kind: str, **facts: Any) -> None:
    Audit(learner.registry.folder).append(kind, round=folder.name, **facts)
