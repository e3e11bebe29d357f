import json
import re
import shutil

import pytest

from finetune.adapters import CARD, CONFIG, README, WEIGHTS, open_adapter
from finetune.bases import resolve
from finetune.errors import AdapterError
from tests.finetune import tiny


@pytest.fixture
def copy(adapter, tmp_path):
    return shutil.copytree(adapter.folder, tmp_path / "copy")


def changed(path, change):
    data = json.loads(path.read_text("utf-8"))
    change(data)
    path.write_text(json.dumps(data), "utf-8")


def test_card_says_whose_from_what_and_how(adapter, base, rows):
    card = adapter.card
    assert (card.name, card.method, card.base) == ("adapter", "sft", str(base))
    assert card.base_fingerprint == resolve(str(base)).fingerprint
    assert card.prompts == ("plan@1",)
    assert (card.data["files"], card.data["rows"], card.data["held_out_rows"]) == (
        "rows.jsonl", 36, 4
    )  # fmt: skip
    assert {"train_loss", "eval_loss", "eval_token_accuracy", "steps"} <= card.metrics.keys()
    assert (card.config["rank"], card.config["alpha"], card.config["seed"]) == (4, 8, 3)
    assert card.libraries["trl"] == "1.16.0"
    assert len(card.data_hash) == len(card.weights_hash) == 64


def test_adapter_opens_for_its_base_under_any_name(adapter, base, copy, tmp_path):
    moved = shutil.copytree(base, tmp_path / "elsewhere")
    assert open_adapter(copy, resolve(str(moved))).card == adapter.card


def test_adapter_of_another_base_is_refused(adapter, base, tmp_path):
    other = resolve(str(tiny.make_base(tmp_path / "other", seed=2)))
    expected = f"was made for base {str(base)!r} (fingerprint {adapter.card.base_fingerprint[:12]}"
    with pytest.raises(AdapterError, match=re.escape(expected)) as caught:
        open_adapter(adapter.folder, other)
    assert f"not for {other.name!r} ({other.fingerprint[:12]}…)" in str(caught.value)


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS, CARD])
def test_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(AdapterError, match=f"has no {name}: expected a folder that"):
        open_adapter(copy)


def test_folder_that_is_not_there_is_no_adapter(tmp_path):
    with pytest.raises(AdapterError, match=f"nothing' has no {CONFIG}"):
        open_adapter(tmp_path / "nothing")


@pytest.mark.parametrize("content", [b"", b"nonsense" * 99, b"\xff" * 64, None])
def test_corrupt_weights_are_refused(copy, content):
    path = copy / WEIGHTS
    path.write_bytes(path.read_bytes()[:-10] if content is None else content)
    with pytest.raises(AdapterError, match=f"{WEIGHTS}' is no whole safetensors file"):
        open_adapter(copy)


def test_flipped_bit_in_weights_is_refused(copy):
    whole = bytearray((copy / WEIGHTS).read_bytes())
    whole[-1] ^= 1
    (copy / WEIGHTS).write_bytes(whole)
    with pytest.raises(AdapterError, match="is not the file its card was written for"):
        open_adapter(copy)


def test_weights_that_are_no_lora_are_refused(copy, base):
    shutil.copy(base / "model.safetensors", copy / WEIGHTS)
    with pytest.raises(AdapterError, match="holds no LoRA weights"):
        open_adapter(copy)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.pop("prompts"),
        lambda data: data.pop("base_fingerprint"),
        lambda data: data.update(more=1),
    ],
)
def test_damaged_card_is_refused(copy, change):
    changed(copy / CARD, change)
    with pytest.raises(AdapterError, match=f"{CARD} is damaged"):
        open_adapter(copy)


def test_card_cut_short_is_refused(copy):
    (copy / CARD).write_text((copy / CARD).read_text("utf-8")[:50], "utf-8")
    with pytest.raises(AdapterError, match=f"{CARD} is damaged"):
        open_adapter(copy)


def test_model_card_has_front_matter_and_tables(adapter, base):
    text = (adapter.folder / README).read_text("utf-8")
    head = text.split("---\n")[1]
    assert f'base_model: "{base}"' in head
    assert "library_name: peft" in head
    for line in ("| prompts | plan@1 |", "| rows | 36 |", "| rank | 4 |", "| trl | 1.16.0 |"):
        assert line in text
    assert f"| eval_loss | {adapter.card.metrics['eval_loss']:.4g} |" in text


def test_configuration_names_base_and_layers_as_servers_read_them(adapter, base):
    saved = json.loads((adapter.folder / CONFIG).read_text("utf-8"))
    assert saved["base_model_name_or_path"] == str(base)
    assert saved["target_modules"] == [
        "down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"
    ]  # fmt: skip
