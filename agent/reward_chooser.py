"""Choosing by an adapter's implicit reward of each item's line, within a deadline.

Where it fails, or takes too long, all rewards are 0 and the search decides. Logs reasons, never
what somebody wanted.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from agent.breaker import Breaker
from agent.choice_prompt import choice_messages, choice_text
from agent.errors import ModelError
from agent.reward import ImplicitReward
from agent.state import Need
from prompts import Message
from retrieval.catalog import Facet, Item

logger = logging.getLogger(__name__)

REMEMBERED = 4096
"""Rewards kept: of some hundreds of turns, so that "undo" and "more" cost nothing again."""


class RewardChooser:
    """Chooses with a reward; see `agent.choosing.Chooser`. Shared between threads.

    Args:
        deadline_s: Seconds for one slate.
        breaker_failures: Failures in a row after which it is left alone.
        breaker_reset_s: Seconds until it is asked again.
    """

    def __init__(
        self,
        reward: ImplicitReward,
        *,
        deadline_s: float = 1.0,
        breaker_failures: int = 3,
        breaker_reset_s: float = 30.0,
    ) -> None:
        self.breaker = Breaker(breaker_failures, breaker_reset_s)
        self._reward = reward
        self._deadline_s = deadline_s
        # What is asked holds everything that an answer depends on, the item's version included.
        self._known: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._lock = Lock()

    @property
    def name(self) -> str:
        """The adapter's name."""
        return self._reward.name

    @property
    def reward(self) -> ImplicitReward:
        """What it chooses by."""
        return self._reward

    def rewards(
        self, need: Need, items: Sequence[Item], facets: tuple[Facet, ...]
    ) -> tuple[float, ...]:
        """Return one reward per item, in nats; 0 for all where there is no answer in time."""
        messages = choice_messages(need, facets)
        lines = [choice_text(item.fields, facets, item.title) for item in items]
        try:
            found = self._rewards(messages, lines)
        except ModelError as error:
            logger.warning("chosen by the search alone, %s: %s", self.name, error)
            return (0.0,) * len(lines)
        return tuple(found[line] for line in lines)

    def _rewards(self, messages: Sequence[Message], lines: Sequence[str]) -> dict[str, float]:
        asked = "\0".join(message["content"] for message in messages)
        with self._lock:
            found = {
                line: self._known[asked, line] for line in lines if (asked, line) in self._known
            }
        new = [line for line in dict.fromkeys(lines) if line not in found]
        if not new:
            return found
        scored = self.breaker.call(
            lambda: self._reward.rewards(messages, new, deadline_s=self._deadline_s)
        )
        fresh = dict(zip(new, scored, strict=True))
        with self._lock:
            for line, reward in fresh.items():
                self._known[asked, line] = reward
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return found | fresh
