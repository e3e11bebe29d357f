"""What a tuned encoder is: made from what, how, and how well it did; beside its weights."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from finetune.encoder.compare import Decision, Gain
from finetune.errors import TrainingError
from finetune.weights import file_hash

CARD = "encoder_card.json"
README = "README.md"
UNKNOWN = "unknown"
_LIBRARIES = ("torch", "transformers", "sentence-transformers", "peft")


@dataclass(frozen=True, slots=True)
class EncoderCard:
    """What an encoder was tuned from and with.

    Args:
        base: Name of the encoder it began as, with the license its model card states.
        data_hash: Of the texts it was trained on; `data` says how many of which kind.
        alpha: How far from the base's weights (0) to the tuned ones (1) it is.
        alphas: The figure that chose it, for each that was tried.
    """

    name: str
    base: str
    base_license: str
    base_hash: str
    data_hash: str
    data: dict[str, Any]
    config: dict[str, Any]
    alpha: float
    alphas: dict[str, float]
    decision: Decision
    libraries: dict[str, str]
    created: str


def libraries() -> dict[str, str]:
    """Return the versions of the libraries that a training depends on."""
    return {name: importlib.metadata.version(name) for name in _LIBRARIES}


def weights_hash(folder: Path) -> str:
    """Return the hash of a model's weights.

    Raises:
        TrainingError: If it has none as safetensors.
    """
    files = sorted(folder.rglob("*.safetensors"))
    if not files:
        raise TrainingError(
            f"the encoder in {str(folder)!r} has no safetensors; tune one that was saved so"
        )
    return hashlib.sha256("".join(map(file_hash, files)).encode()).hexdigest()


def license_of(folder: Path) -> str:
    """Return the license that a model's own card states."""
    readme = folder / README
    if readme.is_file():
        for line in readme.read_text("utf-8", "replace").splitlines():
            if line.startswith("license:"):
                return line.removeprefix("license:").strip()
    about = folder / CARD
    if about.is_file():
        return str(json.loads(about.read_text("utf-8")).get("base_license", UNKNOWN))
    return UNKNOWN


def keep(model: Any, parent: Path) -> Path:
    """Save a sentence-transformers model as encoder-<hash of its weights> and return that folder.

    It is whole or not there; one with the same weights stays as it is.
    """
    parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".encoder-", dir=parent))
    try:
        model.save(str(scratch), create_model_card=False)
        folder = parent / f"encoder-{weights_hash(scratch)[:12]}"
        if not folder.exists():
            scratch.chmod(0o755)
            os.replace(scratch, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder


def write_card(folder: Path, card: EncoderCard) -> None:
    """Write an encoder's card beside its weights, for programs and for people."""
    (folder / README).write_text(readme(card), "utf-8")
    text = json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n"
    (folder / CARD).write_text(text, "utf-8")


def readme(card: EncoderCard) -> str:
    """Return the card as Markdown with the front matter that the hub reads."""
    head = ["---", f"license: {card.base_license}", f"base_model: {json.dumps(card.base)}"]
    head += ["library_name: sentence-transformers", "pipeline_tag: sentence-similarity"]
    head += ["tags: [attune]", "---", ""]
    measured = {f"{gain.figure}, {gain.source}": _told(gain) for gain in card.decision.gains}
    body = [
        f"# {card.name}",
        "",
        f"An encoder tuned from `{card.base}` by `attune tune encoder` on {card.created}.",
        f"{card.decision.reason[:1].upper()}{card.decision.reason[1:]}.",
        "",
        *_table("Made from", {
            "base": card.base, "license of the base": card.base_license,
            "weights of the base": card.base_hash, "data": card.data_hash, **card.data,
        }),
        *_table("Held out", measured),
        *_table("Configuration", {**card.config, "alpha": card.alpha}),
        *_table("Libraries", card.libraries),
    ]  # fmt: skip
    return "\n".join([*head, *body])


def _told(gain: Gain) -> str:
    by = gain.difference
    return (
        f"{gain.old:.4f} → {gain.new:.4f}, {by.mean:+.4f} "
        f"({by.low:+.4f} to {by.high:+.4f}, n = {by.n:,})"
    )


def _table(title: str, rows: dict[str, Any]) -> list[str]:
    cells = [f"| {name} | {str(value).replace('|', '/')} |" for name, value in rows.items()]
    return [f"## {title}", "", "| | |", "|---|---|", *cells, ""]
