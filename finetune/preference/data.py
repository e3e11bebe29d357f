"""Rows of preferences on their way to training: files, kinds, replay, tokens, lineage.

A folder stands for the files that `attune feedback pairs` writes into it. A row is never cut: one
that is too long is listed with its reason, like one that can't be read. This module knows no
trainer and no loss.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

from finetune.encoding import Example, Tokenizer, example
from finetune.errors import DataError
from finetune.pairs.rows import Kind, Pair, Unpaired, parse_pair, parse_unpaired
from finetune.training_data import Reject, Row, numbered_lines, parse_row

FEWEST = 20
"""Rows below which training would learn the few sentences and nothing else."""
SHOWN = 3
REPLAY = "replay"
"""Kind of the groups that are only there to be kept as they are."""

Answer: TypeAlias = Pair | Unpaired
Made = TypeVar("Made", Pair, Unpaired)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where rows come from.

    Args:
        data: Folders of pairs, or JSONL files of rows.
        held: Files to evaluate on, beside those of the folders.
        kinds: Only rows of these kinds; by default all.
        replay: Files of earlier rounds, of pairs or of answers, mixed in against forgetting.
        strict: Whether all rows must be usable.
    """

    data: tuple[Path, ...]
    held: tuple[Path, ...] = ()
    kinds: tuple[Kind, ...] = ()
    replay: tuple[Path, ...] = ()
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Placed(Generic[Made]):
    """A row and where it stands."""

    row: Made
    file: str
    line: int

    def reject(self, reason: str) -> Reject:
        """Return it as one that can't be used."""
        return Reject(self.file, self.line, reason, json.dumps(self.row.row(), ensure_ascii=False))


