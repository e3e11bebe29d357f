"""A command of Attune as a process of its own: what it tells is followed, what it prints is read.

It is given a terminal to tell its progress on, as commands draw bars only where somebody looks.
"""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

TAIL = 4_000
GRACE_S = 10.0
WINDOW = (24, 80)
"""Lines and columns: a bar has no room on a terminal that says it has none."""

_PLAIN = {"TERM": "dumb", "NO_COLOR": "1"}
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PERCENT = re.compile(r"(\d{1,3})%\|")


class Process:
    """One command under way.

    Args:
        arguments: Of `attune`.
        environment: What it sees; by default what this process does.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str] | None) -> None:
        self._terminal, theirs = pty.openpty()
        try:
            termios.tcsetwinsize(theirs, WINDOW)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ui", *arguments], stdout=subprocess.PIPE, stderr=theirs,
                stdin=subprocess.DEVNULL, start_new_session=True,
                env={**(os.environ if environment is None else environment), **_PLAIN},
            )  # fmt: skip
        finally:
            os.close(theirs)

    def follow(self, tell: Callable[[str], None]) -> tuple[int, Any]:
        """Tell the end of what it writes beside its result until it ends.

        Returns:
            Its exit status, and what it printed: as JSON where it is that, else the end of it.
        """
        out = bytearray()
        printed = self._process.stdout
        assert printed is not None
        reader = threading.Thread(target=lambda: out.extend(printed.read()), daemon=True)
        reader.start()
        said = b""
        with suppress(OSError):  # how a terminal says that nobody writes to it any more
            while piece := os.read(self._terminal, 4096):
                said = (said + piece)[-4 * TAIL :]
                tell(last_lines(said))
        os.close(self._terminal)
        reader.join()
        code = self._process.wait()
        printed.close()
        return code, _read(bytes(out))

    def stop(self) -> None:
        """End it and what it started; where it does not end, it is killed."""
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def last_lines(said: bytes) -> str:
    """Return the last of a log as a terminal would show it: a progress bar overwrites itself."""
    text = _ESCAPES.sub("", said.decode("utf-8", "replace")).replace("\r\n", "\n")
    return "\n".join(line.rsplit("\r", 1)[-1] for line in text.split("\n"))[-TAIL:]


def share_done(log: str) -> float | None:
    """Return how much is done by the last progress bar of a log, 0 to 1; None without one."""
    found = _PERCENT.findall(log)
    return min(int(found[-1]), 100) / 100 if found else None


def _read(out: bytes) -> Any:
    try:
        return json.loads(out)
    except ValueError:
        return out.decode("utf-8", "replace")[-TAIL:] or None
