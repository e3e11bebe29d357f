import re
from dataclasses import replace

import pytest

from finetune.errors import DataError, TrainingError
from finetune.pairs.rows import write_made
from finetune.preference.kto import KTOConfig, Sources, prepare_kto, train
from tests.finetune import tiny
from tests.finetune.preference.conftest import verdict


@pytest.fixture(scope="module")
def config(base):
    return KTOConfig(
        base=str(base), learning_rate=2e-2, rank=4, epochs=3, batch_size=8, max_length=64,
        seed=3, cpu=True,
    )  # fmt: skip


def test_good_answers_gain_reward_over_bad_ones(config, folder, tmp_path):
    found = train(config, Sources((folder,)), tmp_path / "out")
    metrics = found.card.metrics
    assert found.card.method == "kto"
    assert metrics["reward_accuracy"] > 0.9
    assert metrics["margin"] > 0.5
    assert metrics["reward_accuracy_low"] <= metrics["reward_accuracy_choice"]
    assert len((tmp_path / "out" / "lineage.jsonl").read_text().splitlines()) == 40


def test_fewer_good_answers_count_more(config, tmp_path):
    rows = [verdict(n, n % 4 == 0) for n in range(40)]
    write_made(tmp_path / "rows.jsonl", rows)
    sources = Sources((tmp_path / "rows.jsonl",))
    found = prepare_kto(config, sources).config
    assert (found.desirable_weight, found.undesirable_weight) == (3.0, 1.0)
    given = prepare_kto(replace(config, desirable_weight=1.5), sources).config
    assert (given.desirable_weight, given.undesirable_weight) == (1.5, 1.0)


def test_answers_of_earlier_rounds_are_mixed_in(config, folder, tmp_path):
    known = tiny.write(tmp_path / "known.jsonl", tiny.pairs(10))
    prepared = prepare_kto(config, Sources((folder,), replay=(known,)))
    assert len(prepared.train) == 50
    assert [group.kind for group in prepared.train] != ["choice"] * 40 + ["replay"] * 10
    found = prepared.training(tmp_path / "run")
    assert found.run()["drift"] > 0


@pytest.mark.parametrize(("good", "told"), [(True, "30 good and 0 bad"), (False, "0 good and 30")])
def test_one_kind_of_verdict_is_refused(config, tmp_path, good, told):
    write_made(tmp_path / "rows.jsonl", [verdict(n, good) for n in range(30)])
    with pytest.raises(DataError, match=re.escape(told)):
        prepare_kto(config, Sources((tmp_path / "rows.jsonl",)))


def test_batch_of_one_is_refused():
    with pytest.raises(TrainingError, match="batch_size=1: KTO compares rows of a batch"):
        KTOConfig(base="house", batch_size=1)
