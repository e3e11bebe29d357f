import json
import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from finetune.adapters import open_adapter
from finetune.bases import resolve
from finetune.search import SearchResult, Trial
from finetune.sft_config import SFTConfig
from finetune.training_data import Reject
from tests.finetune import tiny
from ui.cli import main
from ui.tune import duration, rejects_text, search_text, tune

PAGE = Path(__file__).parents[2] / "docs" / "tuning.md"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    import torch

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("tune") / "base"
    return tiny.make_base(folder, hidden_size=64, intermediate_size=128)


@pytest.fixture
def rows(tmp_path):
    return tiny.write(tmp_path / "rows.jsonl", [*tiny.pairs(24), {"prompt": "a"}])


@pytest.fixture
def run(base, rows, tmp_path):
    def invoke(command, *args, **given):
        options = {"--base": base, "--data": rows, "--out": tmp_path / "out", **given}
        words = [str(word) for pair in options.items() if pair[1] for word in pair]
        return CliRunner().invoke(main, ["tune", command, "--cpu", *words, *map(str, args)])

    return invoke


QUICK = ("--max-steps", 2, "--batch-size", 6, "--accumulation", 1, "--eval-share", 0.2)


def test_sft_trains_an_adapter_and_lists_what_it_could_not_use(run, base, rows, tmp_path):
    done = run("sft", *QUICK, "--prompt", "plan@1", "--rank", 4)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0] == f"adapter {tmp_path / 'out'} for {base}"
    assert re.fullmatch(
        r"train loss [\d.]+, steps 2, .*eval loss [\d.]+.*\n", done.stdout.partition("\n")[2]
    )
    kept = tmp_path / "out" / "rows.rejects.jsonl"
    assert f"{rows}:25: has no 'completion'; it has 'prompt'" in done.stderr
    assert f"1 rows can't be used, kept aside in {kept}" in done.stderr
    assert json.loads(kept.read_text("utf-8"))["line"] == 25
    card = open_adapter(tmp_path / "out", resolve(str(base))).card
    assert (card.prompts, card.config["rank"]) == (("plan@1",), 4)


def test_dry_run_tells_tokens_and_time_and_trains_nothing(run, tmp_path):
    done = run("sft", *QUICK, "--dry-run")
    assert done.exit_code == 0, done.output
    assert re.search(
        r"tokens +\d+ in each epoch, \d+ of them learned; longest example 24", done.stdout
    )
    assert re.search(r"steps +2, \d+ tokens in all", done.stdout)
    assert re.search(r"speed +[\d,]+ tokens/s on this machine \(measured\)", done.stdout)
    assert re.search(r"time +\d+ s, evaluations not counted", done.stdout)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["rows.rejects.jsonl"]


def test_dry_run_with_a_known_speed_reads_no_weights(run, tmp_path):
    folder = tiny.make_base(tmp_path / "light")
    (folder / "model.safetensors").unlink()
    options = {"--base": folder, "--tokens-per-second": "0.5"}
    done = run("sft", "--epochs", 10, "--dry-run", **options)
    assert done.exit_code == 0, done.output
    assert re.search(r"speed +0 tokens/s on this machine \(as given\)", done.stdout)
    assert re.search(r"time +\d h \d+ min", done.stdout)


def test_documented_gpu_command_dry_runs(base, rows, tmp_path):
    [command] = re.findall(
        r"```sh\n(attune tune sft --base Qwen.*?)```", PAGE.read_text("utf-8"), re.DOTALL
    )
    words = shlex.split(command.replace("\\\n", " "))[1:]
    for option, value in (("--base", base), ("--data", rows), ("--out", tmp_path / "out")):
        words[words.index(option) + 1] = str(value)
    done = CliRunner().invoke(main, [*words, "--cpu", "--dry-run"])
    assert done.exit_code == 0, done.output
    assert "--quantize 4bit" in " ".join(words)
    assert re.search(r"speed +[\d,]+ tokens/s", done.stdout)


def test_search_prints_its_trials_and_sft_takes_the_best(run, tmp_path):
    done = run("search", "--trials", 1, "--eval-share", 0.2)
    assert done.exit_code == 0, done.output
    best = tmp_path / "out" / "best.toml"
    head, trial, told, where = done.stdout.splitlines()
    assert head.split() == ["trial", "state", "eval", "loss", "configuration"]
    assert re.fullmatch(
        r" +0  complete +[\d.]+  batch=\d+, learning_rate=\S+, rank=\d+, epochs=\d", trial
    )
    assert re.fullmatch(r"best: [\d.]+", told)
    assert where == f"best configuration: {best}"
    again = run(
        "sft", "--max-steps", 1, **{"--base": "", "--config": best, "--out": tmp_path / "two"}
    )
    assert again.exit_code == 0, again.output
    card = open_adapter(tmp_path / "two").card
    assert f"rank={card.config['rank']}," in trial


@pytest.mark.parametrize(
    ("given", "args", "message"),
    [
        ({"--base": "nowhere"}, (), "base 'nowhere': there is no such folder"),
        ({"--base": ""}, (), "no base model given: expected house, a folder, or an id of the hub"),
        ({"--data": "none.jsonl"}, (), "cannot read 'none.jsonl': No such file or directory"),
        ({}, ("--rank", 9999), "rank=9999: expected a number from 1 to 512"),
        ({}, ("--strict",), "1 rows can't be used: "),
        ({}, ("--prompt", "plan@999"), "no prompt 'plan@999' among the templates"),
        ({}, ("--resume",), "holds no checkpoint to resume from"),
        ({}, ("--max-length", 10), "no row can be learned with this base"),
    ],
)
def test_error_is_one_line_and_nothing_is_trained(run, tmp_path, given, args, message):
    done = run("sft", *args, **given)
    assert done.exit_code == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert message in line
    assert not (tmp_path / "out" / "adapter_card.json").exists()


@pytest.mark.parametrize("command", ["sft", "search"])
def test_every_field_of_the_configuration_is_an_option(command):
    names = {one.name for one in tune.commands[command].params}
    searched = {"learning_rate", "rank", "accumulation", "epochs"} if command == "search" else set()
    assert {one.name for one in fields(SFTConfig)} - names == searched


def test_many_rejects_are_cut_short(tmp_path):
    rejects = [Reject("rows.jsonl", line, "not JSON", "x") for line in range(1, 1235)]
    lines = rejects_text(rejects, [tmp_path / "rows.rejects.jsonl"]).splitlines()
    assert lines[0] == "rows.jsonl:1: not JSON"
    assert lines[20:] == [
        "… and 1,214 more",
        f"1,234 rows can't be used, kept aside in {tmp_path / 'rows.rejects.jsonl'}",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (59.4, "59 s"),
        (60, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3600 * 30.5, "30 h 30 min"),
    ],
)
def test_duration_has_two_units(seconds, text):
    assert duration(seconds) == text


def test_search_without_a_finished_trial_says_so():
    text = search_text(SearchResult((Trial(0, "fail", None, {"rank": 8}),), None, None))
    assert text.splitlines()[1:] == [
        "    0  fail               –  rank=8",
        "no trial came to its end",
    ]
