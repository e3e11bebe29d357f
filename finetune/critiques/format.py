"""The file of a critique benchmark: a header line, then one case a line. See docs/critiques.md.

Values, and how they are read and written; knows no catalog, no index and no system.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from finetune.errors import LabelError
from retrieval.catalog import Item

FORMAT = 1

Kind = Literal["change", "negate", "relative", "several", "change+negate"]
KINDS: tuple[Kind, ...] = ("change", "negate", "relative", "several", "change+negate")
Direction = Literal["up", "down"]


class _Line(BaseModel):
    """Base of every line: frozen, and nothing in it that the format does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Edits(_Line):
    """What a critique asks for beside a reference; every part must hold.

    Args:
        change: Facet to values of which an item must have one.
        negate: Facet to values of which an item must have none.
        relative: Facet to the side of the reference's own value on which an item's must lie.
    """

    change: dict[str, tuple[str, ...]] = {}
    negate: dict[str, tuple[str, ...]] = {}
    relative: dict[str, Direction] = {}

    @property
    def facets(self) -> tuple[str, ...]:
        """The facets that are edited."""
        return (*self.change, *self.negate, *self.relative)


class Case(Edits):
    """One critique of one item, and what a good answer is.

    Args:
        text: The critique as a person types it, the reference on the screen.
        keep: Facets that should stay, with the weight of each.
        satisfying: How many items other than the reference satisfy every edit.
        best: The keep scores of the five best of those, highest first; fewer where there are fewer.
        gold: Ids of the items that satisfy every edit and keep about as much as is possible.
    """

    id: str
    kind: Kind
    reference: str
    text: str
    keep: dict[str, float]
    satisfying: int
    best: tuple[float, ...]
    gold: tuple[str, ...]

    @model_validator(mode="after")
    def _complete(self) -> Case:
        missing = [name for name in ("keep", "best", "gold") if not getattr(self, name)]
        missing += [] if self.facets else ["change, negate or relative"]
        if missing:
            raise ValueError(f"case {self.id!r} has no {', '.join(missing)}")
        return self


class Header(_Line):
    """The first line: which format, of which catalog, made how."""

    format: Literal["attune-critiques"] = "attune-critiques"
    version: int = FORMAT
    catalog: str
    items: int
    hash: str
    seed: int
    cases: int


Line = TypeVar("Line", bound=_Line)


class Answer(_Line):
    """What a system outside answers a case with: item ids, best first."""

    id: str
    items: tuple[str, ...]


def catalog_hash(items: Iterable[Item]) -> str:
    """Return the SHA-256 of a catalog: ids, titles and fields, in order of id."""
    digest = hashlib.sha256()
    for item in sorted(items, key=lambda one: one.id):
        row = [item.id, item.title, dict(item.fields)]
        digest.update(json.dumps(row, sort_keys=True, separators=(",", ":")).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def write_cases(path: Path, header: Header, cases: Sequence[Case]) -> None:
    """Write a header and its cases as JSONL."""
    lines = [_dumped(header), *(_dumped(case) for case in cases)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _dumped(line: _Line) -> str:
    return json.dumps(line.model_dump(mode="json"), ensure_ascii=False)


def read_cases(path: Path) -> tuple[Header, list[Case]]:
    """Return the header and the cases of a file.

    Raises:
        LabelError: If a line is not what the format says: names file, line and field.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines:
        raise LabelError(f"{path.name} is empty; expected a header line and one case a line")
    first = _parsed(lines[0], f"{path.name}:1")
    if first.get("format") != "attune-critiques" or first.get("version") != FORMAT:
        raise LabelError(
            f"{path.name}:1: expected a header with format 'attune-critiques', version {FORMAT}; "
            f"got format {first.get('format')!r}, version {first.get('version')!r}"
        )
    header = _valid(Header, first, f"{path.name}:1")
    cases, seen = [], set[str]()
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        where = f"{path.name}:{number}"
        case = _valid(Case, _parsed(line, where), where)
        if case.id in seen:
            raise LabelError(f"{where}: case {case.id!r} is there twice; ids must differ")
        seen.add(case.id)
        cases.append(case)
    if len(cases) != header.cases:
        raise LabelError(
            f"{path.name}: the header says {header.cases} cases, the file has {len(cases)}; "
            "it is cut off or was edited"
        )
    return header, cases


def read_answers(path: Path, cases: Sequence[Case]) -> dict[str, tuple[str, ...]]:
    """Return the answers of a file, one `{"id": …, "items": […]}` a line, by id of the case.

    Raises:
        LabelError: If a line is no answer, or there is not one for each case.
    """
    found: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            where = f"{path.name}:{number}"
            answer = _valid(Answer, _parsed(line, where), where)
            found[answer.id] = answer.items
    missing = [case.id for case in cases if case.id not in found]
    if missing:
        raise LabelError(
            f"{path.name}: no answer to {missing[0]!r} and {len(missing) - 1} other cases; "
            f"expected a line for each of the {len(cases)}, with an empty list where there is none"
        )
    return found


def _parsed(line: str, where: str) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except json.JSONDecodeError as error:
        raise LabelError(f"{where}: expected one JSON object a line: {error}") from error
    if not isinstance(data, dict):
        raise LabelError(f"{where}: expected a JSON object, got {line[:60]!r}")
    return data


def _valid(kind: type[Line], data: dict[str, Any], where: str) -> Line:
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"]) or "the case"
        raise LabelError(f"{where}: {first['msg']} at {at}, got {first['input']!r}") from error
