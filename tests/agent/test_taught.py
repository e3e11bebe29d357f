"""Adapters speak only where they were taught."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.asking import Tagged
from agent.llm import ScriptedModel
from agent.reward import ScriptedScorer
from agent.taught import FEWEST, Taught, has, taught_by
from agent.voices import Speaking


class Model(ScriptedModel, ScriptedScorer):
    """A model that answers and scores."""

    def __init__(self, name: str) -> None:
        ScriptedModel.__init__(self, [], name)
        ScriptedScorer.__init__(self, lambda messages, text: 0.0, name)


class Shop:
    facets = ()


def card(folder: Path, data: Any) -> Path:
    (folder / "adapter_card.json").write_text(json.dumps(data), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("rows", "taught"),
    [
        ({"choice": 124, "plan": 2}, {"choice"}),
        ({"choice": FEWEST, "plan": FEWEST - 1, "explanation": 50}, {"choice", "explanation"}),
        ({}, set()),
    ],
)
def test_few_rows_teach_nothing(tmp_path: Path, rows: dict[str, int], taught: set[str]) -> None:
    assert taught_by(card(tmp_path, {"data": {"taught": rows}})) == taught


@pytest.mark.parametrize("data", [{}, {"data": {}}, {"data": {"taught": 3}}, [], "x"])
def test_other_cards_say_nothing(tmp_path: Path, data: Any) -> None:
    assert taught_by(card(tmp_path, data)) is None


def test_no_card_says_nothing(tmp_path: Path) -> None:
    assert taught_by(tmp_path) is None
    assert has(None, "plan")


@pytest.mark.parametrize(
    ("taught", "planner", "words", "chooses"),
    [
        (None, "tuned", "tuned", True),
        (frozenset({"choice"}), "base", "base", True),
        (frozenset({"plan"}), "tuned", "base", False),
        (frozenset({"explanation"}), "base", "tuned", False),
        (frozenset(), "base", "base", False),
    ],
)
def test_stages_take_who_was_taught(
    taught: Taught, planner: str, words: str, chooses: bool
) -> None:
    speaking = Speaking(Shop(), Tagged(), 0.2, "explain@1")  # type: ignore[arg-type]
    voice = speaking.voice(Model("tuned"), Model("base"), taught)
    assert voice.name == "tuned"
    assert voice.planner._model.name == planner  # type: ignore[attr-defined]
    assert voice.explainer is not None
    assert voice.explainer.model.name == words
    assert (voice.chooser is not None) is chooses
    assert (voice.planner._reward is not None) is (planner == "tuned")  # type: ignore[attr-defined]


def test_base_alone_does_everything() -> None:
    speaking = Speaking(Shop(), Tagged(), 0.2, "explain@1")  # type: ignore[arg-type]
    voice = speaking.voice(Model("base"), None, frozenset())
    assert voice.planner._model.name == "base"  # type: ignore[attr-defined]
    assert voice.chooser is None
