"""Sessions as files: a JSON object a line (also gzipped), or Parquet with a row for each session.

Parquet has scalar columns to count and filter by, and the nested parts as JSON text, so that
pandas, datasets and DuckDB read it without knowing Attune. What cannot be read is told with its
line and reason, and kept aside; a session given twice counts once. This module knows no store and
does not judge whether a session can have happened (`agent.store.Store.add_session` does).
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

from pydantic import ValidationError

from agent.feedback import FeedbackEvent
from agent.logged import LoggedSession
from finetune.errors import DataError
from finetune.training_data import Reject, numbered_lines

NESTED = ("turns", "slates", "events")
"""Parts that are JSON text in Parquet, under these names."""

ENDINGS = (".jsonl", ".jsonl.gz", ".parquet")
BATCH = 500
"""Sessions in a row group of Parquet, all in memory at once."""

Read: TypeAlias = LoggedSession | FeedbackEvent | Reject


@dataclass(frozen=True, slots=True)
class ReadSessions:
    """The sessions of a file, in its order, and the lines that hold none."""

    sessions: tuple[LoggedSession, ...]
    rejects: tuple[Reject, ...]


def ending(path: Path) -> str:
    """Return what kind of file a name means; DataError where it means none."""
    for one in ENDINGS:
        if path.name.endswith(one):
            return one
    raise DataError(f"{str(path)!r}: expected a name that ends in {', '.join(ENDINGS)}")


def write_sessions(path: Path, sessions: Iterable[LoggedSession]) -> int:
    """Write sessions as they come; return how many. A file of this name is replaced in the end.

    Raises:
        DataError: If the name has none of the endings, or the file can't be written.
    """
    writer = _write_parquet if ending(path) == ".parquet" else _write_lines
    scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        count = writer(scratch, sessions, path.suffix == ".gz")
        scratch.replace(path)
    except OSError as error:
        raise DataError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
    finally:
        scratch.unlink(missing_ok=True)
    return count


def read_sessions(path: Path) -> ReadSessions:
    """Return the sessions of a file, each once, and what could not be read.

    Raises:
        DataError: If the file can't be read at all.
    """
    sessions: dict[str, LoggedSession] = {}
    rejects: list[Reject] = []
    for number, one in read_each(path):
        match one:
            case Reject():
                rejects.append(one)
            case LoggedSession() if sessions.setdefault(one.id, one) == one:
                pass
            case LoggedSession():
                reason = f"session {one.id!r} was given before, with other content"
                rejects.append(Reject(str(path), number, reason, one.model_dump_json()))
            case FeedbackEvent():
                reason = "a feedback event, expected a session; `attune feedback import` takes both"
                rejects.append(Reject(str(path), number, reason, one.model_dump_json()))
    return ReadSessions(tuple(sessions.values()), tuple(rejects))


def read_each(path: Path) -> Iterator[tuple[int, Read]]:
    """Yield what each line or row of a file holds: its number from 1, and what it is or why not.

    Raises:
        DataError: If the file can't be read at all.
    """
    rows = _parquet_rows(path) if ending(path) == ".parquet" else _lines(path)
    for number, line in rows:
        try:
            yield number, _parse(line)
        except ValueError as error:
            text = line.decode("utf-8", "backslashreplace")
            yield number, Reject(str(path), number, _told(error), text)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        yield from numbered_lines(path)
    except zlib.error as error:
        raise DataError(f"cannot read {str(path)!r}: {error}; expected gzip") from error


def _parse(line: bytes) -> LoggedSession | FeedbackEvent:
    """Return what a line holds; ValueError says why it holds nothing."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(data, dict):
        raise ValueError(f"expected a session or a feedback event, got {line[:60].decode()!r}")
    model: type[FeedbackEvent | LoggedSession]
    model = FeedbackEvent if "slate_id" in data else LoggedSession
    # Once more from the text: JSON's numbers and lists are then read as such, strictly.
    return model.model_validate_json(line)


def _told(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"])) or "line"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{place}: {first['msg'].removeprefix('Value error, ')}{more}"


def _write_lines(path: Path, sessions: Iterable[LoggedSession], zipped: bool) -> int:
    count = 0
    with _opened(path, zipped) as file:
        for session in sessions:
            file.write(session.model_dump_json().encode() + b"\n")
            count += 1
    return count


@contextmanager
def _opened(path: Path, zipped: bool) -> Iterator[IO[bytes]]:
    with path.open("wb") as raw:
        # No name and time in the head: the same sessions give the same file.
        if zipped:
            with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
                yield cast(IO[bytes], file)
        else:
            yield raw
        raw.flush()
        os.fsync(raw.fileno())


def _schema() -> Any:
    import pyarrow as pa

    counts = [(f"{name}_count", pa.int32()) for name in (*NESTED, "consented")]
    text = [(name, pa.large_string()) for name in NESTED]
    own = [("id", pa.string()), ("user", pa.string()), ("created", pa.timestamp("us", "UTC"))]
    return pa.schema([*own, *counts, *text])


def _columns(session: LoggedSession) -> dict[str, Any]:
    """Return a session as a row of Parquet."""
    parts = json.loads(session.model_dump_json(include=set(NESTED)))
    return {
        "id": session.id,
        "user": session.user,
        "created": session.created,
        **{f"{name}_count": len(parts[name]) for name in NESTED},
        "consented_count": sum(event.consent for event in session.events),
        **{name: json.dumps(parts[name], ensure_ascii=False) for name in NESTED},
    }


def _write_parquet(path: Path, sessions: Iterable[LoggedSession], zipped: bool) -> int:
    import pyarrow as pa
    from pyarrow import parquet

    count, schema = 0, _schema()
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in _batches(map(_columns, sessions)):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
            count += len(batch)
    return count


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _parquet_rows(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield each row of a Parquet file as a line of JSON."""
    import pyarrow as pa
    from pyarrow import parquet

    wanted = ["id", "user", "created", *NESTED]
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            missing = [name for name in wanted if name not in file.schema_arrow.names]
            if missing:
                raise DataError(
                    f"{str(path)!r} has no column {', '.join(map(repr, missing))}; it has "
                    f"{', '.join(map(repr, file.schema_arrow.names))}: no sessions"
                )
            for batch in file.iter_batches(BATCH, columns=wanted):
                for row in batch.to_pylist():
                    number += 1
                    yield number, _line(row)
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"cannot read {str(path)!r}: {reason}; expected Parquet") from error


def _line(row: Mapping[str, Any]) -> bytes:
    own = {name: row[name] for name in ("id", "user", "created")}
    head = json.dumps(own, default=lambda time: time.isoformat(), ensure_ascii=False)
    parts = "".join(f", {json.dumps(name)}: {row[name]}" for name in NESTED)
    return f"{head[:-1]}{parts}}}".encode("utf-8", "surrogatepass")
