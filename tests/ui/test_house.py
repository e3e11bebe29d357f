import json

import pytest
from click.testing import CliRunner

from tests.finetune.house.test_train import row
from ui.cli import main


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row("go back", '{"acts":[{"act":"undo"}]}')) + "\n")
    return path


def test_dry_run_tells_the_size_and_trains_nothing(rows, tmp_path):
    out = tmp_path / "out"
    command = ["house", "train", "--out", str(out), "--rows", str(rows), "--dry-run"]
    done = CliRunner().invoke(main, [*command, "--layers", "1"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["rows"] == 1
    assert report["shape"]["layers"] == 1
    assert not (out / "model.safetensors").exists()


def test_larger_model_for_a_gpu_can_be_sized_without_one(rows, tmp_path):
    command = ["house", "train", "--out", str(tmp_path / "out"), "--rows", str(rows), "--dry-run"]
    done = CliRunner().invoke(main, [*command, "--layers", "8", "--intermediate", "1536"])
    learnt = json.loads(done.stdout)["parameters"]
    assert 2 * learnt < 60_000_000


def test_install_of_an_unfinished_training_says_what_to_do(tmp_path):
    done = CliRunner().invoke(main, ["house", "install", "--from", str(tmp_path)])
    assert done.exit_code == 1
    assert "attune house train" in done.stderr


@pytest.mark.slow
def test_rows_of_all_sources_are_made(tmp_path):
    out = tmp_path / "rows"
    command = ["house", "rows", "--out", str(out), "--count", "40", "--explanations", "10"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    made = json.loads(done.stdout)["rows"]
    assert made["plans"] == 40
    assert made["explanations"] == 10
    first = json.loads((out / "plans.jsonl").read_text().splitlines()[0])
    assert first["prompt"][0]["content"].startswith("plan\n")
    assert first["completion"][0]["content"].startswith('{"acts":[')
