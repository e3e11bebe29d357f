"""The packages are ours, from this checkout, and a test folder never shadows one of them."""

from __future__ import annotations

import importlib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent", "finetune", "prompts", "retrieval", "ui")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_owns_it(package):
    assert set(packages_distributions().get(package, ["attune"])) == {"attune"}


@pytest.mark.parametrize("package", PACKAGES)
def test_package_comes_from_this_checkout(package):
    places = {Path(place).resolve() for place in importlib.import_module(package).__path__}
    assert places == {ROOT / package}


@pytest.mark.parametrize("package", PACKAGES)
def test_package_declares_its_types(package):
    assert (ROOT / package / "py.typed").is_file()


def test_tests_are_no_packages():
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_no_machine_path_in_sources():
    sources = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert [path for path in sources if str(ROOT) in path.read_text("utf-8")] == []
