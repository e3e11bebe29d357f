"""Other people's clients on /v1/responses: OpenAI's SDK and LangChain, unchanged."""

import asyncio
import json
from dataclasses import replace

import openai
import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI
from openai.types.responses import Response

from agent.server import create_app
from tests.agent.server.live import serving
from tests.agent.server.test_completions_tools import ASK, ScriptedDesk
from tests.agent.server.test_responses import FUNCTION

BLUE = "blue shirts under 40"


@pytest.fixture
def url(parts):
    with serving(create_app(replace(parts, desk=ScriptedDesk()))) as url:
        yield f"{url}/v1"


@pytest.fixture
def sdk(url):
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as sdk:
        yield sdk


def test_sdk_talks_by_response(sdk):
    first = sdk.responses.create(model="attune", input=BLUE)
    assert isinstance(first, Response)
    Response.model_validate(first.model_dump())  # strictly: the SDK itself looks at nothing
    assert "Alto men blue cotton shirt" in first.output_text
    assert first.attune["items"][0]["id"] == "1"
    second = sdk.responses.create(input="under 34.50", previous_response_id=first.id)
    assert [one["id"] for one in second.attune["items"]] == ["7"]
    input = [{"role": "user", "content": BLUE}, *first.output, {"role": "user", "content": "red"}]
    third = sdk.responses.create(model="attune", input=input)
    assert third.attune["history"]["thread"] == "forked"


def test_sdk_streams(sdk):
    whole = sdk.responses.create(model="attune", input=BLUE)
    events = list(sdk.responses.create(model="attune", input=BLUE, stream=True))
    said = "".join(one.delta for one in events if one.type == "response.output_text.delta")
    assert said == whole.output_text == events[-1].response.output_text
    for event in events:
        type(event).model_validate(event.model_dump())
    with sdk.responses.stream(model="attune", input=BLUE) as stream:
        assert stream.get_final_response().output_text == said


def test_sdk_uses_tools(sdk):
    first = sdk.responses.create(model="attune", input=ASK, tools=[FUNCTION])
    (call,) = [item for item in first.output if item.type == "function_call"]
    assert json.loads(call.arguments) == {"order": "17"}
    told = {"type": "function_call_output", "call_id": call.call_id, "output": "On Monday."}
    second = sdk.responses.create(
        model="attune", input=[told], tools=[FUNCTION], previous_response_id=first.id
    )
    assert second.output_text == "On Monday."


def test_sdk_raises_its_own_errors(sdk):
    with pytest.raises(openai.NotFoundError) as caught:
        sdk.responses.create(model="gpt-9", input=BLUE)
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError, match="send the whole conversation") as caught:
        sdk.responses.create(model="attune", input=BLUE, previous_response_id="resp_x")
    assert (caught.value.code, caught.value.param) == (
        "previous_response_not_found", "previous_response_id",
    )  # fmt: skip
    with pytest.raises(openai.BadRequestError, match="the answer is text"):
        sdk.responses.create(input=BLUE, text={"format": {"type": "json_object"}})


def test_sdk_raises_what_breaks_a_stream(sdk, store):
    session = store.create_session()
    with store._database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    own = {"attune": {"session_id": session}}
    with pytest.raises(openai.APIError, match="disk") as caught:
        list(sdk.responses.create(input="x " * 9_000, stream=True, extra_body=own))
    assert caught.value.code == "store_unavailable"


def test_async_sdk_asks_at_once(url):
    async def ask():
        async with openai.AsyncOpenAI(base_url=url, api_key="none") as sdk:
            asked = (sdk.responses.create(input=f"shirts under {price}") for price in range(30, 36))
            return await asyncio.gather(*asked)

    assert len({one.attune["session_id"] for one in asyncio.run(ask())}) == 6


def langchain(url, **options):
    return ChatOpenAI(model="attune", base_url=url, api_key="none", max_retries=0,
                      use_responses_api=True, **options)  # fmt: skip


@pytest.mark.parametrize("by_id", [False, True])
def test_langchain_talks_a_conversation(url, by_id):
    chat = langchain(url, use_previous_response_id=by_id)
    first = chat.invoke([HumanMessage(BLUE)])
    assert "Alto men blue cotton shirt" in first.text
    assert first.usage_metadata["output_tokens"] > 10
    second = chat.invoke([HumanMessage(BLUE), first, HumanMessage("under 34.50")])
    assert "Brisa" in second.text
    assert "Alto men blue" not in second.text


def test_langchain_streams(url):
    pieces = list(langchain(url).stream([HumanMessage(BLUE)]))
    assert "Alto men blue cotton shirt" in "".join(piece.text for piece in pieces)
    assert len(pieces) > 3


def test_langchain_uses_tools(url):
    chat = langchain(url).bind_tools([FUNCTION])
    first = chat.invoke([HumanMessage(ASK)])
    (call,) = first.tool_calls
    assert (call["name"], call["args"]) == ("order_status", {"order": "17"})
    result = ToolMessage("On Monday.", tool_call_id=call["id"])
    assert chat.invoke([HumanMessage(ASK), first, result]).text == "On Monday."
