"""What an adapter was taught, as its card tells: plans, choices, explanations.

An adapter changes every answer of its model a little, also where it was taught nothing: one that
has learned choices alone plans worse than its base. So each stage of a turn takes the adapter only
where it was taught that stage. This module loads no model.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, TypeAlias

CARD = "adapter_card.json"

Stage = Literal["plan", "choice", "explanation"]
Taught: TypeAlias = frozenset[str] | None
"""The stages an adapter was taught; None where that is not known: then all of them."""

FEWEST = 20
"""Rows of a kind, of all rounds, from which an adapter counts as taught: fewer teach sentences."""


def taught_by(folder: Path) -> Taught:
    """Return what the adapter in a folder was taught; None where its card does not say."""
    try:
        rows = json.loads((folder / CARD).read_text("utf-8"))["data"]["taught"]
        return frozenset(str(kind) for kind, count in rows.items() if int(count) >= FEWEST)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def has(taught: Taught, stage: Stage) -> bool:
    """Return whether an adapter is to be used in a stage."""
    return taught is None or stage in taught
