import json

import pytest

from finetune.adapters import open_adapter
from finetune.bases import resolve


def test_preferred_answers_gain_reward(adapter):
    metrics = adapter.card.metrics
    assert metrics["reward_accuracy"] == metrics["reward_accuracy_choice"] > 0.9
    assert metrics["reward_accuracy_low"] <= metrics["reward_accuracy"]
    assert metrics["margin"] > 1
    assert metrics["train_loss"] < 0.6931


def test_card_tells_method_data_and_lineage(adapter, base, folder):
    card = open_adapter(adapter.folder, resolve(str(base))).card
    assert (card.method, card.parent, card.config["beta"]) == ("dpo", None, None)
    assert (card.data["rows"], card.data["kinds"], card.data["held_out_rows"]) == (
        40, {"choice": 40}, 20,
    )  # fmt: skip
    assert card.data["reports"] == {folder.name: {"pairs": 40}}
    lines = [
        json.loads(line) for line in (adapter.folder / "lineage.jsonl").read_text().splitlines()
    ]
    assert len(lines) == 40
    assert {(line["session"], line["user"], *line["events"]) for line in lines} == {
        (f"s{n}", f"u{n % 7}", f"e{n}") for n in range(40)
    }
    assert len({line["id"] for line in lines}) == 40


def test_same_seed_gives_the_same_weights(adapter, config, folder, tmp_path):
    from finetune.preference.dpo import Sources, train

    again = train(config, Sources((folder,)), tmp_path / "again")
    assert again.card.weights_hash == adapter.card.weights_hash
    assert again.card.metrics["margin"] == pytest.approx(adapter.card.metrics["margin"])
