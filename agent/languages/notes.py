"""Notes of the linker in another language: it writes them in English, and they are read back."""

from __future__ import annotations

from agent.languages.templates import read
from agent.languages.tongue import ENGLISH, Tongue, table


def note_in(note: str, tongue: Tongue) -> str:
    """Return a note in a language; one that no template of the table has made stays as it is."""
    if tongue is ENGLISH or tongue.code == "en":
        return note
    own = table(tongue.code)["notes"]
    for name, template in table()["notes"].items():
        found = read(template, note)
        if found is not None:
            return str(own[name]).format(**found)
    return note
