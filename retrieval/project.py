"""A project directory: the files beside the index, and the manifest that names them.

manifest.json   format, catalog name, encoder, dimension, currency, what made it; written last
mapping.toml    how the columns were read
facets.json     the facets, and the index version they were counted at
rejects.csv     rows that were not taken, with the reason
words.json      words of the catalog, for the spelling of queries
fusion.json     how rankings are weighed, where that was tuned
items.db        items and vectors-N.f32 (`retrieval.store`); columns.npz and bm25/ are caches
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

from retrieval.catalog import Facet
from retrieval.errors import IndexError_
from retrieval.fusion import PRIOR, Fusion
from retrieval.store import meta_of
from retrieval.texts import TEXT_FORMAT
from retrieval.vector_file import sync_folder

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a project is.

    Args:
        leading: Facets that come first in the text the encoder sees.
        text_format: Version of that text.
        created_by: Name and version of the program that wrote it.
        engine: What searches the items (`retrieval.engines`).
        url, collection: Where that engine's server is, without any password, and the name there.
    """

    name: str
    encoder: str
    dimension: int
    currency: str | None = None
    leading: tuple[str, ...] = ()
    text_format: int = TEXT_FORMAT
    created_by: str = ""
    engine: str = "exact"
    url: str = ""
    collection: str = ""
    format: int = FORMAT


def created_by() -> str:
    """Return the name and version of this program."""
    return f"attune {version('attune')}"


def replace_file(path: Path, text: str) -> None:
    """Write a file in one step: after a crash the old one or the new one is there."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with scratch.open("w", encoding="utf-8", errors="replace", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
        sync_folder(path.parent)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise IndexError_(f"cannot write {str(path)!r}: {error}") from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, which makes the folder a project."""
    replace_file(folder / "manifest.json", json.dumps(asdict(manifest), indent=2) + "\n")


def has_manifest(folder: Path) -> bool:
    """Return whether a folder is a finished project."""
    return (folder / "manifest.json").is_file()


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a project; which encoder there is, the store of the items says.

    Raises:
        IndexError_: If there is none, it is broken, or a newer version wrote it.
    """
    data = _read_json(folder / "manifest.json", folder)
    if not isinstance(data, dict) or not isinstance(data.get("format"), int):
        raise IndexError_(f"{str(folder / 'manifest.json')!r} is not a manifest; index again")
    if data["format"] > FORMAT:
        raise IndexError_(
            f"the project at {str(folder)!r} has format {data['format']} (made by "
            f"{data.get('created_by')!r}), this version reads up to {FORMAT}; use a newer attune, "
            f"or index the catalog again into another folder"
        )
    known = {field.name for field in fields(Manifest)}
    stored = meta_of(folder)
    data |= {key: stored[key] for key in ("encoder", "dimension") if key in stored}
    try:
        return Manifest(
            **{key: value for key, value in data.items() if key in known - {"leading"}},
            leading=tuple(data.get("leading", ())),
        )
    except TypeError as error:
        raise IndexError_(f"the manifest in {str(folder)!r} is incomplete: {error}") from error


def write_fusion(folder: Path, fusion: Fusion) -> None:
    """Write how the rankings of this catalog are weighed."""
    replace_file(folder / "fusion.json", json.dumps(asdict(fusion), indent=2) + "\n")


def has_fusion(folder: Path) -> bool:
    """Return whether the rankings of this catalog were weighed."""
    return (folder / "fusion.json").is_file()


def read_fusion(folder: Path) -> Fusion:
    """Return how the rankings of this catalog are weighed; as any starts where none was tuned.

    Raises:
        IndexError_: If the file is broken.
    """
    if not (folder / "fusion.json").is_file():
        return PRIOR
    data = _read_json(folder / "fusion.json", folder)
    try:
        return Fusion(**data)
    except (TypeError, ValueError) as error:
        raise IndexError_(
            f"{str(folder / 'fusion.json')!r} is broken ({error}); delete it, or tune again"
        ) from error


def _read_json(path: Path, folder: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        unfinished = (folder / "items.db").exists()
        reason = "indexing it was not finished" if unfinished else f"{path.name} is missing"
        raise IndexError_(
            f"no project at {str(folder)!r}: {reason}; run attune index FILE --out {folder}"
        ) from error
    except (OSError, ValueError) as error:
        raise IndexError_(f"cannot read {str(path)!r}: {error}; index the catalog again") from error


def write_facets(folder: Path, facets: Sequence[Facet], counted_at: int) -> None:
    """Write the facets, as counted at a version of the index."""
    data = {"counted_at": counted_at, "facets": [asdict(facet) for facet in facets]}
    replace_file(folder / "facets.json", json.dumps(data))


def read_facets(folder: Path) -> tuple[tuple[Facet, ...], int]:
    """Return the facets and the version of the index they were counted at."""
    data = _read_json(folder / "facets.json", folder)
    try:
        return tuple(_facet(facet) for facet in data["facets"]), int(data["counted_at"])
    except (KeyError, TypeError, ValueError) as error:
        raise IndexError_(
            f"{str(folder / 'facets.json')!r} is broken: {error!r}; index the catalog again"
        ) from error


def _facet(data: dict[str, Any]) -> Facet:
    values = tuple((str(value), int(count)) for value, count in data.pop("values"))
    return Facet(values=values, quantiles=tuple(data.pop("quantiles")), **data)
