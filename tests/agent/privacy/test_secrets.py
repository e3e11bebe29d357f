"""User ids as keyed hashes, texts encrypted at rest: nothing in clear on disk, wrong keys told."""

from __future__ import annotations

import sqlite3

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, type_coerce

from agent import tables
from agent.desk import Once
from agent.errors import StoreError, UserInputError
from agent.feedback import FeedbackEvent
from agent.keys import key_of
from agent.privacy.sealing import new_key
from agent.privacy.secrets import NO_SECRETS, Secrets, is_hashed
from agent.service.values import Handover, Service
from agent.store import Store
from agent.store_secrets import SEALED, clear_rows, encrypt
from tests.agent.stores import HAT, SHIRT, new_schema, server_url, turn

SECRET = b"a secret of some length"
OLD, NEW = new_key(), new_key()
WHO = "ann of berlin"
WORDS = ("zebrafish", "marmalade", "haberdashery", "quinquereme", "glockenspiel")


@pytest.fixture(params=["file", "postgresql"])
def store_of(request, tmp_path):
    """Open one and the same place with given secrets."""
    if request.param == "file":
        return lambda secrets=NO_SECRETS: Store(f"sqlite:///{tmp_path}/a.db", secrets)
    url, schema = server_url(), new_schema()
    return lambda secrets=NO_SECRETS: Store(url, secrets, schema=schema)


def fill(store, user=WHO):
    """Store a word of the user's in every place where one can be; return the session's id."""
    id = store.create_session(user)
    handed = Service(asked=(WORDS[3],), handover=Handover(id=f"h{id}", reason="rule",
                                                          detail=WORDS[4]))  # fmt: skip
    done = turn(id, 1, utterance=WORDS[0], reply=WORDS[1], service=handed, notes=(WORDS[0],))
    once = Once(key_of(id), key_of("request"))
    store.record(done, once=once)
    store.add_feedback(FeedbackEvent(slate_id=done.slate.id, kind="critique", value=WORDS[2]))
    return id


def on_disk(folder):
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


def in_clear(store):
    return dict(clear_rows(store.database))


