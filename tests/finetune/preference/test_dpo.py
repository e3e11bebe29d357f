import json
import shutil
from dataclasses import replace

import pytest

from finetune.adapters import WEIGHTS, open_adapter
from finetune.bases import resolve
from finetune.errors import AdapterError, DataError, TrainingError
from finetune.estimate import estimate
from finetune.pairs.rows import write_made
from finetune.preference.dpo import DPOConfig, Sources, prepare_dpo, train
from tests.finetune import tiny
from tests.finetune.preference.conftest import pair
from tests.finetune.test_sft import save, tensors


def test_preferred_answers_gain_reward(adapter):
    metrics = adapter.card.metrics
    assert metrics["reward_accuracy"] == metrics["reward_accuracy_choice"] > 0.9
    assert metrics["reward_accuracy_low"] <= metrics["reward_accuracy"]
    assert metrics["margin"] > 1
    assert metrics["train_loss"] < 0.6931


def test_card_tells_method_data_and_lineage(adapter, base, folder):
    card = open_adapter(adapter.folder, resolve(str(base))).card
    assert (card.method, card.parent, card.config["beta"]) == ("dpo", None, None)
    assert (card.data["rows"], card.data["kinds"], card.data["held_out_rows"]) == (
        40, {"choice": 40}, 20,
    )  # fmt: skip
    assert card.data["reports"] == {folder.name: {"pairs": 40}}
    found = lineage(adapter)
    assert {(line["session"], line["user"], *line["events"]) for line in found} == {
        (f"s{n}", f"u{n % 7}", f"e{n}") for n in range(40)
    }
    assert len({line["id"] for line in found}) == len(found) == 40


def lineage(adapter):
    return [json.loads(line) for line in (adapter.folder / "lineage.jsonl").read_text().split("\n")
            if line]  # fmt: skip


