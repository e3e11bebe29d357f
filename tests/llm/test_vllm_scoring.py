"""Real vLLM scores answers as the model in this process does, with an adapter and without."""

from __future__ import annotations

import pytest

from agent.local_chat import LocalChat
from agent.reward import ImplicitReward
from agent.vllm_chat import VLLMChat
from tests.tiny_llama import MORE, RECOMMEND

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

ASK = ({"role": "user", "content": "something nice"},)
ANSWERS = (RECOMMEND, MORE, "hm")


def test_scores_are_those_of_this_process(served, models):
    with LocalChat(models.base) as local, VLLMChat(served.url, "tiny") as base:
        more = local.load_adapter("more", models.more)
        with VLLMChat(served.url, "more") as adapted:
            for here, there in ((local, base), (more, adapted)):
                ours = here.score(ASK, ANSWERS, deadline_s=60)
                theirs = there.score(ASK, ANSWERS, deadline_s=120)
                assert theirs == pytest.approx(ours, rel=0.05, abs=0.3), "other kernels"
            ours = ImplicitReward(more, local).rewards(ASK, ANSWERS, deadline_s=60)
            theirs = ImplicitReward(adapted, base).rewards(ASK, ANSWERS, deadline_s=120)
    assert theirs == pytest.approx(ours, rel=0.05, abs=0.5)
    assert theirs[0] < -2 < 2 < theirs[1]
