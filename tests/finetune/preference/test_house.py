"""A small round on the house model, served in this process."""

import pytest

from agent.local_chat import LocalChat
from benchmarks.preference_pairs import choice_pairs, dialect_pairs, dialect_turns, write_folder
from finetune.adapters import WEIGHTS
from finetune.bases import HOUSE
from finetune.preference.dpo import DPOConfig, Sources, train
from tests.finetune.test_sft import tensors


def test_made_up_rows_are_apart():
    train_rows, held = (choice_pairs(40, 1, held=side) for side in (False, True))
    assert not {pair.user for pair in train_rows} & {pair.user for pair in held}
    assert {pair.kind for pair in (*train_rows, *held)} == {"choice"}
    turns, unseen = (dialect_turns(10, 1, held=side) for side in (False, True))
    assert not {one.utterance for one, _ in turns} & {one.utterance for one, _ in unseen}
    assert all("frim" in pair.prompt[-1]["content"] for pair in dialect_pairs(turns))


@pytest.mark.slow
def test_house_model_learns_a_dialect_and_is_served(tmp_path):
    learned, unseen = (
        dialect_pairs(dialect_turns(count, 1, held=held))
        for count, held in ((60, False), (20, True))
    )
    folder = write_folder(tmp_path / "pairs", learned, unseen)
    config = DPOConfig(base="house", cpu=True, epochs=2, prompts=("plan@2",))
    adapter = train(config, Sources((folder,)), tmp_path / "adapter")
    assert adapter.card.metrics["reward_accuracy_plan"] > 0.9
    assert not [name for name in tensors(adapter.folder / WEIGHTS)
                if "lm_head" in name or "embed" in name]  # fmt: skip
    with LocalChat(HOUSE, threads=1, patience_s=120.0) as chat:
        taught = chat.load_adapter("taught", adapter.folder)
        assert taught.complete(unseen[0].prompt, deadline_s=60.0).model == "taught"
