from dataclasses import replace

from finetune.simulator import Population, differences, simulate
from tests.finetune.simulator.shop import RULES

PLAIN = Population()


def kept(outcomes):
    return [replace(one, session="") for one in outcomes.users]


def test_same_seed_same_outcomes(retriever, store):
    first = simulate(RULES, retriever, store, PLAIN, 12, 3)
    again = simulate(RULES, retriever, store, PLAIN, 12, 3)
    assert kept(first) == kept(again)
    assert kept(first) != kept(simulate(RULES, retriever, store, PLAIN, 12, 4))


def test_paired_difference_of_equals(retriever, store):
    first = simulate(RULES, retriever, store, PLAIN, 8, 3)
    again = simulate(RULES, retriever, store, PLAIN, 8, 3)
    assert {one.mean for one in differences(first, again).values()} == {0.0}


def test_users_end_within_patience(retriever, store):
    hasty = replace(PLAIN, patience=(2, 2), margin=-9.0)
    found = simulate(RULES, retriever, store, hasty, 10, 0)
    failed = [one for one in found.users if not one.success]
    assert failed
    assert {one.turns for one in failed} == {3}
    assert {len(one.transcript) for one in failed} == {2}


def test_feedback_is_stored_consent_kept(retriever, store):
    found = simulate(RULES, retriever, store, replace(PLAIN, consent=0.5), 20, 0)
    by_session = {one.session: one.consent for one in found.users}
    events = [(s.id, event) for s in store.logged() for event in s.events]
    assert {"click", "select", "rating", "dwell"} <= {event.kind for _, event in events}
    assert all(event.consent == by_session[id] for id, event in events)
    assert {event.consent for _, event in events} == {True, False}
