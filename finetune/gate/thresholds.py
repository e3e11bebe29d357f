"""What a candidate must keep, reach and improve: thresholds.toml, read and checked."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from finetune.errors import GateError
from finetune.gate.metrics import METRICS, suite_of


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Part):
    """What is asked of one metric.

    Args:
        margin: Loss against the baseline that must be ruled out.
        at_most, at_least: Where the candidate's own value must lie, whatever the baseline's.
        new_at_most: Units that may be worse than with the baseline.
        improves: Whether a gain here is a reason to promote.
    """

    better: Literal["higher", "lower"]
    margin: float | None = Field(None, ge=0)
    at_most: float | None = None
    at_least: float | None = None
    new_at_most: int | None = Field(None, ge=0)
    improves: bool = False

    @model_validator(mode="after")
    def _asks(self) -> Rule:
        limits = (self.margin, self.at_most, self.at_least, self.new_at_most)
        if not self.improves and all(limit is None for limit in limits):
            raise ValueError("expected margin, at_most, at_least, new_at_most or improves")
        return self

    @property
    def sign(self) -> int:
        """Return 1 where more is better, -1 where less is."""
        return 1 if self.better == "higher" else -1


class Thresholds(_Part):
    """All that is asked.

    Args:
        confidence: Of intervals; losses are ruled out, and gains shown, at half of what is left.
        least_units: A metric of fewer units is not judged.
        must_improve: Whether one metric that may improve must.
        required: Suites without which nothing is promoted.
        small: Margins of the small gate, where few units leave wide intervals.
    """

    confidence: float = Field(0.95, gt=0.5, lt=1)
    resamples: int = Field(10_000, ge=100)
    least_units: int = Field(10, ge=1)
    must_improve: bool = True
    required: tuple[str, ...] = ()
    metrics: Mapping[str, Rule]
    small: Mapping[str, float] = Field(default_factory=dict)
    hash: str = ""

    @model_validator(mode="after")
    def _known(self) -> Thresholds:
        for name in self.metrics:
            if name not in METRICS:
                raise ValueError(f"unknown metric {name!r}; there are: {', '.join(METRICS)}")
        suites = dict.fromkeys(map(suite_of, METRICS))
        for suite in self.required:
            if suite not in suites:
                raise ValueError(f"unknown suite {suite!r}; there are: {', '.join(suites)}")
        for name in self.small:
            if name not in self.metrics or self.metrics[name].margin is None:
                raise ValueError(f"small: {name!r} has no margin under [metrics]")
        if not self.metrics:
            raise ValueError("expected at least one metric")
        return self

    def of_small(self) -> Thresholds:
        """Return the thresholds with the margins of the small gate."""
        metrics = {
            name: rule.model_copy(update={"margin": self.small.get(name, rule.margin)})
            for name, rule in self.metrics.items()
        }
        return self.model_copy(update={"metrics": metrics})

    @property
    def alpha(self) -> float:
        """Return the one-sided level: what lies beyond one end of an interval."""
        return (1 - self.confidence) / 2


def read_thresholds(path: Path | None = None) -> Thresholds:
    """Return the thresholds of a TOML file, by default the project's own.

    Raises:
        GateError: If there is no such file, or it asks for what does not exist.
    """
    place = path or Path(str(resources.files("finetune.gate"))) / "thresholds.toml"
    try:
        text = place.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except FileNotFoundError:
        raise GateError(f"no thresholds at {str(place)!r}; expected a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GateError(f"{place.name}: expected TOML: {error}") from error
    hash = hashlib.sha256(text.encode()).hexdigest()
    try:
        return Thresholds.model_validate({**data, "hash": hash})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(map(str, first["loc"]))
        raise GateError(f"{place.name}: {at + ': ' if at else ''}{first['msg']}") from error
