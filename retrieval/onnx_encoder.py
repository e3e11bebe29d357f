"""A sentence-transformers model run by onnxruntime: exported once, then no torch is imported.

An exported model is a folder: model.onnx (ids and mask in, unit vectors of texts and vectors of
their tokens out), tokenizer.json and encoder.json (dimension, length limit, prompts, padding).
This module does not know items.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.encoder import (
    BATCH,
    DEFAULT_ENCODER,
    SentenceTransformerEncoder,
    encodable,
    installed,
    unit,
)
from retrieval.errors import RetrievalError
from retrieval.query import Tokens, Vectors

THREADS = 2
CHUNK = 4096
"""Texts tokenised at once: enough to fill batches of one length, little enough to keep memory
flat."""


def folder_of(name: str, cache: Path) -> Path:
    """Return the folder of an exported model; names that are paths get one without slashes."""
    readable = re.sub(r"[^\w.-]+", "_", name)[-60:]
    return cache / f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def is_exported(name: str, cache: Path) -> bool:
    """Return whether a model was exported before."""
    return (folder_of(name, cache) / "encoder.json").is_file()


def current(name: str, cache: Path, weights: Path | None = None) -> Path:
    """Return the folder of an exported model; one that has no tokens yet is exported anew."""
    folder = folder_of(name, cache)
    if is_exported(name, cache):
        about = json.loads((folder / "encoder.json").read_text())
        if about.get("tokens") or not installed("torch", "onnx", "onnxscript"):
            return folder
    return export(name, cache, weights)


def export(name: str, cache: Path, weights: Path | None = None) -> Path:
    """Export a sentence-transformers model to ONNX and return its folder.

    Args:
        weights: Folder of the model, where its name does not tell.
    """
    target = folder_of(name, cache)
    cache.mkdir(parents=True, exist_ok=True)
    model = SentenceTransformerEncoder(name, weights).model.cpu().eval()
    scratch = Path(tempfile.mkdtemp(prefix=".export-", dir=cache))
    try:
        (scratch / "tokenizer.json").write_text(model.tokenizer.backend_tokenizer.to_str())
        _export_graph(model, scratch / "model.onnx")
        (scratch / "encoder.json").write_text(json.dumps(_description(name, model)))
        shutil.rmtree(target, ignore_errors=True)
        os.replace(scratch, target)
    except OSError as error:
        if not is_exported(name, cache):  # another process may have finished it meanwhile
            raise RetrievalError(
                f"cannot write the ONNX file of {name!r} to {str(cache)!r}: {error}"
            ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _description(name: str, model: Any) -> dict[str, Any]:
    prompts = model.prompts
    return {
        "name": name,
        "dimension": int(model.get_embedding_dimension()),
        "max_length": int(model.max_seq_length),
        "pad_token": model.tokenizer.pad_token,
        "pad_id": int(model.tokenizer.pad_token_id),
        "query_prompt": prompts.get("query", ""),
        "item_prompt": prompts.get("document", prompts.get("passage", "")),
        "tokens": True,
    }


def _export_graph(model: Any, path: Path) -> None:
    import torch

    class Sentence(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, ids: Any, mask: Any) -> Any:
            features = self.model({"input_ids": ids, "attention_mask": mask})
            return features["sentence_embedding"], features["token_embeddings"]

    ids = torch.arange(5, 19).reshape(2, 7)
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    shape = {0: torch.export.Dim("batch", min=1, max=4096), 1: torch.export.Dim("length", min=2)}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses torchvision, we do not
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside the exporter
        program = torch.onnx.export(
            Sentence(),
            (ids, mask),
            dynamo=True,
            verbose=False,
            input_names=["ids", "mask"],
            output_names=["sentence_vector", "token_vectors"],
            dynamic_shapes=(shape, shape),
        )
    if program is None:
        raise RetrievalError("torch.onnx.export returned no program; use the torch encoder instead")
    program.save(str(path))


class OnnxEncoder:
    """Any sentence-transformers model through onnxruntime, on two threads.

    Args:
        name: As for `SentenceTransformerEncoder`, whose vectors these equal to 1e-4.
        cache: Folder where the exported model is kept and looked for.
        weights: Folder of the model, where its name does not tell.
    """

    def __init__(
        self,
        name: str = DEFAULT_ENCODER,
        cache: Path = Path(".encoders"),
        weights: Path | None = None,
    ) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        folder = current(name, cache, weights)
        about = json.loads((folder / "encoder.json").read_text())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.inter_op_num_threads = 1
        # Spinning wins a little on an idle machine and loses a lot on a busy one.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._outputs = {one.name for one in self._session.get_outputs()}
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(about["max_length"])
        self._tokenizer.no_padding()
        self._pad = int(about["pad_id"])
        self._prompts = (str(about["query_prompt"]), str(about["item_prompt"]))
        self.name = name
        self.dimension = int(about["dimension"])

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per query."""
        return self._encode([self._prompts[0] + text for text in texts])

    def encode_items(self, texts: Sequence[str], progress: bool = False) -> Vectors:
        """Return one unit vector per item text."""
        return self._encode([self._prompts[1] + text for text in texts], progress)

    def _encode(self, texts: list[str], progress: bool = False) -> Vectors:
        from rich.console import Console
        from rich.progress import Progress

        result = np.zeros((len(texts), self.dimension), dtype=np.float32)
        with Progress(console=Console(stderr=True), disable=not progress) as bar:
            task = bar.add_task("encoding", total=len(texts))
            for start in range(0, len(texts), CHUNK):
                for rows, vectors in self._batches(texts[start : start + CHUNK]):
                    result[rows + start] = vectors
                    bar.advance(task, len(rows))
        return unit(result) if texts else result

    def _batches(self, texts: list[str]) -> Iterator[tuple[NDArray[np.int64], Vectors]]:
        """Yield positions and vectors in batches of texts of about the same length."""
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(encodable(texts))]
        by_length = np.argsort([len(ids) for ids in tokens], kind="stable")
        for start in range(0, len(texts), BATCH):
            rows = by_length[start : start + BATCH]
            yield rows, self._run([tokens[row] for row in rows], "sentence_vector")

    def encode_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text, prompts aside; none where the export knows of none."""
        found = self._tokenizer.encode_batch(encodable(texts))
        if "token_vectors" not in self._outputs or not found:
            return [Tokens((), np.zeros((0, self.dimension), np.float32)) for _ in found]
        made = []
        for start in range(0, len(found), BATCH):
            part = found[start : start + BATCH]
            vectors = self._run([one.ids for one in part], "token_vectors")
            for one, own in zip(part, vectors, strict=True):
                places = [i for i, (first, last) in enumerate(one.offsets) if last > first]
                spans = tuple(one.offsets[i] for i in places)
                made.append(Tokens(spans, unit(own[places])))
        return made

    def _run(self, tokens: list[list[int]], output: str) -> Vectors:
        width = max(len(ids) for ids in tokens)
        ids = np.full((len(tokens), width), self._pad, dtype=np.int64)
        mask = np.zeros((len(tokens), width), dtype=np.int64)
        for row, own in enumerate(tokens):
            ids[row, : len(own)] = own
            mask[row, : len(own)] = 1
        vectors: Vectors = self._session.run([output], {"ids": ids, "mask": mask})[0]
        return vectors
