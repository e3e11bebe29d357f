"""Who words explanations, by the settings."""

from __future__ import annotations

import json

import pytest

from agent.llm import ScriptedModel
from ui.errors import UIError
from ui.explaining import explanations, make_explainer
from ui.settings import Settings


def test_templates_are_the_default():
    assert make_explainer(Settings(), ScriptedModel([])) is None


@pytest.mark.parametrize(("name", "prompt"), [("house", "explain@1"), ("qwen", "explain@2")])
def test_model_is_asked_as_it_was_trained(name, prompt):
    settings = Settings(explainer="model", explain_s=2.5)
    explainer = make_explainer(settings, ScriptedModel([], name))
    assert explainer is not None
    assert (explainer.prompt, explainer.deadline_s) == (prompt, 2.5)


def test_missing_model_is_named():
    with pytest.raises(UIError, match="needs a language model: name one with --llm"):
        make_explainer(Settings(explainer="model"), None)


ROWS = """id,title,category,colour,price
1,Alto shirt,Shirts,Blue,35
2,Brisa shirt,Shirts,Red,28
3,Alto shoes,Shoes,Black,90
4,Brisa shoes,Shoes,Blue,60
5,Alto coat,Coats,Red,120
"""


def test_one_catalog_file_is_measured(tmp_path):
    file = tmp_path / "shop.csv"
    file.write_text(ROWS)
    report = explanations(file, Settings(llm="none"), 12, 3)
    assert report["n"]["explanations"] == 12
    assert list(report["by_catalog"]) == ["shop"]
    assert report["config"] == {"writer": "template"}
    assert json.loads(json.dumps(report))["seed"] == 3
