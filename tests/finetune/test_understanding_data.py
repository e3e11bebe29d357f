"""The hand-labelled files fit the catalogs they are about: every id, facet and value exists."""

from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from agent.plan import ActName
from finetune.catalogs import FILES, SHARED, open_catalog
from finetune.labels import Dialogue, Expect, Wish, facet_named, read_dialogues
from retrieval.filters import TEXT, fold
from retrieval.loading import LoadedCatalog

DATA = Path(__file__).parents[2] / "finetune" / "data"
LABELS = sorted(DATA.glob("understanding_*.jsonl"))
ACTS = set(ActName.__args__)


def dialogues() -> list[tuple[str, Dialogue]]:
    return [(path.stem, dialogue) for path in LABELS for dialogue in read_dialogues(path)]


def readings(dialogue: Dialogue) -> list[tuple[str, Expect]]:
    return [(turn.text, reading) for turn in dialogue.turns for reading in turn.readings]


LARGE = ("fashion", "electronics", "grocery")


def names() -> list[ParameterSet]:
    found = sorted({dialogue.catalog for _, dialogue in dialogues()})
    return [pytest.param(n, marks=pytest.mark.slow if n in LARGE else ()) for n in found]


def test_ids_of_dialogues_are_unique():
    ids = [(stem, dialogue.id) for stem, dialogue in dialogues()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(("name", "turns"), [("dev", 220), ("dev2", 400)])
def test_dev_sets_are_large_and_broad(name: str, turns: int):
    own = read_dialogues(DATA / f"understanding_{name}.jsonl")
    assert sum(len(dialogue.turns) for dialogue in own) >= turns
    assert len({dialogue.catalog for dialogue in own}) >= 6
    assert all(2 < len(dialogue.turns) < 10 for dialogue in own)


def test_no_utterance_twice_in_dev():
    own = [d for stem, d in dialogues() if stem.startswith("understanding_dev")]
    texts = [turn.text for dialogue in own for turn in dialogue.turns]
    assert len(texts) == len(set(texts))


def test_acts_are_known_and_used():
    used = set()
    for _, dialogue in dialogues():
        for _, reading in readings(dialogue):
            for act in reading.acts:
                used |= {name.rstrip("?") for name in ([act] if isinstance(act, str) else act)}
    assert used == ACTS


def test_facets_are_labelled_once():
    for _, dialogue in dialogues():
        for text, reading in readings(dialogue):
            facets = [wish.facet for wish in reading.constraints]
            assert len(facets) == len(set(facets)), (dialogue.id, text)


@pytest.fixture(scope="module", params=names())
def labelled(request: pytest.FixtureRequest) -> tuple[LoadedCatalog, list[Dialogue]]:
    """A catalog and the dialogues about it."""
    catalog = open_catalog(request.param)
    if catalog is None:
        pytest.skip(f"{FILES[request.param]} is not in {SHARED.name}")
    return catalog, [dialogue for _, dialogue in dialogues() if dialogue.catalog == request.param]


def test_every_id_is_in_the_catalog(labelled: tuple[LoadedCatalog, list[Dialogue]]):
    catalog, about = labelled
    items = {item.id for item in catalog.items}
    for dialogue in about:
        for turn in dialogue.turns:
            ids = {*(turn.slate or ()), *(turn.focus or ())}
            for reading in turn.readings:
                ids |= {*reading.refs, *(reading.rejected or ())} | {reading.like or ""} - {""}
            assert ids <= items, (dialogue.id, turn.text, ids - items)


def unknown_values(wish: Wish, catalog: LoadedCatalog) -> set[str]:
    facet = facet_named(wish.facet, catalog.facets)
    if facet is None or facet == TEXT:
        return set()
    known = {fold(str(v)) for item in catalog.items for v in item.values(facet)}
    return {value for value in (*wish.wanted, *wish.excluded) if fold(value) not in known}


def test_every_value_is_in_the_catalog(labelled: tuple[LoadedCatalog, list[Dialogue]]):
    catalog, about = labelled
    wishes = {
        wish: dialogue.id
        for dialogue in about
        for _, reading in readings(dialogue)
        for wish in reading.constraints
    }
    missing = {(at, wish.facet): unknown_values(wish, catalog) for wish, at in wishes.items()}
    assert not {place: values for place, values in missing.items() if values}
