"""Decisions under /v1/owner: adapters promoted, tried, rolled back; experiments begun and ended.

The same as `attune adapters`; a serving router follows at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter

from agent.server.context import Context, Here
from ui.owner import deciding
from ui.owner.bodies import Arms, Chosen, NewExperiment, Shared, Why

Json = dict[str, Any]


def add_decisions(router: APIRouter, folder: Path) -> None:
    """Add the routes that decide.

    Args:
        folder: Of the registry.
    """

    @router.post("/adapters:promote")
    def promote(asked: Chosen, here: Here) -> Json:
        """Have an adapter answer everybody."""
        deciding.promote(
            folder, asked.name, force=asked.force, why=asked.why, version=asked.version
        )
        return _done(here, f"{asked.name} answers everybody now.")

    @router.post("/adapters:canary")
    def canary(asked: Shared, here: Here) -> Json:
        """Have an adapter answer a share of the sessions that begin, or change that share."""
        deciding.canary(
            folder, asked.name, asked.share, force=asked.force, why=asked.why, version=asked.version
        )
        return _done(here, f"{asked.name} answers {asked.share:.0%} of the sessions that begin.")

    @router.post("/adapters:rollback")
    def rollback(asked: Why, here: Here) -> Json:
        """Go back to what answered before, for everybody at once."""
        back = deciding.rollback(folder, why=asked.why, version=asked.version)
        said = f"{back or 'The model without an adapter'} answers everybody again."
        return {**_done(here, said), "live": back}

    @router.post("/adapters:retire")
    def retire(asked: Chosen, here: Here) -> Json:
        """Take an adapter out of use."""
        deciding.retire(folder, asked.name, why=asked.why, version=asked.version)
        return _done(here, f"{asked.name} is out of use.")

    @router.post("/experiments:begin")
    def begin(asked: NewExperiment, here: Here) -> Json:
        """Begin an experiment."""
        deciding.begin(folder, asked.title, asked.arms, interleaved=asked.interleaved,
                       force=asked.force, why=asked.why, version=asked.version)  # fmt: skip
        return _done(here, f"{asked.title} has begun.")

    @router.post("/experiments:reshare")
    def reshare(asked: Arms, here: Here) -> Json:
        """Share the sessions that begin otherwise among the arms of the experiment under way."""
        deciding.reshare(folder, asked.arms, why=asked.why, version=asked.version)
        return _done(here, "The shares are changed.")

    @router.post("/experiments:end")
    def end(asked: Why, here: Here) -> Json:
        """End the experiment or canary under way."""
        deciding.end(folder, why=asked.why, version=asked.version)
        return _done(here, "It has ended: what is live answers everybody.")


def _done(here: Context, said: str) -> Json:
    if here.adapters is not None:
        here.adapters.router.wake()
    return {"said": said}
