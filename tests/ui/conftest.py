"""A small project, indexed once per run; every test gets its own copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ui import wiring
from ui.settings import Settings

CATALOG = """\
id,name,category,brand,colour,material,price_eur,stock,rating,reviews
1,Harbour oxford shirt,Shirts,Kestrow,Blue,cotton,34.95,12,4.5,120
2,Harbour oxford shirt,Shirts,Kestrow,White,cotton,34.95,3,4.1,80
3,Fjord linen shirt,Shirts,Norrhaven,Blue,linen,59.00,0,4.8,33
4,Fjord linen shirt,Shirts,Norrhaven,Green,linen,59.00,8,3.9,12
5,Quay denim shirt,Shirts,Osquay,Navy,denim,79.00,5,4.2,41
6,Moor bomber jacket,Jackets,Osquay,Black,leather,229.00,2,4.6,77
7,Moor bomber jacket,Jackets,Osquay,Brown,leather,229.00,1,4.4,25
8,Drizzle rain jacket,Jackets,Norrhaven,Yellow,nylon,99.00,20,4.0,64
9,Drizzle rain jacket,Jackets,Norrhaven,Navy,nylon,99.00,14,4.3,58
10,Lane sneakers,Sneakers,Strydenne,White,leather,89.00,30,4.7,210
11,Lane sneakers,Sneakers,Strydenne,Red,canvas,69.00,6,4.1,95
12,Trail boots,Boots,Strydenne,Brown,leather,149.00,4,4.9,150
"""


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("ui")
    (folder / "shop.csv").write_text(CATALOG, "utf-8")
    settings = Settings(home=folder / "home", encoder="hashing-64")
    wiring.build(wiring.load([folder / "shop.csv"]), folder / "shop", settings, progress=False)
    return folder / "shop"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """Keep every test away from the user's own folder and settings."""
    monkeypatch.setenv("ATTUNE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ATTUNE_ENCODER", "hashing-64")
    monkeypatch.setenv("ATTUNE_LLM", "none")
    for name in ("STORE", "MODEL", "LLM_KEY", "LLM_THREADS", "VLLM_PYTHON", "DEADLINE_S"):
        monkeypatch.delenv(f"ATTUNE_{name}", raising=False)
    return tmp_path / "home"


@pytest.fixture
def folder(built, tmp_path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "shop"))


@pytest.fixture
def project(folder):
    opened = wiring.open_project(folder, Settings())
    yield opened
    opened.close()
