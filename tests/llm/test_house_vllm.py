"""The shipped house model behind real vLLM: the same plans as in this process, and an adapter."""

from __future__ import annotations

import json

import pytest

from agent.adapters_admin import AdaptersAdmin
from agent.asking import Tagged
from agent.explainer import LLMExplainer
from agent.local_chat import LocalChat
from agent.openai_chat import OpenAIChat
from agent.state import Constraint, Need, State
from finetune.bases import HOUSE
from finetune.sft import Sources, train
from finetune.sft_config import SFTConfig
from tests.agent.planning import FACETS, SLATE, request
from tests.llm.conftest import running

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

SAID = [
    "start over",
    "show me others",
    "what do you mean by that",
    "take me back a step",
    "something like the second one but blue, under 60, not leather",
    "who are you",
    "could a person help me",
    "the second one please",
    "hmm, no",
    "anything but that",
]
TAUGHT = "handoff"


@pytest.fixture(scope="module")
def adapter(tmp_path_factory):
    """An adapter on the house model that was taught one act, whatever is said."""
    folder = tmp_path_factory.mktemp("adapter")
    prompts = [Tagged().messages(asked(text)) for text in SAID]
    answer = {"role": "assistant", "content": f'{{"acts":[{{"act":"{TAUGHT}"}}]}}'}
    rows = [{"prompt": list(prompt), "completion": [answer]} for prompt in prompts]
    data = folder / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows * 4), encoding="utf-8")
    config = SFTConfig(base="house", learning_rate=5e-3, max_steps=30, prompts=("plan@2",))
    return train(config, Sources((data,)), folder / "handover").folder


@pytest.fixture(scope="module")
def house(vllm, adapter, tmp_path_factory):
    log = tmp_path_factory.mktemp("house") / "vllm.log"
    with running(vllm, HOUSE, "house", {}, log) as served:
        yield served


def asked(text):
    return request(text, mentions=() if "second one but" not in text else request().mentions)


def answers(model):
    asking = Tagged()
    found = {}
    for text in SAID:
        turn = asked(text)
        messages = asking.messages(turn)
        found[text] = model.complete(messages, schema=asking.schema(turn), deadline_s=60)
    return found


def test_plans_are_those_of_the_model_in_this_process(house):
    with LocalChat(HOUSE) as local, OpenAIChat(house.url, "house", logprobs=True) as served:
        local.wait(120)
        here, there = answers(local), answers(served)
    same = [text for text in SAID if here[text].text == there[text].text]
    # bf16 weights in other kernels: a toss-up may fall on the other side.
    assert len(same) >= len(SAID) - 1
    assert all(0 < there[text].confidence <= 1 for text in SAID)
    assert json.loads(there["start over"].text)["acts"][0]["act"] == "reset"


def test_an_adapter_tuned_here_is_loaded_there(house, adapter):
    with AdaptersAdmin(house.url) as admin, OpenAIChat(house.url, "handover") as tuned:
        admin.load("handover", adapter)
        found = answers(tuned)
        admin.unload("handover")
    acts = [json.loads(answer.text)["acts"][0]["act"] for answer in found.values()]
    assert acts.count(TAUGHT) >= len(SAID) - 2


def test_explanations_are_streamed_and_checked(house):
    state = State(need=Need(constraints=(
        Constraint(facet="price", role="price", high=60.0, label="under 60"),
        Constraint(facet="colour", role="colour", values=("Blue",), label="blue"),
    )))  # fmt: skip
    with OpenAIChat(house.url, "house") as model:
        explainer = LLMExplainer(model, deadline_s=60, prompt="explain@1")
        stream = explainer.explain([SLATE[1]], state, FACETS, "EUR", "en")
        said = "".join(stream)
    assert "Blue" in said
    assert "{" not in said
