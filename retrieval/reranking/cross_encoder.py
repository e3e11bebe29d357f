"""A cross-encoder: reads query and item together. Any sentence-transformers one, by name or folder.

Slower than features by orders of magnitude; it sees words in context and no facet, price or click.
Its score is added to that of the search, which knows the catalog's rare words and is wrong about
other items.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.encoder import encodable
from retrieval.errors import RerankerError
from retrieval.hub import hub_answers
from retrieval.query import Candidate
from retrieval.reranking.protocol import LOWEST, NO_CONTEXT, Context
from retrieval.texts import item_text

BATCH = 64
SHARE = 2.0
"""How many times as much as the search's score it counts, both in standard deviations."""
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
        from torch.nn import Identity
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
        self._plain = Identity()
        self._leading = tuple(leading)

    def rank(
        self, query: str, candidates: Sequence[Candidate], context: Context = NO_CONTEXT
    ) -> list[float]:
        """Return 2 z(score of the model) + z(score of the search), z over these candidates.

        The model reads title, leading facets and text. A candidate without a score is last.
        """
        if not candidates:
            return []
        texts = [item_text(one.item, self._leading)[:MAX_CHARACTERS] for one in candidates]
        asked = encodable([query[:MAX_CHARACTERS]])[0]
        pairs = [(asked, text) for text in encodable(texts)]
        own = self._model.predict(
            pairs, batch_size=BATCH, show_progress_bar=False, activation_fn=self._plain
        )
        mixed = SHARE * _standard(own) + _standard([one.score for one in candidates])
        return [LOWEST if math.isnan(score) else score for score in mixed.tolist()]


def _standard(values: Sequence[float]) -> NDArray[np.float64]:
    """Return values less their mean in standard deviations, 0 where all are the same."""
    found = np.asarray(values, dtype=np.float64)
    known = found[np.isfinite(found)]
    found = np.where(np.isfinite(found), found, math.nan)
    if not len(known):
        return found
    scaled: NDArray[np.float64] = (found - known.mean()) / (known.std() or 1.0)
    return scaled
