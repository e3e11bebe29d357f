"""A project of the demo catalog's making, small and quick, and what talks over it."""

from __future__ import annotations

from pathlib import Path

from agent.planner import RulePlanner
from agent.voice import Voice
from finetune.contestant import Contestant
from retrieval.demo import make_demo
from retrieval.encoder import HashingEncoder
from retrieval.loading import load
from retrieval.retriever import Retriever

RULES = Contestant("rules", lambda retriever: Voice("rules", RulePlanner(retriever.facets)))


def make_shop(folder: Path, items: int = 300) -> Path:
    """Index a demo catalog of so many items; return its project directory."""
    catalog = make_demo(folder / "catalog", items=items, seed=7)
    Retriever.build(load([catalog]), folder / "shop", encoder=HashingEncoder(64))
    return folder / "shop"
