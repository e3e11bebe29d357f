import inspect
import re
from pathlib import Path

import pytest

from agent import openai_chat
from agent.llm_planner import LLMPlanner
from agent.openai_chat import OpenAIChat
from agent.plan_prompt import plan_messages
from prompts import load
from tests.agent.chat_server import ChatServer, reply
from tests.agent.planning import GOOD, GOOD_ACTS, request

DOC = (Path(__file__).parents[2] / "docs" / "llm.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("documented", [OpenAIChat, LLMPlanner])
def test_every_argument_is_in_its_table(documented):
    table = DOC.partition(f"`{documented.__name__}` takes")[2].strip().partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(
        inspect.signature(documented).parameters
    )


def test_example_plans_a_turn():
    server = ChatServer()
    server.behave(reply(GOOD))
    blocks = re.findall(r"```python\n(.*?)```", DOC, re.DOTALL)
    [code] = [block for block in blocks if "LLMPlanner" in block]
    names = {}
    exec(code.replace("http://localhost:8001/v1", server.url), names)
    plan = names["planner"].plan(request())
    names["model"].close()
    server.stop()
    assert plan.acts == GOOD_ACTS
    assert server.requests[0].body["model"] == "Qwen/Qwen3-4B-Instruct-2507"


def test_figures_match_the_code():
    defaults = inspect.signature(LLMPlanner).parameters
    for name in ("deadline_s", "breaker_failures", "breaker_reset_s", "max_tokens"):
        assert re.search(rf"`{name}` \|.*\({defaults[name].default:g}\b", DOC), name
    assert f"`{load('plan@1').id}`" in DOC
    assert f"more than {openai_chat.MAX_ANSWER_BYTES // 10**6} MB" in DOC
    assert len(plan_messages(request())[0]["content"]) == pytest.approx(5500, abs=100)
