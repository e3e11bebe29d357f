"""Numbers as a language writes them out, by a table of its digits and units: 六十 is 60."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_BIG = 10_000
"""Units from here on multiply all that stands before them."""

_LARGEST = 10**12


@dataclass(frozen=True, slots=True)
class Numerals:
    """The signs of a language's numbers.

    Args:
        digits: Sign to its value; units: sign to what it multiplies by.
    """

    digits: Mapping[str, int] = field(default_factory=dict)
    units: Mapping[str, int] = field(default_factory=dict)

    def value(self, text: str) -> float | None:
        """Return the value of a number, in figures, signs or both (3千, 两百五), or None.

        A last digit without a unit counts tenths of the unit before it: 一百五 is 150.
        """
        if not text or len(text) > 20:
            return None
        total, section, last, figures, unit = 0.0, 0.0, None, "", 1
        for place, sign in enumerate(text):
            if sign.isascii() and (sign.isdigit() or sign in ".,"):
                figures += sign
                continue
            if figures:
                last, figures = _figure(figures), ""
                if last is None:
                    return None
            if sign in self.units:
                unit = self.units[sign]
                one = 1.0 if last is None else last
                if unit >= _BIG:
                    total += (section + (last or 0.0) or 1.0) * unit
                    section = 0.0
                else:
                    section += one * unit
                last = None
            elif sign in self.digits:
                zero = self.digits[sign] == 0
                last, unit = float(self.digits[sign]), (1 if zero else unit)
                if place and text[place - 1] in self.digits and not zero:
                    unit = 1
            else:
                return None
        if figures:
            last, unit = _figure(figures), 1
            if last is None:
                return None
        tenths = unit >= 100 and last is not None and last < 10
        rest = 0.0 if last is None else last * (unit / 10 if tenths else 1)
        found = total + section + rest
        return found if found < _LARGEST else None


def _figure(text: str) -> float | None:
    plain = text.replace(",", "")
    try:
        return float(plain)
    except ValueError:
        return None
