"""Rounds again and again, as people go on teaching.

A round that fails is told and tried again at its next time, from where it stopped: what serves is
not touched. This module sleeps and counts; a round is `finetune.loop.rounds`.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from agent.errors import AgentError
from agent.store import Store
from finetune.errors import FinetuneError, LoopError
from finetune.events.audit import Audit
from finetune.events.forgetting import forget_deleted
from finetune.loop.rounds import PAIRS, Learner, Round, rounds, run_round

logger = logging.getLogger(__name__)

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")

Told = Callable[[Round | Exception], None]
"""Gets what came of each round: its report, or why it failed."""


def duration(text: str) -> timedelta:
    """Return a length of time such as "30m", "12h", "1d" or "1w".

    Raises:
        LoopError: If it is none, or shorter than a second.
    """
    found = _DURATION.fullmatch(text.strip().casefold())
    given = timedelta(**{_UNITS[found[2]]: float(found[1])}) if found else timedelta(0)
    if given < timedelta(seconds=1):
        raise LoopError(f"{text!r} is no length of time: expected e.g. 30m, 12h, 1d or 1w")
    return given


def learned_until(folder: Path) -> datetime | None:
    """Return up to when people's feedback has been learned from; None if it never was.

    A round for which there were too few pairs has learned nothing: its sessions come again.
    """
    learned = [one.begun for one in rounds(folder) if one.ending != "too few pairs"]
    return max(learned, default=None)


def one_round(learner: Learner, store: Store) -> Round:
    """Run a round on what was done since the last one that learned something.

    Before, what was made of data that people had deleted meanwhile is forgotten as well.

    Raises:
        FinetuneError: If a step cannot be done; the next call goes on from it.
    """
    made = [path.parent for path in learner.folder.glob(f"*/{PAIRS}/report.json")]
    forget_deleted(
        store, pairs=made, registry=learner.registry, audit=Audit(learner.registry.folder)
    )
    return run_round(learner, store.logged(learned_until(learner.folder)))


def repeat(
    learner: Learner,
    store: Store,
    every: timedelta,
    tell: Told,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    most: int | None = None,
) -> None:
    """Run a round at once and then each time so long after the last began, until interrupted.

    Args:
        most: End after so many rounds.
    """
    done = 0
    while most is None or done < most:
        began = clock()
        try:
            tell(one_round(learner, store))
        except (FinetuneError, AgentError, OSError) as error:
            logger.error("the round failed and goes on at its next time: %s", error)
            tell(error)
        done += 1
        if most is None or done < most:
            sleep(max(0.0, every.total_seconds() - (clock() - began)))
