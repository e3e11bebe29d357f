"""Deleting a user: all of theirs and nothing else, at once, and for good."""

from __future__ import annotations

import pytest

from agent.errors import UnknownSession, UserInputError
from agent.feedback import FeedbackEvent
from agent.keys import key_of
from agent.store import Store
from agent.store_users import DeletedUser
from agent.turn import Slate
from tests.agent.stores import HAT, turn

SAID = "something nobody else would ever say"


def use(store, user):
    """Take a turn as a user, see a feed, click on both; return the session's id."""
    id = store.create_session(user)
    done = turn(id, 1, utterance=SAID)
    store.record(done)
    feed = Slate(id=f"feed-{id}", items=(HAT,))
    store.record_slate(feed, id)
    store.add_feedback_batch(
        [
            FeedbackEvent(id=f"a-{id}", slate_id=done.slate.id, item_id="7", kind="click"),
            FeedbackEvent(id=f"b-{id}", slate_id=feed.id, item_id="8", kind="select"),
        ]
    )
    return id


def test_everything_of_a_user_goes(store):
    first, second, other = use(store, "ann"), use(store, "ann"), use(store, "bob")
    gone = store.delete_user("ann")
    assert gone.sessions == (first, second)
    assert {f"feed-{first}", f"feed-{second}"} < set(gone.slates)
    assert len(gone.slates) == 4
    assert set(gone.events) == {f"{kind}-{id}" for kind in "ab" for id in (first, second)}
    assert [one.id for one in store.logged()] == [other]
    assert len(store.feedback(other)) == 2
    with pytest.raises(UnknownSession):
        store.load(first)


def test_deleting_again_finds_nothing(store):
    id = use(store, "ann")
    store.delete_user("ann")
    assert store.delete_user("ann") == DeletedUser()
    (found,) = store.deletions()
    assert found.sessions == (key_of(id),)


def test_deletions_keep_the_keys(store):
    first, other = use(store, "ann"), use(store, "bob")
    store.delete_user("ann")
    second = use(store, "ann")
    store.delete_user("bob")
    store.delete_user("ann")
    bob, ann = store.deletions()
    assert (bob.key, bob.sessions) == (key_of("bob"), (key_of(other),))
    assert (ann.key, ann.sessions) == (key_of("ann"), (key_of(first), key_of(second)))
    assert bob.time < ann.time


@pytest.mark.parametrize("name", ["nobody", "", "ANN", "%", "ann'; DROP TABLE sessions; --", "é🙂"])
def test_unknown_user_deletes_nothing(store, name):
    id = use(store, "ann")
    assert store.delete_user(name) == DeletedUser()
    assert [one.id for one in store.logged()] == [id]


def test_sessions_without_user_stay(store):
    id = use(store, None)
    store.delete_user("None")
    assert [one.id for one in store.logged()] == [id]


def test_deleted_words_leave_the_file(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/a.db")
    use(store, "ann")
    held = lambda: [path.name for path in tmp_path.iterdir()  # noqa: E731
                    if SAID.encode() in path.read_bytes()]  # fmt: skip
    assert held() != []
    store.delete_user("ann")
    assert held() == []
    store.close()


def test_user_may_come_back(store):
    use(store, "ann")
    store.delete_user("ann")
    again = use(store, "ann")
    assert [one.id for one in store.logged()] == [again]


def test_export_does_not_bring_a_deleted_user_back(store):
    use(store, "ann")
    (session,) = store.logged()
    store.delete_user("ann")
    with pytest.raises(UserInputError, match="its user's data was deleted on 2"):
        store.add_session(session)
    assert list(store.logged()) == []


def test_turn_under_way_is_lost_with_its_session(store):
    id = use(store, "ann")
    with store.turn_lock(id):
        store.delete_user("ann")
        with pytest.raises(UnknownSession):
            store.record(turn(id, 2))
