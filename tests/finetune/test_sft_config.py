import re

import pytest

from finetune.errors import TrainingError
from finetune.sft_config import SFTConfig, read_config, write_config
from prompts.errors import UnknownPrompt


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rank": 0}, "rank=0: expected a number from 1 to 512"),
        ({"rank": "8"}, "rank='8': expected a number from 1 to 512"),
        ({"batch_size": True}, "batch_size=True: expected a number from 1 to 4096"),
        ({"learning_rate": 2}, "learning_rate=2: expected a number from 1e-08 to 1"),
        ({"epochs": float("nan")}, "epochs=nan: expected a number from 0.001 to 1000"),
        ({"eval_share": 0.9}, "eval_share=0.9: expected a number from 0 to 0.5"),
        ({"quantize": "8bit"}, "quantize='8bit': expected one of auto, 4bit, none"),
    ],
)
def test_value_that_cannot_be_trained_with_is_refused(values, message):
    with pytest.raises(TrainingError, match=re.escape(message)):
        SFTConfig(base="house", **values)


def test_prompts_must_exist():
    with pytest.raises(UnknownPrompt, match="no prompt 'plan@999'"):
        SFTConfig(base="house", prompts=("plan@1", "plan@999"))


def test_alpha_is_twice_the_rank_unless_given():
    assert SFTConfig(base="house", rank=8).scale == 16
    assert SFTConfig(base="house", rank=8, alpha=4).scale == 4


def test_written_configuration_reads_back(tmp_path):
    config = SFTConfig(
        base="house", rank=8, report_to=("wandb",), prompts=("plan@1",), packing=True
    )
    write_config(tmp_path / "best.toml", config)
    assert read_config(tmp_path / "best.toml") == config


def test_what_is_given_goes_before_the_file(tmp_path):
    write_config(tmp_path / "best.toml", SFTConfig(base="house", rank=8, epochs=2.0))
    config = read_config(tmp_path / "best.toml", rank=32, base=None, prompts=())
    assert (config.base, config.rank, config.epochs) == ("house", 32, 2.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rank = ", "can't be read"),
        ("base = 'house'\nranks = 8", "has 'ranks'; known: base, learning_rate, rank"),
        ("rank = 8", "no base model given: expected house, a folder, or an id of the hub"),
        ("base = 'house'\nrank = [8]", "rank=(8,): expected a number"),
    ],
)
def test_unusable_file_says_why(tmp_path, text, message):
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(TrainingError, match=re.escape(message)):
        read_config(tmp_path / "x.toml")


def test_missing_file_is_told(tmp_path):
    with pytest.raises(TrainingError, match=r"config '.*none\.toml' can't be read: .*No such file"):
        read_config(tmp_path / "none.toml")
