"""What a population of simulated users is like: its parameters, presets, and how one is read.

Knows no catalog; `finetune.simulator.users` draws users of a population over one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from finetune.errors import DataError

Range = tuple[int, int]
Phrases = Mapping[str, tuple[str, ...]]

DIALECT_KEYS = ("open", "want", "avoid", "below", "cheaper", "like", "more", "select")
"""What can be said in a dialect; the slots are those of the plain phrases (`phrases.toml`)."""


@dataclass(frozen=True)
class Population:
    """How users are drawn, what they want, how they speak and what they do with slates.

    Args:
        patience: Fewest and most turns that somebody takes.
        wishes: Fewest and most hard wishes beside the category.
        avoids: Share of those wishes that rule a value out.
        vague: Chance of a vague wish ("something warm", "cheap").
        changes: Chance that a wish is first said with another value, which is then taken back.
        typos: Chance of a slip of the finger, by utterance.
        consent: Share of users who let the system learn from what they do.
        taste: Facet to value to utility, shared by all: what they like without saying so.
        slopes: Numeric facet to the utility of its highest level over its lowest.
        spread: Standard deviation of a user's own utilities around the shared ones.
        sharpness: How strongly hidden targets follow the taste; 0: not at all.
        margin: How much less than the target's utility an item may have and still be taken.
        alike: Utility of sharing all of the target's further facets.
        examine: An item at rank r is looked at with chance r ** -examine.
        notices: Chance with which a misreading is noticed.
        speaks: Chance with which a wish is said in the dialect, where it has words for it.
        dialect: Ways of the population to say things, by `DIALECT_KEYS`.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str = "plain"
    patience: Range = (3, 7)
    wishes: Range = (1, 3)
    avoids: float = 0.35
    vague: float = 0.3
    changes: float = 0.15
    typos: float = 0.1
    consent: float = 0.9
    taste: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    slopes: Mapping[str, float] = field(default_factory=dict)
    spread: float = 0.15
    sharpness: float = 3.0
    margin: float = 0.2
    alike: float = 0.3
    examine: float = 1.0
    notices: float = 0.95
    speaks: float = 0.6
    dialect: Phrases = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = sorted(set(self.dialect) - set(DIALECT_KEYS))
        if unknown:
            raise ValueError(f"dialect has {unknown!r}; expected some of {', '.join(DIALECT_KEYS)}")


SLANG: Phrases = {
    "avoid": ("steer clear of {v}", "{v} gives me the creeps", "enough with {v}", "{v} bores me"),
    "cheaper": ("easier on the wallet", "be kinder to my purse"),
    "like": ("same vibe as {r}", "{r} hits the spot, along those lines"),
    "more": ("keep them coming", "hit me again"),
}
"""Ways to talk that the rules misread, most of all where something is ruled out."""

POPULATIONS: Mapping[str, Population] = {
    "plain": Population(),
    "dialect": Population(name="dialect", dialect=SLANG, avoids=0.6, typos=0.0),
}
"""Populations by name."""


def read_population(name: str) -> Population:
    """Return a preset by its name, or the population of a TOML file.

    Raises:
        DataError: If there is none such, or the file is not of that form.
    """
    if name in POPULATIONS:
        return POPULATIONS[name]
    path = Path(name)
    if not path.is_file():
        known = ", ".join(POPULATIONS)
        raise DataError(f"no population {name!r}: give one of {known}, or a TOML file")
    try:
        values = tomllib.loads(path.read_text("utf-8"))
        return TypeAdapter(Population).validate_python({"name": path.stem, **values})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{name!r} is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "population"
        raise DataError(f"{name!r}, {where}: {first['msg']}; got {first['input']!r}") from error
