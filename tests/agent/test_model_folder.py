import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import save_file

from agent.errors import BadModelFolder
from agent.model_folder import check_adapter, check_model

LAYER = "model.layers.0.self_attn.q_proj"


def model_folder(folder, width=8):
    folder.mkdir()
    (folder / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    (folder / "tokenizer.json").write_text("{}")
    weights = {f"{LAYER}.weight": np.zeros((6, width), np.float32), "norm": np.zeros(4, np.float32)}
    save_file(weights, folder / "model.safetensors")
    return folder


def adapter_folder(folder, width=8, layer=LAYER, kind="LORA"):
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": kind, "r": 2}))
    name = f"base_model.model.{layer}"
    weights = {
        f"{name}.lora_A.weight": np.zeros((2, width), np.float32),
        f"{name}.lora_B.weight": np.zeros((6, 2), np.float32),
    }
    save_file(weights, folder / "adapter_model.safetensors")
    return folder


@pytest.fixture
def base(tmp_path):
    return model_folder(tmp_path / "base")


@pytest.fixture
def adapter(tmp_path):
    return adapter_folder(tmp_path / "adapter")


def test_whole_folders_pass(base, adapter):
    assert check_model(base)[f"{LAYER}.weight"] == (6, 8)
    assert check_adapter(adapter, base)["r"] == 2
    assert check_adapter(adapter)["r"] == 2


def test_sharded_weights_are_read_together(base):
    (base / "model.safetensors").rename(base / "model-1.safetensors")
    save_file({"head": np.zeros((3, 8), np.float32)}, base / "model-2.safetensors")
    parts = {f"{LAYER}.weight": "model-1.safetensors", "head": "model-2.safetensors"}
    (base / "model.safetensors.index.json").write_text(json.dumps({"weight_map": parts}))
    assert check_model(base)["head"] == (3, 8)
    (base / "model-2.safetensors").unlink()
    with pytest.raises(BadModelFolder, match=r"model-2\.safetensors"):
        check_model(base)


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda folder: shutil.rmtree(folder), "does not exist, so there is no config.json"),
        (lambda folder: (folder / "config.json").unlink(), "it has no config.json; check the path"),
        (lambda folder: (folder / "config.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "config.json").write_text("[]"), "holds no JSON object"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "has no tokenizer.json"),
        (lambda folder: (folder / "model.safetensors").unlink(), "has no model.safetensors"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"x" * 99), "no whole"),
        (lambda folder: cut_short(folder / "model.safetensors"), "no whole safetensors file"),
    ],
)
def test_broken_model_is_told(base, break_it, message):
    break_it(base)
    with pytest.raises(BadModelFolder, match=message):
        check_model(base)


def cut_short(file):
    file.write_bytes(file.read_bytes()[:-16])


def test_adapter_of_another_width_is_refused(base, tmp_path):
    wide = adapter_folder(tmp_path / "wide", width=16)
    with pytest.raises(BadModelFolder, match=rf"another base .*{LAYER} has 8 there and 16 in the"):
        check_adapter(wide, base)


def test_adapter_of_other_layers_is_refused(base, tmp_path):
    other = adapter_folder(tmp_path / "other", layer="transformer.h.0.attn")
    with pytest.raises(BadModelFolder, match="changes no layer that is there"):
        check_adapter(other, base)


def test_adapter_of_another_kind_is_refused(tmp_path):
    with pytest.raises(BadModelFolder, match="is a 'IA3' adapter; expected 'LORA'"):
        check_adapter(adapter_folder(tmp_path / "ia3", kind="IA3"))


def test_model_is_no_adapter(base):
    with pytest.raises(BadModelFolder, match=r"no adapter_config\.json|has no adapter_config"):
        check_adapter(base)


def test_cut_adapter_is_told(adapter, base):
    cut_short(adapter / "adapter_model.safetensors")
    with pytest.raises(BadModelFolder, match="no whole safetensors file"):
        check_adapter(adapter, base)
