"""Adapters that differ in their weights, reports on them, and a registry that holds none yet."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from finetune.adapters import CARD, WEIGHTS, open_adapter, write_card
from finetune.registry import Registry
from finetune.registry.folders import LINEAGE
from finetune.weights import file_hash


@pytest.fixture
def make(adapter, tmp_path):
    """Make an adapter of the tiny base: other weights for another number, and its lineage."""

    def make(number: int, lineage=()):
        folder = shutil.copytree(adapter.folder, tmp_path / "made" / f"round-{number}")
        tensors = load_file(folder / WEIGHTS)
        name = sorted(tensors)[0]
        tensors[name] = tensors[name] + np.float32(number)
        save_file(tensors, folder / WEIGHTS, {"format": "pt"})
        card = replace(adapter.card, name=folder.name, weights_hash=file_hash(folder / WEIGHTS))
        if lineage:
            rows = "".join(json.dumps(row) + "\n" for row in lineage)
            (folder / LINEAGE).write_text(rows, "utf-8")
        return write_card(folder, card).folder

    return make


@pytest.fixture
def registry(tmp_path):
    with Registry(tmp_path / "adapters", who="ann") as registry:
        yield registry


@pytest.fixture
def added(registry, make, base):
    """Add an adapter with a number, and return its name."""
    return lambda number, lineage=(): registry.add(make(number, lineage), str(base))


@pytest.fixture
def report(registry, tmp_path):
    """Write the gate's report on an adapter beside what answers now, or beside another one."""

    def report(name, passed=True, beside=None):
        live = registry.live()
        beside = beside or (live.name if live else "base")
        path = tmp_path / f"gate-{name}.json"
        verdict = "promote" if passed else "refuse"
        config = {"candidate": name, "baseline": beside}
        path.write_text(json.dumps({"verdict": verdict, "config": config}))
        return path

    return report


@pytest.fixture
def promoted(registry, added, report):
    """Promote an adapter with a number, and return its name."""

    def promoted(number, lineage=()):
        name = added(number, lineage)
        registry.promote(name, report(name))
        return name

    return promoted


def damage(folder):
    """Cut an adapter's card short."""
    (folder / CARD).write_text("{")
    with pytest.raises(Exception, match="damaged"):
        open_adapter(folder)
