import json

import pytest

from finetune.errors import FinetuneError
from finetune.house import card
from finetune.house.model import Shape
from finetune.house.train import TrainConfig, run
from tests.finetune.house.test_train import row

RESULTS = {
    "sets": {
        "heldout": {
            "trained_on": False,
            "planners": {"rules": {"state_exact": 0.5, "reference_accuracy": None,
                                   "act_accuracy": 0.25}},
        },
        "dev": {"trained_on": True, "planners": {"both": {"act_accuracy": 1.0}}},
    }
}  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    rows = folder / "rows.jsonl"
    rows.write_text(json.dumps(row("go back", '{"acts":[{"act":"undo"}]}')) + "\n")
    config = TrainConfig(passes=1, threads=1)
    run([rows], folder, config, Shape(layers=1, intermediate=32, context=64), [rows])
    return folder


def test_a_model_is_installed_with_its_card(trained, tmp_path):
    results = tmp_path / "planners.json"
    results.write_text(json.dumps(RESULTS))
    folder = card.install(trained, tmp_path / "model", results)
    text = (folder / "README.md").read_text()
    report = json.loads((folder / "report.json").read_text())
    assert f"{report['parameters']:,} parameters" in text
    assert "| heldout | rules | 0.500 | – | 0.250 |" in text
    assert "| dev (trained on) | both | – | – | 1.000 |" in text
    assert f"| rows | 1 | {report['checks']['rows']['exact']:.3f} |" in text
    assert not (folder / "checkpoint.pt").exists()


def test_an_unfinished_training_is_refused(tmp_path):
    with pytest.raises(FinetuneError, match=r"lacks config\.json.*attune house train"):
        card.install(tmp_path)


def test_what_is_too_large_is_not_shipped(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(card, "MOST_BYTES", 1_000_000)
    with pytest.raises(FinetuneError, match="at most 1 can be shipped"):
        card.install(trained, tmp_path / "model")
    assert not (tmp_path / "model").exists()
