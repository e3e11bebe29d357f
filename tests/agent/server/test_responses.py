"""/v1/responses: the same turn as a chat completion, in OpenAI's newer form."""

import json

import pytest

from tests.agent.server.asking import URL as CHAT
from tests.agent.server.asking import ids, thread, words
from tests.agent.server.test_completions_tools import ASK, TOOL, ScriptedDesk

URL = "/v1/responses"
BLUE = "blue shirts under 40"
FUNCTION = {"type": "function", **TOOL["function"]}


@pytest.fixture
def desk():
    return ScriptedDesk()


@pytest.fixture
def client(client_of, desk):
    return client_of(parts={"desk": desk})


@pytest.fixture
def respond(client):
    """Ask for a response and return it."""

    def respond(input, status=200, headers=None, **fields):
        body = {"model": "attune", "input": input, **fields}
        answer = client.post(URL, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    return respond


@pytest.fixture
def stream(client):
    """Ask for a stream and return its events, which must be numbered and named."""

    def stream(input, **fields):
        answer = client.post(URL, json={"input": input, "stream": True, **fields})
        assert answer.headers["content-type"].startswith("text/event-stream"), answer.text
        events = []
        for block in answer.text.split("\n\n")[:-1]:
            name, data = block.split("\n")
            events.append(json.loads(data.removeprefix("data: ")))
            assert name == f"event: {events[-1]['type']}"
        assert [one["sequence_number"] for one in events] == list(range(len(events)))
        return events

    return stream


def user(text):
    return {"role": "user", "content": text}


def said(response):
    return "".join(
        part["text"] for item in response["output"] if item["type"] == "message"
        for part in item["content"]
    )  # fmt: skip


def test_response_is_what_a_completion_is(client, respond):
    chat = {"messages": [user(BLUE)], "user": "somebody else"}
    completion = client.post(CHAT, json=chat).json()
    response = respond(BLUE)
    assert said(response) == words(completion)
    assert ids(response) == ids(completion) == ["1", "7"]
    assert response["attune"].keys() == completion["attune"].keys()
    assert (response["object"], response["status"]) == ("response", "completed")
    assert response["usage"]["input_tokens"] == completion["usage"]["prompt_tokens"]
    assert response["usage"]["total_tokens"] == completion["usage"]["total_tokens"]


def test_response_goes_on_by_its_id(respond):
    first = respond(BLUE)
    second = respond("the second one", previous_response_id=first["id"])
    assert thread(second) == "continued"
    assert second["attune"]["session_id"] == first["attune"]["session_id"]
    assert second["attune"]["state"]["selected"] == ["7"]
    assert second["previous_response_id"] == first["id"]
    other = respond("under 34.50", previous_response_id=first["id"])
    assert (thread(other), ids(other)) == ("forked", ["7"])
    again = respond("the second one", previous_response_id=first["id"])
    assert (thread(again), said(again)) == ("again", said(second))
    assert again["id"] != second["id"]
    assert thread(respond("why?", previous_response_id=again["id"])) == "continued"


def test_whole_conversation_is_followed(respond, client):
    first = respond(BLUE)
    input = [user(BLUE), *first["output"], user("under 34.50")]
    second = respond(input)
    assert (thread(second), ids(second)) == ("continued", ["7"])
    # The two forms are of one conversation: what one was answered, the other goes on from.
    answers = [{"role": "assistant", "content": said(one)} for one in (first, second)]
    messages = [user(BLUE), answers[0], user("under 34.50"), answers[1], user("in red")]
    third = client.post(CHAT, json={"messages": messages}).json()
    assert thread(third) == "continued"
    assert third["attune"]["session_id"] == first["attune"]["session_id"]


def test_input_has_many_forms(respond):
    typed = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": BLUE}]}
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": []}
    for input in ([user(BLUE)], [typed], [reasoning, {"role": "developer", "content": "x"}, typed]):
        assert ids(respond(input)) == ["1", "7"]


def test_tool_is_asked_for_and_answered(respond, desk):
    first = respond(ASK, tools=[FUNCTION], attune={"context": {"customer": "c1"}})
    message, call = first["output"]
    assert (message["content"][0]["text"], call["type"]) == ("One moment.", "function_call")
    assert (call["name"], json.loads(call["arguments"])) == ("order_status", {"order": "17"})
    told = {"type": "function_call_output", "call_id": call["call_id"], "output": "On Monday."}
    for answer in (
        respond([told], tools=[FUNCTION], previous_response_id=first["id"]),
        respond([user(ASK), *first["output"], told], tools=[FUNCTION]),
    ):
        assert said(answer) == "On Monday."
        assert answer["attune"]["state"]["turn"] == 2
    results = [one.extras.results for one in desk.requests]
    assert [one.content for one in results[1]] == ["On Monday."]
    assert desk.requests[1].extras.repeated


def test_answer_to_no_call_is_refused(respond):
    first = respond(ASK, tools=[FUNCTION])
    wrong = {"type": "function_call_output", "call_id": "call_x", "output": "5"}
    error = respond([wrong], 400, previous_response_id=first["id"])["error"]
    assert error["code"] == "invalid_tool_call_id"
    assert first["output"][1]["call_id"] in error["message"]


def test_stream_says_what_the_whole_answer_says(respond, stream):
    whole, events = respond(BLUE), stream(BLUE)
    names = [one["type"] for one in events]
    assert names[:4] == ["response.created", "response.in_progress", "response.output_item.added",
                         "response.content_part.added"]  # fmt: skip
    assert names[-4:] == ["response.output_text.done", "response.content_part.done",
                          "response.output_item.done", "response.completed"]  # fmt: skip
    assert set(names[4:-4]) == {"response.output_text.delta"}
    pieces = "".join(one["delta"] for one in events if "delta" in one)
    assert pieces == events[-4]["text"] == said(events[-1]["response"]) == said(whole)
    assert events[-1]["response"].keys() == whole.keys()
    assert "attune" not in events[0]["response"]
    assert [one["id"] for one in events[2]["attune"]["items"]] == ["1", "7"]
    assert events[0]["response"]["id"] == events[-1]["response"]["id"]


def test_streamed_response_goes_on_by_its_id(respond, stream):
    first = stream(BLUE)[-1]["response"]
    assert thread(respond("under 34.50", previous_response_id=first["id"])) == "continued"


def test_streamed_call_comes_whole(stream):
    events = stream(ASK, tools=[FUNCTION])
    (done,) = [one for one in events if one["type"] == "response.function_call_arguments.done"]
    assert json.loads(done["arguments"]) == {"order": "17"}
    assert done["output_index"] == 1
    items = [one["item"] for one in events if one["type"] == "response.output_item.done"]
    assert items == events[-1]["response"]["output"]
    assert [one["type"] for one in items] == ["message", "function_call"]


def test_error_in_the_stream_ends_it(client, store, stream):
    session = client.post("/v1/sessions").json()["id"]
    with store._database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    events = stream("red shirts " + "x" * 15_000, attune={"session_id": session})
    assert (events[-1]["type"], events[-1]["code"]) == ("error", "store_unavailable")
    assert events[-1]["error"]["type"] == "server_error"


def test_same_key_is_answered_once(respond, store):
    headers = {"Idempotency-Key": "k-1"}
    first, again = respond(BLUE, headers=headers), respond(BLUE, headers=headers)
    assert thread(again) == "again"
    assert again["attune"]["turn_id"] == first["attune"]["turn_id"]
    assert len(list(store.logged())) == 1
    assert respond("red", 400, headers)["error"]["code"] == "idempotency_conflict"


def test_what_is_not_heeded_is_named(respond):
    answer = respond(BLUE, temperature=0.2, max_output_tokens=5, store=False, include=[],
                     instructions="You sell shoes.", metadata={"a": "b"})  # fmt: skip
    assert answer["attune"]["ignored"] == ["include", "max_output_tokens", "store", "temperature"]
    assert (answer["instructions"], answer["metadata"]) == ("You sell shoes.", {"a": "b"})
    assert answer["usage"]["input_tokens"] > respond(BLUE)["usage"]["input_tokens"]


PICTURE = {"role": "user", "content": [{"type": "input_image", "image_url": "https://x/y.png"}]}


@pytest.mark.parametrize(
    ("fields", "param", "told"),
    [
        ({"input": []}, "input", "last message"),
        ({"input": [{"role": "assistant", "content": "hi"}]}, "input", "last message"),
        ({"input": [PICTURE]}, "input.0.content.0", "'input_image' is not taken"),
        ({"input": [{"type": "item_reference", "id": "m"}]}, "input.0", "'item_reference'"),
        ({"input": [{"content": "x"}]}, "input.0.role", "needs a role"),
        ({"tools": [{"type": "web_search"}]}, "tools.0", "send functions"),
        ({"tools": [FUNCTION, FUNCTION]}, "tools", "same name"),
        ({"tool_choice": "required"}, "tool_choice", "decided here"),
        ({"text": {"format": {"type": "json_object"}}}, "text.format", "under the key 'attune'"),
        ({"background": True}, "background", "at once"),
        ({"conversation": "conv_1"}, "conversation", "previous_response_id"),
        ({"prompt": {"id": "p"}}, "prompt", "by its owner"),
        ({"top_logprobs": 3}, "top_logprobs", "no logprobs"),
        ({"previous_response_id": "resp_x"}, "previous_response_id", "no response 'resp_x'"),
        ({"input": 5}, "input", "valid string"),
        ({"input": " "}, None, "the text is empty"),
        ({"model": "gpt-9"}, "model", "no model 'gpt-9'"),
    ],
)
def test_what_is_not_offered_is_refused(respond, store, fields, param, told):
    status = 404 if "model" in fields else 400
    error = respond(**{"input": BLUE, "status": status, **fields})["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert told in error["message"]
    assert list(store.logged()) == []


def test_response_of_a_deleted_session_is_gone(respond, client):
    first = respond(BLUE)
    client.delete(f"/v1/sessions/{first['attune']['session_id']}")
    error = respond("why?", 400, previous_response_id=first["id"])["error"]
    assert error["code"] == "previous_response_not_found"


def test_errors_are_described_as_they_are(client):
    paths = client.app.openapi()["paths"]
    theirs = {path for path in paths if path.startswith(tuple(client.app.state.shapes))}
    assert {CHAT, URL, "/v1/models"} < theirs
    for path, methods in paths.items():
        for route in methods.values():
            answer = route["responses"]["4XX"]["content"]["application/json"]["schema"]
            expected = "OpenAIErrorAnswer" if path in theirs else "ErrorAnswer"
            assert answer["$ref"].endswith(f"/{expected}"), path


def test_session_and_response_are_not_both_named(respond):
    first = respond(BLUE)
    own = {"session_id": first["attune"]["session_id"]}
    error = respond("why?", 400, previous_response_id=first["id"], attune=own)["error"]
    assert error["param"] == "previous_response_id"
    assert thread(respond("why?", attune=own)) == "given"
