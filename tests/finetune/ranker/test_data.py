import gzip
import json

import pytest

from finetune.errors import DataError
from finetune.ranker.data import read_feedback, read_judgements


def judgements(tmp_path, text, name="ratings.csv"):
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def feedback(tmp_path, *rows):
    path = tmp_path / "feedback.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines), "utf-8")
    return path


def shown(id, rank, **more):
    return {"id": id, "rank": rank, **more}


def test_judgements_become_grades_from_zero(tmp_path):
    found = read_judgements(judgements(tmp_path, "query,id,rating\na,1,3\nb,2,1\na,3,2.5\n"))
    assert [(one.query, dict(one.grades)) for one in found] == [
        ("a", {"1": 2.0, "3": 1.5}),
        ("b", {"2": 0.0}),
    ]


def test_repeated_ratings_count_with_their_mean(tmp_path):
    text = "query,product_id,relevance,note\na,1,3,x\na,1,1,y\na,2,0,z\n"
    assert read_judgements(judgements(tmp_path, text))[0].grades == {"1": 2.0, "2": 0.0}


def test_a_wide_scale_is_brought_to_four(tmp_path):
    found = read_judgements(judgements(tmp_path, "query,item_id,label\na,1,100\na,2,0\na,3,50\n"))
    assert found[0].grades == {"1": 4.0, "2": 0.0, "3": 2.0}


def test_gzip_is_read_as_it_is(tmp_path):
    path = tmp_path / "ratings.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("query,id,rating\nü,1,3\nü,2,1\n")
    assert read_judgements(path)[0].query == "ü"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no column 'query'; it has none"),
        ("query,rating\na,1\n", "no column 'item_id' or 'id' or 'product_id'; it has 'query'"),
        ("query,id,rating\n", "no row; expected a query, an item and a rating"),
        ("query,id,rating\na,1,good\n", "ratings.csv:2: rating 'good' is no number"),
        ("query,id,rating\na,1,nan\n", "ratings.csv:2: rating 'nan' is no number"),
        ("query,id,rating\na,1\n", "ratings.csv:2: rating None is no number"),
        ("query,id,rating\na,1,2\nb,2,2\n", "all 2 ratings are 2; there is nothing to learn"),
    ],
)
def test_unusable_judgements_are_refused(tmp_path, text, told):
    with pytest.raises(DataError, match=told):
        read_judgements(judgements(tmp_path, text))


def test_feedback_says_what_was_done(tmp_path):
    path = feedback(
        tmp_path,
        {
            "query": " blue shirt ",
            "items": [
                shown("7", 1, clicked=True, propensity=0.8),
                shown("8", 2, clicked=True, selected=True),
                shown("9", 4, purchased=True),
                shown("10", 5),
            ],
        },
        "",
    )
    (one,) = read_feedback(path)
    assert one.query == "blue shirt"
    assert [item.grade for item in one.items] == [1, 2, 3, 0]
    assert [item.propensity for item in one.items] == [0.8, 0.5, 0.25, 0.2]


GOOD = {"query": "a", "items": [shown("1", 1, clicked=True)]}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("{", "feedback.jsonl:2: no impression: JSONDecodeError"),
        ("[]", "no impression: TypeError"),
        ({"items": []}, "no impression: KeyError"),
        ({"query": 7, "items": []}, "query 7 is no text"),
        ({"query": "a", "items": [{"id": "1"}]}, "no impression: KeyError"),
        ({"query": "a", "items": [shown("1", 0)]}, "rank 0: expected 1, 2"),
        ({"query": "a", "items": [shown("1", True)]}, "rank True"),
        ({"query": "a", "items": [shown("1", 1), shown("1", 2)]}, "an item is shown twice"),
        ({"query": "a", "items": [shown("1", 1, propensity=0)]}, "propensity 0: expected more"),
        ({"query": "a", "items": [shown("1", 1, clicked="yes")]}, "expected true or false"),
    ],
)
def test_a_broken_line_is_named(tmp_path, row, told):
    with pytest.raises(DataError, match=told):
        read_feedback(feedback(tmp_path, GOOD, row))


def test_feedback_without_any_click_is_refused(tmp_path):
    row = {"query": "a", "items": [shown("1", 1)]}
    with pytest.raises(DataError, match="1 impressions, and nobody clicked"):
        read_feedback(feedback(tmp_path, row))


def test_a_missing_file_is_told(tmp_path):
    for read in (read_judgements, read_feedback):
        with pytest.raises(DataError, match="can't be read"):
            read(tmp_path / "none")
