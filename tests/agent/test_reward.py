import logging

import pytest

from agent.breaker import CircuitOpen
from agent.choice_prompt import choice_messages
from agent.errors import ModelUnavailable
from agent.reward import ImplicitReward, ScriptedScorer
from agent.reward_chooser import REMEMBERED, RewardChooser
from agent.state import Need, Preference
from retrieval.catalog import Item
from tests.agent.planning import FACETS

NEED = Need(preferences=(Preference(text="a private wish"),))
ASK = ({"role": "user", "content": "?"},)
RED = Item("1", "Plain shirt", fields={"colour": "Red", "price": 20.0})
BLUE = Item("2", "Smart shirt", fields={"colour": "Blue", "price": 49.5})


def scorer(name="tuned", **scores):
    """Return a scorer that finds a word in a line."""
    return ScriptedScorer(
        lambda messages, line: sum(score for word, score in scores.items() if word in line), name
    )


def chooser(tuned, **more):
    return RewardChooser(ImplicitReward(tuned, scorer("base", shirt=-5.0)), **more)


def test_reward_is_what_tuning_added():
    reward = ImplicitReward(scorer(red=-3.0, blue=-9.0), scorer("base", red=-5.0, blue=-5.0))
    assert reward.rewards(ASK, ["red", "blue", "green"]) == (2.0, -4.0, 0.0)
    assert reward.name == "tuned"


def test_untrained_adapter_rewards_nothing():
    same = scorer(red=-3.0, blue=-9.0)
    assert ImplicitReward(same, same).rewards(ASK, ["red", "blue"]) == (0.0, 0.0)


def test_scores_that_are_no_numbers_are_an_error():
    with pytest.raises(ModelUnavailable, match="no finite numbers"):
        ImplicitReward(scorer(red=float("nan")), scorer("base")).rewards(ASK, ["red"])


def test_time_that_is_over_is_an_error():
    with pytest.raises(ModelUnavailable, match="no scores within 0 s"):
        ImplicitReward(scorer(), scorer("base")).rewards(ASK, ["red"], deadline_s=0.0)


def test_chooser_scores_the_lines_of_items():
    tuned = scorer(shirt=-5.0, red=2.0)
    found = chooser(tuned).rewards(NEED, [BLUE, RED], FACETS)
    assert found == (0.0, 2.0)
    messages, lines = tuned.history[0]
    assert messages == choice_messages(NEED, FACETS)
    assert lines == ("smart shirt . colour blue", "plain shirt . colour red")


def test_same_question_is_not_asked_twice():
    tuned = scorer(red=2.0)
    choosing = chooser(tuned)
    first = choosing.rewards(NEED, [RED], FACETS)
    second = choosing.rewards(NEED, [BLUE, RED, RED], FACETS)
    assert (second[1], second[2]) == (first[0], first[0])
    assert [lines for _, lines in tuned.history] == [
        ("plain shirt . colour red",), ("smart shirt . colour blue",),
    ]  # fmt: skip
    choosing.rewards(Need(), [RED], FACETS)
    changed = Item("1", "Plain shirt", fields={"colour": "Blue"})
    choosing.rewards(NEED, [changed], FACETS)
    assert len(tuned.history) == 4, "another need and another version are other questions"


def test_memory_has_an_end():
    choosing = chooser(scorer())
    for at in range(0, REMEMBERED + 100, 100):
        choosing.rewards(NEED, [Item(str(n), f"shirt {n}") for n in range(at, at + 100)], FACETS)
    assert len(choosing._known) == REMEMBERED


def test_failure_leaves_the_search_to_decide(caplog):
    caplog.set_level(logging.DEBUG)
    tuned = ScriptedScorer(lambda messages, line: ModelUnavailable("the server is down"), "shop-7")
    choosing = chooser(tuned, breaker_failures=2)
    assert [choosing.rewards(NEED, [RED, BLUE], FACETS) for _ in range(3)] == [(0.0, 0.0)] * 3
    assert "chosen by the search alone, shop-7: the server is down" in caplog.text
    assert "private" not in caplog.text
    assert (len(tuned.history), choosing.breaker.state) == (2, "open")
    with pytest.raises(CircuitOpen):
        choosing.breaker.call(lambda: None)
