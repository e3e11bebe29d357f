"""Base models by name: the house model, a folder, or a model of the hub, found or downloaded.

Says what is wrong before anything expensive happens. This module does not load models; it knows
which files make one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from agent.errors import BadModelFolder
from agent.model_folder import tensor_shapes
from finetune.errors import BaseModelError
from finetune.weights import fingerprint

HOUSE = Path(__file__).parent / "house" / "model"
HOUSE_NAME = "house"
LIGHT = ["*.json", "*.jinja", "*.model", "*.txt"]
"""Files of a hub model that describe it and its tokenizer."""
WEIGHTS = ["*.safetensors"]


@dataclass(frozen=True, slots=True)
class Base:
    """A base model in a folder, under the name it was asked for by."""

    name: str
    folder: Path

    @property
    def weights(self) -> list[Path]:
        """The files of its weights."""
        return sorted(self.folder.glob("*.safetensors"))

    @property
    def size(self) -> int:
        """Bytes of its weights."""
        return sum(path.stat().st_size for path in self.weights)

    @property
    def context(self) -> int | None:
        """Longest sequence in tokens that it was made for, where it says so."""
        settings = json.loads((self.folder / "config.json").read_text("utf-8"))
        inner = settings.get("text_config") or settings
        length = inner.get("max_position_embeddings")
        return length if isinstance(length, int) else None

    @property
    def fingerprint(self) -> str:
        """What identifies its weights, whatever it is called and wherever it lies."""
        return fingerprint(self.weights)


def resolve(name: str, *, weights: bool = True, download: bool = True) -> Base:
    """Return the base with a name: `house`, a folder, or an id of the hub.

    Args:
        weights: Whether its weights are needed too, or only configuration and tokenizer.
        download: Whether a hub model that is not here may be downloaded.

    Raises:
        BaseModelError: If it does not exist, is incomplete, or can't be had just now.
    """
    if name == HOUSE_NAME:
        if not (HOUSE / "config.json").is_file():
            raise BaseModelError(
                f"base {name!r}: this installation has no house model in finetune/house/model;"
                " name a folder or a hub model"
            )
        base = Base(name, HOUSE)
    elif Path(name).expanduser().is_dir():
        base = Base(name, Path(name).expanduser().resolve())
    elif _is_path(name):
        raise BaseModelError(f"base {name!r}: there is no such folder")
    else:
        base = Base(name, _hub(name, weights, download))
    _check(base, weights)
    return base


def _is_path(name: str) -> bool:
    return name.startswith((".", "/", "~")) or name.count("/") != 1 or "\\" in name


def _hub(name: str, weights: bool, download: bool) -> Path:
    """Return the folder of a hub model: the one in the cache, else downloaded into it."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    patterns = LIGHT + (WEIGHTS if weights else [])
    try:
        folder = Path(snapshot_download(name, allow_patterns=patterns, local_files_only=True))
        if (folder / "config.json").is_file() and (not weights or _present(folder)):
            return folder
    except LocalEntryNotFoundError:
        pass
    except HFValidationError as error:
        raise BaseModelError(
            f"base {name!r} is neither {HOUSE_NAME!r}, a folder, nor an id of the hub: {error}"
        ) from error
    return _download(name, patterns, download)


def _download(name: str, patterns: list[str], allowed: bool) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    from retrieval.hub import hub_answers

    if not allowed or not hub_answers():
        raise BaseModelError(
            f"base {name!r} is not on this machine and the model hub does not answer: connect and"
            f" try again, or give a folder that holds it, or {HOUSE_NAME!r}"
        )
    try:
        return Path(snapshot_download(name, allow_patterns=patterns))
    except GatedRepoError as error:
        raise BaseModelError(
            f"base {name!r} is gated: accept its licence on the hub, then run `hf auth login`"
        ) from error
    except RepositoryNotFoundError as error:
        raise BaseModelError(
            f"base {name!r} does not exist on the model hub, or is private: check the spelling, or"
            " run `hf auth login`"
        ) from error
    except (HfHubHTTPError, OSError) as error:
        raise BaseModelError(f"base {name!r} could not be downloaded: {error}") from error


def _present(folder: Path) -> bool:
    return bool(list(folder.glob("*.safetensors"))) and not _missing_shards(folder)


def _missing_shards(folder: Path) -> list[str]:
    """Return the weight files that the index of a sharded model names and that are not here."""
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return []
    names = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
    return sorted(name for name in names if not (folder / name).is_file())


def _check(base: Base, weights: bool) -> None:
    """Refuse a folder that is no whole causal language model with a tokenizer."""
    if (base.folder / "adapter_config.json").is_file():
        raise BaseModelError(
            f"base {base.name!r} is an adapter: give the model it was made for, see its card"
        )
    for file, what in (("config.json", "a model"), ("tokenizer_config.json", "a tokenizer")):
        if not (base.folder / file).is_file():
            raise BaseModelError(f"base {base.name!r} holds no {file}: expected {what} as saved by"
                                 " transformers' save_pretrained")  # fmt: skip
    try:
        _ = base.context
    except (ValueError, AttributeError) as error:
        raise BaseModelError(f"base {base.name!r}: config.json can't be read: {error}") from error
    if not weights:
        return
    if not base.weights:
        raise BaseModelError(
            f"base {base.name!r} holds no *.safetensors: save it again with save_pretrained"
        )
    missing = _missing_shards(base.folder)
    if missing:
        raise BaseModelError(f"base {base.name!r} lacks the weight files {', '.join(missing)}")
    for path in base.weights:
        try:
            tensor_shapes(path)
        except BadModelFolder as error:
            raise BaseModelError(f"base {base.name!r}: {error}") from error
