from datetime import UTC, datetime, timedelta

import pytest

from agent.access.errors import KeyExpired, KeyRevoked, KeyUnknown, UnknownKey
from agent.access.keyring import Keyring
from agent.access.keys import SCOPES, ApiKey, check, claim_of, hash_of, new_key, read_span
from agent.errors import UserInputError

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def keyring(store):
    """The keys of a store of each kind, read anew each time."""
    return Keyring(store.database, fresh_s=0.0)


def test_key_says_whose_it_is():
    key, text = new_key("shop-1", "web", ["chat"])
    assert text.startswith(f"att_shop-1_{key.id}_")
    claim = claim_of(text)
    assert (claim.tenant, claim.id) == ("shop-1", key.id)
    assert check(key, text, NOW) is key


def test_secrets_are_long_and_never_the_same():
    texts = {new_key("a", "n", ["chat"])[1] for _ in range(200)}
    assert len(texts) == 200
    assert all(len(text.split("_", 3)[3]) == 43 for text in texts)  # 32 bytes


def test_nothing_of_the_secret_is_stored(keyring):
    key, text = keyring.add("web", ["chat"])
    stored = str(keyring.list())
    assert text.split("_", 3)[3] not in stored
    assert key.hash == hash_of(text)
    assert len(key.hash) == 64


@pytest.mark.parametrize(
    "text",
    ["", "att", "att_a_b_c", "att_UPPER_0123456789ab_" + "x" * 43, "sk-123",
     "att_a_0123456789ab_" + "x" * 42, "att_a_0123456789ab_" + "x" * 44,
     "att_" + "a" * 33 + "_0123456789ab_" + "x" * 43, " att_a_0123456789ab_" + "x" * 43,
     "att_a_0123456789ab_" + "é" * 43, "att_a_0123456789ab_" + "x" * 43 + "\n"],
)  # fmt: skip
def test_other_texts_are_no_keys(text):
    assert claim_of(text) is None


def test_wrong_secret_is_unknown_whatever_the_row():
    key, text = new_key("a", "web", ["chat"])
    other = new_key("a", "web", ["chat"])[1]
    for row in (key, None):
        with pytest.raises(KeyUnknown):
            check(row, other, NOW)
    gone = ApiKey(key.id, "web", ("chat",), key.hash, NOW, revoked=NOW)
    with pytest.raises(KeyUnknown):  # that it was revoked is told to its holder only
        check(gone, other, NOW)
    with pytest.raises(KeyRevoked, match=key.id):
        check(gone, text, NOW)


def test_key_expires_at_its_moment():
    key, text = new_key("a", "web", ["chat"], timedelta(days=1))
    assert check(key, text, key.expires - timedelta(seconds=1)) is key
    with pytest.raises(KeyExpired, match="expired at"):
        check(key, text, key.expires)


def test_row_of_another_tenant_opens_nothing():
    key, text = new_key("a", "web", ["chat"])
    with pytest.raises(KeyUnknown):
        check(key, text.replace("att_a_", "att_b_"), NOW)


def test_admin_includes_the_other_scopes():
    allowed = {
        scope: {one for one in SCOPES if new_key("a", "n", [scope])[0].allows(one)}
        for scope in SCOPES
    }
    assert allowed == {
        "chat": {"chat"}, "feedback": {"feedback"}, "catalog": {"catalog"}, "admin": {*SCOPES},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "scopes", "lasts", "said"),
    [("", ["chat"], None, "needs a name"), ("\x00 ", ["chat"], None, "needs a name"),
     ("n" * 201, ["chat"], None, "1 to 200"), ("web", [], None, "needs scopes of chat, feedback"),
     ("web", ["root"], None, r"got \['root'\]"),
     ("web", ["chat"], timedelta(0), "expired already")],
)  # fmt: skip
def test_what_makes_no_key_is_refused(name, scopes, lasts, said):
    with pytest.raises(UserInputError, match=said):
        new_key("a", name, scopes, lasts)


def test_keys_are_read_back_as_added(keyring):
    first, _ = keyring.add("web", ["feedback", "chat"], timedelta(days=90))
    second, _ = keyring.add("back office 🙂", ["admin"])
    assert keyring.list() == [first, second]
    assert first.scopes == ("chat", "feedback")
    assert keyring.current() == {first.id: first, second.id: second}


def test_revoking_is_for_good(keyring):
    key, _ = keyring.add("web", ["chat"])
    gone = keyring.revoke(key.id)
    assert gone.status(datetime.now(UTC)) == "revoked"
    assert keyring.revoke(key.id) == keyring.list()[0] == gone
    with pytest.raises(UnknownKey, match="'nope'"):
        keyring.revoke("nope")


def test_keys_are_read_once_while_fresh(store):
    keyring = Keyring(store.database, fresh_s=3600.0)
    assert keyring.current() == {}
    Keyring(store.database).add("by another process", ["chat"])
    assert keyring.current() == {}
    own, _ = keyring.add("by this one", ["chat"])
    assert own.id in keyring.current()
    assert len(keyring.current()) == 2


@pytest.mark.parametrize(
    ("text", "span"),
    [("12h", timedelta(hours=12)), ("90d", timedelta(days=90)), ("2w", timedelta(weeks=2))],
)
def test_spans_are_read(text, span):
    assert read_span(text) == span


@pytest.mark.parametrize("text", ["", "90", "d", "0d", "-1d", "1.5d", "1y", "999999d", "1d "])
def test_other_spans_are_refused(text):
    with pytest.raises(UserInputError, match="expected hours, days or weeks"):
        read_span(text)
