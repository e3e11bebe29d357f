import math
import re
from dataclasses import replace

import optuna
import pytest

from finetune import search as module
from finetune.errors import DataError, TrainingError
from finetune.search import BEST, STUDY, Space, search
from finetune.sft import Sources, fit, prepare
from finetune.sft_config import read_config

SPACE = Space(learning_rate=(1e-4, 3e-2), rank=(2, 4), batch=(6, 12), epochs=(1, 1))


@pytest.fixture(scope="module")
def prepared(config, rows):
    return prepare(replace(config, evals_per_epoch=2), Sources((rows,)))


@pytest.fixture
def losses(monkeypatch):
    """Replace training by a script: the losses that each trial reports, in order."""
    script = []

    def scripted(prepared, out, *, watch):
        told = script.pop(0)
        if isinstance(told, BaseException):
            raise told
        every = 1 / prepared.config.evals_per_epoch
        for at, loss in enumerate(told, start=1):
            watch(at * every, {"eval_loss": loss})
        return _adapter(told[-1])

    monkeypatch.setattr(module, "fit", scripted)
    monkeypatch.setattr(module, "STARTUP", 2)
    return script


def _adapter(loss):
    from finetune.adapters import Adapter, Card

    metrics = {"eval_loss": loss}
    return Adapter(None, Card("", "sft", "", "", "", {}, (), metrics, {}, {}, "", ""))


def states(result):
    return [trial.state for trial in result.trials]


def test_search_trains_keeps_its_study_and_goes_on(prepared, config, tmp_path):
    first = search(prepared, tmp_path, trials=2, space=SPACE)
    assert states(first) == ["complete", "complete"]
    best = min(first.trials, key=lambda trial: trial.loss)
    assert first.loss == best.loss
    assert first.best.learning_rate == best.params["learning_rate"]
    assert first.best.batch_size * first.best.accumulation == best.params["batch"]
    assert read_config(tmp_path / BEST) == first.best
    assert not (tmp_path / "trials").exists()
    second = search(prepared, tmp_path, trials=3, space=SPACE)
    assert second.trials[:2] == first.trials
    assert len(second.trials) == 3
    assert len({trial.params["learning_rate"] for trial in second.trials}) == 3
    assert search(prepared, tmp_path, trials=3, space=SPACE) == second


def test_best_configuration_trains_to_the_loss_it_was_chosen_for(prepared, tmp_path):
    found = search(prepared, tmp_path, trials=1, space=SPACE)
    adapter = fit(replace(prepared, config=read_config(tmp_path / BEST)), tmp_path / "out")
    assert adapter.card.metrics["eval_loss"] == pytest.approx(found.loss, abs=1e-6)


def test_trial_that_falls_behind_is_pruned(prepared, losses, tmp_path):
    losses += [[3.0, 1.0]] * module.STARTUP + [[9.0, 0.1], [2.0, 0.5]]
    result = search(prepared, tmp_path, trials=module.STARTUP + 2, space=SPACE)
    assert states(result) == ["complete"] * module.STARTUP + ["pruned", "complete"]
    assert result.trials[-2].loss == 9.0
    assert result.loss == 0.5


def test_trial_that_cannot_be_trained_is_given_up_and_the_search_goes_on(
    prepared, losses, tmp_path
):
    losses += [TrainingError("training diverged"), [math.nan], [2.0, 1.0]]
    result = search(prepared, tmp_path, trials=3, space=SPACE)
    assert states(result)[0] == "pruned"
    assert states(result)[-1] == "complete"
    assert result.loss == 1.0


def test_search_without_a_finished_trial_has_no_best(prepared, losses, tmp_path):
    losses += [TrainingError("training diverged")]
    result = search(prepared, tmp_path, trials=1, space=SPACE)
    assert (result.best, result.loss, states(result)) == (None, None, ["pruned"])
    assert not (tmp_path / BEST).exists()


def test_interrupted_trial_is_tried_again(prepared, losses, tmp_path):
    losses += [[2.0, 1.5], KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        search(prepared, tmp_path, trials=2, space=SPACE)
    losses += [[2.0, 1.0]]
    result = search(prepared, tmp_path, trials=2, space=SPACE)
    assert states(result) == ["complete", "fail", "complete"]
    assert result.trials[2].params == result.trials[1].params
    assert result.loss == 1.0


def test_trial_cut_off_by_a_crash_is_tried_again(prepared, losses, tmp_path):
    losses += [[2.0, 1.5]]
    search(prepared, tmp_path, trials=1, space=SPACE)
    study = optuna.load_study(study_name="sft", storage=f"sqlite:///{tmp_path / STUDY}")
    module._drawn(study.ask(), prepared.config, SPACE)
    losses += [[2.0, 1.0]]
    result = search(prepared, tmp_path, trials=2, space=SPACE)
    assert states(result) == ["complete", "fail", "complete"]
    assert result.trials[2].params == result.trials[1].params


def test_study_of_another_setup_is_refused(prepared, losses, tmp_path):
    losses += [[1.0]]
    search(prepared, tmp_path, trials=1, space=SPACE)
    other = replace(prepared, data_hash="other", config=replace(prepared.config, dropout=0.5))
    expected = "holds a study with another setup (data_hash, dropout): give another folder"
    with pytest.raises(TrainingError, match=re.escape(expected)):
        search(other, tmp_path, trials=1, space=SPACE)
    wider = replace(SPACE, rank=(2, 4, 8))
    with pytest.raises(TrainingError, match=r"another setup \(space\)"):
        search(prepared, tmp_path, trials=1, space=wider)


def test_folder_is_searched_by_one_at_a_time(prepared, tmp_path):
    from filelock import FileLock

    with (
        FileLock(tmp_path / "search.lock"),
        pytest.raises(TrainingError, match="another search is running in"),
    ):
        search(prepared, tmp_path, trials=1, space=SPACE)


def test_search_needs_held_out_rows(config, rows, tmp_path):
    prepared = prepare(replace(config, eval_share=0), Sources((rows,)))
    with pytest.raises(DataError, match="nothing is held out to judge trials by: give --held"):
        search(prepared, tmp_path, trials=1)


def test_study_is_a_file_that_optuna_opens(prepared, losses, tmp_path):
    losses += [[3.0, 2.0]]
    search(prepared, tmp_path, trials=1, space=SPACE)
    study = optuna.load_study(study_name="sft", storage=f"sqlite:///{tmp_path / STUDY}")
    assert [trial.intermediate_values for trial in study.trials] == [{1: 3.0, 2: 2.0}]


@pytest.mark.parametrize(
    ("size", "batch", "shape"), [(4, 16, (4, 4)), (6, 8, (2, 4)), (16, 8, (8, 1))]
)
def test_batch_on_the_device_never_grows(config, size, batch, shape):
    drawn = module._with(
        replace(config, batch_size=size), learning_rate=1e-3, rank=2, batch=batch, epochs=1
    )
    assert (drawn.batch_size, drawn.accumulation) == shape
