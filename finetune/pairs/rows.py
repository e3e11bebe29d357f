"""Rows of preferences as files hold them: pairs for DPO, unpaired verdicts for KTO.

The columns are TRL's conversational ones, with what a row is, weighs and comes from beside them.
A line that can't be used is told with its place and reason. This module does not know how rows
are made (`finetune.pairs.plans`, `choices`, `explanations`) or trained on (`finetune.preference`).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar, get_args

from finetune.errors import DataError
from finetune.training_data import SHOWN, Reject, numbered_lines, parse_row
from prompts import Message

Kind = Literal["plan", "choice", "explanation"]
KINDS: tuple[Kind, ...] = get_args(Kind)

Prompt: TypeAlias = tuple[Message, ...]


@dataclass(frozen=True, kw_only=True)
class _Row:
    """What every row has.

    Args:
        prompt: The messages exactly as they are sent at serving time.
        weight: How much the row counts, more than 0.
        session, user: Keys (`finetune.pairs.keys.key_of`), never ids; the first of several that
            said the same. All of them are in lineage.jsonl.
        events: Ids of the feedback events it was made from.
    """

    prompt: Prompt
    kind: Kind
    weight: float = 1.0
    session: str = ""
    user: str | None = None
    events: tuple[str, ...] = ()

    @property
    def bookkeeping(self) -> dict[str, Any]:
        """What a row holds beside TRL's columns."""
        return {"kind": self.kind, "weight": self.weight, "session": self.session,
                "user": self.user, "events": list(self.events)}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Pair(_Row):
    """An answer that is preferred to another one, and further answers that lost as well."""

    chosen: str
    rejected: str
    others: tuple[str, ...] = ()

    @cached_property
    def id(self) -> str:
        """Hash of what is learned: kind, prompt and answers."""
        return _hash(self.kind, self.prompt, self.chosen, self.rejected, list(self.others))

    def row(self) -> dict[str, Any]:
        """Return the row as JSON."""
        return {
            "prompt": [dict(one) for one in self.prompt], "chosen": _said(self.chosen),
            "rejected": _said(self.rejected), "others": [_said(one) for one in self.others],
            **self.bookkeeping, "id": self.id,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Unpaired(_Row):
    """An answer that was good, or was not, with none to compare it with."""

    completion: str
    label: bool

    @cached_property
    def id(self) -> str:
        """Hash of what is learned: kind, prompt, answer and label."""
        return _hash(self.kind, self.prompt, self.completion, self.label)

    def row(self) -> dict[str, Any]:
        """Return the row as JSON."""
        return {
            "prompt": [dict(one) for one in self.prompt], "completion": _said(self.completion),
            "label": self.label, **self.bookkeeping, "id": self.id,
        }  # fmt: skip


class Dropped(NamedTuple):
    """Feedback that no row was made of, and why."""

    kind: Kind
    reason: str


Made = TypeVar("Made", Pair, Unpaired)


def read_pairs(path: Path, aside: list[Reject] | None = None) -> list[Pair]:
    """Return the pairs of a JSONL file (also gzipped).

    Args:
        aside: Gets the lines that can't be used (`finetune.training_data.write_rejects` keeps
            them); without it, one such line is an error.

    Raises:
        DataError: If the file can't be read, or has no usable row; says what is wrong with it.
    """
    return _read(path, aside, parse_pair)


def read_unpaired(path: Path, aside: list[Reject] | None = None) -> list[Unpaired]:
    """Return the unpaired rows of a JSONL file; like `read_pairs`."""
    return _read(path, aside, parse_unpaired)


def _read(path: Path, aside: list[Reject] | None, parse: Any) -> list[Any]:
    rows: list[Any] = []
    rejects: list[Reject] = []
    for number, line in numbered_lines(path):
        try:
            rows.append(parse(line))
        except ValueError as error:
            text = line.decode("utf-8", "backslashreplace")
            rejects.append(Reject(str(path), number, str(error), text))
    if not rows or (rejects and aside is None):
        told = "; ".join(str(reject) for reject in rejects[:SHOWN]) or "it is empty"
        raise DataError(f"{len(rows)} usable and {len(rejects)} unusable rows in {str(path)!r}: "
                        f"{told}")  # fmt: skip
    if aside is not None:
        aside.extend(rejects)
    return rows


def parse_pair(line: bytes) -> Pair:
    """Return the pair on a line.

    Raises:
        ValueError: If it is none; says why.
    """
    data = _object(line)
    prompt, chosen = _answer(data, "chosen")
    rejected = _answer(data, "rejected")[1]
    others = data.get("others") or []
    if not isinstance(others, list):
        raise ValueError("'others' is no list: expected further rejected answers")
    lost = tuple(_answer({**data, "others": one}, "others")[1] for one in others)
    if chosen in (rejected, *lost):
        raise ValueError("the chosen answer is also a rejected one")
    pair = Pair(prompt=prompt, chosen=chosen, rejected=rejected, others=lost, **_bookkeeping(data))
    return _checked(pair, data)


def parse_unpaired(line: bytes) -> Unpaired:
    """Return the unpaired row on a line.

    Raises:
        ValueError: If it is none; says why.
    """
    data = _object(line)
    prompt, completion = _answer(data, "completion")
    if not isinstance(data.get("label"), bool):
        raise ValueError(f"'label' is {data.get('label')!r}: expected true or false")
    row = Unpaired(prompt=prompt, completion=completion, label=data["label"], **_bookkeeping(data))
    return _checked(row, data)


def _object(line: bytes) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(data, dict):
        raise ValueError(f"expected a JSON object, got {type(data).__name__}")
    return data


def _answer(data: Mapping[str, Any], name: str) -> tuple[Prompt, str]:
    """Return the prompt and one answer, checked as every row to train on is."""
    if name not in data:
        raise ValueError(f"has no {name!r}; it has {', '.join(map(repr, list(data)[:8]))}")
    given = {"prompt": data.get("prompt"), "completion": data[name]}
    try:
        row = parse_row(json.dumps(given).encode())
    except ValueError as error:
        raise ValueError(str(error).replace("completion", name)) from None
    answer = row["completion"]
    if isinstance(answer, str) or len(answer) != 1 or answer[0].get("content") is None:
        raise ValueError(f"{name!r} is not one message of the assistant's with text")
    prompt = tuple(Message(role=one["role"], content=one["content"]) for one in row["prompt"])
    return prompt, str(answer[0]["content"])


def _bookkeeping(data: Mapping[str, Any]) -> dict[str, Any]:
    kind, weight = data.get("kind"), data.get("weight", 1.0)
    session, user, events = data.get("session", ""), data.get("user"), data.get("events", [])
    if kind not in KINDS:
        raise ValueError(f"'kind' is {kind!r}: expected one of {', '.join(KINDS)}")
    numeric = isinstance(weight, int | float) and not isinstance(weight, bool)
    if not numeric or not math.isfinite(weight) or weight <= 0:
        raise ValueError(f"'weight' is {weight!r}: expected a number above 0")
    if not isinstance(session, str) or not isinstance(user, str | None):
        raise ValueError("'session' or 'user' is no text: expected keys")
    if not isinstance(events, list) or not all(isinstance(one, str) for one in events):
        raise ValueError("'events' is no list of ids")
    return {"kind": kind, "weight": float(weight), "session": session, "user": user,
            "events": tuple(events)}  # fmt: skip


def _checked(row: Made, data: Mapping[str, Any]) -> Made:
    if data.get("id", row.id) != row.id:
        raise ValueError(
            "its 'id' is not the hash of its content: it was changed since it was made"
        )
    return row


def write_made(path: Path, rows: Iterable[Pair | Unpaired]) -> int:
    """Write rows as JSON lines, put in place when they are complete; return how many."""
    count = 0
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row.row(), ensure_ascii=False) + "\n")
            count += 1
    partial.replace(path)
    return count


def _said(text: str) -> list[Message]:
    return [Message(role="assistant", content=text)]


def _hash(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
