"""The files as `datasets` and TRL read them, by a tiny base."""

import pytest

from finetune.pairs.make import PairsConfig, make_pairs, write_folder
from finetune.pairs.rows import read_pairs
from tests.finetune import tiny
from tests.finetune.pairs.test_make import user


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    import torch

    torch.set_num_threads(1)
    return tiny.make_base(tmp_path_factory.mktemp("trl") / "base")


@pytest.fixture
def folder(talk, retriever, tmp_path):
    sessions = [user(talk, n).session for n in range(8)]
    made = make_pairs(sessions, retriever, PairsConfig(least=1))
    write_folder(tmp_path / "pairs", made)
    return tmp_path / "pairs"


def loaded(path, cache):
    from datasets import load_dataset

    return load_dataset("json", data_files=str(path), split="train", cache_dir=str(cache))


def test_datasets_reads_the_columns(folder, tmp_path):
    rows = loaded(folder / "train.jsonl", tmp_path)
    assert list(rows[0]["prompt"][0]) == ["role", "content"]
    assert len(rows) == len(read_pairs(folder / "train.jsonl"))
    assert {"prompt", "chosen", "rejected", "others", "weight"} <= set(rows.column_names)
    alone = loaded(folder / "kto_train.jsonl", tmp_path)
    assert str(alone.features["label"].dtype) == "bool"


@pytest.mark.slow
def test_dpo_trainer_takes_the_pairs(folder, base, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    rows = loaded(folder / "train.jsonl", tmp_path)
    config = DPOConfig(
        output_dir=str(tmp_path / "dpo"), max_steps=2, per_device_train_batch_size=2, use_cpu=True,
        report_to=[], save_strategy="no", bf16=False,
    )  # fmt: skip
    trainer = DPOTrainer(
        AutoModelForCausalLM.from_pretrained(base), args=config, train_dataset=rows,
        processing_class=AutoTokenizer.from_pretrained(base),
    )  # fmt: skip
    assert trainer.train().global_step == 2


@pytest.mark.slow
def test_kto_trainer_takes_the_unpaired(folder, base, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import KTOConfig, KTOTrainer

    rows = loaded(folder / "kto_train.jsonl", tmp_path)
    config = KTOConfig(
        output_dir=str(tmp_path / "kto"), max_steps=2, per_device_train_batch_size=2, use_cpu=True,
        report_to=[], save_strategy="no", bf16=False,
    )  # fmt: skip
    trainer = KTOTrainer(
        AutoModelForCausalLM.from_pretrained(base), args=config, train_dataset=rows,
        processing_class=AutoTokenizer.from_pretrained(base),
    )  # fmt: skip
    assert trainer.train().global_step == 2
