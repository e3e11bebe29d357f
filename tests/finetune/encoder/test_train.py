"""Training itself, on a tiny encoder: what it changes, and how it goes on."""

import numpy as np
import pytest

from finetune.encoder import train as training
from finetune.encoder.train import TrainConfig, between, last_checkpoint, load_model, train, weights
from finetune.errors import TrainingError
from tests.finetune.encoder import tiny

pytestmark = pytest.mark.filterwarnings("ignore")
ROWS = [(f"{c} {t}", f"a {c} {t} by acme", f"{t} of velora")
        for c in tiny.COLOURS for t in tiny.TYPES][:40]  # fmt: skip
CONFIG = TrainConfig(steps=5, batch_size=8, max_length=16, learning_rate=1e-3)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return str(tiny.make_encoder_folder(tmp_path_factory.mktemp("train")))


def changed(before, after):
    return {name for name, tensor in before.items() if not tensor.equal(after[name])}


def test_five_steps_change_the_weights(place, tmp_path):
    model = load_model(place)
    before = weights(model)
    loss = train(model, ROWS, CONFIG, tmp_path)
    assert 0 < loss < 5
    assert len(changed(before, weights(model))) > len(before) / 2
    assert model.max_seq_length == 48
    again = load_model(place)
    train(again, ROWS, CONFIG, tmp_path / "again")
    assert not changed(weights(model), weights(again))


def test_lora_is_merged_into_the_weights_it_adapts(place, tmp_path):
    from dataclasses import replace

    model = load_model(place)
    before = weights(model)
    train(model, ROWS, replace(CONFIG, method="lora"), tmp_path)
    texts = [query for query, *_ in ROWS]
    adapted = model.encode(texts)
    after = weights(model)
    assert after.keys() == before.keys()
    moved = changed(before, after)
    assert moved
    assert all(name.endswith("weight") and "embeddings" not in name for name in moved)
    plain = load_model(place)
    plain.load_state_dict(after)
    np.testing.assert_allclose(plain.encode(texts), adapted, atol=1e-5)


def test_resumed_run_ends_where_an_unbroken_one_does(place, tmp_path):
    whole = load_model(place)
    train(whole, ROWS, CONFIG, tmp_path / "whole")
    stop_after(2, place, tmp_path / "cut")
    assert last_checkpoint(tmp_path / "cut").name == "checkpoint-2"
    resumed = load_model(place)
    train(resumed, ROWS, CONFIG, tmp_path / "cut", resume=True)
    for name, tensor in weights(whole).items():
        np.testing.assert_allclose(weights(resumed)[name], tensor, atol=1e-6, err_msg=name)


def stop_after(steps, place, out):
    from transformers import TrainerCallback

    class Stop(TrainerCallback):
        def on_step_begin(self, args, state, control, **more):
            if state.global_step == steps:
                raise KeyboardInterrupt

    trainer = training._trainer(load_model(place), ROWS, CONFIG, out, False)
    trainer.model.max_seq_length = CONFIG.max_length
    trainer.add_callback(Stop())
    with pytest.raises(KeyboardInterrupt):
        trainer.train()


def test_checkpoint_cut_off_in_writing_does_not_count(tmp_path):
    assert last_checkpoint(tmp_path) is None
    for step, whole in ((2, True), (10, True), (12, False)):
        folder = tmp_path / "checkpoints" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        if whole:
            (folder / "trainer_state.json").write_text("{}")
    assert last_checkpoint(tmp_path).name == "checkpoint-10"


def test_weights_between_are_on_the_line(place):
    model = load_model(place)
    base = weights(model)
    tuned = {n: t + 1 if t.is_floating_point() else t for n, t in base.items()}
    for alpha in (0.0, 0.3, 1.0):
        for name, tensor in between(base, tuned, alpha).items():
            by = alpha if tensor.is_floating_point() else 0
            np.testing.assert_allclose(tensor, base[name] + by, atol=1e-5)


def test_too_few_rows_are_refused(place, tmp_path):
    with pytest.raises(TrainingError, match="5 steps of 8 pairs need 40 rows, got 39"):
        train(load_model(place), ROWS[:39], CONFIG, tmp_path)


def test_loss_that_is_no_number_is_refused(place, tmp_path):
    model = load_model(place)
    next(model.parameters()).data.fill_(float("nan"))
    with pytest.raises(TrainingError, match="not a number"):
        train(model, ROWS, CONFIG, tmp_path)


def test_steps_are_timed_and_leave_the_model_alone(place):
    before = weights(load_model(place))
    found = training.seconds_per_step(place, ROWS, CONFIG)
    assert False in found
    assert all(seconds > 0 for seconds in found.values())
    assert not changed(before, weights(load_model(place)))
