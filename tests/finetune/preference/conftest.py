"""A tiny base, pairs that prefer one word to another, and an adapter of them, once per run."""

import pytest

from finetune.pairs.rows import Pair, Unpaired, write_made
from finetune.preference.dpo import DPOConfig, Sources, train
from tests.finetune import tiny


def asked(number):
    return tuple(tiny.asks(number))


def pair(number, **given):
    fields = {
        "prompt": asked(number), "kind": "choice", "chosen": f"tea {number}",
        "rejected": f"ale {number}", "session": f"s{number}", "user": f"u{number % 7}",
        "events": (f"e{number}",),
    }  # fmt: skip
    return Pair(**{**fields, **given})


def verdict(number, good, **given):
    word = "tea" if good else "ale"
    return Unpaired(prompt=asked(number), completion=f"{word} {number}", label=good,
                    kind="choice", session=f"s{number}", **given)  # fmt: skip


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    import torch

    torch.set_num_threads(1)
    return tiny.make_base(tmp_path_factory.mktemp("preference") / "base")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Return a folder as `attune feedback pairs` writes it."""
    found = tmp_path_factory.mktemp("pairs")
    write_made(found / "train.jsonl", [pair(n) for n in range(40)])
    write_made(found / "held.jsonl", [pair(n) for n in range(100, 120)])
    write_made(found / "kto_train.jsonl", [verdict(n, n % 2 == 0) for n in range(40)])
    write_made(found / "kto_held.jsonl", [verdict(n, n % 2 == 0) for n in range(100, 120)])
    (found / "report.json").write_text('{"pairs": 40}')
    return found


@pytest.fixture(scope="session")
def config(base):
    return DPOConfig(
        base=str(base), learning_rate=1e-2, rank=4, epochs=2, batch_size=8, max_length=64,
        seed=3, cpu=True,
    )  # fmt: skip


@pytest.fixture(scope="session")
def adapter(config, folder, tmp_path_factory):
    return train(config, Sources((folder,)), tmp_path_factory.mktemp("dpo") / "adapter")
