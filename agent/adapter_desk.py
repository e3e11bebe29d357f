"""What a server is given to have adapters decided over HTTP: who routes, who decides, which key.

Deciding is another package's (`finetune.registry`), so it comes in as a protocol.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

from agent.routing import AdapterRouter


class AdapterDesk(Protocol):
    """Decides which adapters answer. Safe to call from threads."""

    def promote(self, name: str, *, force: bool, why: str) -> None:
        """Have an adapter answer everybody.

        Raises:
            AdapterRefused: If it must not.
            NoSuchAdapter: If there is none of that name.
        """
        ...

    def canary(self, name: str, share: float, *, force: bool, why: str) -> None:
        """Have an adapter answer a share of the new sessions; raises like `promote`."""
        ...

    def rollback(self, *, why: str) -> str | None:
        """Go back to what answered before and return it, None for the base; raises likewise."""
        ...

    def statuses(self) -> dict[str, str]:
        """Return the status of each adapter there is, the oldest first."""
        ...

    def learned_from(self, session_keys: Collection[str], user_keys: Collection[str]) -> list[str]:
        """Return the adapters made from the data of these keys (`agent.keys`)."""
        ...


@dataclass(frozen=True, slots=True)
class Adapters:
    """The adapters of a served project.

    Args:
        key: What those who decide must show; without one nobody may.
    """

    router: AdapterRouter
    desk: AdapterDesk
    key: str | None = field(default=None, repr=False)
