from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from finetune.errors import BaseModelError
from tests.agent import fake_vllm
from tests.agent.test_model_folder import adapter_folder, model_folder
from ui import llm
from ui.cli import main
from ui.errors import UIError

SERVE = f'{sys.executable} {fake_vllm.__file__} "$@"'
CONFIG = {"hidden_size": 384, "num_attention_heads": 6, "max_position_embeddings": 1024}


@pytest.fixture
def base(tmp_path):
    folder = model_folder(tmp_path / "base")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "tokenizer_config.json").write_text("{}")
    return folder


@pytest.fixture
def adapter(tmp_path):
    return adapter_folder(tmp_path / "adapter")


@pytest.fixture
def start(tmp_path, base, adapter, port):
    """Start `attune llm serve` over a fake vLLM; returns the process."""
    started = []

    def begin(instead=""):
        python = fake_vllm.write(tmp_path, instead=instead)
        command = [sys.executable, "-m", "ui", "llm", "serve", "--base", base, "--adapter",
                   f"mine={adapter}", "--port", str(port), "--python", python]  # fmt: skip
        environ = {**os.environ, "FAKE_VLLM_SEEN": str(tmp_path / "seen.json")}
        process = subprocess.Popen(
            command, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        for _ in range(2):  # the second signal ends the server too, whatever it is at
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(1)
        process.kill()
        process.stdout.close()
        process.stderr.close()


def test_serving_names_base_and_adapters(base, adapter):
    what = llm.serving(str(base), [f"mine={adapter}"], "127.0.0.1", 9, ("--seed", "1"))
    assert (what.name, what.base, what.adapters) == ("base", base, {"mine": adapter})
    assert (what.url, what.extra) == ("http://127.0.0.1:9/v1", ("--seed", "1"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["mine"], "expected NAME=FOLDER"),
        (["=x"], "expected NAME=FOLDER"),
        (["a=x", "a=y"], "'a' is taken already"),
        (["base=x"], "'base' is taken already"),
    ],
)
def test_wrong_adapters_are_told(base, given, message):
    with pytest.raises(UIError, match=message):
        llm.serving(str(base), given, "127.0.0.1", 9, ())


def test_missing_base_is_told(tmp_path):
    with pytest.raises(BaseModelError, match="no such folder"):
        llm.serving(str(tmp_path / "none"), [], "127.0.0.1", 9, ())


def test_named_interpreter_is_the_only_one_tried():
    assert llm.interpreters(Path("/v/python")) == [Path("/v/python")]
    found = llm.interpreters(None)
    assert found[0] == Path(sys.executable)
    assert llm.BESIDE_US.absolute() in found


def test_dry_run_prints_the_command(tmp_path, base, monkeypatch):
    monkeypatch.setenv("ATTUNE_VLLM_PYTHON", str(fake_vllm.write(tmp_path)))
    args = ["llm", "serve", "--base", str(base), "--dry-run", "--", "--max-num-seqs", "8"]
    done = CliRunner().invoke(main, args)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("env HF_HUB_OFFLINE=1 ")
    assert done.stdout.rstrip().endswith("--max-num-seqs 8")
    assert f"--model {base} " in done.stdout


def test_missing_vllm_is_told(base, tmp_path):
    args = ["llm", "serve", "--base", str(base), "--python", str(tmp_path / "none")]
    done = CliRunner().invoke(main, args)
    assert done.exit_code == 1
    assert "vLLM is not installed for any of" in done.stderr
    assert "Traceback" not in done.output


def test_server_says_when_it_is_ready_and_ends_on_a_signal(start, port):
    process = start()
    url = f"http://127.0.0.1:{port}/v1"
    said = [process.stdout.readline() for _ in range(2)]
    assert said == [f"ready: --llm {url} --model base\n", f"ready: --llm {url} --model mine\n"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 128 + signal.SIGTERM
    assert "starting vLLM 0.32.0 (cpu) with base" in process.stderr.read()


def test_code_of_the_server_is_passed_on(start):
    process = start(instead="trap 'exit 7' TERM; echo up; while :; do sleep 0.1; done")
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 7
    assert "Error" not in process.stderr.read()


def test_second_signal_ends_a_server_that_hangs(start):
    process = start(instead="trap 'echo no' TERM; echo up; while :; do sleep 0.1; done")
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "no\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 128 + signal.SIGKILL


def test_second_signal_ends_a_ready_server_that_hangs(start, port):
    process = start(instead=f"trap 'echo no' TERM; {SERVE} & while :; do sleep 0.1; done")
    assert process.stdout.readline().startswith("ready:")
    assert process.stdout.readline().startswith("ready:")
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "no\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 128 + signal.SIGKILL


def test_server_that_cannot_start_is_told(start):
    process = start(instead="exit 3")
    assert process.wait(30) == 1
    assert "vLLM ended with code 3 before it was ready" in process.stderr.read()
