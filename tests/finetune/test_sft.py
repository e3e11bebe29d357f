import json
import re
import shutil
from dataclasses import replace

import pytest

from finetune import sft
from finetune.adapters import CARD, WEIGHTS, open_adapter
from finetune.bases import resolve
from finetune.errors import BaseModelError, DataError, MissingExtra, TrainingError
from finetune.estimate import estimate
from finetune.sft import Sources, fit, prepare, train
from tests.finetune import tiny


def tensors(path):
    from safetensors.torch import load_file

    return {name: values.float().numpy() for name, values in load_file(path).items()}


def save(path, weights):
    from safetensors.numpy import save_file

    save_file(weights, path, metadata={"format": "pt"})


def stop_at(epoch):
    def watch(now, metrics):
        if now >= epoch:
            raise KeyboardInterrupt

    return watch


@pytest.fixture(scope="module")
def prepared(config, rows):
    return prepare(config, Sources((rows,)))


def test_lora_weights_changed_and_the_base_did_not(adapter, base, tmp_path):
    weights = tensors(adapter.folder / WEIGHTS)
    moved = [name for name, values in weights.items() if ".lora_B." in name and values.any()]
    layers, linear = 2, 7
    assert len(moved) == layers * linear
    assert not [name for name in weights if "lm_head" in name or "embed" in name]
    again = tiny.make_base(tmp_path / "again")
    assert (base / "model.safetensors").read_bytes() == (again / "model.safetensors").read_bytes()


def test_adapter_answers_better_than_its_base(adapter, base, prepared):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    def loss(model):
        with torch.no_grad():
            parts = [
                model(torch.tensor([one.input_ids]), labels=torch.tensor([one.labels])).loss.item()
                for one in prepared.held
            ]
        return sum(parts) / len(parts)

    model = AutoModelForCausalLM.from_pretrained(base)
    before = loss(model)
    after = loss(PeftModel.from_pretrained(model, adapter.folder))
    assert after < before - 0.2
    assert adapter.card.metrics["eval_loss"] == pytest.approx(after, abs=0.02)


@pytest.fixture(scope="module")
def interrupted(prepared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("interrupted") / "run"
    with pytest.raises(KeyboardInterrupt):
        fit(prepared, folder, watch=stop_at(2))
    return folder


def test_resumed_run_ends_like_one_that_was_not_interrupted(
    adapter, prepared, interrupted, tmp_path
):
    out = shutil.copytree(interrupted, tmp_path / "run")
    checkpoints = [path.name for path in (out / "checkpoints").glob("checkpoint-*")]
    assert checkpoints == ["checkpoint-6"]
    assert not (out / CARD).exists()
    (out / "checkpoints" / "checkpoint-9").mkdir()  # cut off while it was written
    seen = []
    resumed = fit(prepared, out, resume=True, watch=lambda epoch, _: seen.append(epoch))
    assert seen == [2.0]
    assert resumed.card.metrics["steps"] == adapter.card.metrics["steps"] == 12
    assert resumed.card.metrics["eval_loss"] == pytest.approx(
        adapter.card.metrics["eval_loss"], abs=1e-6
    )
    assert resumed.card.weights_hash == adapter.card.weights_hash
    assert not (out / "checkpoints").exists()


def test_another_run_is_not_resumed(prepared, interrupted, tmp_path):
    out = shutil.copytree(interrupted, tmp_path / "run")
    with pytest.raises(TrainingError, match="holds checkpoints of an interrupted run: resume it"):
        fit(prepared, out)
    other = replace(prepared, config=replace(prepared.config, rank=8), data_hash="other")
    expected = f"data_hash was '{prepared.data_hash}', now 'other'; rank was 4, now 8"
    with pytest.raises(TrainingError, match=re.escape(expected)):
        fit(other, out, resume=True)
    (out / "checkpoints" / "run.json").write_text("{")
    with pytest.raises(TrainingError, match=r"cannot resume: '.*run\.json' can't be read"):
        fit(prepared, out, resume=True)


def test_nothing_to_resume_is_told(prepared, tmp_path):
    (tmp_path / "checkpoints" / "checkpoint-9").mkdir(parents=True)
    with pytest.raises(TrainingError, match="holds no checkpoint to resume from"):
        fit(prepared, tmp_path, resume=True)


def test_adapter_is_never_overwritten(adapter, config, rows):
    with pytest.raises(TrainingError, match="already holds an adapter: give another folder"):
        train(config, Sources((rows,)), adapter.folder)


def test_packed_examples_do_not_see_each_other(config, rows, tmp_path):
    """The loss of all examples in one sequence is that of each on its own."""
    alone = replace(config, batch_size=40, max_steps=1, eval_share=0, dropout=0, max_length=256)
    losses = [
        train(replace(alone, packing=packing), Sources((rows,)), tmp_path / str(packing))
        for packing in (False, True)
    ]
    plain, packed = (adapter.card.metrics["train_loss"] for adapter in losses)
    assert packed == pytest.approx(plain, abs=1e-5)


def test_four_bit_base_can_be_trained(config, rows, tmp_path):
    base = tiny.make_base(tmp_path / "base", hidden_size=64, intermediate_size=128)
    four = replace(config, base=str(base), quantize="4bit", max_steps=2, eval_share=0)
    adapter = train(four, Sources((rows,)), tmp_path / "out")
    weights = tensors(adapter.folder / WEIGHTS)
    assert any(values.any() for name, values in weights.items() if ".lora_B." in name)
    assert open_adapter(tmp_path / "out", resolve(str(base))).card.config["quantize"] == "4bit"


def test_gradient_checkpointing_changes_nothing(adapter, config, rows, tmp_path):
    kept = train(replace(config, checkpointing=True), Sources((rows,)), tmp_path / "out")
    assert kept.card.metrics["eval_loss"] == pytest.approx(
        adapter.card.metrics["eval_loss"], abs=1e-4
    )


def test_accumulated_batches_are_one_step(config, rows, tmp_path):
    config = replace(config, max_steps=1, eval_share=0, dropout=0)
    shapes = [replace(config, batch_size=size, accumulation=12 // size) for size in (12, 3)]
    whole, parts = (
        tensors(train(shape, Sources((rows,)), tmp_path / str(at)).folder / WEIGHTS)
        for at, shape in enumerate(shapes)
    )
    for name, values in whole.items():
        assert values == pytest.approx(parts[name], abs=1e-4)


def test_divergence_is_told_and_nothing_saved(config, rows, tmp_path):
    base = tiny.make_base(tmp_path / "base")
    broken = tensors(base / "model.safetensors")
    broken["model.norm.weight"][:] = float("nan")
    save(base / "model.safetensors", broken)
    with pytest.raises(TrainingError, match=r"training diverged \(train_loss is nan"):
        train(replace(config, base=str(base), max_steps=1), Sources((rows,)), tmp_path / "out")
    assert not (tmp_path / "out" / WEIGHTS).exists()


def test_base_without_all_its_weights_is_refused(config, rows, tmp_path):
    base = tiny.make_base(tmp_path / "base")
    some = tensors(base / "model.safetensors")
    del some["model.norm.weight"]
    save(base / "model.safetensors", some)
    with pytest.raises(BaseModelError, match=r"lacks weights that it needs: model\.norm\.weight"):
        train(replace(config, base=str(base)), Sources((rows,)), tmp_path / "out")


def test_unknown_architecture_is_told(config, rows, tmp_path):
    base = tiny.make_base(tmp_path / "base")
    settings = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**settings, "model_type": "llama9"}))
    with pytest.raises(BaseModelError, match=r"(?s)can't be loaded.*llama9"):
        train(replace(config, base=str(base)), Sources((rows,)), tmp_path / "out")


