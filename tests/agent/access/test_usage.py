import threading
from datetime import UTC, datetime

import pytest

from agent.access.errors import BudgetSpent
from agent.access.usage import Budget, day_of, usage
from agent.telemetry import Meter, ModelUse
from agent.usage import Spent, turn_tokens
from tests.agent.stores import turn

EVENING = datetime(2026, 3, 1, 23, 59, 30, tzinfo=UTC)


def take(store, payer, tokens, turns=1):
    session = store.create_session()
    for number in range(1, turns + 1):
        store.record(turn(session, number), spent=Spent(payer, tokens))


def test_turns_and_tokens_add_up(store):
    take(store, "k1", 10, turns=3)
    take(store, "k2", 5)
    today = day_of(datetime.now(UTC))
    assert [(one.day, one.key_id, one.turns, one.tokens) for one in usage(store.database)] == [
        (today, "k1", 3, 30), (today, "k2", 1, 5),
    ]  # fmt: skip
    assert usage(store.database, "9999-01-01") == []


def test_a_turn_not_stored_is_not_counted(store):
    session = store.create_session()
    store.record(turn(session, 1), spent=Spent("k", 7))
    with pytest.raises(Exception, match="another turn came first"):
        store.record(turn(session, 1), spent=Spent("k", 7))
    assert usage(store.database)[0].tokens == 7


def test_concurrent_turns_are_all_counted(store):
    def some():
        take(store, "k", 1, turns=10)

    threads = [threading.Thread(target=some) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(one.turns, one.tokens) for one in usage(store.database)] == [(60, 60)]


def test_spent_budget_says_when_it_begins_anew(store):
    take(store, "k", 100)
    today = datetime.now(UTC)
    Budget(key=101, tenant=101).check(store.database, "k", today)
    Budget(key=100).check(store.database, "other", today)
    with pytest.raises(BudgetSpent, match="100 tokens that this key") as caught:
        Budget(key=100).check(store.database, "k", today)
    assert 1 <= int(caught.value.headers["Retry-After"]) <= 86_400
    with pytest.raises(BudgetSpent, match="that this tenant"):
        Budget(tenant=100).check(store.database, "other", today)


def test_budget_of_tomorrow_is_whole(store):
    take(store, "k", 100)
    Budget(key=1, tenant=1).check(store.database, "k", datetime(2099, 1, 1, tzinfo=UTC))


def test_seconds_to_midnight_are_told(store):
    with store.database.write() as connection:
        from agent.store_beside import insert_usage

        insert_usage(connection, Spent("k", 5), EVENING)
    with pytest.raises(BudgetSpent) as caught:
        Budget(key=5).check(store.database, "k", EVENING)
    assert caught.value.headers["Retry-After"] == "30"


def test_models_count_for_more_than_words():
    used = Meter([ModelUse("m", 900, 20), ModelUse("m", 70, 10)])
    assert turn_tokens("blue shirts", "Here they are.", used) == 1000
    words = turn_tokens("blue shirts", "Here they are.", None)
    assert 4 <= words <= 10
    assert turn_tokens("blue shirts", "Here they are.", Meter()) == words
    assert turn_tokens("", "", None) == 0
