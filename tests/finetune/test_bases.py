import json
import re
import shutil

import pytest

from finetune import bases
from finetune.bases import resolve
from finetune.errors import BaseModelError
from finetune.weights import BLOCK, BLOCKS, fingerprint
from tests.finetune import tiny


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def copy(base, tmp_path):
    return shutil.copytree(base, tmp_path / "copy")


def test_folder_is_a_base(base):
    found = resolve(str(base))
    assert (found.name, found.folder) == (str(base), base)
    assert [path.name for path in found.weights] == ["model.safetensors"]
    assert found.size == (base / "model.safetensors").stat().st_size


def test_house_is_the_model_that_is_shipped(base, monkeypatch):
    monkeypatch.setattr(bases, "HOUSE", base)
    assert resolve("house").folder == base
    assert resolve("house").name == "house"


def test_missing_house_model_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(bases, "HOUSE", tmp_path / "none")
    with pytest.raises(BaseModelError, match="this installation has no house model"):
        resolve("house")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("./nowhere", "base './nowhere': there is no such folder"),
        ("a/b/c", "base 'a/b/c': there is no such folder"),
        ("nowhere", "base 'nowhere': there is no such folder"),
        ("org/model", "base 'org/model' is not on this machine and the model hub does not answer"),
        ("org/mo del", "base 'org/mo del' is neither 'house', a folder, nor an id of the hub"),
    ],
)
def test_base_that_cannot_be_had_says_why(name, message):
    with pytest.raises(BaseModelError, match=re.escape(message)):
        resolve(name)


def test_hub_model_in_the_cache_needs_no_hub(base, tmp_path):
    repository = tmp_path / "cache" / "models--org--model"
    shutil.copytree(base, repository / "snapshots" / "0123")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0123")
    found = resolve("org/model")
    assert (found.name, found.folder) == ("org/model", repository / "snapshots" / "0123")


@pytest.mark.parametrize(
    ("remove", "message"),
    [
        ("config.json", "holds no config.json: expected a model"),
        ("tokenizer_config.json", "holds no tokenizer_config.json: expected a tokenizer"),
        ("model.safetensors", "holds no *.safetensors"),
    ],
)
def test_incomplete_folder_says_what_is_missing(copy, remove, message):
    (copy / remove).unlink()
    with pytest.raises(BaseModelError, match=re.escape(message)):
        resolve(str(copy))


def test_weights_need_not_be_there_when_not_needed(copy):
    (copy / "model.safetensors").unlink()
    assert resolve(str(copy), weights=False).folder == copy


def test_missing_shard_is_named(copy):
    index = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(BaseModelError, match=r"lacks the weight files model-2\.safetensors"):
        resolve(str(copy))


@pytest.mark.parametrize("text", ["{", "[1]", '"llama"'])
def test_damaged_configuration_is_told(copy, text):
    (copy / "config.json").write_text(text)
    with pytest.raises(BaseModelError, match=r"config\.json can't be read"):
        resolve(str(copy))


@pytest.mark.parametrize(
    ("settings", "context"),
    [
        ({"max_position_embeddings": 99}, 99),
        ({"text_config": {"max_position_embeddings": 7}}, 7),
        ({}, None),
    ],
)
def test_context_is_what_the_configuration_says(copy, settings, context):
    (copy / "config.json").write_text(json.dumps(settings))
    assert resolve(str(copy)).context == context


def test_weights_cut_short_are_refused(copy):
    whole = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(whole[:-100])
    with pytest.raises(BaseModelError, match=r"model\.safetensors' is no whole safetensors file"):
        resolve(str(copy))


def test_adapter_is_no_base(adapter):
    with pytest.raises(BaseModelError, match="is an adapter: give the model it was made for"):
        resolve(str(adapter.folder))


def test_fingerprint_goes_with_the_weights_not_the_place(base, copy, tmp_path):
    other = tiny.make_base(tmp_path / "other", seed=2)
    (copy / "config.json").write_text((copy / "config.json").read_text() + "\n")
    marks = [resolve(str(folder)).fingerprint for folder in (base, copy, other)]
    assert marks[0] == marks[1] != marks[2]


def test_fingerprint_of_a_large_file_reads_all_over_it(tmp_path):
    size = BLOCK * BLOCKS * 2
    marks = set()
    for place, length in ((0, 0), (0, 1), (size // 2, 3 * BLOCK), (size - 1, 1)):
        with (tmp_path / "large").open("wb") as file:
            file.truncate(size)
            file.seek(place)
            file.write(b"\1" * length)
        marks.add(fingerprint([tmp_path / "large"]))
    assert len(marks) == 4
