"""Draw an item: a silhouette from `shapes/` in the item's own colour, as SVG text.

A file in `shapes/` is the inside of an SVG on a 200 x 200 canvas, with $base, $light, $dark, $deep
and $line where a tone of the item's colour goes. This module does not know what items there are.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from string import Template

COLOURS = {
    "Black": "#26272b", "White": "#f6f4ef", "Grey": "#9a9da1", "Charcoal": "#4a4d52",
    "Silver": "#c4c8cc", "Navy": "#22335c", "Blue": "#2f66c4", "Light Blue": "#93bfe6",
    "Turquoise": "#35b5b5", "Teal": "#1d7077", "Green": "#3c8a4c", "Olive": "#6f7440",
    "Mint": "#a5d9c0", "Red": "#c8322f", "Burgundy": "#702436", "Pink": "#eb9ab2",
    "Coral": "#f0806a", "Orange": "#e67e2c", "Yellow": "#f2cf45", "Mustard": "#cf9a2c",
    "Beige": "#d9c6a5", "Cream": "#f1e7d0", "Camel": "#bd8a54", "Brown": "#714b31",
    "Purple": "#6c4596", "Lavender": "#b9a7dc", "Gold": "#cfb069",
}  # fmt: skip
"""Every colour of the demo catalog and how it looks."""

_PAGE = Template("""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" width="400" height="400" role="img">
<title>$title</title>
<defs>
<linearGradient id="page" x1="0" y1="0" x2="0" y2="1">
<stop offset="0" stop-color="#f7f4ee"/><stop offset="1" stop-color="#e6e0d5"/></linearGradient>
<linearGradient id="body" x1="0" y1="0" x2="1" y2="1">
<stop offset="0" stop-color="$lit"/><stop offset=".55" stop-color="$base"/>\
<stop offset="1" stop-color="$shade"/></linearGradient>
</defs>
<rect width="200" height="200" fill="url(#page)"/>
<ellipse cx="100" cy="183" rx="66" ry="6" fill="#4a3f30" opacity=".14"/>
<g transform="translate(9 6) scale(.91)" fill="url(#body)" stroke="$line" stroke-width="2" \
stroke-linejoin="round" stroke-linecap="round">
$shape</g>
</svg>
""")


def _mix(colour: str, other: str, share: float) -> str:
    """Return a colour moved towards another one by a share between 0 and 1."""
    pairs = ((int(colour[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _brightness(colour: str) -> float:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return 0.3 * red + 0.59 * green + 0.11 * blue


def tones(base: str) -> dict[str, str]:
    """Return the tones a shape is drawn in; outlines stay visible on dark and light colours."""
    is_dark = _brightness(base) < 0.25
    away = "#ffffff" if is_dark else "#1b1410"
    return {
        "base": base,
        "lit": _mix(base, "#ffffff", 0.18),
        "shade": _mix(base, "#1b1410", 0.14),
        "light": _mix(base, "#ffffff", 0.28 if is_dark else 0.34),
        "dark": _mix(base, away, 0.14 if is_dark else 0.18),
        "deep": _mix(base, "#120c08", 0.42),
        "line": _mix(base, away, 0.34 if is_dark else 0.5),
    }


@cache
def _shape(name: str) -> Template:
    return Template((files(__package__) / "shapes" / f"{name}.svg").read_text("utf-8"))


def shapes() -> list[str]:
    """Return the names of all silhouettes."""
    entries = (files(__package__) / "shapes").iterdir()
    return sorted(entry.name.removesuffix(".svg") for entry in entries)


def draw(shape: str, colour: str) -> str:
    """Return a silhouette in a colour of `COLOURS` as a complete SVG file."""
    palette = tones(COLOURS[colour])
    title = f"{shape.replace('-', ' ')}, {colour.lower()}"
    return _PAGE.substitute(palette, title=title, shape=_shape(shape).substitute(palette))
