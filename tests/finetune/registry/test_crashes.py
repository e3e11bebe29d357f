"""Real processes killed at each step of a change: the old adapter serves, nothing is lost."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.routes import read_routes
from finetune.adapters import open_adapter
from finetune.events.audit import Audit
from finetune.registry import Registry

SCRIPT = Path(__file__).with_name("crashing.py")
ROOT = Path(__file__).parents[3]

COPYING = ("before registry.copy_in", "before folders.open_adapter", "before Path.replace",
           "after registry.copy_in", "after Book.add_lineage")  # fmt: skip
CHANGING = ("before Book.serve", "after Book.serve", "after Book.note")
COMMITTED = ("before Registry._settle", "before registry.read_routes", "before routes.os.fsync",
             "before Path.replace")  # fmt: skip
TOLD = ("after registry.write_routes", "after Audit.append", "after Book.audited")


def crash(folder, place, *step):
    done = subprocess.run(
        [sys.executable, SCRIPT, folder, place, *step],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr


def check(registry):
    """Check that what is on disk fits together, and return what is live."""
    routes = read_routes(registry.folder)
    assert routes == registry.routes()
    for folder in routes.adapters.values():
        open_adapter(folder)
    known = {entry.name for entry in registry.list()}
    folders = {path.name for path in registry.folder.iterdir() if path.is_dir()}
    assert not [name for name in folders if name.startswith(".")]
    assert known <= folders | {"reports"}
    assert Audit(registry.folder).check().broken is None
    told = [entry.facts["change"] for entry in Audit(registry.folder).entries()]
    assert sorted(set(told)) == [change.number for change in registry.history()]
    return routes.live


@pytest.mark.parametrize("place", COPYING)
def test_killed_while_adding_leaves_no_adapter(registry, added, make, base, place):
    one, folder = added(1), make(2)
    registry.promote(one, force=True)
    crash(registry.folder, place, "add", folder, str(base))
    assert read_routes(registry.folder).live == one
    with Registry(registry.folder) as again:
        assert [entry.name for entry in again.list()] == [one]
        name = again.add(folder, str(base))
        again.promote(name, force=True)
        assert check(again) == name


@pytest.mark.parametrize("place", CHANGING)
def test_killed_before_the_end_changes_nothing(registry, added, place):
    one, two = added(1), added(2)
    registry.promote(one, force=True)
    before = registry.list()
    crash(registry.folder, place, "promote", two)
    assert read_routes(registry.folder).live == one
    with Registry(registry.folder) as again:
        assert again.list() == before
        assert check(again) == one


@pytest.mark.parametrize("place", COMMITTED)
def test_killed_before_it_is_told_is_finished_later(registry, added, place):
    one, two = added(1), added(2)
    registry.promote(one, force=True)
    crash(registry.folder, place, "promote", two)
    assert read_routes(registry.folder).live == one, "until somebody opens it, the old one serves"
    with Registry(registry.folder) as again:
        assert check(again) == two
        assert not list(again.folder.glob(".routes*"))
        assert again.rollback() == one


@pytest.mark.parametrize("place", TOLD)
def test_killed_after_it_is_told_is_done(registry, added, place):
    one, two = added(1), added(2)
    registry.promote(one, force=True)
    crash(registry.folder, place, "promote", two)
    assert read_routes(registry.folder).live == two
    with Registry(registry.folder) as again:
        assert check(again) == two


@pytest.mark.parametrize("place", [CHANGING[0], COMMITTED[2], TOLD[0]])
def test_killed_rollback_is_whole_or_nothing(registry, added, place):
    one, two = added(1), added(2)
    registry.promote(one, force=True)
    registry.promote(two, force=True)
    crash(registry.folder, place, "rollback")
    with Registry(registry.folder) as again:
        assert check(again) == (two if place in CHANGING else one)
