"""Sessions from elsewhere: come back as they were, counted once, refused when they cannot be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent.errors import Conflict, UserInputError
from agent.feedback import FeedbackEvent, new_id
from agent.logged import LoggedSession
from agent.store import Store
from agent.turn import Slate
from tests.agent.stores import HAT, SHIRT, turn

NOW = datetime.now(UTC)


@pytest.fixture
def source(tmp_path):
    """A store with a session of two turns, the second without items, and a feed."""
    made = Store(f"sqlite:///{tmp_path}/source.db")
    id = made.create_session("ann")
    first, second = turn(id, 1), turn(id, 2, items=())
    made.record(first, policy="explore", propensities={"8": 0.25})
    made.record(second)
    made.record_slate(Slate(id=new_id(), items=(HAT, SHIRT.model_copy(update={"rank": 3}))), id)
    about = {"slate_id": first.slate.id, "item_id": "7"}
    made.add_feedback_batch(
        [
            FeedbackEvent(**about, kind="select", id="e1"),
            FeedbackEvent(**about, kind="edit", value="Better. \\u0000", consent=False),
            FeedbackEvent(slate_id=second.slate.id, kind="critique", value="nothing? 🙂"),
        ]
    )
    yield made
    made.close()


@pytest.fixture
def session(source):
    (found,) = source.logged()
    return found


def changed(session, **update):
    return LoggedSession.model_validate({**session.model_dump(), **update})


def altered(session, part, place=0, **update):
    """Return a session with other values in one turn, slate or event."""
    parts = [one.model_dump() for one in getattr(session, part)]
    parts[place] = {**parts[place], **update}
    return changed(session, **{part: parts})


def test_session_comes_back_as_it_was(store, session):
    assert store.add_session(LoggedSession.model_validate_json(session.model_dump_json()))
    assert list(store.logged()) == [session]
    loaded = store.load(session.id)
    assert (loaded.state, loaded.turns, loaded.user) == (session.turns[-1].state, 2, "ann")
    assert [done.reply for done in store.turns(session.id)] == ["Here.", "Here."]


def test_imported_session_goes_on(store, session):
    store.add_session(session)
    store.record(turn(session.id, 3))
    assert store.load(session.id).turns == 3


def test_second_import_changes_nothing(store, session):
    store.add_session(session)
    assert store.add_session(session) is False
    assert list(store.logged()) == [session]


def test_longer_session_adds_what_is_new(store, source, session):
    store.add_session(session)
    third = turn(session.id, 3)
    source.record(third)
    source.add_feedback(FeedbackEvent(slate_id=third.slate.id, item_id="8", kind="click"))
    (longer,) = source.logged()
    assert store.add_session(longer)
    assert list(store.logged()) == [longer]
    assert store.load(session.id).turns == 3
    assert store.add_session(session) is False
    assert store.load(session.id).turns == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: changed(s, user="bob"), "is stored already, of another user or time"),
        (lambda s: changed(s, created=s.created - timedelta(days=1)), "another user or time"),
        (lambda s: altered(s, "turns", utterance="other"), "turn .* already with other content"),
        (lambda s: altered(s, "slates", policy="other"), "slate .* already with other content"),
        (lambda s: altered(s, "events", kind="click"), "event 'e1' is stored already"),
        (lambda s: altered(altered(s, "turns", id="t"), "slates", turn_id="t"), "stored already"),
    ],
)
def test_other_content_under_an_id_conflicts(store, session, change, said):
    store.add_session(session)
    with pytest.raises(Conflict, match=said):
        store.add_session(change(session))
    assert list(store.logged()) == [session]


def test_turn_of_another_session_conflicts(store, session):
    store.add_session(session)
    with pytest.raises(Conflict, match="has a turn, slate or event whose id or number is stored"):
        store.add_session(changed(session, id="other", events=()))
    assert list(store.logged()) == [session]


def test_event_of_another_session_conflicts(store, session):
    store.add_session(session)
    other = turn(store.create_session(), 1)
    store.record(other)
    (first, second) = (one for one in store.logged())
    stolen = FeedbackEvent(id="e1", slate_id=other.slate.id, item_id="7", kind="click")
    mine = next(one for one in (first, second) if one.id == other.session_id)
    with pytest.raises(Conflict, match="whose id or number is stored already"):
        store.add_session(changed(mine, events=(stolen,)))
    assert store.feedback(other.session_id) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: changed(s, id="a b"), "'a b' is no id of 1 to 64"),
        (lambda s: changed(s, user=""), "a user's name has 1 to 200 characters, not 0"),
        (lambda s: changed(s, user="x" * 201), "1 to 200 characters, not 201"),
        (lambda s: changed(s, turns=s.turns[1:]), r"numbered \[2\], expected 1, 2"),
        (lambda s: changed(s, turns=(s.turns[0], s.turns[0])), "two turns have the id"),
        (lambda s: altered(s, "turns", number=2), r"numbered \[2, 2\]"),
        (lambda s: altered(s, "turns", 1, state=s.turns[0].state), "the state after turn 1"),
        (lambda s: altered(s, "turns", time=NOW + timedelta(days=1)), "it is from the future"),
        (lambda s: altered(s, "turns", time=datetime(2026, 1, 1)), "a time has no zone"),
        (lambda s: altered(s, "slates", turn_id="nope"), "belongs to turn 'nope'"),
        (lambda s: altered(s, "slates", items=()), "it has no item, or no time"),
        (lambda s: altered(s, "slates", time=None), "it has no item, or no time"),
        (lambda s: altered(s, "slates", policy="x" * 65), "at most 64 characters, not 65"),
        (lambda s: altered(s, "slates", items=s.slates[0].items[::-1]), r"ranks are \[2, 1\]"),
        (lambda s: altered(s, "slates", items=(_shown(s), _shown(s, rank=2))), "is shown twice"),
        (lambda s: altered(s, "slates", items=(_shown(s, propensity=0.0),)), "propensity 0.0"),
        (lambda s: altered(s, "slates", items=(_shown(s, propensity=1.5),)), "propensity 1.5"),
        (lambda s: altered(s, "slates", items=(_shown(s, score=float("inf")),)), "score inf"),
        (lambda s: altered(s, "slates", items=(_shown(s, fields={"p": float("nan")}),)), "NaN"),
        (lambda s: altered(s, "turns", reply="a\x00b"), "a NUL character"),
        (lambda s: altered(s, "events", slate_id="nope"), "events.0 is about slate 'nope'"),
        (lambda s: altered(s, "events", item_id="9"), "events.0: item '9' was not on slate"),
        (lambda s: altered(s, "events", time=NOW + timedelta(days=1)), "events.0: the event is"),
        (lambda s: altered(s, "events", time=NOW - timedelta(days=1)), "was first shown at"),
    ],
)
def test_impossible_session_is_refused(tmp_path, session, change, said):
    store = Store(f"sqlite:///{tmp_path}/a.db")
    with pytest.raises(UserInputError, match=said):
        store.add_session(change(session))
    assert list(store.logged()) == []
    store.close()


def _shown(session, **update):
    return {**session.slates[0].items[0].model_dump(), **update}
