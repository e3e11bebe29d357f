"""Which plan a turn takes where an adapter was tuned to plan otherwise than is usual."""

import logging
from dataclasses import replace

import pytest

from agent.asking import Instructed, Tagged
from agent.errors import ModelUnavailable
from agent.llm import ScriptedModel
from agent.llm_planner import MARGIN, UNSURE, LLMPlanner
from agent.plan import Act, Plan
from agent.reward import ImplicitReward, ScriptedScorer
from tests.agent.planning import GOOD, GOOD_ACTS, request

PLACED = (Act(act="like", refs=("R1",), want=("V1",), avoid=("V2",)),)
MESSAGES = Tagged().messages(request())


class Rules:
    """Sees the same act as the model does, and forgets the number."""

    def plan(self, request):
        return Plan(acts=PLACED, mentions=request.mentions, utterance=request.utterance)


class Sure(ScriptedModel):
    """Gives one answer, with a confidence."""

    def __init__(self, confidence=1.0):
        super().__init__(lambda messages: GOOD, name="shop-7")
        self.confidence = confidence

    def complete(self, messages, **options):
        return replace(super().complete(messages, **options), confidence=self.confidence)


def rewarded(own, usual=0.0):
    """Return a reward of the plan with the number, and of the other; and what was scored."""
    tuned = ScriptedScorer(lambda _, text: own if "N1" in text else usual, "shop-7")
    return ImplicitReward(tuned, ScriptedScorer(lambda *_: 0.0, "base")), tuned.history


def plan(reward=None, model=None, **settings):
    settings = {"asking": Tagged(), "fast_path": False, "reward": reward, **settings}
    return LLMPlanner(model or Sure(), Rules(), **settings).plan(request())


@pytest.mark.parametrize(
    ("own", "usual", "acts"),
    [
        (MARGIN + 0.1, 0.0, GOOD_ACTS),
        (MARGIN - 0.1, 0.0, PLACED),
        (-9.0, 0.0, PLACED),
        (9.0, 9.0, PLACED),
        (-1.0, -9.0, GOOD_ACTS),
    ],
)
def test_reward_decides_by_a_margin(own, usual, acts):
    reward, asked = rewarded(own, usual)
    made = plan(reward)
    assert made.acts == acts
    assert (made.planner, made.model, made.fallback) == ("llm", "shop-7", "")
    assert asked == [(MESSAGES, (Tagged().written(GOOD_ACTS, request()), _text(PLACED)))]


def _text(acts):
    return Tagged().written(acts, request())


def test_without_a_reward_plans_are_combined():
    assert plan().acts == PLACED


def test_same_plans_are_not_compared():
    reward, asked = rewarded(9.0)
    assert plan(reward, asking=Tagged(together=False)).acts == GOOD_ACTS
    assert asked == []


@pytest.mark.parametrize(("own", "planner"), [(MARGIN + 1, "llm"), (0.0, "rules")])
def test_reward_speaks_for_an_unsure_model(own, planner):
    reward, asked = rewarded(own)
    made = plan(reward, Sure(0.1), sure=0.2)
    assert (made.planner, len(asked)) == (planner, 1)
    assert made.fallback == (UNSURE if planner == "rules" else "")
    assert made.acts == (PLACED if planner == "rules" else GOOD_ACTS)


def test_failed_comparison_changes_nothing(caplog):
    caplog.set_level(logging.DEBUG)
    broken = ScriptedScorer(lambda *_: ModelUnavailable("the server is down"), "shop-7")
    planner = LLMPlanner(
        Sure(), Rules(), asking=Tagged(), fast_path=False, reward=ImplicitReward(broken, broken)
    )
    assert [planner.plan(request()).acts for _ in range(4)] == [PLACED] * 4
    assert "plans are not compared, shop-7: the server is down" in caplog.text
    assert planner.breaker.state == "closed"
    assert "second one" not in caplog.text


def test_plan_that_cannot_be_written_stands():
    class Asks(Rules):
        def plan(self, request):
            made = super().plan(request)
            return made.model_copy(update={"acts": (Act(act="elicit", facet="size"),)})

    reward, asked = rewarded(9.0)
    planner = LLMPlanner(
        Sure(0.1), Asks(), asking=Tagged(), fast_path=False, reward=reward, sure=0.2
    )
    made = planner.plan(request())
    assert ([act.act for act in made.acts], asked) == (["elicit"], [])


@pytest.mark.parametrize("asking", [Tagged(), Instructed()])
def test_written_plans_read_back(asking):
    acts = (*GOOD_ACTS, Act(act="detail", refs=("R1",), facet="price"))
    text = asking.written(acts, request())
    assert asking.read(text, request()) == acts
