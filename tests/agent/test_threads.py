"""Hashes of conversations lead to turns, in every store."""

import pytest

from agent.threads import LOOKED_UP, Threads, begun, chain
from tests.agent.stores import KINDS, open_store, turn


@pytest.fixture(params=KINDS)
def store(request, tmp_path):
    store = open_store(request.param, tmp_path)
    yield store
    store.close()


def session_of(store, turns=2):
    session = store.create_session("ann")
    for number in range(1, turns + 1):
        store.record(turn(session, number))
    return session


def test_last_known_hash_is_found(store):
    session = session_of(store)
    store.threads.put(session, 1, "a")
    store.threads.put(session, 2, "b", "asked")
    found = store.threads.find(["a", "b", "c"])
    assert (found.session_id, found.turn, found.shared, found.length) == (session, 2, False, 2)
    assert store.threads.find(["a"]).length == 1
    assert store.threads.find(["asked"]).turn == 2
    assert store.threads.find(["x"]) is None
    assert store.threads.find([]) is None


def test_hash_of_two_sessions_is_shared(store):
    first, second, third = (session_of(store) for _ in range(3))
    store.threads.put(first, 1, "a")
    store.threads.put(first, 1, "a")
    assert not store.threads.find(["a"]).shared
    for one in (second, third):
        store.threads.put(one, 1, "a")
        found = store.threads.find(["a"])
        assert (found.session_id, found.shared) == (one, True)
    store.delete_session(third)
    assert store.threads.find(["a"]).session_id == first


def test_hashes_go_with_their_session(store):
    session = session_of(store)
    store.threads.put(session, 1, "a")
    store.delete_session(session)
    assert store.threads.find(["a"]) is None
    store.threads.put(session, 2, "b")
    assert store.threads.find(["b"]) is None


def test_only_the_latest_hashes_are_looked_up(store):
    session = session_of(store)
    store.threads.put(session, 1, "old")
    newer = [f"h{place}" for place in range(LOOKED_UP)]
    assert store.threads.find(["old", *newer]) is None
    assert store.threads.find(["old", *newer[1:]]).length == 1


def test_turn_of_a_place_is_given_back(store):
    session = session_of(store, turns=3)
    store.threads.put(session, 2, "a")
    assert store.threads.turn(store.threads.find(["a"])) == store.turns(session)[1]


def test_copy_holds_the_turns_before(store):
    session = session_of(store, turns=3)
    store.threads.put(session, 2, "a")
    copy = store.threads.before(store.threads.find(["a"]))
    assert store.add_session(copy)
    assert store.load(copy.id).state == store.turns(session)[1].state
    assert store.load(copy.id).turns == 2
    assert [one.reply for one in store.turns(copy.id)] == ["Here.", "Here."]
    assert not store.turns(copy.id)[0].slate.items
    store.record(turn(copy.id, 3))
    assert len(store.delete_user("ann").sessions) == 2


def test_copy_of_what_is_gone_is_none(store):
    session = session_of(store, turns=1)
    store.threads.put(session, 1, "a")
    place = store.threads.find(["a"])
    store.delete_session(session)
    assert store.threads.before(place) is None
    assert store.threads.turn(place) is None


def test_begun_session_is_new_each_time():
    one, two = begun("ann", ()), begun("ann", ())
    assert one.id != two.id
    assert one.user == "ann"


def test_opening_differs_by_key_user_and_secret(store):
    plain, secret = Threads(store.database), Threads(store.database, b"s" * 16)
    hashes = {
        one.opening(owner, user)
        for one in (plain, secret)
        for owner in ("k1", "k2")
        for user in (None, "ann", "")
    }
    assert len(hashes) == 12
    assert plain.opening("k1", "ann") == plain.opening("k1", "ann")


def test_chain_keeps_pieces_apart():
    assert chain("a", "user", "bc") != chain("a", "userb", "c")
    assert chain("a", {"x": 1, "y": 2}) == chain("a", {"y": 2, "x": 1})
    assert chain("a", "half \ud83d emoji")
