import json
import math

import pytest

from finetune.house.model import Shape
from finetune.house.rows import is_held_out, mixed, read_rows, write_rows
from finetune.house.train import (
    STRIDE,
    Encoded,
    TrainConfig,
    batches,
    encode_rows,
    rate_at,
    run,
)

TINY = Shape(layers=1, heads=6, key_value_heads=2, intermediate=64, context=64)
FAST = TrainConfig(passes=6, tokens_per_batch=256, warmup_steps=5, learning_rate=4e-3, threads=1)


def row(said, answer):
    return {
        "prompt": [{"role": "user", "content": f"plan {said}"}],
        "completion": [{"role": "assistant", "content": answer}],
        "source": "test",
    }


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    said = {"go back": "undo", "start over": "reset", "hello there": "chitchat"}
    plans = [row(text, f'{{"acts":[{{"act":"{act}"}}]}}') for text, act in said.items()]
    write_rows(plans * 30, path, 90)
    return path


@pytest.fixture(scope="module")
def trained(rows, tmp_path_factory):
    out = tmp_path_factory.mktemp("house")
    return out, run([rows], out, FAST, TINY, checks=[rows])


def test_a_model_learns_its_rows_and_says_how_well(trained):
    out, report = trained
    assert report["checks"]["rows"] == {"n": 90, "exact": 1.0}
    assert json.loads((out / "report.json").read_text()) == report
    assert report["rows"] == 90


def test_word_embeddings_stay_as_they_were(trained):
    import torch
    from transformers import AutoModelForCausalLM

    from finetune.house.model import new_house

    out, _ = trained
    table = AutoModelForCausalLM.from_pretrained(out).get_input_embeddings().weight.float()
    fresh = new_house(TINY, out, FAST.seed)
    before = fresh.model.get_input_embeddings().weight.to(torch.bfloat16).float()
    own = fresh.trained_rows
    assert torch.equal(table[own:], before[own:])
    assert not torch.equal(table[:own], before[:own])


def test_a_stopped_run_goes_on_where_it_was(rows, trained, tmp_path):
    import torch

    _, whole = trained
    half = TrainConfig(**{**whole["config"], "passes": 3.0})
    first = run([rows], tmp_path, half, TINY)
    kept = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert kept["step"] == first["steps"]
    again = run([rows], tmp_path, FAST, TINY)
    assert again["steps"] == whole["steps"] > first["steps"]


def test_training_can_begin_with_another_model(rows, trained, tmp_path):
    none = TrainConfig(passes=0.01, tokens_per_batch=256, learning_rate=1e-9, threads=1)
    report = run([rows], tmp_path, none, TINY, checks=[rows], start=trained[0])
    assert report["checks"]["rows"]["exact"] == 1.0


def test_a_dry_run_counts_and_writes_no_model(rows, tmp_path):
    report = run([rows], tmp_path, FAST, TINY, dry_run=True)
    assert report["rows"] == 90
    assert report["tokens"] > 90 * 5
    assert not (tmp_path / "model.safetensors").exists()


def test_only_the_answer_is_learnt(rows, tmp_path):
    from finetune.house.model import new_house

    tokenizer = new_house(TINY, tmp_path, 0).tokenizer
    (encoded,) = encode_rows(iter([row("go back", "{}")]), tokenizer, 64)
    said = tokenizer.decode(encoded.ids[: encoded.prompt])
    assert said == "<|user|> plan go back<|assistant|>"
    assert tokenizer.decode(encoded.ids[encoded.prompt :]) == "{}<|end|>"
    assert encode_rows(iter([row("go " * 80, "{}")]), tokenizer, 64) == []


def test_batches_hold_every_row_once_within_their_size():
    rows_ = [Encoded([1] * n, 1) for n in (5, 9, 40, 41, 12, 30, 8)]
    found = batches(rows_, TrainConfig(tokens_per_batch=100), 0)
    assert sorted(at for batch in found for at in batch) == list(range(7))
    for batch in found:
        longest = max(len(rows_[at].ids) for at in batch)
        assert len(batch) * -(-longest // STRIDE) * STRIDE <= 100 or len(batch) == 1
    assert found == batches(rows_, TrainConfig(tokens_per_batch=100), 0)


RATES = [(0, 0.0, 0.01), (99, 0.0, 1.0), (500, 0.5, 0.525), (900, 1.0, 0.05)]


@pytest.mark.parametrize(("step", "done", "share"), RATES)
def test_the_rate_warms_up_and_comes_down(step, done, share):
    config = TrainConfig(learning_rate=1.0)
    assert math.isclose(rate_at(config, step, done), share, rel_tol=1e-6)


def test_sources_are_mixed_by_weight_until_one_ends():
    some = mixed([(iter([{"a": n} for n in range(90)]), 3.0), (iter([{"b": 1}] * 90), 1.0)], 1)
    found = [next(some) for _ in range(80)]
    assert 45 <= sum("a" in one for one in found) <= 75


def test_rows_appear_when_they_are_complete(tmp_path):
    def broken():
        yield row("a", "b")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_rows(broken(), tmp_path / "r.jsonl", 5)
    assert not (tmp_path / "r.jsonl").exists()
    assert write_rows(iter([row("a", "b")] * 9), tmp_path / "r.jsonl", 5) == 5
    assert len(list(read_rows([tmp_path / "r.jsonl"]))) == 5


def test_the_same_phrases_are_held_out_every_time():
    from finetune.house.make import written_phrases

    phrases = written_phrases()
    held = [phrase for phrase in phrases if is_held_out(phrase)]
    assert 0.03 < len(held) / len(phrases) < 0.07
