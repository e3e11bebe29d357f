import json
import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from finetune.adapters import open_adapter
from finetune.bases import resolve
from finetune.pairs.rows import write_made
from finetune.preference.config import DPOConfig, KTOConfig
from tests.finetune import tiny
from tests.finetune.preference.conftest import pair, verdict
from ui.cli import main
from ui.tune import tune

PAGE = Path(__file__).parents[2] / "docs" / "tuning.md"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    import torch

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("tune") / "base"
    return tiny.make_base(folder, hidden_size=64, intermediate_size=128)


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "pairs"
    found.mkdir()
    write_made(found / "train.jsonl", [pair(n) for n in range(24)])
    with (found / "train.jsonl").open("a") as file:
        file.write('{"prompt": "a"}\n')
    write_made(found / "held.jsonl", [pair(n) for n in range(50, 54)])
    write_made(found / "kto_train.jsonl", [verdict(n, n % 3 == 0) for n in range(24)])
    return found


@pytest.fixture
def run(base, folder, tmp_path):
    def invoke(command, *args, **given):
        options = {"--base": base, "--data": folder, "--out": tmp_path / "out", **given}
        words = [str(word) for pair in options.items() if pair[1] for word in pair]
        return CliRunner().invoke(main, ["tune", command, "--cpu", *words, *map(str, args)])

    return invoke


QUICK = ("--max-steps", 2, "--batch-size", 6, "--rank", 4)


def test_dpo_trains_an_adapter_and_lists_what_it_could_not_use(run, base, folder, tmp_path):
    done = run("dpo", *QUICK, "--kind", "choice", "--prompt", "plan@2")
    assert done.exit_code == 0, done.output
    told, metrics = done.stdout.splitlines()
    assert told == f"adapter {tmp_path / 'out'} for {base}"
    assert re.search(r"train loss [\d.]+, steps 2, .*reward accuracy [\d.]+.*margin", metrics)
    assert f"{folder / 'train.jsonl'}:25: has no 'chosen'" in done.stderr
    assert (tmp_path / "out" / "train.rejects.jsonl").exists()
    card = open_adapter(tmp_path / "out", resolve(str(base))).card
    assert (card.method, card.prompts, card.config["loss"]) == ("dpo", ("plan@2",), "sigmoid")


def test_kto_prints_its_card_as_json(run):
    done = run("kto", *QUICK, "--json")
    assert done.exit_code == 0, done.output
    card = json.loads(done.stdout)
    assert (card["method"], card["data"]["rows"]) == ("kto", 24)
    assert card["config"]["desirable_weight"] == 2.0


def test_later_round_starts_from_an_adapter(run, tmp_path):
    first = run("dpo", *QUICK)
    assert first.exit_code == 0, first.output
    start, out = tmp_path / "out", tmp_path / "later"
    later = run("dpo", *QUICK, "--start", start, "--json", **{"--out": out})
    assert later.exit_code == 0, later.output
    assert json.loads(later.stdout)["parent"] == open_adapter(start).card.weights_hash


def test_dry_run_trains_nothing(run, tmp_path):
    done = run("dpo", *QUICK, "--dry-run")
    assert done.exit_code == 0, done.output
    assert re.search(r"speed +[\d,]+ tokens/s on this machine \(measured\)", done.stdout)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["train.rejects.jsonl"]


def test_documented_gpu_command_dry_runs(base, folder, tmp_path):
    [command] = re.findall(
        r"```sh\n(attune tune dpo --base Qwen.*?)```", PAGE.read_text("utf-8"), re.DOTALL
    )
    words = shlex.split(command.replace("\\\n", " "))[1:]
    for option, value in (("--base", base), ("--data", folder), ("--out", tmp_path / "out")):
        words[words.index(option) + 1] = str(value)
    done = CliRunner().invoke(main, [*words, "--cpu", "--dry-run"])
    assert done.exit_code == 0, done.output
    assert "--quantize 4bit" in " ".join(words)
    assert re.search(r"speed +[\d,]+ tokens/s", done.stdout)


@pytest.mark.parametrize(
    ("command", "given", "args", "message"),
    [
        ("dpo", {"--base": "nowhere"}, (), "base 'nowhere': there is no such folder"),
        ("dpo", {}, ("--beta", 0), "beta=0.0: expected a number from 0.0001 to 100"),
        ("dpo", {}, ("--kind", "plan"), "0 usable rows of kind plan in "),
        ("dpo", {}, ("--start", "nowhere"), "adapter 'nowhere' has no adapter_config.json"),
        ("dpo", {}, ("--strict",), "1 rows can't be used: "),
        ("dpo", {}, ("--resume",), "holds no checkpoint to resume from"),
        ("kto", {}, ("--batch-size", 1), "batch_size=1: KTO compares rows of a batch"),
        ("kto", {"--data": "nowhere"}, (), "cannot read 'nowhere': No such file or directory"),
    ],
)
def test_error_is_one_line_and_nothing_is_trained(run, tmp_path, command, given, args, message):
    done = run(command, *args, **given)
    assert done.exit_code == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert message in line
    assert not (tmp_path / "out" / "adapter_card.json").exists()


@pytest.mark.parametrize(("command", "config"), [("dpo", DPOConfig), ("kto", KTOConfig)])
def test_every_field_of_the_configuration_is_an_option(command, config):
    names = {one.name for one in tune.commands[command].params}
    assert {one.name for one in fields(config)} <= names
