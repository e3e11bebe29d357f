"""Scores over HTTP from a server that tells prompt_logprobs as vLLM does, well or badly."""

import pytest

from agent.errors import ContextOverflow, ModelUnavailable
from agent.reward import ImplicitReward, Scorer
from agent.vllm_chat import VLLMChat
from tests.agent.chat_server import ChatServer, completion, page, silence, status

ASK = ({"role": "user", "content": "something nice"},)
SECRET = "sk-secret-123"


@pytest.fixture
def server():
    server = ChatServer()
    server.behave(tells())
    yield server
    server.stop()


@pytest.fixture
def chat(server):
    with VLLMChat(server.url, "shop-7", SECRET) as chat:
        yield chat


def tells(**changes):
    """Answer as vLLM: a token for each word and mark, each of them -1 with "red" -0.25."""

    def behave(handler):
        body = handler.body
        words = [w for m in body["messages"] for w in (m["role"], *m["content"].split(), "end")]
        words += ["assistant"] if body["add_generation_prompt"] else []
        answer = completion("x")
        answer["usage"] = {"prompt_tokens": len(words), "completion_tokens": 1, "total_tokens": 9}
        if body.get("prompt_logprobs") == 0:
            told = [{"7": {"logprob": -0.25 if w == "red" else -1.0, "rank": 1}} for w in words]
            answer["prompt_logprobs"] = [None, *told[1:]]
        handler.send(200, answer | changes)

    return behave


def test_scores_are_those_of_the_answers_tokens(server, chat):
    assert chat.score(ASK, ["red shoes", "blue shoes", ""]) == (-2.25, -3.0, -1.0)
    asked = [one.body for one in server.requests]
    assert {body["model"] for body in asked} == {"shop-7"}
    opened = [body for body in asked if body["add_generation_prompt"]]
    scored = [body for body in asked if not body["add_generation_prompt"]]
    assert [body["messages"] for body in opened] == [list(ASK)]
    assert sorted(body["messages"][-1]["content"] for body in scored) == [
        "", "blue shoes", "red shoes",
    ]  # fmt: skip
    assert all((body["max_tokens"], body["prompt_logprobs"]) == (1, 0) for body in scored)


def test_nothing_to_score_asks_nothing(server, chat):
    assert chat.score(ASK, []) == ()
    assert server.requests == []


def test_it_is_a_scorer_and_rewards(server, chat):
    assert isinstance(chat, Scorer)
    with VLLMChat(server.url, "base") as base:
        assert ImplicitReward(chat, base).rewards(ASK, ["red", "blue"]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("behaviour", "error", "said"),
    [
        (tells(prompt_logprobs=None), ModelUnavailable, "tells no prompt_logprobs; scoring needs"),
        (tells(prompt_logprobs=[None]), ModelUnavailable, "tells no prompt_logprobs"),
        (tells(usage=None), ModelUnavailable, "not a chat completion"),
        (status(404, "no such model"), ModelUnavailable, "HTTP 404: check the model name"),
        (
            status(400, "maximum context length is 64 tokens. However, your prompt contains 99 "
                   "input tokens"), ContextOverflow, "has 99 tokens: the model takes 64",
        ),
        (page, ModelUnavailable, "not a chat completion"),
        (silence, ModelUnavailable, r"no answer within 0\.3 s"),
    ],
)  # fmt: skip
def test_bad_servers_are_told_without_words(server, chat, behaviour, error, said):
    server.behave(behaviour)
    with pytest.raises(error, match=said) as raised:
        chat.score(ASK, ["red", "blue"], deadline_s=0.3 if behaviour is silence else 30)
    assert "nice" not in str(raised.value)
    assert SECRET not in str(raised.value)


def test_other_machines_are_not_asked_in_tests():
    with (
        VLLMChat("http://models.example/v1", "m") as chat,
        pytest.raises(RuntimeError, match="switched off"),
    ):
        chat.score(ASK, ["red"])
