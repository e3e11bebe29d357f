"""Shares of sessions: how experiments are made of arms, and what each adapter answers."""

from __future__ import annotations

import math
from collections.abc import Mapping

from agent.routes import Arm
from finetune.errors import RegistryError
from finetune.registry.book import Serving


def arms_of(
    shares: Mapping[str, float], base: str, *, interleaved: bool = False
) -> tuple[Arm, ...]:
    """Return the arms of an experiment.

    Args:
        interleaved: Their rankings take turns in each slate.

    Raises:
        RegistryError: If there are fewer than two, or their shares are not those of a whole; or
            interleaved ones are not two halves.
    """
    if len(shares) < 2 or any(not share > 0 for share in shares.values()):
        raise RegistryError(f"arms {dict(shares)!r}: expected two or more with shares above 0")
    if not math.isclose(sum(shares.values()), 1.0, abs_tol=1e-6):
        raise RegistryError(f"the shares add up to {sum(shares.values()):g}; expected 1")
    if interleaved and [*shares.values()] != [0.5, 0.5]:
        raise RegistryError(f"arms {dict(shares)!r}: expected two of 0.5, as each ranking fills "
                            "half of every interleaved slate")  # fmt: skip
    return tuple(Arm(None if name == base else name, share) for name, share in shares.items())


def shares_of(serving: Serving) -> dict[str, float]:
    """Return the share of the sessions beginning now that each adapter answers.

    Of interleaved slates each arm fills half.
    """
    if serving.experiment is not None:
        arms = serving.experiment.arms
        return {arm.adapter: arm.share for arm in arms if arm.adapter is not None}
    shares = {} if serving.canary is None else {serving.canary.name: serving.canary.share}
    if serving.live is not None:
        shares[serving.live] = 1.0 - sum(shares.values())
    return shares