@dataclass(slots=True)
class Collected(Generic[Made]):
    """What the files hold: rows by use, and what was refused."""

    train: list[Placed[Made]] = field(default_factory=list)
    held: list[Placed[Made]] = field(default_factory=list)
    replay: list[Placed[Made]] = field(default_factory=list)
    answers: list[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Group:
    """A prompt with its answers, each as tokens of both.

    Args:
        answers: The preferred one first; one alone is to be learned as it is. For an unpaired row
            its own, then another row's answer to the same prompt.
        label: Whether an unpaired answer was good.
        owner: Key of the user, or else of the session.
    """

    answers: tuple[Example, ...]
    kind: str
    weight: float = 1.0
    owner: str = ""
    label: bool | None = None

    @property
    def tokens(self) -> int:
        """Number of tokens of all sequences."""
        return sum(one.tokens for one in self.answers)

    @property
    def learned(self) -> int:
        """Number of tokens that count for the loss."""
        return sum(one.learned for one in self.answers)

    @property
    def longest(self) -> int:
        """Number of tokens of the longest sequence."""
        return max(one.tokens for one in self.answers)


def collect_pairs(sources: Sources) -> Collected[Pair]:
    """Return the pairs of some sources.

    Raises:
        DataError: If a file can't be read, or there are too few rows: says how many are needed.
    """
    return _collect(sources, ("train.jsonl", "held.jsonl"), parse_pair)


def collect_unpaired(sources: Sources) -> Collected[Unpaired]:
    """Return the unpaired rows of some sources; like `collect_pairs`."""
    return _collect(sources, ("kto_train.jsonl", "kto_held.jsonl"), parse_unpaired)


def _collect(
    sources: Sources, names: tuple[str, str], parse: Callable[[bytes], Made]
) -> Collected[Made]:
    found: Collected[Made] = Collected()
    for path in sources.data:
        files = [path / name for name in names] if path.is_dir() else [path]
        if path.is_dir() and not files[0].is_file():
            raise DataError(f"{str(path)!r} holds no {names[0]}: expected a folder that `attune"
                            " feedback pairs` wrote, or a JSONL file")  # fmt: skip
        found.train += _read(files[0], parse, found.rejects, sources.kinds)
        if len(files) > 1 and files[1].is_file():
            found.held += _read(files[1], parse, found.rejects, sources.kinds)
    for path in sources.held:
        found.held += _read(path, parse, found.rejects, sources.kinds)
    for path in sources.replay:
        _read_replay(path, parse, found)
    if sources.strict and found.rejects:
        told = "; ".join(map(str, found.rejects[:SHOWN]))
        raise DataError(f"{len(found.rejects)} rows can't be used: {told}")
    check_enough(len(found.train), sources, found.rejects)
    return found


def check_enough(count: int, sources: Sources, rejects: Sequence[Reject]) -> None:
    """Refuse to train on a handful of rows.

    Raises:
        DataError: Says how many there are and how many are needed.
    """
    if count >= FEWEST:
        return
    what = f" of kind {' or '.join(sources.kinds)}" if sources.kinds else ""
    names = ", ".join(repr(str(path)) for path in sources.data)
    told = "".join(f"; {reject}" for reject in rejects[:SHOWN])
    raise DataError(
        f"{count} usable rows{what} in {names}: at least {FEWEST} are needed, collect more"
        f" feedback{told}"
    )


def _read(
    path: Path, parse: Callable[[bytes], Made], rejects: list[Reject], kinds: Sequence[str]
) -> list[Placed[Made]]:
    rows = []
    for number, line in numbered_lines(path):
        try:
            row = parse(line)
        except ValueError as error:
            rejects.append(_rejected(path, number, line, error))
            continue
        if not kinds or row.kind in kinds:
            rows.append(Placed(row, str(path), number))
    return rows


def _rejected(path: Path, number: int, line: bytes, error: ValueError) -> Reject:
    return Reject(str(path), number, str(error), line.decode("utf-8", "backslashreplace"))


def _read_replay(path: Path, parse: Callable[[bytes], Made], found: Collected[Made]) -> None:
    """Read rows of preferences, or of answers to be given as before."""
    for number, line in numbered_lines(path):
        try:
            if _is_preference(line):
                found.replay.append(Placed(parse(line), str(path), number))
            else:
                found.answers.append(Row(parse_row(line), str(path), number))
        except ValueError as error:
            found.rejects.append(_rejected(path, number, line, error))


def _is_preference(line: bytes) -> bool:
    try:
        data = json.loads(line)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from error
    return isinstance(data, dict) and ("chosen" in data or "label" in data)


def hash_rows(found: Collected[Made]) -> str:
    """Return the SHA-256 of what is learned from, in its order."""
    digest = hashlib.sha256()
    for placed in (*found.train, *found.replay):
        digest.update(f"{placed.row.id} {placed.row.weight!r}\n".encode())
    for row in found.answers:
        digest.update(f"{row.text}\n".encode())
    return digest.hexdigest()


def hash_held(found: Collected[Made]) -> str:
    """Return the SHA-256 of what is evaluated on."""
    ids = "".join(f"{placed.row.id}\n" for placed in found.held)
    return hashlib.sha256(ids.encode()).hexdigest()


def count_kinds(rows: Sequence[Placed[Made]]) -> dict[str, int]:
    """Return how many rows there are of each kind."""
    return dict(sorted(Counter(placed.row.kind for placed in rows).items()))


def pair_groups(
    rows: Sequence[Placed[Pair]], tokenizer: Tokenizer, longest: int, most: int,
    rejects: list[Reject],
) -> list[Group]:  # fmt: skip
    """Return pairs as tokens; those that are too long are added to the rejects.

    Args:
        most: Rejected answers of a pair that are kept.
    """
    groups = []
    for placed in rows:
        pair = placed.row
        answers = (pair.chosen, pair.rejected, *pair.others)[: most + 1]
        try:
            tokens = tuple(_fitting(pair.prompt, one, tokenizer, longest) for one in answers)
        except ValueError as error:
            rejects.append(placed.reject(str(error)))
            continue
        groups.append(Group(tokens, pair.kind, pair.weight, pair.user or pair.session))
    return groups


def unpaired_groups(
    rows: Sequence[Placed[Unpaired]], tokenizer: Tokenizer, longest: int, batch: int,
    rejects: list[Reject],
) -> list[Group]:  # fmt: skip
    """Return unpaired rows as tokens, each with the answer of its neighbour.

    The neighbour's answer to the row's prompt estimates how far the model has moved altogether
    (Ethayarajh et al. 2024, section 4.1): batches are formed of rows in this order, and each takes
    the answer of the one before it in its batch, as TRL does.
    """
    fitting = []
    for placed in rows:
        try:
            own = _fitting(placed.row.prompt, placed.row.completion, tokenizer, longest)
        except ValueError as error:
            rejects.append(placed.reject(str(error)))
            continue
        fitting.append((placed.row, own))
    groups = []
    for at, (row, own) in enumerate(fitting):
        first = at - at % batch
        last = min(first + batch, len(fitting)) - 1
        other = fitting[at - 1 if at > first else last][0]
        answers = [own, example(row.prompt, _said(other.completion), tokenizer)]
        groups.append(Group(tuple(answers), row.kind, row.weight, row.user or row.session,
                            row.label))  # fmt: skip
    return groups


def answer_groups(
    rows: Sequence[Row], tokenizer: Tokenizer, longest: int, rejects: list[Reject]
) -> list[Group]:
    """Return answers of earlier rounds as tokens, to be given as they are."""
    groups = []
    for row in rows:
        try:
            found = [example(*one, tokenizer, row.template) for one in row.exchanges]
            for one in found:
                _check_length(one, longest)
        except ValueError as error:
            rejects.append(Reject(row.file, row.line, str(error), row.text))
            continue
        groups += [Group((one,), REPLAY) for one in found]
    return groups


def _fitting(prompt: Any, answer: str, tokenizer: Tokenizer, longest: int) -> Example:
    found = example(prompt, _said(answer), tokenizer)
    _check_length(found, longest)
    return found


def _said(answer: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": answer}]


def _check_length(found: Example, longest: int) -> None:
    if found.tokens > longest:
        raise ValueError(
            f"{found.tokens} tokens, more than the maximum length of {longest}; it is not cut"
        )