def test_served_model_shows_the_margin_of_the_card(adapter, base, config, folder):
    """What peft loads, as servers do, rewards what the card says."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    def likelihood(model, one):
        ids, labels = torch.tensor([one.input_ids]), torch.tensor([one.labels])
        return -model(ids, labels=labels).loss.item() * one.learned

    def margin(model):
        with torch.no_grad():
            sums = [
                [likelihood(model, one) for one in group.answers]
                for group in prepare_dpo(config, Sources((folder,))).held
            ]
        return sum(chosen - rejected for chosen, rejected in sums) / len(sums)

    model = AutoModelForCausalLM.from_pretrained(base)
    before = margin(model)
    after = margin(PeftModel.from_pretrained(model, adapter.folder))
    assert after - before == pytest.approx(adapter.card.metrics["margin"], rel=0.05)


def test_same_seed_gives_the_same_weights(adapter, config, folder, tmp_path):
    again = train(config, Sources((folder,)), tmp_path / "again")
    assert again.card.weights_hash == adapter.card.weights_hash


@pytest.fixture(scope="module")
def further(adapter, config, folder, tmp_path_factory):
    rows = tmp_path_factory.mktemp("later") / "later.jsonl"
    write_made(rows, [pair(n, user="late") for n in range(200, 230)])
    sources = Sources((rows,), (folder / "held.jsonl",))
    slow = replace(config, learning_rate=1e-4, rank=16)
    out = tmp_path_factory.mktemp("further") / "out"
    return train(slow, sources, out, start=adapter.folder)


def test_later_round_adds_to_the_earlier_one(further, adapter):
    assert further.card.parent == adapter.card.weights_hash
    assert further.card.data["start"] == "adapter"
    assert (further.card.config["rank"], further.card.config["alpha"]) == (4, 8)
    # Measured against the base, so what was learned before still counts.
    assert further.card.metrics["margin"] > 0.9 * adapter.card.metrics["margin"]
    assert {line["user"] for line in lineage(further)} == {"late", *(f"u{n}" for n in range(7))}
    assert len(tensors(further.folder / WEIGHTS)) == len(tensors(adapter.folder / WEIGHTS))


def test_adapter_of_another_base_is_no_start(adapter, config, folder, tmp_path):
    other = tiny.make_base(tmp_path / "other", seed=2)
    with pytest.raises(AdapterError, match=r"was made for base .* not for .*other'"):
        train(replace(config, base=str(other)), Sources((folder,)), tmp_path / "out",
              start=adapter.folder)  # fmt: skip


def test_heavy_rows_outweigh_light_ones(config, folder, tmp_path):
    rows = [pair(n, weight=1.0) for n in range(20)]
    rows += [pair(n, chosen=f"ale {n}", rejected=f"tea {n}", weight=9.0) for n in range(20, 40)]
    write_made(tmp_path / "rows.jsonl", rows)
    found = train(config, Sources((tmp_path / "rows.jsonl",), (folder / "held.jsonl",)),
                  tmp_path / "out")  # fmt: skip
    assert found.card.metrics["reward_accuracy"] < 0.2


@pytest.mark.parametrize(
    "change",
    [
        {"loss": "softmax"},
        {"reference": "none"},
        {"reference": "none", "loss": "softmax", "beta": 1.0},
        {"sft_weight": 0.5, "dropout": 0.1, "accumulation": 2},
    ],
)
def test_every_loss_learns_the_preference(config, folder, tmp_path, change):
    rows = [pair(n, others=(f"ale {n + 1}",)) for n in range(40)]
    write_made(tmp_path / "rows.jsonl", rows)
    found = train(replace(config, **change), Sources((tmp_path / "rows.jsonl",),
                  (folder / "held.jsonl",)), tmp_path / "out")  # fmt: skip
    assert found.card.metrics["reward_accuracy"] > 0.9


def kept_likelihood(prepared, folder):
    """Train; return how likely the replayed answers then are, and the metrics."""
    training = prepared.training(folder)
    metrics = training.run()
    scores = training.score(training.model, prepared.replay)
    return sum(own[0] for own in scores) / len(scores), metrics


def test_replay_keeps_earlier_answers_likely(config, folder, tmp_path):
    known = tiny.write(tmp_path / "known.jsonl", tiny.pairs(40)[20:])
    prepared = prepare_dpo(config, Sources((folder,), replay=(known,)))
    assert (len(prepared.train), len(prepared.replay)) == (60, 20)
    apart = replace(prepared, train=prepared.train[:40])
    with_replay, metrics = kept_likelihood(prepared, tmp_path / "with")
    without, others = kept_likelihood(apart, tmp_path / "without")
    assert with_replay > without
    assert metrics["reward_accuracy"] > 0.9
    assert min(metrics["drift"], others["drift"]) > 0


def test_sft_weight_makes_chosen_answers_likely(config, folder, tmp_path):
    earlier = (folder / "held.jsonl",)
    likelihoods = []
    for weight in (0.0, 20.0):
        prepared = prepare_dpo(
            replace(config, sft_weight=weight), Sources((folder,), replay=earlier)
        )
        apart = replace(prepared, train=prepared.train[:40])
        likelihoods.append(kept_likelihood(apart, tmp_path / str(weight))[0])
    assert likelihoods[1] > likelihoods[0] + 0.5


def test_share_of_users_is_held_out(config, folder):
    sources = Sources((folder / "train.jsonl",))
    prepared = prepare_dpo(replace(config, eval_share=0.3), sources)
    ours = {group.owner for group in prepared.train}
    theirs = {group.owner for group in prepared.held}
    assert (len(ours), len(theirs), ours & theirs) == (5, 2, set())


def test_divergence_is_told_and_nothing_saved(config, folder, tmp_path):
    base = tiny.make_base(tmp_path / "base")
    broken = tensors(base / "model.safetensors")
    broken["model.norm.weight"][:] = float("nan")
    save(base / "model.safetensors", broken)
    with pytest.raises(TrainingError, match=r"training diverged \(train_loss is nan"):
        train(replace(config, base=str(base)), Sources((folder,)), tmp_path / "out")
    assert not (tmp_path / "out" / WEIGHTS).exists()


def test_interrupted_run_is_resumed(adapter, config, folder, tmp_path, monkeypatch):
    sources, out = Sources((folder,)), tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr("finetune.preference.training.told_by", lambda *given: stop_after(6))
        with pytest.raises(KeyboardInterrupt):
            train(config, sources, out)
    assert not (out / WEIGHTS).exists()
    with pytest.raises(TrainingError, match="holds checkpoints of an interrupted run: resume it"):
        train(config, sources, out)
    with pytest.raises(TrainingError, match=r"another setup: .*beta was None, now 0\.3"):
        train(replace(config, beta=0.3), sources, out, resume=True)
    resumed = train(config, sources, out, resume=True)
    assert resumed.card.weights_hash == adapter.card.weights_hash


def stop_after(step):
    from transformers import TrainerCallback

    class Stop(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step == step:
                raise KeyboardInterrupt

    return Stop()


def test_rows_too_long_for_the_base_leave_too_few(config, folder):
    with pytest.raises(DataError, match=r"0 usable rows in .* at least 20 are needed"):
        prepare_dpo(replace(config, max_length=10), Sources((folder,)))


def test_estimate_times_real_steps(config, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prepared = prepare_dpo(config, Sources((folder,)))
    told = estimate(prepared)
    assert (told.steps, told.seen) == (10, 2 * sum(group.tokens for group in prepared.train))
    assert told.tokens_per_second > 0
    assert told.longest == max(group.longest for group in prepared.train) < 64
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"loss": "hinge"}, "loss='hinge': expected one of sigmoid, softmax"),
        ({"reference": "old"}, "reference='old': expected one of base, none"),
        ({"beta": 0}, "beta=0: expected a number from 0.0001 to 100"),
    ],
)
def test_configuration_is_checked_at_once(given, message):
    with pytest.raises(TrainingError, match=message):
        DPOConfig(base="house", **given)


def test_existing_adapter_is_not_overwritten(adapter, config, folder, tmp_path):
    out = shutil.copytree(adapter.folder, tmp_path / "out")
    with pytest.raises(TrainingError, match="already holds an adapter: give another folder"):
        train(config, Sources((folder,)), out)
