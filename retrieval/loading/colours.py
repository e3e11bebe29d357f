"""Colour words, and the colours that a text names."""

from __future__ import annotations

import re

from retrieval.loading.values import vocabulary

BASIC = vocabulary(
    "black white grey gray silver blue red green yellow orange pink purple violet brown beige gold "
    "turquoise cream ivory maroon navy burgundy khaki olive teal magenta cyan lilac lavender mauve "
    "peach coral tan taupe charcoal anthracite bronze copper rust mustard mint indigo crimson "
    "scarlet fuchsia aqua ecru multicolour multicolor transparent nude rose off-white apricot "
    "graphite champagne plum emerald sapphire ruby amber salmon wine bordeaux terracotta"
)
SHADES = ("dark", "light", "bright", "pale", "deep", "navy", "sky", "royal", "olive", "lime", "sea",
          "off", "rose", "forest", "ice", "hot", "mid")  # fmt: skip
AMBIGUOUS = vocabulary(
    "rose wine plum amber orange peach mint olive ruby salmon tan nude rust "
                      "mustard champagne apricot coral cream graphite")  # fmt: skip
"""Colours that are also things; they count in a colour column, or after a surer colour word."""
SPELLING = {"gray": "grey", "multicolor": "multicolour", "off white": "off-white"}

_WORD = re.compile(r"[^\W\d_]+")
_MORE = vocabulary("metallic multi multicoloured multicolored assorted skin stainless steel")


def is_colour(text: str) -> bool:
    """Return whether a text is nothing but the name of one or more colours."""
    found = [word.casefold() for word in _WORD.findall(text)]
    known = sum(word in BASIC for word in found)
    return bool(known) and all(w in BASIC or w in SHADES or w in _MORE for w in found)


def colours_in(text: str, sure: bool = False) -> tuple[str, ...]:
    """Return the colours a text names, shades with their plain colour ("dark blue", "blue").

    Args:
        sure: Whether words that are also things ("orange", "cream") count.
    """
    found = [word.casefold() for word in _WORD.findall(text)]
    colours: dict[str, None] = {}
    for number, word in enumerate(found):
        if word not in BASIC or (word in AMBIGUOUS and not sure):
            continue
        before = found[number - 1] if number else ""
        plain = SPELLING.get(word, word)
        if before in SHADES and before not in ("navy", "olive", "rose"):
            shade = SPELLING.get(f"{before} {plain}", f"{before} {plain}")
            colours[shade] = None
        colours[plain] = None
    return tuple(colours)
