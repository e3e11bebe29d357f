"""Slates as rankers and encoders learn from them: their own readers take what is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.state import Likeness, Need
from finetune.encoder.sources import read_feedback as read_pairs
from finetune.errors import DataError
from finetune.events.impressions import rows_of, write_rows
from finetune.ranker.data import read_feedback
from tests.finetune.events.making import START, event, session, slate


def rows(*sessions, form="impressions"):
    return rows_of(sessions, form).rows


def grades(*events, queries=("blue shirt",), **slates):
    """Return what the ranker's reader makes of a session's first slate."""
    (first, *_) = rows(session("s1", queries=queries, events=events, **slates))
    return {item["id"]: (item["rank"], *[name for name in item if name.endswith("ed")])
            for item in first["items"]}  # fmt: skip


def act(kind, item="a", at=30.0, **fields):
    return event("s1", kind=kind, item=item, at=at, **fields)


def test_reader_of_rankers_takes_it(tmp_path: Path):
    events = [act("click", "b"), act("select", "c"), act("purchase", "c", 50, value=20.0)]
    made = rows_of([session("s1", events=events, policy="explore", propensity=0.5)])
    write_rows(tmp_path / "f.jsonl", made)
    (shown,) = read_feedback(tmp_path / "f.jsonl")
    assert shown.query == "blue shirt"
    assert [(one.id, one.rank, one.grade) for one in shown.items] == [
        ("a", 1, 0.0), ("b", 2, 1.0), ("c", 3, 3.0)
    ]  # fmt: skip
    assert [one.propensity for one in shown.items] == [1, 1 / 2, 1 / 3]
    assert {one["chance"] for one in made.rows[0]["items"]} == {0.5}


def test_reader_of_encoders_takes_both_forms(tmp_path: Path):
    given = session("s1", events=[act("select", "c"), act("reject", "a")])
    for form in ("impressions", "pairs"):
        write_rows(tmp_path / form, rows_of([given], form))
    assert read_pairs(tmp_path / "impressions") == {"blue shirt": {"c": 1.0, "a": 0.0, "b": 0.0}}
    assert read_pairs(tmp_path / "pairs") == {"blue shirt": {"c": 1.0, "a": 0.0, "b": 0.0}}


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        ([act("click")], "clicked"),
        ([act("select")], "selected"),
        ([act("rating", value=5)], "selected"),
        ([act("rating", value=3)], None),
        ([act("rating", value=1), act("click", at=40)], None),
        ([act("purchase")], "purchased"),
        ([act("purchase"), act("select", at=40)], "purchased"),
        ([act("select"), act("reject", at=40)], None),
        ([act("reject"), act("select", at=40)], "selected"),
        ([act("purchase"), act("reject", at=40)], None),
        ([act("dwell", value=60), act("critique", value="too dear")], None),
    ],
)
def test_last_verdict_counts(events, verdict):
    told = grades(*events, act("click", "c"))
    assert told["a"] == ((1, verdict) if verdict else (1,))


def test_unseen_items_are_left_out():
    told = grades(act("impression", "a"), act("impression", "b"), act("click", "b", 40))
    assert list(told) == ["a", "b"]
    assert grades(act("impression", "a"), act("click", "c", 40)) == {"a": (1,), "c": (3, "clicked")}


def test_choice_in_words_is_of_the_slate_before():
    two = session("s1", queries=("blue shirt", "blue shirt"))
    second = two.turns[1]
    state = second.state.model_copy(update={"selected": ("b",)})
    said = two.model_copy(
        update={"turns": (two.turns[0], second.model_copy(update={"state": state}))}
    )
    first, then = rows(said)
    assert [item["id"] for item in first["items"] if "selected" in item] == ["b"]
    assert not any("selected" in item for item in then["items"])


def test_refusal_in_words_undoes_a_click():
    two = session("s1", queries=("blue shirt", "blue shirt"), events=[act("click", at=10)])
    second = two.turns[1]
    need = second.state.need.model_copy(update={"rejected": ("a",)})
    state = second.state.model_copy(update={"need": need})
    said = two.model_copy(
        update={"turns": (two.turns[0], second.model_copy(update={"state": state}))}
    )
    assert not any("clicked" in item for item in rows(said)[0]["items"])


def test_skipped_above_is_the_negative():
    (row, other) = rows(session("s1", events=[act("click", "c")]), form="pairs")
    assert row == {"query": "blue shirt", "positive": "c", "negative": "a"}
    assert other == {"query": "blue shirt", "positive": "c", "negative": "b"}


def test_first_choice_has_no_negative():
    made = rows(session("s1", events=[act("click", "a")]), form="pairs")
    assert made == [{"query": "blue shirt", "positive": "a"}]


def test_refusals_alone_are_no_pairs():
    assert rows(session("s1", events=[act("reject", "a")]), form="pairs") == []


def test_slates_that_teach_nothing_are_counted():
    click = [act("click")]
    like = session("s1", events=click)
    state = like.turns[0].state.model_copy(update={"need": Need(like=Likeness(item_id="x"))})
    sessions = [
        session("s1"),
        session("s1", events=[act("click", consent=False)]),
        session("s1", queries=("",), events=click),
        like.model_copy(update={"turns": (like.turns[0].model_copy(update={"state": state}),)}),
        session("s1", events=click).model_copy(
            update={"slates": (slate("s1-l1", None, START),), "turns": ()}
        ),
    ]
    made = rows_of(sessions)
    assert made.rows == []
    assert made.left_out == {
        "the session has no feedback": 1,
        "learning was refused": 1,
        "nothing was wished for in words": 1,
        "it was searched like another item, not by words": 1,
        "it is a feed, without a query": 1,
    }


def test_nothing_to_write_is_told(tmp_path: Path):
    with pytest.raises(DataError, match=r"nothing to learn .* \(1 × the session has no feedback\)"):
        write_rows(tmp_path / "f.jsonl", rows_of([session("s1")]))
    assert list(tmp_path.iterdir()) == []
