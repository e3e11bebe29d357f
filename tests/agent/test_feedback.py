from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from agent.feedback import FeedbackEvent, new_id, valid_id


def event(**fields):
    return FeedbackEvent(**{"slate_id": "s1", "item_id": "7", "kind": "click", **fields})


def test_ids_cannot_be_guessed():
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(id) == 32 and valid_id(id) for id in ids)


@pytest.mark.parametrize("id", ["", "a b", "é", "a\x00", "a/b", "x" * 65, "../x"])
def test_odd_ids_are_refused(id):
    assert not valid_id(id)
    with pytest.raises(ValidationError, match="as an id"):
        event(slate_id=id)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("impression", None),
        ("click", None),
        ("select", None),
        ("reject", None),
        ("critique", "too expensive"),
        ("rating", 4),
        ("edit", "Here are two shirts."),
        ("dwell", 12.5),
        ("purchase", None),
        ("purchase", 49.9),
    ],
)
def test_every_kind_takes_its_value(kind, value):
    assert event(kind=kind, value=value).value == value


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "stare"}, "Input should be 'impression'"),
        ({"kind": "rating"}, "number from 1 to 5, got None"),
        ({"kind": "rating", "value": 6}, "number from 1 to 5, got 6"),
        ({"kind": "rating", "value": "good"}, "number from 1 to 5, got 'good'"),
        ({"kind": "rating", "value": float("nan")}, "number from 1 to 5, got nan"),
        ({"kind": "dwell", "value": -1}, "number from 0 to 86400"),
        ({"kind": "purchase", "value": float("inf")}, "number from 0 to"),
        ({"kind": "critique"}, "needs a text"),
        ({"kind": "critique", "value": " \x00 "}, "needs a text"),
        ({"kind": "edit", "value": "x" * 20_001}, "needs a text of 1 to 20000"),
        ({"kind": "click", "value": 3}, "'click' takes no value, got 3"),
        ({"kind": "rating", "value": True}, "got a boolean"),
        ({"kind": "click", "item_id": None}, "give item_id"),
        ({"colour": "blue"}, "Extra inputs are not permitted"),
        ({"time": "9999-12-31T23:59:59-10:00"}, "expected a time from year 1 to 9999"),
    ],
)
def test_wrong_events_say_why(fields, said):
    with pytest.raises(ValidationError, match=said):
        event(**fields)


def test_critique_may_be_about_slate():
    assert event(kind="critique", item_id=None, value="all too formal").item_id is None


def test_times_are_kept_in_utc():
    zone = timezone(timedelta(hours=2))
    assert event(time=datetime(2026, 5, 1, 14, tzinfo=zone)).time == datetime(
        2026, 5, 1, 12, tzinfo=UTC
    )
    assert event(time="2026-05-01T14:00:00").time.tzinfo is UTC


def test_same_event_ignores_its_time():
    first, second = event(id="e1"), event(id="e1")
    assert first.same_as(second)
    assert not first.same_as(event(id="e1", kind="reject"))
