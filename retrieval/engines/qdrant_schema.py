"""How collections are laid out on a Qdrant server: vectors, and indexes over the payload."""

from __future__ import annotations

import contextlib
from typing import Any

from retrieval.engines.qdrant_collection import DENSE, WORDS
from retrieval.engines.qdrant_server import Server
from retrieval.errors import IndexError_

LINKS = 16
EF_CONSTRUCT = 256
_SHARED = {"seq": "place", "e": "mark", "k": "keyword", "t": "text", "w": "text"}
_OF_FIELD = {"n": "float", "d": "integer", "v": "facet"}


def create_items(server: Server, name: str, dimension: int) -> None:
    """Create the collection of items, unless another process just did.

    Originals of vectors and payload are on disk; the graph, one byte per dimension and the words
    are in memory, which is what a search touches.
    """
    from qdrant_client import models

    dense = models.VectorParams(
        size=dimension,
        distance=models.Distance.DOT,
        on_disk=True,
        hnsw_config=models.HnswConfigDiff(m=LINKS, payload_m=LINKS, ef_construct=EF_CONSTRUCT),
        quantization_config=models.ScalarQuantization(
            scalar=models.ScalarQuantizationConfig(
                type=models.ScalarType.INT8, quantile=0.99, always_ram=True
            )
        ),
    )
    words = models.SparseVectorParams(modifier=models.Modifier.IDF)
    _create(server, name, vectors_config={DENSE: dense}, sparse_vectors_config={WORDS: words})
    for key, schema in _SHARED.items():
        _index(server, name, key, schema)


def create_meta(server: Server, name: str) -> None:
    """Create the small collection of what is known about the collection of items."""
    _create(server, name, vectors_config={})
    _index(server, name, "token", "mark")
    _index(server, name, "kinds", "mark")
    _index(server, name, "beat", "place")


def _create(server: Server, name: str, **config: Any) -> None:
    place = server.address
    spread = {"shard_number": place.shards or None, "replication_factor": place.replicas or None}
    try:
        server.ask("create_collection", collection_name=name, on_disk_payload=True, **config,
                   **spread)  # fmt: skip
    except IndexError_:
        with contextlib.suppress(IndexError_):
            if server.ask("collection_exists", collection_name=name):
                return
        raise


def index_form(server: Server, name: str, form: str, key: str) -> None:
    """Create the index of one form (n, d, v) of a field of a collection."""
    _index(server, name, f"{form}.{key}", _OF_FIELD[form])


def _index(server: Server, name: str, key: str, schema: str) -> None:
    if not server.local:  # which has none, and warns
        server.ask("create_payload_index", collection_name=name, field_name=key,
                   field_schema=_schema(schema), wait=True)  # fmt: skip


def _schema(schema: str) -> Any:
    """Return the parameters of an index; only what narrows a search adds links to the graph."""
    from qdrant_client import models

    if schema == "place":
        return models.IntegerIndexParams(type=models.IntegerIndexType.INTEGER, enable_hnsw=False)
    if schema == "integer":
        return models.IntegerIndexParams(type=models.IntegerIndexType.INTEGER)
    if schema == "float":
        return models.FloatIndexParams(type=models.FloatIndexType.FLOAT)
    if schema == "keyword":
        return models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD)
    if schema in ("facet", "mark"):
        return models.KeywordIndexParams(
            type=models.KeywordIndexType.KEYWORD, on_disk=schema == "facet", enable_hnsw=False
        )
    return models.TextIndexParams(
        type=models.TextIndexType.TEXT,
        tokenizer=models.TokenizerType.WHITESPACE,  # words were cut and folded before
        lowercase=False,
        phrase_matching=True,
        on_disk=True,
        enable_hnsw=False,
    )
