"""The retriever: a project directory opened for questions. Text in, candidates out.

It holds the encoder and the index together and keeps the facets up to date. It does not know
sessions, plans or how candidates are reranked.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType

import numpy as np

from retrieval import project
from retrieval.build import BuildReport, build
from retrieval.catalog import Facet, Item
from retrieval.encoder import make_encoder
from retrieval.engines import Target, open_index
from retrieval.filters import TEXT, Compare, Filter
from retrieval.fusion import Fusion
from retrieval.kinds import check_kinds
from retrieval.loading.facets import infer_facets
from retrieval.loading.mapping import Mapping
from retrieval.loading.records import LoadedCatalog
from retrieval.project import Manifest
from retrieval.query import Candidate, DurableIndex, Encoder, Index, Order, Vectors
from retrieval.recount import Pace
from retrieval.reranking import Reranker, open_reranker
from retrieval.spelling import Spelling, read_words
from retrieval.texts import item_text

KEPT_QUERIES = 1024
CHUNK = 500


class QueryVectors:
    """The vectors of recent queries."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._kept: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, text: str) -> Vectors:
        """Return the vector of a query, encoding it if it is new."""
        with self._lock:
            if text in self._kept:
                self._kept.move_to_end(text)
                return self._kept[text]
        vector: Vectors = self._encoder.encode_queries([text])[0]
        with self._lock:
            self._kept[text] = vector
            if len(self._kept) > KEPT_QUERIES:
                self._kept.popitem(last=False)
        return vector


