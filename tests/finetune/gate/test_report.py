"""Verdicts as JSON, Markdown and a picture."""

import json
from dataclasses import replace

import pytest

from finetune.errors import MissingExtra
from finetune.gate.decision import decide
from finetune.gate.plots import draw
from finetune.gate.report import to_json, to_markdown
from tests.finetune.gate.judging import ACTS, STATE, asking, flipped, measured

RULES = {
    "understanding_state_exact": {"better": "higher", "margin": 0.05, "improves": True},
    "understanding_act_accuracy": {"better": "higher", "margin": 0.05},
    "held_preferred": {"better": "higher", "margin": 0.05},
}
CONFIG = {"candidate": "shop-3", "baseline": "house", "seed": 7, "hash": {"demo": "ab"},
          "small": True, "catalogs": ["demo"], "seconds": {"understanding": 2.5}}  # fmt: skip


@pytest.fixture
def verdict():
    both = measured(STATE, *flipped(80, up=20)) | measured(ACTS, *flipped(80, down=20))
    found = decide(both, asking(**RULES), skipped={"held": "no pairs were given"})
    return replace(found, config=CONFIG)


def test_json_has_both_contestants(verdict):
    found = json.loads(json.dumps(to_json(verdict)))
    assert found["verdict"] == "refuse"
    assert found["caught_by"] == [ACTS]
    assert found["ours"] == {STATE: pytest.approx(0.625), ACTS: pytest.approx(0.375)}
    assert found["baselines"] == {
        "house": {STATE: pytest.approx(0.375), ACTS: pytest.approx(0.625)}
    }
    assert found["n"] == {STATE: 80, ACTS: 80}
    assert (found["seed"], found["hash"]) == (7, {"demo": "ab"})
    assert found["config"] == {"candidate": "shop-3", "baseline": "house", "small": True,
                               "catalogs": ["demo"]}  # fmt: skip
    low, high = found["metrics"][STATE]["interval"]
    assert low < 0.25 < high
    assert found["metrics"][STATE]["improved"]
    assert found["skipped"] == {"held": "no pairs were given"}


def test_markdown_says_why(verdict):
    text = to_markdown(verdict, "gate.svg")
    assert text.startswith("# REFUSE: shop-3 against house\n")
    assert "- understanding.act_accuracy is worse: 0.625 to 0.375, -0.25 [" in text
    assert "![Differences with their intervals](gate.svg)" in text
    assert "| `understanding.state_exact` | 0.375 | 0.625 | +0.250 |" in text
    assert "higher is better, 0.05 less tolerated | 80 | improved |" in text
    assert "- held: no pairs were given" in text
    assert "- seconds: understanding 2.5" in text


def test_markdown_without_plot_has_no_picture(verdict):
    assert "![" not in to_markdown(verdict)


@pytest.mark.parametrize(("name", "head"), [("gate.svg", b"<?xml"), ("gate.png", b"\x89PNG")])
def test_plot_is_drawn(verdict, tmp_path, name, head):
    pytest.importorskip("matplotlib")
    path = draw(verdict, tmp_path / name)
    assert path.read_bytes().startswith(head)


def test_missing_matplotlib_names_the_extra(verdict, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"attune\[plots\]"):
        draw(verdict, tmp_path / "gate.svg")
