"""The passages of a project: stored and indexed as items of a project of their own.

A passage, each of its sentences and the question it stands under are an item each, so that all
have vectors on disk and none is encoded when a question comes. Every change is one transaction;
a server that reads the shelf sees it at the next question. This module answers nothing.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

from filelock import FileLock

from agent.knowledge.errors import BadPage, UnknownSource
from agent.knowledge.passages import passages
from agent.knowledge.reading import Upload, read_bytes
from agent.knowledge.sentences import sentences
from agent.knowledge.values import HEADINGS, Added, Passage, Source
from retrieval.catalog import Facet, FieldValue, Item
from retrieval.filters import Compare, Filter, Not, matches
from retrieval.loading.mapping import Column, Mapping
from retrieval.loading.records import LoadedCatalog
from retrieval.project import has_manifest
from retrieval.query import Encoder
from retrieval.retriever import Retriever

FOLDER = "knowledge"
"""Where in a project directory the shelf is."""
PASSAGE, SENTENCE, TITLE = 0.0, 1.0, 2.0
"""Values of the field `part`. Numbers, since an encoder is shown every text field of an item."""
UNTIL = "until"
"""Field with the last day on which a passage holds, counted as `date.toordinal` does."""
_PLACES = ("page", "row", "line")
_NUMBERS = ("part", *_PLACES, UNTIL)
SHORTEST_TITLE = 2
log = logging.getLogger(__name__)


def add(folder: Path, uploads: Iterable[Upload | BadPage], encoder: Encoder) -> Added:
    """Read files and put their passages on the shelf, in place of those of the same name.

    What cannot be read is reported and stops no other; what is there under its name stays.

    Raises:
        RetrievalError: If the shelf cannot be written; it stays as it was.
    """
    taken: dict[str, tuple[Item, ...]] = {}
    errors: list[str] = []
    for upload in uploads:
        try:
            if isinstance(upload, BadPage):
                raise upload
            page = read_bytes(upload)
            found = passages(page)
            taken[page.source] = tuple(item for one in found for item in _items(one))
        except BadPage as error:
            errors.append(str(error))
    if not taken:
        return Added((), 0, 0, tuple(errors))
    with _alone(folder):
        old = _by_source(_read(folder, encoder))
        _write(folder, old | taken, encoder)
    same = sum(old.get(name) == items for name, items in taken.items())
    count = sum(is_passage(item) for items in taken.values() for item in items)
    log.info("%d sources on the shelf, %d of them as before", len(taken), same)
    return Added(tuple(taken), same, count, tuple(errors))


def remove(folder: Path, sources: Sequence[str], encoder: Encoder) -> int:
    """Take sources off the shelf; return how many passages went.

    Raises:
        UnknownSource: If there is none of a name; then nothing is removed.
    """
    if not has_manifest(folder):
        raise UnknownSource(sources[0])
    with _alone(folder):
        old = _by_source(_read(folder, encoder))
        for name in sources:
            if name not in old:
                raise UnknownSource(name)
        gone = [item for name in dict.fromkeys(sources) for item in old.pop(name)]
        _write(folder, old, encoder)
    return sum(map(is_passage, gone))


def holding(today: date) -> Filter:
    """Return the filter of what holds on a day."""
    return Not(Compare(UNTIL, "lt", float(today.toordinal())))


def listed(items: Iterable[Item], today: date) -> tuple[Source, ...]:
    """Return the sources that items are from, by name."""
    counts: Counter[str] = Counter()
    past: Counter[str] = Counter()
    holds = holding(today)
    urls: dict[str, str | None] = {}
    for item in items:
        if is_passage(item):
            name = source_of(item.id)
            counts[name] += 1
            past[name] += not matches(holds, item)
            urls.setdefault(name, item.url)
    return tuple(Source(name, counts[name], urls[name], past[name]) for name in sorted(counts))


def source_of(id: str) -> str:
    """Return the source that an item of the shelf is from."""
    return id.rpartition("#")[0]


def passage_id(id: str) -> str:
    """Return the id of the passage that an item of the shelf belongs to."""
    source, _, rest = id.rpartition("#")
    return f"{source}#{rest.partition('.')[0]}"


def passage_of(item: Item) -> Passage:
    """Return the passage that an item holds."""
    unit = next((name for name in _PLACES if name in item.fields), None)
    place = f"{unit} {item.number(unit):.0f}" if unit else ""
    source, _, number = item.id.rpartition("#")
    heading = tuple(item.title.split(HEADINGS)) if item.title else ()
    last = item.number(UNTIL)
    until = date.fromordinal(int(last)) if last is not None else None
    return Passage(source, int(number), heading, item.description, place, item.url, until)


def sentences_of(passage: Passage) -> list[tuple[str, str]]:
    """Return the sentences of a passage, each with the id of its item."""
    return [
        (f"{passage.source}#{passage.number}.{place}", sentence.text)
        for place, sentence in enumerate(sentences(passage.text))
    ]


def parts_of(passage: Passage) -> list[str]:
    """Return the ids of all items that a passage is stored as, its own first."""
    id = f"{passage.source}#{passage.number}"
    return [id, *(id for id, _ in sentences_of(passage)), f"{id}.t"]


def is_passage(item: Item) -> bool:
    """Return whether an item is a whole passage."""
    return item.fields.get("part") == PASSAGE


def _items(passage: Passage) -> Iterator[Item]:
    """Yield a passage as items: whole, by sentence, and the heading it stands under alone."""
    id = f"{passage.source}#{passage.number}"
    unit, _, number = passage.place.partition(" ")
    where: dict[str, FieldValue] = {unit: float(number)} if number else {}
    title = passage.title
    until: dict[str, FieldValue] = (
        {UNTIL: float(passage.until.toordinal())} if passage.until else {}
    )
    fields = {"part": PASSAGE, **where, **until}
    yield Item(id, title, passage.text, fields, url=passage.url)
    under = passage.heading[-1] if passage.heading else ""
    for own, text in sentences_of(passage):
        yield Item(own, "", text.replace("\n", " "), {"part": SENTENCE, **until})
    if under and len(under.split()) >= SHORTEST_TITLE:
        yield Item(f"{id}.t", under, "", {"part": TITLE, **until})


def _alone(folder: Path) -> FileLock:
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / "adding.lock")


def _read(folder: Path, encoder: Encoder) -> tuple[Item, ...]:
    if not has_manifest(folder):
        return ()
    with Retriever.open(folder, encoder, write=False) as retriever:
        return tuple(retriever.items())


def _by_source(items: Iterable[Item]) -> dict[str, tuple[Item, ...]]:
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(source_of(item.id), []).append(item)
    return {name: tuple(of) for name, of in found.items()}


def _write(folder: Path, sources: dict[str, tuple[Item, ...]], encoder: Encoder) -> None:
    items = tuple(item for name in sorted(sources) for item in sources[name])
    facets = tuple(Facet(name, "numeric", name) for name in _NUMBERS)
    columns = tuple(Column(name, "facet", name, "numeric") for name in _NUMBERS)
    mapping = Mapping((Column("id", "id"), Column("title", "title"), *columns))
    loaded = LoadedCatalog("knowledge", items, facets, mapping)
    Retriever.build(loaded, folder, encoder=encoder)
