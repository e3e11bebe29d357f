"""LoRA adapters as folders: the card that says what one is, and the checks before it is used.

A folder is what peft saves (`adapter_config.json`, `adapter_model.safetensors`) and vLLM loads,
plus the card as JSON and as README.md. This module does not train, and loads no weights.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agent.errors import BadModelFolder
from agent.model_folder import tensor_shapes
from finetune.bases import Base
from finetune.errors import AdapterError
from finetune.weights import file_hash

CARD = "adapter_card.json"
CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
README = "README.md"


@dataclass(frozen=True, slots=True)
class Card:
    """What an adapter is: whose, made from what, how, and how well it did.

    Args:
        parent: SHA-256 of the weights of the adapter that training began with; None if with none.
    """

    name: str
    method: str
    base: str
    base_fingerprint: str
    data_hash: str
    data: dict[str, Any]
    prompts: tuple[str, ...]
    metrics: dict[str, float]
    config: dict[str, Any]
    libraries: dict[str, str]
    weights_hash: str
    created: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter on disk."""

    folder: Path
    card: Card


def write_card(folder: Path, card: Card) -> Adapter:
    """Write an adapter's card beside its weights, last of all: without it, it is unfinished."""
    (folder / README).write_text(readme(card), "utf-8")
    text = json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n"
    (folder / CARD).write_text(text, "utf-8")
    return Adapter(folder, card)


def open_adapter(folder: Path, base: Base | None = None) -> Adapter:
    """Return the adapter in a folder, after checking it.

    Args:
        base: The model it is to be used with, if it is to be used.

    Raises:
        AdapterError: If a file is missing or damaged, or it was made for another base.
    """
    for name in (CONFIG, WEIGHTS, CARD):
        if not (folder / name).is_file():
            raise AdapterError(
                f"adapter {str(folder)!r} has no {name}: expected a folder that `attune tune`"
                " finished writing"
            )
    card = _read_card(folder)
    _check_weights(folder, card)
    if base is not None:
        _check_base(folder, card, base)
    return Adapter(folder, card)


def _read_card(folder: Path) -> Card:
    try:
        data = json.loads((folder / CARD).read_text("utf-8"))
        return Card(**{**data, "prompts": tuple(data["prompts"])})
    except (ValueError, TypeError, KeyError) as error:
        raise AdapterError(f"adapter {str(folder)!r}: {CARD} is damaged: {error}") from error


def _check_weights(folder: Path, card: Card) -> None:
    try:
        shapes = tensor_shapes(folder / WEIGHTS)
    except BadModelFolder as error:
        raise AdapterError(f"adapter {str(folder)!r}: {error}") from error
    if not any(".lora_A." in name for name in shapes):
        raise AdapterError(f"adapter {str(folder)!r}: {WEIGHTS} holds no LoRA weights")
    found = file_hash(folder / WEIGHTS)
    if found != card.weights_hash:
        raise AdapterError(
            f"adapter {str(folder)!r}: {WEIGHTS} is not the file its card was written for (SHA-256"
            f" {found[:12]}…, expected {card.weights_hash[:12]}…): copy or train it again"
        )


def _check_base(folder: Path, card: Card, base: Base) -> None:
    found = base.fingerprint
    if found != card.base_fingerprint:
        raise AdapterError(
            f"adapter {str(folder)!r} was made for base {card.base!r} (fingerprint"
            f" {card.base_fingerprint[:12]}…), not for {base.name!r} ({found[:12]}…): use it with"
            " its own base, or train one for this base"
        )


def readme(card: Card) -> str:
    """Return the model card as Markdown with the front matter that the hub reads."""
    head = ["---", f"base_model: {json.dumps(card.base)}", "library_name: peft"]
    head += ["pipeline_tag: text-generation", "tags: [lora, attune]", "---", ""]
    body = [
        f"# {card.name}",
        "",
        f"LoRA adapter for `{card.base}`, made by `attune tune {card.method}` on {card.created}.",
        "",
        *_table("Made from", {
            "base": card.base,
            "base fingerprint": card.base_fingerprint,
            "data": card.data_hash,
            **card.data,
            "prompts": ", ".join(card.prompts) or "not given",
            **({"parent": card.parent} if card.parent else {}),
        }),
        *_table("Metrics", {name: f"{value:.4g}" for name, value in card.metrics.items()}),
        *_table("Configuration", card.config),
        *_table("Libraries", card.libraries),
    ]  # fmt: skip
    return "\n".join([*head, *body])


def _table(title: str, rows: dict[str, Any]) -> list[str]:
    cells = [f"| {name} | {str(value).replace('|', '/')} |" for name, value in rows.items()]
    return [f"## {title}", "", "| | |", "|---|---|", *cells, ""]
