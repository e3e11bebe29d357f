"""Arguments as they were said, kept in this process only, for minutes.

What is stored of a tool that waits has personal data masked. Where the next turn is taken by
another process, or later, such arguments are asked for again.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

KEPT_S = 900.0
MOST = 10_000


class Memory:
    """The arguments of the tool that waits, by session. Shared between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, str, dict[str, Any]]] = OrderedDict()

    def keep(self, session_id: str, tool: str, values: Mapping[str, Any]) -> None:
        """Keep the arguments of a session's tool, in place of those kept before."""
        with self._lock:
            self._kept[session_id] = (self._clock() + KEPT_S, tool, dict(values))
            self._kept.move_to_end(session_id)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)

    def recall(self, session_id: str, tool: str) -> dict[str, Any] | None:
        """Return the arguments kept for a session's tool, None where there are none any more."""
        with self._lock:
            until, name, values = self._kept.get(session_id, (0.0, "", {}))
            return dict(values) if name == tool and until > self._clock() else None

    def forget(self, session_id: str) -> None:
        """Let go of what was kept for a session."""
        with self._lock:
            self._kept.pop(session_id, None)