def test_what_was_said_is_not_on_disk(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/a.db", Secrets(SECRET, (OLD,)))
    id = fill(store)
    while_open = on_disk(tmp_path)
    store.close()
    for word in (*WORDS, WHO, "it is blue"):
        assert word.encode() not in while_open + on_disk(tmp_path)
    again = Store(f"sqlite:///{tmp_path}/a.db", Secrets(SECRET, (OLD,)))
    assert again.turns(id)[0].utterance == WORDS[0]
    again.close()


def test_encrypted_store_reads_as_any_other(store_of):
    store = store_of(Secrets(SECRET, (OLD,)))
    id = fill(store)
    (done,), (session,) = store.turns(id), store.logged()
    assert (done.utterance, done.reply) == (WORDS[0], WORDS[1])
    assert done.slate.items == (SHIRT, HAT)
    assert store.load(id).state == done.state
    assert session.turns[0].service.handover.detail == WORDS[4]
    assert session.events[0].value == WORDS[2]
    assert in_clear(store) == {}
    store.close()


def test_empty_values_stay_empty(store_of):
    store = store_of(Secrets(SECRET, (OLD,)))
    id = store.create_session()
    store.record(turn(id, 1, service=None, notes=(), claims=()))
    assert store.turns(id)[0].service is None
    with store.database.read() as connection:
        raw = type_coerce(tables.turns.c.service, tables.turns.c.timings.type)
        assert connection.scalar(select(raw)) is None
    store.close()


@pytest.mark.parametrize(
    ("keys", "said"), [((), "set ATTUNE_TEXT_KEY"), ((NEW,), "encrypted with another key")]
)
def test_store_does_not_open_without_its_key(store_of, keys, said):
    store_of(Secrets(SECRET, (OLD,))).close()
    with pytest.raises(StoreError, match=said):
        store_of(Secrets(SECRET, keys))


def test_damaged_text_is_told(tmp_path):
    url = f"sqlite:///{tmp_path}/a.db"
    store = Store(url, Secrets(SECRET, (OLD,)))
    id = fill(store)
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("UPDATE turns SET reply = substr(reply, 1, 40) || 'A'")
    database.close()
    with pytest.raises(StoreError, match="or damaged"):
        store.turns(id)
    store.close()


def test_key_given_later_encrypts_from_then_on(store_of):
    store = store_of(Secrets(SECRET))
    first = fill(store)
    store.close()
    store = store_of(Secrets(SECRET, (OLD,)))
    second = fill(store)
    assert [store.turns(id)[0].utterance for id in (first, second)] == [WORDS[0]] * 2
    assert in_clear(store) == {
        "sessions": 1, "turns": 1, "slate_items": 2, "feedback_events": 1, "handovers": 1,
    }  # fmt: skip
    assert encrypt(store.database, Secrets(SECRET, (OLD,))) == 6
    assert in_clear(store) == {}
    assert store.turns(first)[0].utterance == WORDS[0]
    store.close()


def test_what_was_clear_leaves_the_file(tmp_path):
    url = f"sqlite:///{tmp_path}/a.db"
    store = Store(url)
    fill(store)
    store.close()
    assert WORDS[0].encode() in on_disk(tmp_path)
    assert WHO.encode() in on_disk(tmp_path)
    secrets = Secrets(SECRET, (OLD,))
    store = Store(url, secrets)
    encrypt(store.database, secrets)
    assert [word for word in (*WORDS, WHO) if word.encode() in on_disk(tmp_path)] == []
    store.close()


def test_keys_are_rotated(store_of):
    store = store_of(Secrets(SECRET, (OLD,)))
    id = fill(store)
    store.close()
    both = Secrets(SECRET, (NEW, OLD))
    store = store_of(both)
    assert store.turns(id)[0].utterance == WORDS[0]
    assert encrypt(store.database, both) == 6
    assert encrypt(store.database, both) == 0
    store.close()
    store = store_of(Secrets(SECRET, (NEW,)))
    assert store.turns(id)[0].utterance == WORDS[0]
    store.close()
    with pytest.raises(StoreError, match="another key"):
        store_of(Secrets(SECRET, (OLD,)))


def test_more_rows_than_a_batch_are_encrypted(tmp_path, monkeypatch):
    monkeypatch.setattr("agent.store_secrets.BATCH", 2)
    url = f"sqlite:///{tmp_path}/a.db"
    store = Store(url)
    for _ in range(5):
        fill(store)
    store.close()
    secrets = Secrets(None, (OLD,))
    store = Store(url, secrets)
    assert encrypt(store.database, secrets) == 5 * 6
    assert in_clear(store) == {}
    store.close()


def test_every_place_with_words_is_sealed():
    held = {table.name: set(columns) for table, columns in SEALED}
    assert held == {
        "sessions": {"state"},
        "turns": {"utterance", "reply", "plan", "state", "claims", "relaxations", "notes",
                  "written", "service"},
        "slate_items": {"reasons"},
        "feedback_events": {"value"},
        "handovers": {"detail"},
        "idempotency_keys": {"answer"},
    }  # fmt: skip


def test_names_are_stored_as_keyed_hashes(store_of):
    store = store_of(Secrets(SECRET))
    first, second = store.create_session(WHO), store.create_session(WHO)
    other = store.create_session("bob")
    names = [store.load(id).user for id in (first, second, other)]
    assert is_hashed(names[0])
    assert names[0] == names[1] != names[2]
    assert names[0] != Secrets(b"another secret of length").stored(WHO)
    assert set(store.delete_user(WHO).sessions) == {first, second}
    store.close()


def test_names_in_clear_are_hashed_when_a_store_opens(store_of):
    store = store_of()
    id, nobody = store.create_session(WHO), store.create_session()
    store.close()
    store = store_of(Secrets(SECRET))
    assert store.load(id).user == Secrets(SECRET).stored(WHO)
    assert store.load(nobody).user is None
    assert store.delete_user(WHO).sessions == (id,)
    store.close()


@pytest.mark.parametrize(
    ("secret", "said"), [(None, "none is given"), (b"another secret of length", "another one is")]
)
def test_other_secret_does_not_open_a_store(store_of, secret, said):
    store_of(Secrets(SECRET)).close()
    with pytest.raises(StoreError, match=f"{said}.*ATTUNE_USER_SECRET"):
        store_of(Secrets(secret))


def test_hash_can_be_given_for_a_name(store_of):
    store = store_of(Secrets(SECRET))
    id = store.create_session(WHO)
    assert store.delete_user(Secrets(SECRET).stored(WHO)).sessions == (id,)
    store.close()


def test_nobody_gets_in_by_a_hash(store_of):
    store = store_of(Secrets(SECRET))
    id = store.create_session(Secrets(SECRET).stored(WHO))
    assert store.load(id).user != Secrets(SECRET).stored(WHO)
    assert store.delete_user(WHO).sessions == ()
    assert store.delete_user(Secrets(SECRET).stored(WHO)).sessions == (id,)
    store.close()


def test_export_goes_back_into_the_store(store_of):
    store = store_of(Secrets(SECRET))
    id = fill(store)
    (session,) = store.logged()
    store.delete_session(id)
    assert store.add_session(session)
    assert not store.add_session(session)
    assert store.load(id).user == Secrets(SECRET).stored(WHO)
    store.close()


@pytest.mark.parametrize("before", [None, SECRET])
def test_deleted_user_is_not_brought_back(store_of, before):
    store = store_of(Secrets(before))
    fill(store)
    (session,) = store.logged()
    store.delete_user(WHO)
    store.close()
    store = store_of(Secrets(SECRET))
    for user in (WHO, session.user):
        with pytest.raises(UserInputError, match="was deleted"):
            store.add_session(session.model_copy(update={"user": user}))
    store.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"user": b"short"}, "5 bytes, expected at least 16"),
        ({"text": ("no key",)}, "no Fernet key"),
        ({"text": (OLD, "")}, "no Fernet key"),
    ],
)
def test_bad_secrets_are_refused(options, said):
    with pytest.raises(StoreError, match=said):
        Secrets(**options)


def test_secrets_are_not_printed():
    assert OLD not in repr(Secrets(SECRET, (OLD,)))
    assert SECRET.decode() not in repr(Secrets(SECRET, (OLD,)))


def test_new_keys_are_keys():
    assert Fernet(new_key())
    assert new_key() != new_key()
