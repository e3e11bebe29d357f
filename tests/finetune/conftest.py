"""A tiny base, rows and an adapter, made once per run."""

import pytest

from finetune.sft import Sources, train
from finetune.sft_config import SFTConfig
from tests.finetune import tiny


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    import torch

    torch.set_num_threads(1)  # a model this small only loses by sharing out its work
    return tiny.make_base(tmp_path_factory.mktemp("tiny") / "base")


@pytest.fixture(scope="session")
def rows(tmp_path_factory):
    return tiny.write(tmp_path_factory.mktemp("tiny") / "rows.jsonl", tiny.pairs(40))


@pytest.fixture(scope="session")
def config(base):
    return SFTConfig(
        base=str(base), learning_rate=1e-2, rank=4, epochs=2, batch_size=6, accumulation=1,
        eval_share=0.1, max_length=64, seed=3, cpu=True, prompts=("plan@1",),
    )  # fmt: skip


@pytest.fixture(scope="session")
def adapter(config, rows, tmp_path_factory):
    return train(config, Sources((rows,)), tmp_path_factory.mktemp("tiny") / "adapter")
