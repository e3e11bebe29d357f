"""The reranker of a project on disk: the card that names it, written last.

ranker.json             the card: which kind, made from what, how well it did
ranker.txt              the trees of a learning-to-rank model (LightGBM's text format)
ranker_behaviour.json   the counts its behaviour features look up
ranker/                 a cross-encoder

Without a card there is no reranker. This module loads no model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from retrieval.errors import RerankerError
from retrieval.project import replace_file

CARD = "ranker.json"
TREES = "ranker.txt"
BEHAVIOUR = "ranker_behaviour.json"
WEIGHTS = "ranker"
FORMAT = 1

Kind = Literal["ltr", "cross-encoder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankerCard:
    """What a reranker is.

    Args:
        model: What is loaded: a file or folder of the project, or the name of a cross-encoder.
        model_hash: SHA-256 of the trees; empty for a cross-encoder, whose files check themselves.
        encoder: Of the project it was trained in: a learning-to-rank model knows its cosines.
        features: Columns of a learning-to-rank model, in order.
        data: What it was trained on: counts, and the SHA-256 of the file.
        metrics: nDCG@10 on queries it did not see, of it and of the search alone, and their
            difference with its bootstrap interval.
    """

    kind: Kind
    model: str
    model_hash: str = ""
    encoder: str = ""
    features: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    created: str = ""
    format: int = FORMAT


def text_hash(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def write_card(folder: Path, card: RankerCard) -> None:
    """Write the card, which makes the model beside it the project's reranker."""
    replace_file(folder / CARD, json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n")


def read_card(folder: Path) -> RankerCard | None:
    """Return the card of a project's reranker, None where it has none.

    Raises:
        RerankerError: If the card is broken, or a newer version wrote it.
    """
    path = folder / CARD
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] > FORMAT:
            raise RerankerError(
                f"{str(path)!r} has format {data['format']}, this version reads up to {FORMAT}; "
                "use a newer attune, or tune again"
            )
        known = {one.name for one in fields(RankerCard)}
        given = {key: value for key, value in data.items() if key in known}
        return RankerCard(**{**given, "features": tuple(data.get("features", ()))})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RerankerError(
            f"{str(path)!r} is broken: {error!r}; delete it to go without, or tune again"
        ) from error
