"""Rerankers: candidates of a search scored anew, by features, a cross-encoder, or not at all."""

from retrieval.reranking.opening import open_reranker
from retrieval.reranking.protocol import Context, NoReranker, Reranker, Wanted

__all__ = ["Context", "NoReranker", "Reranker", "Wanted", "open_reranker"]