def test_tracker_that_is_not_installed_is_told(config, rows, tmp_path):
    with pytest.raises(TrainingError, match="tracker 'nope' is not installed; installed: "):
        train(replace(config, report_to=("nope",)), Sources((rows,)), tmp_path / "out")


def test_missing_library_says_the_pip_line(config, rows, tmp_path, monkeypatch):
    monkeypatch.setattr(sft, "LIBRARIES", ("torch", "trl-of-another-world"))
    with pytest.raises(MissingExtra, match=r"needs trl-of-another-world: pip install -e '\.\[tra"):
        train(config, Sources((rows,)), tmp_path / "out")


def test_held_out_file_is_used_instead_of_a_share(config, rows, tmp_path):
    held = tiny.write(tmp_path / "held.jsonl", tiny.pairs(3))
    prepared = prepare(config, Sources((rows,), (held,)))
    assert (len(prepared.train), len(prepared.held)) == (40, 3)
    assert prepared.data["files"] == "rows.jsonl, held.jsonl"
    assert len(prepared.data["held_out_hash"]) == 64


def test_strict_refuses_data_with_an_unusable_row(config, tmp_path):
    mixed = tiny.write(tmp_path / "mixed.jsonl", [*tiny.pairs(9), {"prompt": "a"}])
    assert [str(reject) for reject in prepare(config, Sources((mixed,))).rejects] == [
        f"{mixed}:10: has no 'completion'; it has 'prompt'"
    ]
    with pytest.raises(DataError, match=r"1 rows can't be used: .*mixed\.jsonl:10: has no 'comp"):
        prepare(config, Sources((mixed,), strict=True))


def test_rows_longer_than_the_context_of_the_base_are_refused(config, tmp_path):
    base = tiny.make_base(tmp_path / "base", max_position_embeddings=23)
    data = tiny.write(tmp_path / "rows.jsonl", tiny.pairs(12))
    prepared = prepare(replace(config, base=str(base)), Sources((data,)))
    assert {str(reject) for reject in prepared.rejects} == {
        f"{data}:{line}: 24 tokens, more than the maximum length of 23" for line in (11, 12)
    }


def test_out_of_memory_says_what_to_lower(prepared, tmp_path):
    import torch

    def watch(epoch, metrics):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate\nmore")

    expected = r"lower batch_size .* \(CUDA out of memory\. Tried to allocate\)$"
    with pytest.raises(TrainingError, match=expected):
        fit(prepared, tmp_path, watch=watch)


def test_dry_run_trains_and_writes_nothing(config, prepared, base, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = (base / "model.safetensors").read_bytes()
    told = estimate(prepared)
    assert told.measured
    assert told.tokens_per_second > 0
    assert (told.steps, told.seen) == (12, 2 * told.tokens)
    assert (base / "model.safetensors").read_bytes() == before
    assert list(tmp_path.iterdir()) == []


def test_estimate_with_a_known_speed_needs_no_weights(config, rows, tmp_path):
    base = tiny.make_base(tmp_path / "base")
    (base / "model.safetensors").unlink()
    prepared = prepare(replace(config, base=str(base)), Sources((rows,)), weights=False)
    told = estimate(prepared, tokens_per_second=10)
    lengths = [len(example.input_ids) for example in prepared.train]
    assert (told.tokens, told.longest, told.measured) == (sum(lengths), max(lengths), False)
    assert told.learned == sum(example.learned for example in prepared.train)
    assert told.seconds == pytest.approx(2 * sum(lengths) / 10)
    short = replace(prepared, config=replace(prepared.config, max_steps=2))
    assert estimate(short, 10).seen == round(2 * 6 * sum(lengths) / len(lengths))