class Retriever:
    """Search, read and change the items of one project."""

    def __init__(
        self, folder: Path, manifest: Manifest, index: DurableIndex, encoder: Encoder
    ) -> None:
        self.folder = folder
        self.manifest = manifest
        self.index: Index = index
        self._durable = index
        self.encoder = encoder
        self._queries = QueryVectors(encoder)
        self._lock = threading.RLock()
        self.fusion = project.read_fusion(folder)
        self._known, self._counted_at = project.read_facets(folder)
        self._facets = self._known
        self._pace = Pace()
        self._seen_fields = {facet.name for facet in self._known}

    @staticmethod
    def build(
        loaded: LoadedCatalog,
        out: Path,
        *,
        encoder: Encoder,
        target: Target | None = None,
        progress: bool = False,
    ) -> BuildReport:
        """Index a catalog into a project directory, encoding only what changed since last time."""
        return build(loaded, out, encoder=encoder, target=target, progress=progress)

    @classmethod
    def open(
        cls,
        folder: Path,
        encoder: Encoder | None = None,
        *,
        write: bool = True,
        url: str = "",
        key: str = "",
    ) -> Retriever:
        """Open a project directory.

        Args:
            encoder: The one it was built with; by default made anew, in torch.
            write: Take the writer's lock. Any number of readers may open it beside one writer.
            url, key: Of the index's server, where it has one; by default the manifest's URL.

        Raises:
            IndexError_: If it is no project, unfinished, broken or from a newer version.
            EncoderMismatch: If it was built with another encoder.
            IndexLocked: If another process is writing to it.
        """
        manifest = project.read_manifest(folder)
        encoder = encoder or make_encoder(manifest.encoder, project=folder)
        url = url if manifest.url else ""
        target = Target(manifest.engine, url or manifest.url, manifest.collection, key)
        index = open_index(manifest.engine, target.place(folder, encoder), write=write)
        try:
            return cls(folder, manifest, index, encoder)
        except BaseException:
            index.close()
            raise

    @property
    def name(self) -> str:
        """The catalog's name."""
        return self.manifest.name

    @property
    def currency(self) -> str | None:
        """The currency of the catalog's prices, where known."""
        return self.manifest.currency

    @property
    def mapping(self) -> Mapping:
        """How the columns of the source were read."""
        return Mapping.from_toml((self.folder / "mapping.toml").read_text(encoding="utf-8"))

    @cached_property
    def spelling(self) -> Spelling:
        """What puts queries as this catalog would write them; made at the first search."""
        return Spelling(read_words(self.folder), self._has_word)

    @cached_property
    def reranker(self) -> Reranker:
        """What was tuned to reorder candidates here; opened at first use, it may need a library.

        Raises:
            RerankerError: If there is one and it can't be used.
        """
        return open_reranker(self.folder, self.manifest)

    @property
    def version(self) -> int:
        """A number that grows with every change, by whichever process."""
        return self.index.version

    @property
    def facets(self) -> tuple[Facet, ...]:
        """The facets with the counts of the present items (`retrieval.recount.Pace`)."""
        with self._lock:
            version = self.index.version
            if version != self._counted_at and self._pace.is_due():
                written, counted_at = project.read_facets(self.folder)
                ours = {facet.name for facet in written}
                self._known = (*written, *(f for f in self._known if f.name not in ours))
                fresh = counted_at == version
                self._facets = written if fresh else self._pace.count(self._known, self.index)
                self._counted_at = version
            return self._facets

    def get(self, id: str) -> Item | None:
        """Return the item with an id, or None when the catalog has none."""
        found = self.index.get([id])
        return found[0] if found else None

    def get_many(self, ids: Sequence[str]) -> list[Item]:
        """Return the items with these ids, in this order; unknown ids are left out."""
        return self.index.get(ids)

    def items(self) -> Iterator[Item]:
        """Yield every item, in order of first insertion."""
        ids = self.index.ids()
        for start in range(0, len(ids), CHUNK):
            yield from self.index.get(ids[start : start + CHUNK])

    def upsert(self, items: Sequence[Item]) -> None:
        """Add or replace items; found by the next search, and durable, when this returns.

        Raises:
            CatalogError: If a field is of another kind than its facet; nothing is stored then.
        """
        last = list({item.id: item for item in items}.values())
        if not last:
            return
        check_kinds(last, self._known)
        self.index.upsert(last, self._vectors(last))
        self._notice_fields(last)

    def _vectors(self, items: Sequence[Item]) -> Vectors:
        """Return the items' vectors, encoding only those whose text is new."""
        leading = self.manifest.leading
        old = {item.id: item for item in self.index.get([item.id for item in items])}
        texts = [item_text(item, leading) for item in items]
        fresh = [
            place
            for place, item in enumerate(items)
            if item.id not in old or item_text(old[item.id], leading) != texts[place]
        ]
        kept = sorted(set(range(len(items))).difference(fresh))
        vectors = np.empty((len(items), self.encoder.dimension), dtype=np.float32)
        if fresh:
            vectors[fresh] = self.encoder.encode_items([texts[place] for place in fresh])
        if kept:
            vectors[kept] = self.index.vectors([items[place].id for place in kept])
        return vectors

    def _notice_fields(self, items: Sequence[Item]) -> None:
        """Take fields that no item had before into the facets, where they make one."""
        with self._lock:
            names = {name for item in items for name in item.fields} - self._seen_fields
            if not names:
                return
            self._seen_fields |= names
            inferred = infer_facets(list(self.items()), self.mapping)
            self._known += tuple(facet for facet in inferred if facet.name in names)
            version = self.index.version
            self._facets = self._pace.count(self._known, self.index)
            self._counted_at = version
            project.write_facets(self.folder, self._facets, version)

    def delete(self, ids: Sequence[str]) -> int:
        """Delete items by id; return how many were there."""
        return self.index.delete(ids)

    def search(
        self,
        text: str,
        *,
        filter: Filter | None = None,
        k: int = 10,
        order: Order | None = None,
        dense: Vectors | None = None,
        fusion: Fusion | None = None,
    ) -> list[Candidate]:
        """Return the best k items for a text under a filter, by meaning and by words.

        Args:
            dense: A vector to search by instead of the text's own.
            fusion: How the two rankings are weighed; by default as tuned for this catalog.

        Words that the catalog does not know are corrected, unless a vector is given.
        """
        text = text.strip()
        if dense is None and text:
            text = self.spelling.correct(text)
            dense = self._queries.of(text)
        return self.index.search(dense, text or None, filter, k, order, fusion or self.fusion)

    def _has_word(self, word: str) -> bool:
        return self.index.count(Compare(TEXT, "contains", word)) > 0

    def save(self) -> None:
        """Let the index finish what makes searches quick, after many changes."""
        self._durable.save()

    def close(self) -> None:
        """Release files and locks; safe to call twice."""
        self.index.close()

    def __enter__(self) -> Retriever:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
