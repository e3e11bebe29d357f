"""A folder of preference data made of logged sessions.

    made = make_pairs(store.logged(), retriever, PairsConfig(prompt="plan@2"))
    write_folder(Path("pairs"), made)

    train.jsonl held.jsonl              pairs (TRL's DPO columns), apart by user, else by session
    kto_train.jsonl kto_held.jsonl      unpaired verdicts (TRL's KTO columns)
    lineage.jsonl                       a line for each session that a row comes from
    report.json                         counts, what was dropped and why, hash; written last

A file without rows is left out. Sessions are read one at a time; the rows are held.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from agent.logged import LoggedSession
from finetune.errors import DataError
from finetune.events.caps import CapReport
from finetune.events.moving import may_teach
from finetune.pairs.catalog import Catalog
from finetune.pairs.choices import CLIP, Choice, choices
from finetune.pairs.earlier import ETA, PASSED
from finetune.pairs.explanations import explanation_rows
from finetune.pairs.merging import (
    MOST_WEIGHT,
    TWICE,
    Merged,
    Outcome,
    merged_pairs,
    merged_unpaired,
    person,
)
from finetune.pairs.plans import plan_rows
from finetune.pairs.rows import KINDS, Dropped, Kind, Pair, Unpaired, write_made
from retrieval.retriever import Retriever

LEAST = 20
"""Rows to train on below which nothing worth having is learned."""

REFUSED = "learning from the session was refused"

FILES = ("train.jsonl", "held.jsonl", "kto_train.jsonl", "kto_held.jsonl")
REPORT, LINEAGE = "report.json", "lineage.jsonl"


@dataclass(frozen=True, slots=True)
class PairsConfig:
    """How rows are made.

    Args:
        prompt: "plan@2" for models tuned as the house model is (with explain@1), "plan@1" for
            instructed ones (with explain@2).
        held_share: Share of the users, roughly, that nothing is learned from.
        least: Fewest pairs to train on.
        unpaired: Whether as many unpaired rows will do, for `attune tune kto`.
    """

    prompt: str = "plan@2"
    seed: int = 0
    held_share: float = 0.2
    least: int = LEAST
    unpaired: bool = False


@dataclass(slots=True)
class Gathered:
    """Rows as they come, oldest first, before any is merged."""

    pairs: list[Pair] = field(default_factory=list)
    explored: list[tuple[Pair, float]] = field(default_factory=list)
    unpaired: list[Unpaired] = field(default_factory=list)
    dropped: Counter[tuple[Kind, str]] = field(default_factory=Counter)
    sessions: int = 0

    def add(self, found: Pair | Unpaired | Choice | Dropped) -> None:
        """Take in what was made of a session."""
        match found:
            case Dropped(kind, reason):
                self.dropped[kind, reason] += 1
            case Unpaired():
                self.unpaired.append(found)
            case Choice(pair, None):
                self.pairs.append(pair)
            case Choice(pair, float(inverse)):
                self.explored.append((pair, inverse))
            case Pair():
                self.pairs.append(found)

    def weighed(self) -> list[Pair]:
        """Return all pairs; those of explored slates weighed by their inverse propensities.

        Self-normalised: w_i / mean(w), so 1 on average (Swaminathan, Joachims 2015).
        """
        mean = self.mean_inverse or 1.0
        again = [replace(pair, weight=pair.weight * w / mean) for pair, w in self.explored]
        return [*self.pairs, *again]

    @property
    def mean_inverse(self) -> float | None:
        """The mean inverse propensity; None where nothing was explored."""
        found = [inverse for _, inverse in self.explored]
        return sum(found) / len(found) if found else None


@dataclass(frozen=True, slots=True)
class Side:
    """The rows of some users."""

    pairs: Outcome[Pair]
    unpaired: Outcome[Unpaired]


@dataclass(frozen=True, slots=True)
class Made:
    """All rows of some sessions, ready to be written."""

    train: Side
    held: Side
    report: Mapping[str, Any]


def make_pairs(
    sessions: Iterable[LoggedSession],
    retriever: Retriever,
    config: PairsConfig | None = None,
    caps: CapReport | None = None,
) -> Made:
    """Return the rows that sessions give.

    Args:
        caps: What limits did to the sessions before (`finetune.pairs.bounds`), for the report.

    Raises:
        DataError: If they are too few; says how many there are of each kind.
    """
    config = config or PairsConfig()
    catalog, gathered = Catalog(retriever), Gathered()
    for session in _watched(sessions):
        gathered.sessions += 1
        for found in rows_of(session, catalog, config):
            gathered.add(found)
    pairs = gathered.weighed()
    held = held_people(pairs, gathered.unpaired, config)
    train, apart = (
        Side(
            merged_pairs([row for row in pairs if (person(row) in held) is side]),
            merged_unpaired([row for row in gathered.unpaired if (person(row) in held) is side]),
        )
        for side in (False, True)
    )
    report = {**_report(gathered, train, apart, config), "caps": caps and _caps(caps)}
    _check_enough(report, config)
    return Made(train, apart, report)


def rows_of(
    session: LoggedSession, catalog: Catalog, config: PairsConfig
) -> Iterator[Pair | Unpaired | Choice | Dropped]:
    """Yield what one session gives.

    Where learning from any of its events was refused, the whole session teaches nothing.
    """
    if not may_teach(session):
        yield from (Dropped(kind, REFUSED) for kind in KINDS)
        return
    yield from plan_rows(session, catalog, config.prompt)
    yield from choices(session, catalog.facets)
    yield from explanation_rows(session, catalog, config.prompt)


def _watched(sessions: Iterable[LoggedSession]) -> Iterable[LoggedSession]:
    """Return sessions with a bar on stderr where somebody looks."""
    if not sys.stderr.isatty():
        return sessions
    from tqdm import tqdm

    bar: Iterable[LoggedSession] = tqdm(sessions, "sessions", unit="")
    return bar


def held_people(
    pairs: Sequence[Pair], unpaired: Sequence[Unpaired], config: PairsConfig
) -> frozenset[str]:
    """Return the keys of whose rows are held out: the same for the same key and seed.

    Where chance leaves a side without pairs, the nearest to the border changes it.
    """
    share = config.held_share
    people = {*map(person, pairs), *map(person, unpaired)}
    drawn = {key: _drawn(config.seed, key) for key in people}
    held = {key for key, number in drawn.items() if number < share}
    order = sorted({person(row) for row in pairs}, key=lambda key: drawn[key])
    if len(order) > 1 and 0 < share < 1:
        held |= set(order[:1])
        held -= set(order[-1:])
    return frozenset(held)


def _drawn(seed: int, key: str) -> float:
    return int(hashlib.sha256(f"{seed} {key}".encode()).hexdigest()[:12], 16) / 16**12


def _counts(rows: Iterable[Merged[Any]]) -> dict[str, int]:
    found = Counter(one.row.kind for one in rows)
    return {kind: found[kind] for kind in KINDS}


def _report(gathered: Gathered, train: Side, held: Side, config: PairsConfig) -> dict[str, Any]:
    dropped = Counter(gathered.dropped)
    for outcome in (train.pairs, train.unpaired, held.pairs, held.unpaired):
        dropped += outcome.dropped
    merged = sum(n for (_, reason), n in dropped.items() if reason == TWICE)
    ids = [one.row.id for side in (train, held) for one in side.pairs.rows]
    people = {person(source) for rows in _files(train, held).values() for one in rows
              for source in one.sources}  # fmt: skip
    return {
        "config": asdict(config),
        "sessions": gathered.sessions,
        "people": len(people),
        "pairs": {"train": _counts(train.pairs.rows), "held": _counts(held.pairs.rows)},
        "kto": {"train": _counts(train.unpaired.rows), "held": _counts(held.unpaired.rows)},
        "merged": merged,
        "in_both": len(ids) - len(set(ids)),
        "dropped": {
            kind: {reason: n for (of, reason), n in dropped.most_common()
                   if of == kind and reason != TWICE}
            for kind in KINDS
        },
        "weights": {"eta": ETA, "clip": CLIP, "passed": PASSED, "most": MOST_WEIGHT,
                    "explored": len(gathered.explored), "mean_inverse": gathered.mean_inverse},
        "hash": _hash(train, held),
    }  # fmt: skip


def _caps(caps: CapReport) -> dict[str, Any]:
    cuts = [asdict(cut) for cut in caps.cuts]
    return {"given": caps.given, "kept": caps.kept, "largest_share": caps.largest, "cuts": cuts,
            "suspects": list(caps.suspects)}  # fmt: skip


def _hash(train: Side, held: Side) -> str:
    digest = hashlib.sha256()
    for rows in _files(train, held).values():
        for one in rows:
            digest.update(f"{json.dumps(one.row.row(), sort_keys=True)}\n".encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _files(train: Side, held: Side) -> dict[str, list[Merged[Any]]]:
    rows: list[list[Merged[Any]]] = [
        [*train.pairs.rows], [*held.pairs.rows], [*train.unpaired.rows], [*held.unpaired.rows]
    ]  # fmt: skip
    return dict(zip(FILES, rows, strict=True))


def _check_enough(report: Mapping[str, Any], config: PairsConfig) -> None:
    pairs, alone = (report[name]["train"] for name in ("pairs", "kto"))
    if max(sum(pairs.values()), config.unpaired * sum(alone.values())) >= config.least:
        return
    told, told_alone = (", ".join(f"{of[kind]} {kind}" for kind in KINDS) for of in (pairs, alone))
    raise DataError(
        f"too few to learn from in {report['sessions']} sessions of {report['people']} people who "
        f"told anything: {sum(pairs.values())} pairs to train on ({told}), at least {config.least} "
        f"are needed; unpaired, for `attune tune kto`: {sum(alone.values())} ({told_alone})"
    )


def check_out(out: Path) -> None:
    """Refuse a folder that something else than pairs is in.

    Raises:
        DataError: Says what is in the way.
    """
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / REPORT).exists())):
        raise DataError(f"{str(out)!r} is there and is no folder of pairs: name another one")


def write_folder(out: Path, made: Made) -> None:
    """Write a folder of rows; one of an earlier run is replaced, once the new one is complete.

    Raises:
        DataError: If something else is in the way.
    """
    check_out(out)
    partial = out.with_name(f"{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    files = _files(made.train, made.held)
    for name, rows in files.items():
        if rows:
            write_made(partial / name, (one.row for one in rows))
    with (partial / LINEAGE).open("w", encoding="utf-8") as file:
        for name, rows in files.items():
            for one in rows:
                file.writelines(f"{json.dumps(line)}\n" for line in _lineage(name, one))
    text = json.dumps(made.report, indent=1, ensure_ascii=False)
    (partial / REPORT).write_text(text + "\n", "utf-8")
    if out.exists():
        shutil.rmtree(out)
    partial.replace(out)


def _lineage(file: str, one: Merged[Any]) -> Iterator[dict[str, Any]]:
    """Yield a line for each session that said what a row says."""
    events: dict[tuple[str, str | None], list[str]] = {}
    for source in one.sources:
        events.setdefault((source.session, source.user), []).extend(source.events)
    for (session, user), ids in events.items():
        yield {"id": one.row.id, "file": file, "session": session, "user": user,
               "events": list(dict.fromkeys(ids))}  # fmt: skip
