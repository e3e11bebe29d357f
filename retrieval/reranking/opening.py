"""Open the reranker that a project keeps. Knows no library."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from retrieval.errors import RerankerError
from retrieval.project import Manifest
from retrieval.reranking.card import CARD, RankerCard, read_card
from retrieval.reranking.protocol import NoReranker, Reranker

logger = logging.getLogger(__name__)


def _ltr(folder: Path, card: RankerCard, manifest: Manifest) -> Reranker:
    from retrieval.reranking.ltr import open_ltr

    if card.encoder != manifest.encoder:
        # Encoded anew since: the search still works, but its scores mean something else.
        logger.warning(
            "the reranker of %s was trained with encoder %r, the project now has %r; it is not "
            "used until it is tuned again",
            folder, card.encoder, manifest.encoder,
        )  # fmt: skip
        return NoReranker()
    return open_ltr(folder, card)


def _cross_encoder(folder: Path, card: RankerCard, manifest: Manifest) -> Reranker:
    from retrieval.reranking.cross_encoder import CrossEncoderReranker

    own = folder / card.model
    return CrossEncoderReranker(str(own) if own.is_dir() else card.model, manifest.leading)


_OPENERS: dict[str, Callable[[Path, RankerCard, Manifest], Reranker]] = {
    "ltr": _ltr,
    "cross-encoder": _cross_encoder,
}


def open_reranker(folder: Path, manifest: Manifest) -> Reranker:
    """Return the reranker of a project; one that changes nothing where none was tuned.

    Raises:
        RerankerError: If there is one and it can't be used.
    """
    card = read_card(folder)
    if card is None:
        return NoReranker()
    if card.kind not in _OPENERS:
        raise RerankerError(
            f"{str(folder / CARD)!r} names an unknown kind of reranker {card.kind!r}; expected "
            f"one of {', '.join(_OPENERS)}"
        )
    return _OPENERS[card.kind](folder, card, manifest)
