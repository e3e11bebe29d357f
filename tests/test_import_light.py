"""Importing the packages loads no heavy library: commands start fast, extras stay optional."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = (
    "torch",
    "transformers",
    "sentence_transformers",
    "onnxruntime",
    "trl",
    "peft",
    "optuna",
    "gradio",
)

PROBE = """
import importlib, sys
for name in sys.argv[2:]:
    importlib.import_module(name)
print([name for name in sys.argv[1].split(",") if name in sys.modules])
"""


PAGES = {"shop", "owner", "app"}
"""Parts of ui.web that are Gradio's pages themselves: nothing but `attune ui` loads them."""


def modules_of(package):
    """Return every module of a package but those that run, or are pages, when imported."""
    files = sorted((ROOT / package).rglob("*.py"))
    names = [file.relative_to(ROOT).with_suffix("").parts for file in files]
    runs = {"__main__", "migrations"}
    return [
        ".".join(parts).removesuffix(".__init__")
        for parts in names
        if not runs & set(parts) and not (parts[:2] == ("ui", "web") and PAGES & set(parts[2:]))
    ]


@pytest.mark.parametrize("package", ["agent", "finetune", "prompts", "retrieval", "ui"])
def test_import_loads_nothing_heavy(package):
    command = [sys.executable, "-c", PROBE, ",".join(HEAVY), *modules_of(package)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
