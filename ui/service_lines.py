"""What the service desk did, as terminal text: sources, what waits for a yes, hand-overs."""

from __future__ import annotations

from collections.abc import Iterator

from agent.service.openings import Opening
from agent.service.values import Service, ToolUse
from agent.wording import clean
from ui.terminal_words import told

_LABELS = {
    "missing": "asked for",
    "confirm": "not done yet; say yes to do it",
    "done": "called",
    "failed": "failed",
    "cancelled": "left alone",
    "requested": "asked of the client",
}


def service_texts(service: Service | None) -> Iterator[tuple[str, str]]:
    """Yield the lines that stand under a turn, each with its style."""
    if service is None:
        return
    for url in dict.fromkeys(quote.url for quote in service.quotes if quote.url):
        yield clean(url, 200), "dim"  # the words above name the source
    for use in service.tools:
        yield _use(use), "bold yellow" if use.status == "confirm" else "dim"
    made = service.handover
    if made is not None:
        why = f"{made.reason} {made.detail}".strip()
        yield f"hand-over {made.id} ({why})", "magenta"


def _use(use: ToolUse) -> str:
    """Return one step with a tool; what it is called with, and why it failed."""
    given = ", ".join(f"{name}={clean(str(one), 60)}" for name, one in use.arguments.items())
    what = f"{_LABELS[use.status]} ({use.error})" if use.error else _LABELS[use.status]
    lacking = f" {', '.join(use.lacking)}" if use.lacking else ""
    return f"tool {use.tool}({given}): {what}{lacking}"


def opening_texts(opening: Opening | None, language: str = "en") -> list[str]:
    """Return what a conversation opens with, as lines."""
    if opening is None:
        return []
    offered = " · ".join(f'"{clean(one, 80)}"' for one in opening.suggestions)
    return [
        clean(opening.text, 500),
        *([told("offered", language, words=offered)] if offered else ()),
    ]
