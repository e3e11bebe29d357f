"""Small drawings for buttons, as SVG within the page, so that they take the colour of the words."""

from __future__ import annotations

from ui.web.markup import tag

_STROKES = {
    "heart": "M12 20.5S3.5 15 3.5 9.2A4.7 4.7 0 0 1 12 6.6a4.7 4.7 0 0 1 8.5 2.6c0 5.8-8.5 11.3"
             "-8.5 11.3z",
    "close": "M6 6l12 12M18 6L6 18",
    "up": "M7 11v9H4v-9zM7 11l4-7.5c1.6 0 2.6 1 2.4 2.6L13 10h5.4a1.8 1.8 0 0 1 1.8 2.2l-1.4 6.3A2 "
          "2 0 0 1 16.9 20H7",
    "down": "M7 13V4H4v9zM7 13l4 7.5c1.6 0 2.6-1 2.4-2.6L13 14h5.4a1.8 1.8 0 0 0 1.8-2.2l-1.4-6.3"
            "A2 2 0 0 0 16.9 4H7",
    "plus": "M12 5v14M5 12h14",
    "clock": "M12 3.5a8.5 8.5 0 1 1-.01 0zM12 7.5V12l3 2",
    "person": "M12 4a4 4 0 1 1-.01 0zM4.5 20.5c.8-4 3.8-6 7.5-6s6.7 2 7.5 6",
    "undo": "M9 14.5L4 9.5l5-5M4.5 9.5H15a5 5 0 0 1 0 10h-4",
    "again": "M20 12a8 8 0 1 1-2.4-5.7M20 3.5v4h-4",
    "search": "M10.5 4a6.5 6.5 0 1 1-.01 0zM15.5 15.5l5 5",
    "check": "M5 12.5l4.5 4.5L19 7.5",
}  # fmt: skip


def icon(name: str) -> str:
    """Return a drawing by its name; nobody is read anything of it."""
    path = tag("path", d=_STROKES[name])
    return tag("svg", path, viewBox="0 0 24 24", class_="at-icon", aria_hidden="true",
               focusable="false")  # fmt: skip
