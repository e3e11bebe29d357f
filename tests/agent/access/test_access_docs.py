"""The limits that docs/access.md tells of are those of the settings."""

import re
from pathlib import Path

from ui.settings import Settings

PAGE = (Path(__file__).parents[3] / "docs/access.md").read_text(encoding="utf-8")
UNITS = {"MiB": 1024 * 1024}


def read(text):
    number, _, unit = text.replace(",", "").partition(" ")
    return None if text == "none" else float(number) * UNITS.get(unit, 1)


def test_limits_are_those_of_the_settings():
    table = PAGE.partition("## Limits")[2].partition("- **Rates**")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
    defaults = {name: read(told.strip()) for names, told in rows
                for name in re.findall(r"`ATTUNE_(\w+)`", names)}  # fmt: skip
    assert len(defaults) >= 9
    for name, told in defaults.items():
        default = Settings.model_fields[name.lower()].default
        assert (default or None) == told, name
