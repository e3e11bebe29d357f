"""A cross-encoder: reads query and item together. Any sentence-transformers one, by name or folder.

Slower than features by orders of magnitude; it sees words in context and no facet, price or click.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from retrieval.encoder import encodable
from retrieval.errors import RerankerError
from retrieval.hub import hub_answers
from retrieval.query import Candidate
from retrieval.reranking.protocol import LOWEST, NO_CONTEXT, Context
from retrieval.texts import item_text

BATCH = 64
MAX_CHARACTERS = 2000
"""Of an item's text: more than any cross-encoder reads, less than would stall its tokenizer."""


class CrossEncoderReranker:
    """Scores candidates by a cross-encoder.

    Args:
        name: Of the hub, or a folder.
        leading: Facets that come first in an item's text, as in the encoder's.

    Raises:
        RerankerError: If it can't be loaded, or gives more than one score.
    """

    name = "cross-encoder"

    def __init__(self, name: str, leading: Sequence[str] = ()) -> None:
        from sentence_transformers import CrossEncoder
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        local = Path(name).exists() or not hub_answers()
        try:
            self._model: Any = CrossEncoder(name, local_files_only=local)
        except (OSError, ValueError) as error:
            raise RerankerError(
                f"cannot load the cross-encoder {name!r}: {error}; give a folder with one, or a "
                "name that can be downloaded, e.g. 'cross-encoder/ms-marco-MiniLM-L6-v2'"
            ) from error
        if self._model.num_labels != 1:
            raise RerankerError(
                f"{name!r} gives {self._model.num_labels} scores for a pair; expected a "
                "cross-encoder with one"
            )
        self._leading = tuple(leading)

    def rank(
        self, query: str, candidates: Sequence[Candidate], context: Context = NO_CONTEXT
    ) -> list[float]:
        """Return the model's score of each candidate's title, leading facets and text."""
        if not candidates:
            return []
        texts = [item_text(one.item, self._leading)[:MAX_CHARACTERS] for one in candidates]
        asked = encodable([query[:MAX_CHARACTERS]])[0]
        pairs = [(asked, text) for text in encodable(texts)]
        scores = self._model.predict(pairs, batch_size=BATCH, show_progress_bar=False)
        return [LOWEST if math.isnan(score) else score for score in map(float, scores)]
