"""Rows to train on, in TRL's own formats: read, checked one by one, hashed, split and written.

A row is a JSON object on its own line: `{"messages": […]}` or `{"prompt": …, "completion": …}`,
both as text or both as messages; `tools` and `chat_template_kwargs` go to the chat template, other
keys are left alone. A row that can't be used is listed with its line and the reason, and kept
aside. This module does not know tokenizers (`finetune.encoding`) or what the rows are about.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from finetune.errors import DataError

Message: TypeAlias = Mapping[str, Any]
Text: TypeAlias = str | Sequence[Message]

ROLES = ("system", "developer", "user", "assistant", "tool")
SHOWN = 5
"""How many rejected rows an error names before it refers to the rest."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as TRL reads it, and where it stands."""

    content: Mapping[str, Any]
    file: str
    line: int

    @property
    def conversational(self) -> bool:
        """Whether it holds messages, not bare text."""
        return "messages" in self.content or not isinstance(self.content["prompt"], str)

    @property
    def exchanges(self) -> list[tuple[Text, Text]]:
        """What is shown and what is to be answered; once for each answer among messages."""
        if "messages" not in self.content:
            return [(self.content["prompt"], self.content["completion"])]
        messages = self.content["messages"]
        answers = [place for place, one in enumerate(messages) if one["role"] == "assistant"]
        return [(messages[:place], messages[place : place + 1]) for place in answers]

    @property
    def template(self) -> dict[str, Any]:
        """What its chat template is given besides messages."""
        tools = {"tools": self.content["tools"]} if "tools" in self.content else {}
        return {**tools, **self.content.get("chat_template_kwargs", {})}

    @property
    def text(self) -> str:
        """The row as canonical JSON."""
        return json.dumps(self.content, sort_keys=True, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that can't be used: where it stands, why, and the line as it was."""

    file: str
    line: int
    reason: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The rows of some files, those that were refused, and what identifies the rest."""

    rows: tuple[Row, ...]
    rejects: tuple[Reject, ...]
    hash: str


def read_rows(paths: Sequence[Path]) -> TrainingData:
    """Return the rows of JSONL files (also gzipped).

    Raises:
        DataError: If a file can't be read, or holds no usable row.
    """
    rows: list[Row] = []
    rejects: list[Reject] = []
    for path in paths:
        for number, line in numbered_lines(path):
            try:
                rows.append(Row(parse_row(line), str(path), number))
            except ValueError as error:
                text = line.decode("utf-8", "backslashreplace")
                rejects.append(Reject(str(path), number, str(error), text))
    if not rows:
        names = ", ".join(repr(str(path)) for path in paths) or "no file"
        told = "".join(f"; {reject}" for reject in rejects[:SHOWN])
        raise DataError(
            f"no usable row in {names}: expected JSON lines with 'messages', or 'prompt' and"
            f" 'completion'{told}"
        )
    return TrainingData(tuple(rows), tuple(rejects), content_hash(rows))


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file (also gzipped) that are not blank, numbered from 1.

    They are bytes, so that one broken character costs one row.

    Raises:
        DataError: If the file can't be read.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                bare = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if bare.strip():
                    yield number, bare.strip()
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot read {str(path)!r}: {reason}; expected a JSONL file") from error


def parse_row(line: bytes) -> dict[str, Any]:
    """Return the row on a line, as TRL reads it.

    Raises:
        ValueError: If it can't be used; says why.
    """
    try:
        data = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(data, dict):
        raise ValueError(f"expected a JSON object, got {_kind(data)}")
    _check_text(data)
    if "messages" in data and ("prompt" in data or "completion" in data):
        raise ValueError("has both 'messages' and 'prompt' or 'completion': expected one of them")
    if "messages" in data:
        _check_conversation(data["messages"])
        return {"messages": data["messages"], **_template(data)}
    _check_pair(data)
    return {"prompt": data["prompt"], "completion": data["completion"], **_template(data)}


def _check_conversation(value: Any) -> None:
    roles = _messages(value, "messages")
    if roles[-1] != "assistant":
        raise ValueError(
            f"the last of 'messages' has role {roles[-1]!r}: expected 'assistant', whose answer is"
            " learned"
        )
    if roles[0] == "assistant":
        raise ValueError("'messages' starts with the assistant: expected something to answer")


def _check_pair(data: dict[str, Any]) -> None:
    missing = [key for key in ("prompt", "completion") if key not in data]
    if missing:
        has = ", ".join(repr(key) for key in list(data)[:8]) or "nothing"
        raise ValueError(f"has no {' and no '.join(map(repr, missing))}; it has {has}")
    prompt, completion = data["prompt"], data["completion"]
    if isinstance(prompt, str) and isinstance(completion, str):
        empty = [name for name in ("prompt", "completion") if not data[name].strip()]
        if empty:
            raise ValueError(f"{empty[0]!r} is empty")
    elif isinstance(prompt, str) or isinstance(completion, str):
        raise ValueError(
            f"'prompt' is {_kind(prompt)} and 'completion' is {_kind(completion)}: expected both"
            " as text or both as messages"
        )
    else:
        _messages(prompt, "prompt")
        wrong = [role for role in _messages(completion, "completion") if role != "assistant"]
        if wrong:
            raise ValueError(f"'completion' has role {wrong[0]!r}: expected only 'assistant'")


def _messages(value: Any, name: str) -> list[str]:
    """Return the roles of messages, after checking each."""
    if not isinstance(value, list) or not value:
        raise ValueError(f"{name!r} is {_kind(value)}: expected a list of messages")
    for place, message in enumerate(value):
        at = f"{name}[{place}]"
        if not isinstance(message, dict):
            raise ValueError(f"{at} is {_kind(message)}: expected an object with role and content")
        role, content = message.get("role"), message.get("content")
        if role not in ROLES:
            raise ValueError(f"{at}.role is {role!r}: expected one of {', '.join(ROLES)}")
        if role == "assistant" and content is None and message.get("tool_calls"):
            continue
        if not isinstance(content, str):
            raise ValueError(f"{at}.content is {_kind(content)}: expected text")
        if role == "assistant" and not content.strip():
            raise ValueError(f"{at}.content is empty: the model would learn to say nothing")
    return [message["role"] for message in value]


def _template(data: dict[str, Any]) -> dict[str, Any]:
    """Return what the row gives its chat template besides messages."""
    given = {}
    for name, kind, expected in (
        ("tools", list, "a list"),
        ("chat_template_kwargs", dict, "an object"),
    ):
        if data.get(name) is not None:
            if not isinstance(data[name], kind):
                raise ValueError(f"{name!r} is {_kind(data[name])}: expected {expected}")
            given[name] = data[name]
    return given


def _check_text(data: dict[str, Any]) -> None:
    """Refuse half of a surrogate pair, which JSON can escape and no tokenizer can read."""
    try:
        json.dumps(data, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("has half of a surrogate pair (\\ud800 to \\udfff)") from error


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    if isinstance(value, list) and not value:
        return "an empty list"
    return names.get(type(value), "a number")


def content_hash(rows: Iterable[Row]) -> str:
    """Return the SHA-256 of rows in their order; how the files wrote them does not matter."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(f"{row.text}\n".encode())
    return digest.hexdigest()


def split(rows: Sequence[Row], share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """Return rows to train on and rows held out, about a share of them.

    Rows with the same prompt stay on the same side, and a row's side does not depend on its place.
    """
    places: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        prompt = row.exchanges[-1][0]
        text = json.dumps([seed, prompt], sort_keys=True, ensure_ascii=False)
        places.setdefault(hashlib.sha256(text.encode()).hexdigest(), []).append(place)
    wanted = max(1, round(share * len(rows))) if share > 0 else 0
    held: set[int] = set()
    for key in sorted(places)[:-1]:  # one prompt always stays to train on
        if len(held) >= wanted:
            break
        held.update(places[key])
    train = [row for place, row in enumerate(rows) if place not in held]
    return train, [rows[place] for place in sorted(held)]


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as JSON lines that TRL and `read_rows` read; return how many.

    Raises:
        DataError: If a row is one that `read_rows` would refuse.
    """
    count = 0
    with path.open("wb") as file:
        for count, row in enumerate(rows, start=1):
            line = json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass")
            try:
                parse_row(line)
            except ValueError as error:
                raise DataError(f"row {count} for {str(path)!r}: {error}") from error
            file.write(line + b"\n")
    return count


def write_rejects(folder: Path, rejects: Sequence[Reject]) -> list[Path]:
    """Keep rejected rows aside, one NAME.rejects.jsonl for each file; return what was written."""
    by_file: dict[str, list[Reject]] = {}
    for reject in rejects:
        by_file.setdefault(reject.file, []).append(reject)
    written: list[Path] = []
    for file, refused in by_file.items():
        folder.mkdir(parents=True, exist_ok=True)
        stem = Path(file).name.removesuffix(".gz").removesuffix(".jsonl")
        path = folder / f"{stem}.rejects.jsonl"
        if path in written:  # two files of one name in different folders
            path = folder / f"{stem}.{len(written)}.rejects.jsonl"
        lines = [{"line": one.line, "reason": one.reason, "row": one.text} for one in refused]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        path.write_text(text, "utf-8")
        written.append(path)
    return written
