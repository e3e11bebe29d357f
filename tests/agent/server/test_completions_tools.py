"""Tools of the client's own: asked for by the desk, answered in the next request."""

import json

import pytest

from agent.desk import Attended
from agent.service.values import Service, ToolUse
from tests.agent.server.asking import URL, chunks_of, ids, messages_of, thread, words

TOOL = {
    "type": "function",
    "function": {
        "name": "order_status",
        "description": "Where an order is",
        "parameters": {"type": "object", "properties": {"order": {"type": "string"}}},
    },
}
ASK = "where is order 17"


class ScriptedDesk:
    """Leaves questions about orders to the client's tool, and tells what that said."""

    def __init__(self):
        self.requests = []

    def attend(self, request):
        self.requests.append(request)
        results, state = request.extras.results, request.state.desk
        if results:
            uses = tuple(ToolUse(tool=one.tool, status="done") for one in results)
            told = " ".join(one.content for one in results)
            # A desk may leave the whole utterance when nothing is new; nothing must come of that.
            return Attended(request.utterance, state, Service(tools=uses), (told,))
        at = request.utterance.find(ASK)
        if at < 0 or not request.extras.tools:
            return Attended(request.utterance, state)
        rest = request.utterance.replace(ASK, " " * len(ASK))
        use = ToolUse(tool=request.extras.tools[0].name, status="requested",
                      arguments={"order": "17"})  # fmt: skip
        return Attended(rest, state, Service(asked=(ASK,), tools=(use,)), ("One moment.",))

    def conclude(self, request, attended, outcome):
        return attended


@pytest.fixture
def desk():
    return ScriptedDesk()


@pytest.fixture
def send(client_of, desk):
    client = client_of(parts={"desk": desk})

    def send(*said, status=200, **fields):
        body = {"model": "attune", "messages": messages_of(*said), "tools": [TOOL], **fields}
        response = client.post(URL, json=body)
        assert response.status_code == status, response.text
        return chunks_of(response.text) if fields.get("stream") else response.json()

    return send


def result(call, content):
    return {"role": "tool", "tool_call_id": call["id"], "content": content}


def asked(answer):
    return answer["choices"][0]["message"]


def test_tool_is_asked_for_and_its_answer_told(send, desk):
    first = send(ASK, attune={"context": {"customer": "c1"}})
    (call,) = asked(first)["tool_calls"]
    assert first["choices"][0]["finish_reason"] == "tool_calls"
    assert (call["type"], call["function"]["name"]) == ("function", "order_status")
    assert json.loads(call["function"]["arguments"]) == {"order": "17"}
    assert desk.requests[0].extras.context == {"customer": "c1"}
    assert desk.requests[0].extras.tools[0].parameters["properties"] == {
        "order": {"type": "string"}
    }
    second = send(ASK, asked(first), result(call, "It arrives on Monday."))
    assert thread(second) == "continued"
    assert words(second) == "It arrives on Monday."
    assert second["choices"][0]["finish_reason"] == "stop"
    told = desk.requests[1].extras
    assert [(one.tool, one.content) for one in told.results] == [
        ("order_status", "It arrives on Monday.")
    ]
    assert told.repeated


def test_rest_of_the_question_is_taken_once(send):
    first = send(f"{ASK}, and show me blue shirts under 40")
    assert ids(first) == ["1", "7"]
    second = send(
        f"{ASK}, and show me blue shirts under 40", asked(first),
        result(asked(first)["tool_calls"][0], "On Monday."),
    )  # fmt: skip
    assert ids(second) == []
    assert second["attune"]["state"]["need"] == first["attune"]["state"]["need"]
    third = send(
        f"{ASK}, and show me blue shirts under 40", asked(first),
        result(asked(first)["tool_calls"][0], "On Monday."), asked(second), "the second one",
    )  # fmt: skip
    assert third["attune"]["state"]["selected"] == ["7"]


def test_what_is_said_beside_a_result_counts(send, desk):
    first = send(ASK)
    said = result(asked(first)["tool_calls"][0], "On Monday."), {"role": "user", "content": "red?"}
    send(ASK, asked(first), *said)
    assert desk.requests[1].utterance == "red?"
    assert not desk.requests[1].extras.repeated


def test_clients_may_write_arguments_anew(send):
    first = send(ASK)
    message = json.loads(json.dumps(asked(first)))
    message["content"] = "One moment. "
    message["tool_calls"][0]["function"]["arguments"] = '{"order":"17"}'
    second = send(ASK, message, result(asked(first)["tool_calls"][0], "On Monday."))
    assert thread(second) == "continued"


def test_streamed_calls_come_whole(send):
    chunks = send(ASK, stream=True)
    (delta,) = [d for c in chunks if "tool_calls" in (d := c["choices"][0]["delta"])]
    (call,) = delta["tool_calls"]
    assert (call["index"], call["function"]["name"]) == (0, "order_status")
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_named_session_goes_on_after_a_call(send):
    session = send("blue shirts")["attune"]["session_id"]
    own = {"attune": {"session_id": session}}
    first = send(ASK, **own)
    second = send(ASK, asked(first), result(asked(first)["tool_calls"][0], "Soon."), **own)
    assert words(second) == "Soon."
    assert second["attune"]["state"]["turn"] == 3


def test_tools_can_be_offered_and_not_used(send, desk):
    for choice in ("none", "auto"):
        send("blue shirts", tool_choice=choice)
    assert [len(one.extras.tools) for one in desk.requests] == [0, 1]


def test_same_result_again_gives_same_answer(send):
    first = send(ASK)
    call = asked(first)["tool_calls"][0]
    second = send(ASK, asked(first), result(call, "On Monday."))
    again = send(ASK, asked(first), result(call, "On Monday."))
    other = send(ASK, asked(first), result(call, "On Tuesday."))
    assert (thread(again), words(again)) == ("again", words(second))
    assert (thread(other), words(other)) == ("forked", "On Tuesday.")


def test_question_again_calls_nothing_twice(send, desk):
    first = send("red shoes")
    one = send("red shoes", words(first), ASK)
    two = send("red shoes", words(first), ASK)
    assert asked(one)["tool_calls"] == asked(two)["tool_calls"]
    assert len(desk.requests) == 2


def test_result_without_its_call_is_refused(send):
    first = send(ASK)
    wrong = {"role": "tool", "tool_call_id": "call_x", "content": "5"}
    error = send(ASK, asked(first), wrong, status=400)["error"]
    assert error["code"] == "invalid_tool_call_id"
    assert asked(first)["tool_calls"][0]["id"] in error["message"]


def test_two_tools_of_one_name_are_refused(send):
    assert send(ASK, tools=[TOOL, TOOL], status=400)["error"]["param"] == "tools"
