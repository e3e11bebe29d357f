"""The judged sets: read from small copies of the shared files, and from the real ones if here."""

import csv
import gzip
import json

import pytest

from finetune.catalogs import FILES
from finetune.errors import DataError
from finetune.retrieval_quality import NUMBER
from finetune.retrieval_sets import grades_of, here, own_source, shared_sources

RATED = [("query", "product_id", "rating"), ("lamp", "1", "3"), ("lamp", "2", "0")]
TITLES = [
    ("query", "product_id", "product_title", "relevance"),
    ("wood door", "7", "Oak Door, 30 in.", "3"),
    ("wood door", "8", "Steel Door", "1.67"),
    ("hose", "9", "Garden Hose 50 ft", "2.33"),
    ("door", "7", "Oak Door, 30 in.", "1"),
]


@pytest.fixture
def folder(tmp_path):
    def write(name, text):
        (tmp_path / name).write_bytes(gzip.compress(text.encode()))

    rows = [{"id": id, "title": f"Lamp {id}"} for id in "123"]
    write(FILES["electronics"], "\n".join(map(json.dumps, rows)))
    for name, table in (("electronics_ratings", RATED), ("homedepot", TITLES)):
        with gzip.open(tmp_path / f"search_{name}.csv.gz", "wt", newline="") as file:
            csv.writer(file).writerows(table)
    return tmp_path


def test_electronics_ranks_its_catalog(folder):
    electronics = shared_sources(folder=folder)[0]
    (one,) = electronics.sets()
    assert one.grades == {"lamp": {"1": 3.0, "2": 0.0}}
    assert (one.scope, one.halved) == ("catalog", True)
    assert [item.id for item in electronics.load().items] == ["1", "2", "3"]


def test_homedepot_is_a_catalog_of_its_titles(folder):
    homedepot = shared_sources(sample=2, folder=folder)[1]
    items = homedepot.load().items
    assert [(item.id, item.title) for item in items] == [
        ("7", "Oak Door, 30 in."), ("8", "Steel Door"), ("9", "Garden Hose 50 ft")
    ]  # fmt: skip
    assert [item.fields[NUMBER] for item in items] == [0.0, 1.0, 2.0]


def test_homedepot_is_ranked_two_ways(folder):
    every, sampled = shared_sources(sample=2, folder=folder)[1].sets()
    assert every.scope == "judged"
    assert every.grades["wood door"] == pytest.approx({"7": 2.0, "8": 0.67})
    assert sampled.scope == "catalog"
    assert len(sampled.grades) == 2
    again = shared_sources(sample=2, folder=folder)[1].sets()[1]
    assert list(sampled.grades) == list(again.grades)


def test_missing_files_are_named(folder, tmp_path):
    (folder / "search_homedepot.csv.gz").unlink()
    found, skipped = here(shared_sources(folder=folder))
    assert [one.name for one in found] == ["electronics"]
    assert skipped == {"homedepot": "no file search_homedepot.csv.gz"}


def test_hash_follows_the_contents(folder):
    electronics = shared_sources(folder=folder)[0]
    before = electronics.digest()
    assert shared_sources(folder=folder)[0].digest() == before
    electronics.files[1].write_bytes(gzip.compress(b"query,id,rating\n"))
    assert electronics.digest() != before


def test_own_catalog_is_a_file_or_a_project(folder, tmp_path):
    judgements = folder / "search_electronics_ratings.csv.gz"
    source = own_source(folder / FILES["electronics"], judgements)
    assert source.project is None
    assert len(source.load().items) == 3
    assert not source.sets()[0].halved
    project = own_source(folder, judgements)
    assert project.project == folder
    assert project.missing == [folder / "manifest.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("query,item\na,1\n", "no column 'item_id' or 'id'"),
        ("query,id,rating\na,1,good\n", "csv:2: rating 'good' is no number"),
        ("query,id,rating\n", "no row"),
    ],
)
def test_bad_judgements_are_refused(tmp_path, text, message):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        grades_of(path)


def test_shared_judgements_are_as_described():
    found, _ = here(shared_sources())
    sets = {one.name: one for source in found for one in source.sets()}
    if "electronics" not in sets:
        pytest.skip("the shared sample data is not here")
    grades = sets["electronics"].grades
    assert (len(grades), sum(map(len, grades.values()))) == (89, 2380)
    assert {grade for own in grades.values() for grade in own.values()} == {0, 1, 2, 3}
    if "homedepot" in sets:
        grades = sets["homedepot"].grades
        assert len(grades) == 9392
        assert max(grade for own in grades.values() for grade in own.values()) == 2
