"""What people said: read whole or refused, split by query, and never trained on what is held."""

import gzip
import json

import pytest

from finetune.encoder.sources import read_feedback, read_given
from finetune.errors import DataError
from tests.finetune.encoder.shop import corpus

SHOP = corpus()
NONE_HELD = [False] * len(SHOP)


def write(path, rows):
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    with (gzip.open if path.suffix == ".gz" else open)(path, "wt", encoding="utf-8") as file:
        file.write(text)
    return path


def judged(path, count=200):
    rows = [line for n in range(count) for line in (f"query {n},a,3", f"query {n},c,1",
            f"query {n},d,2", f"query {n},zzz,3")]  # fmt: skip
    return write(path, ["query,product_id,rating", *rows])


def given(path=None, held=NONE_HELD, feedback=None, seed=0):
    return read_given(SHOP, held, judgements=path, feedback=feedback, seed=seed)


def test_judged_queries_are_split_and_graded(tmp_path):
    found = given(judged(tmp_path / "judged.csv"))
    trained = {pair.query for pair in found.pairs}
    held = {case.query for case in found.cases}
    assert trained | held == {f"query {n}" for n in range(200)}
    assert not trained & held
    assert 20 <= len(held) <= 60
    assert {tuple(sorted(case.ratings.items())) for case in found.cases} == {
        ((0, 2.0), (2, 0.0), (3, 1.0))
    }
    assert {(pair.positive, pair.negative, pair.known) for pair in found.pairs} == {
        (0, 2, frozenset({0, 3}))
    }
    assert found.left_out["item is not in the catalog"] == 200


def test_held_out_items_are_not_trained_on(tmp_path):
    path = judged(tmp_path / "judged.csv")
    held = [row == 2 for row in range(len(SHOP))]
    assert {pair.negative for pair in given(path, held).pairs} == {None}
    held = [row == 0 for row in range(len(SHOP))]
    with pytest.raises(DataError, match=r"no query that can be trained on .*good answer"):
        given(path, held)


def test_feedback_says_what_was_chosen_and_passed_over(tmp_path):
    rows = [
        {"query": "boots", "positive": "a", "negative": "c"},
        {"query": "boots", "positive": "c"},
        {"query": "map", "positive": "g", "negative": None},
    ]
    for name in ("feedback.jsonl", "feedback.jsonl.gz"):
        assert read_feedback(write(tmp_path / name, rows)) == {
            "boots": {"a": 1.0, "c": 1.0}, "map": {"g": 1.0},
        }  # fmt: skip


def test_impressions_are_feedback_too(tmp_path):
    shown = [
        {"id": "c", "rank": 1},
        {"id": "a", "rank": 2, "clicked": True},
        {"id": "d", "rank": 3},
    ]
    path = write(tmp_path / "seen.jsonl", [{"query": "boots", "items": shown}])
    assert read_feedback(path) == {"boots": {"c": 0.0, "a": 1.0}}


def test_feedback_makes_pairs_and_cases(tmp_path):
    rows = [{"query": f"wish {n}", "positive": "a", "negative": "d"} for n in range(100)]
    found = given(feedback=write(tmp_path / "feedback.jsonl", rows))
    assert {(pair.positive, pair.negative, pair.family) for pair in found.pairs} == {
        (0, 3, "feedback")
    }
    assert {(case.source, tuple(case.ratings.items())) for case in found.cases} == {
        ("feedback", ((0, 1.0), (3, 0.0)))
    }
    assert len(found.pairs) + len(found.cases) == 100


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["{"], "feedback.jsonl:1: not JSON"),
        (["[1]"], "expected an object, got '\\[1\\]'"),
        (["", '{"query": "a"}'], ":2: expected a text as 'positive', got None; it has 'query'"),
        (['{"query": " ", "positive": "a"}'], "expected a text as 'query', got ' '"),
        (['{"query": true, "positive": "a"}'], "expected a text as 'query', got True"),
        ([], "has no pair"),
        (['{"query": "a", "positive": "nowhere"}'], "no query that can be trained on"),
    ],
)
def test_unusable_feedback_is_refused(tmp_path, lines, message):
    with pytest.raises(DataError, match=message):
        given(feedback=write(tmp_path / "feedback.jsonl", lines))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["query,item_id", "a,1"], "no column 'rating'"),
        (["query,item_id,rating", "a,1,x"], "rating 'x' is no number"),
        (["query,item_id,rating", "a,1,2"], "nothing to learn"),
        (["query,item_id,rating", "a,1,2", "a,2,1"], "no query that can be trained on"),
    ],
)
def test_unusable_judgements_are_refused(tmp_path, lines, message):
    with pytest.raises(DataError, match=message):
        given(write(tmp_path / "judged.csv", lines))


def test_binary_file_is_refused(tmp_path):
    path = tmp_path / "feedback.jsonl.gz"
    path.write_bytes(b"\x1f\x8b broken")
    with pytest.raises(DataError, match="can't be read"):
        given(feedback=path)
