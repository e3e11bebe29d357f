"""Our losses against their formulas, and against TRL's own trainers on the same weights."""

import math

import pytest

from finetune.encoding import MASKED
from finetune.preference.config import DPOConfig, KTOConfig
from finetune.preference.data import Sources
from finetune.preference.losses import (
    BARE,
    free_loss,
    kto_losses,
    sequence_logps,
    softmax_loss,
)
from finetune.preference.prepared import prepare_dpo, prepare_kto
from finetune.preference.training import Collator
from tests.finetune import tiny


def tensor(*values):
    import torch

    return torch.tensor(values)


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


def test_one_rejected_answer_gives_dpo():
    expected = -math.log(sigmoid(0.7 - 0.2))
    assert softmax_loss(tensor(0.7, 0.2)).item() == pytest.approx(expected)


def test_several_rejected_answers_give_softmax_dpo():
    rewards = (0.7, 0.2, -0.4, 1.1)
    total = sum(math.exp(one - rewards[0]) for one in rewards[1:])
    expected = -math.log(sigmoid(-math.log(total)))
    assert softmax_loss(tensor(*rewards)).item() == pytest.approx(expected)


def test_loss_without_reference_wants_a_margin():
    expected = -math.log(sigmoid(1.4 - 1.2 - 0.5))
    assert free_loss(tensor(1.4, 1.2)).item() == pytest.approx(expected)


def test_kto_measures_against_the_drift():
    losses = kto_losses(tensor(2.0, 2.0), tensor(0.5), tensor(True, False), beta=0.3)
    expected = [1 - sigmoid(0.3 * 1.5), 1 - sigmoid(-0.3 * 1.5)]
    assert losses.tolist() == pytest.approx(expected)


@pytest.fixture(scope="module")
def model(base):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(base)


@pytest.fixture
def sequences():
    return [([5, 6, 7, 8, 9], [MASKED, MASKED, 7, 8, 9]), ([9, 4, 3], [MASKED, 4, 3])]


def test_padding_changes_no_likelihood(model, sequences):
    import torch

    batch = Collator(pad=1).pad(sequences)
    expected = []
    for ids, labels in sequences:
        logits = model(torch.tensor([ids])).logits[0].log_softmax(-1)
        expected.append(sum(logits[at - 1, token].item()
                            for at, token in enumerate(labels) if token != MASKED))  # fmt: skip
    assert sequence_logps(model, batch).tolist() == pytest.approx(expected, rel=1e-5)


def test_tiled_likelihoods_have_the_same_gradients(model, sequences, monkeypatch):
    import torch

    batch, found = Collator(pad=1).pad(sequences), []
    part = model.model.layers[0].self_attn.q_proj.weight
    for bare in (BARE, ()):
        monkeypatch.setattr("finetune.preference.losses.BARE", bare)
        logps = sequence_logps(model, batch)
        [gradient] = torch.autograd.grad((logps * tensor(0.3, -2.0)).sum(), part)
        found.append((logps, gradient))
    (ours, slope), (theirs, expected) = found
    assert ours.tolist() == pytest.approx(theirs.tolist(), rel=1e-5)
    torch.testing.assert_close(slope, expected, rtol=1e-4, atol=1e-6)


def noisy(model):
    """Give an adapter weights that change something, always the same."""
    import torch

    torch.manual_seed(5)
    for name, part in model.named_parameters():
        if ".lora_B." in name:
            torch.nn.init.normal_(part, std=0.3)
    return model


def first_batch(trainer):
    return next(iter(trainer.get_train_dataloader()))


def our_loss(prepared, folder):
    trainer = prepared.training(folder)._trainer
    return trainer.compute_loss(noisy(trainer.model).eval(), first_batch(trainer)).item()


def their_loss(trainer):
    model = noisy(trainer.model).eval()
    trainer.model = model
    return trainer.compute_loss(model, first_batch(trainer)).item()


def trl_arguments(kind, folder, **given):
    return kind(
        output_dir=str(folder), per_device_train_batch_size=40, use_cpu=True, bf16=False,
        gradient_checkpointing=False, report_to="none", train_sampling_strategy="sequential",
        seed=3, **given,
    )  # fmt: skip


def rows_of(path, *names):
    import json

    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [{name: row[name] for name in names} for row in rows]


@pytest.fixture
def exact(monkeypatch):
    """Compute in single precision, which both can be held to."""
    from contextlib import nullcontext

    monkeypatch.setattr("finetune.preference.training.half_precision", lambda config: nullcontext())


def test_dpo_loss_is_that_of_trl(base, folder, tmp_path, exact):
    import trl
    from datasets import Dataset
    from transformers import AutoModelForCausalLM

    from finetune.lora import lora

    config = DPOConfig(base=str(base), rank=4, batch_size=40, seed=3, cpu=True, beta=0.2)
    theirs = trl.DPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(base),
        args=trl_arguments(trl.DPOConfig, tmp_path / "theirs", beta=0.2),
        train_dataset=Dataset.from_list(
            rows_of(folder / "train.jsonl", "prompt", "chosen", "rejected")
        ),
        processing_class=tiny.make_tokenizer(),
        peft_config=lora(config),
    )
    ours = our_loss(prepare_dpo(config, Sources((folder,))), tmp_path / "ours")
    assert ours != pytest.approx(math.log(2), abs=1e-3)
    assert ours == pytest.approx(their_loss(theirs), rel=1e-4)


def test_kto_loss_is_that_of_trl(base, folder, tmp_path, exact):
    import trl
    from datasets import Dataset
    from transformers import AutoModelForCausalLM

    from finetune.lora import lora

    config = KTOConfig(base=str(base), rank=4, batch_size=40, seed=3, cpu=True, beta=0.2)
    prepared = prepare_kto(config, Sources((folder,)))
    tokenizer = tiny.make_tokenizer()
    # Our order: the neighbour whose answer estimates the drift is part of the loss.
    rows = {
        tuple(tokenizer.apply_chat_template(
            [*row["prompt"], *row["completion"]], return_dict=True)["input_ids"]): row
        for row in rows_of(folder / "kto_train.jsonl", "prompt", "completion", "label")
    }  # fmt: skip
    theirs = trl.KTOTrainer(
        model=AutoModelForCausalLM.from_pretrained(base),
        args=trl_arguments(trl.KTOConfig, tmp_path / "theirs", beta=0.2),
        train_dataset=Dataset.from_list(
            [rows[tuple(group.answers[0].input_ids)] for group in prepared.train]
        ),
        processing_class=tokenizer,
        peft_config=lora(config),
    )
    ours = our_loss(prepared, tmp_path / "ours")
    assert ours != pytest.approx(0.5, abs=1e-3)
    assert ours == pytest.approx(their_loss(theirs), rel=1e-4)
