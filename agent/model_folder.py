"""What a model folder and an adapter folder must hold, checked before anything heavy is loaded.

Only the headers of safetensors files are read, so a broken download, or an adapter trained on
another base, is told within milliseconds and without torch. This module loads no model.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agent.errors import BadModelFolder

Shapes = dict[str, tuple[int, ...]]

_PEFT_PREFIX = "base_model.model."


def check_model(folder: Path) -> Shapes:
    """Return the shapes of a causal model's tensors.

    Raises:
        BadModelFolder: If the folder is none that transformers could load.
    """
    read_json(folder, "config.json", "a model")
    if not any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer_config.json")):
        raise BadModelFolder(f"{str(folder)!r} has no tokenizer.json; save the tokenizer beside "
                             "the model with tokenizer.save_pretrained(folder)")  # fmt: skip
    return _weights(folder, "model")


def check_adapter(folder: Path, base: Path | None = None) -> dict[str, Any]:
    """Return the configuration of a LoRA adapter.

    Args:
        base: The model folder it is to be used with, to compare the shapes.

    Raises:
        BadModelFolder: If the folder holds no LoRA adapter, or one of another base.
    """
    config = read_json(folder, "adapter_config.json", "an adapter")
    if config.get("peft_type") != "LORA":
        raise BadModelFolder(f"{str(folder)!r} is a {config.get('peft_type')!r} adapter; "
                             "expected 'LORA'")  # fmt: skip
    shapes = _weights(folder, "adapter_model")
    if base is not None:
        _compare(folder, shapes, base, _weights(base, "model"))
    return config


def read_json(folder: Path, name: str, what: str) -> dict[str, Any]:
    """Return a JSON file of a folder that is to be `what` ("a model")."""
    file = folder / name
    try:
        value = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        is_there = "has no" if folder.is_dir() else "does not exist, so there is no"
        raise BadModelFolder(f"{str(folder)!r} is not the folder of {what}: it {is_there} {name}; "
                             "check the path") from None  # fmt: skip
    except (OSError, ValueError) as error:
        raise BadModelFolder(f"{str(file)!r} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise BadModelFolder(f"{str(file)!r} holds no JSON object")
    return value


def _weights(folder: Path, stem: str) -> Shapes:
    single = folder / f"{stem}.safetensors"
    if single.is_file():
        return tensor_shapes(single)
    index = folder / f"{stem}.safetensors.index.json"
    if not index.is_file():
        raise BadModelFolder(f"{str(folder)!r} has no {single.name}; other formats than "
                             "safetensors are not loaded, because they can run code")  # fmt: skip
    parts = read_json(folder, index.name, "a model").get("weight_map", {})
    shapes: Shapes = {}
    for name in sorted(set(parts.values())):
        shapes |= tensor_shapes(folder / name)
    return shapes


def tensor_shapes(file: Path) -> Shapes:
    """Return the names and shapes in a safetensors file.

    Raises:
        BadModelFolder: If the file is cut short or no safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(file), framework="numpy") as tensors:
            names = tensors.keys()
            return {name: tuple(tensors.get_slice(name).get_shape()) for name in names}
    except (SafetensorError, OSError) as error:
        raise BadModelFolder(
            f"{str(file)!r} is no whole safetensors file: {error}; copy or download it again"
        ) from error


def _compare(folder: Path, adapter: Shapes, base_folder: Path, base: Shapes) -> None:
    """Refuse an adapter whose matrices do not fit the base's."""
    known = 0
    for name, shape in adapter.items():
        module, _, rest = name.removeprefix(_PEFT_PREFIX).partition(".lora_")
        whole = base.get(f"{module}.weight")
        if whole is None or len(whole) != 2 or rest not in ("A.weight", "B.weight"):
            continue
        known += 1
        # A maps the inputs to the rank, B the rank to the outputs.
        ours, theirs = (shape[1], whole[1]) if rest == "A.weight" else (shape[0], whole[0])
        if ours != theirs:
            raise BadModelFolder(
                f"the adapter {str(folder)!r} was trained on another base than "
                f"{str(base_folder)!r}: {module} has {theirs} there and {ours} in the adapter"
            )
    if not known:
        raise BadModelFolder(
            f"the adapter {str(folder)!r} was trained on another base than {str(base_folder)!r}: "
            "it changes no layer that is there"
        )
