"""Other people's clients, unchanged, against a real server: OpenAI's SDK, LangChain, curl."""

import asyncio
import json
import shutil
import subprocess
from dataclasses import replace

import openai
import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from agent.access.keyring import Keyring
from agent.server import create_app
from tests.agent.server.live import serving
from tests.agent.server.test_completions_tools import ASK, TOOL, ScriptedDesk
from tests.agent.server.test_turns import SlowPlanner

BLUE = "blue shirts under 40"


@pytest.fixture
def serve(parts):
    """Serve the shop with other parts or settings; give clients of it."""

    def serve(**options):
        return serving(create_app(replace(parts, **options.pop("parts", {})), **options))

    return serve


@pytest.fixture
def url(serve):
    with serve() as url:
        yield f"{url}/v1"


@pytest.fixture
def sdk(url):
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as sdk:
        yield sdk


def user(text):
    return {"role": "user", "content": text}


def test_sdk_talks_a_conversation(sdk):
    messages = [user(BLUE)]
    first = sdk.chat.completions.create(model="attune", messages=messages)
    assert "Alto men blue cotton shirt" in first.choices[0].message.content
    assert first.attune["items"][0]["id"] == "1"
    assert first.usage.total_tokens == first.usage.prompt_tokens + first.usage.completion_tokens
    messages += [first.choices[0].message, user("under 34.50")]
    second = sdk.chat.completions.create(model="attune", messages=messages)
    assert [one["id"] for one in second.attune["items"]] == ["7"]
    assert second.attune["session_id"] == first.attune["session_id"]


def test_sdk_streams(sdk):
    options = {"model": "attune", "messages": [user(BLUE)]}
    whole = sdk.chat.completions.create(**options)
    with sdk.chat.completions.create(
        **options, stream=True, stream_options={"include_usage": True}
    ) as stream:
        chunks = list(stream)
    said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert said == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage
    early = next(chunk for chunk in chunks if (chunk.model_extra or {}).get("attune"))
    assert [one["id"] for one in early.attune["items"]] == ["1", "7"]


def test_sdk_stream_helper_gathers(sdk):
    with sdk.chat.completions.stream(model="attune", messages=[user(BLUE)]) as stream:
        done = [event for event in stream if event.type == "content.done"]
        final = stream.get_final_completion()
    assert done[0].content == final.choices[0].message.content
    assert final.choices[0].finish_reason == "stop"


def test_sdk_names_sessions_and_context(sdk):
    options = {"model": "attune", "messages": [user("blue shirts")]}
    first = sdk.chat.completions.create(**options)
    session = first.attune["session_id"]
    for named in (
        {"extra_body": {"attune": {"session_id": session, "context": {"customer": "c1"}}}},
        {"metadata": {"session_id": session}},
        {"extra_headers": {"X-Attune-Session": session}},
    ):
        answer = sdk.chat.completions.create(model="attune", messages=[user("why?")], **named)
        assert answer.attune["session_id"] == session


def test_sdk_lists_models(sdk):
    assert [one.id for one in sdk.models.list()] == ["attune", "rules"]
    assert sdk.models.retrieve("rules").object == "model"


def test_sdk_knows_the_request_of_the_log(sdk):
    raw = sdk.chat.completions.with_raw_response.create(model="attune", messages=[user(BLUE)])
    assert raw.parse()._request_id == raw.headers["x-request-id"]
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.chat.completions.create(model="attune", messages=[user("")])
    assert caught.value.request_id


def test_sdk_raises_its_own_errors(sdk):
    with pytest.raises(openai.NotFoundError, match="no model 'gpt-4o'") as caught:
        sdk.chat.completions.create(model="gpt-4o", messages=[user(BLUE)])
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError, match="one answer"):
        sdk.chat.completions.create(model="attune", messages=[user(BLUE)], n=2)
    with pytest.raises(openai.BadRequestError, match="the text is empty"):
        sdk.chat.completions.create(model="attune", messages=[user(" ")])
    with pytest.raises(openai.NotFoundError, match="no model") as caught:
        sdk.models.retrieve("nope")
    assert caught.value.code == "model_not_found"
    without = openai.OpenAI(base_url=str(sdk.base_url).removesuffix("/v1/"), api_key="none")
    with without, pytest.raises(openai.NotFoundError, match="there is /v1/chat/completions"):
        without.chat.completions.create(model="attune", messages=[user(BLUE)])
    with pytest.raises(openai.NotFoundError, match="there are /v1/chat/completions") as caught:
        sdk.embeddings.create(model="attune", input="x")
    assert caught.value.code == "not_found"


def test_sdk_uses_tools(serve):
    with serve(parts={"desk": ScriptedDesk()}) as url:
        sdk = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
        options = {"model": "attune", "tools": [TOOL], "tool_choice": "auto"}
        first = sdk.chat.completions.create(messages=[user(ASK)], **options)
        message = first.choices[0].message
        assert first.choices[0].finish_reason == "tool_calls"
        call = message.tool_calls[0]
        assert json.loads(call.function.arguments) == {"order": "17"}
        result = {"role": "tool", "tool_call_id": call.id, "content": "On Monday."}
        second = sdk.chat.completions.create(messages=[user(ASK), message, result], **options)
        assert second.choices[0].message.content == "On Monday."
        assert second.attune["session_id"] == first.attune["session_id"]
        sdk.close()


async def _ask_at_once(url):
    async with openai.AsyncOpenAI(base_url=url, api_key="none") as sdk:
        asked = (
            sdk.chat.completions.create(model="attune", messages=[user(f"shirts under {price}")])
            for price in range(30, 42)
        )
        return await asyncio.gather(*asked)


def test_async_sdk_asks_at_once(url):
    answers = asyncio.run(_ask_at_once(url))
    assert len({one.attune["session_id"] for one in answers}) == 12
    for price, one in zip(range(30, 42), answers, strict=True):
        assert all(item["price"] <= price for item in one.attune["items"])


def test_sdk_shows_keys(serve, parts):
    key = Keyring(parts.store.database).add("bot", ["chat"])[1]
    feedback = Keyring(parts.store.database).add("web", ["feedback"])[1]
    with serve() as url:
        for given, error in ((key, None), (feedback, openai.PermissionDeniedError),
                             ("wrong", openai.AuthenticationError)):  # fmt: skip
            sdk = openai.OpenAI(base_url=f"{url}/v1", api_key=given, max_retries=0)
            if error is None:
                assert sdk.chat.completions.create(model="attune", messages=[user(BLUE)])
            else:
                with pytest.raises(error) as caught:
                    sdk.chat.completions.create(model="attune", messages=[user(BLUE)])
                assert caught.value.code
            sdk.close()


def test_leaving_keeps_nothing_and_frees_the_session(serve, parts):
    planner = SlowPlanner()
    with serve(parts={"planner": planner}) as url:
        sdk = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
        session = parts.store.create_session()
        options = {"model": "attune", "extra_body": {"attune": {"session_id": session}}}
        with pytest.raises(openai.APITimeoutError):
            sdk.with_options(timeout=openai.Timeout(60, read=1)).chat.completions.create(
                messages=[user("red shoes")], stream=True, **options
            )
        planner.go.set()
        answer = sdk.chat.completions.create(messages=[user(BLUE)], **options)
        assert answer.attune["items"]
        assert [one.utterance for one in parts.store.turns(session)][-1] == BLUE
        sdk.close()


def langchain(url, **options):
    return ChatOpenAI(model="attune", base_url=url, api_key="none", max_retries=0, **options)


def test_langchain_talks_a_conversation(url):
    chat = langchain(url)
    messages = [SystemMessage("You sell shirts."), HumanMessage(BLUE)]
    first = chat.invoke(messages)
    assert "Alto men blue cotton shirt" in first.text
    assert first.usage_metadata["output_tokens"] > 10
    second = chat.invoke([*messages, AIMessage(first.text), HumanMessage("under 34.50")])
    assert "Brisa" in second.text
    assert "Alto men blue" not in second.text


def test_langchain_streams(url):
    pieces = list(langchain(url, stream_usage=True).stream([HumanMessage(BLUE)]))
    assert "Alto men blue cotton shirt" in "".join(piece.text for piece in pieces)
    assert len(pieces) > 3


def test_langchain_streams_asynchronously(url):
    async def gather():
        return [piece.text async for piece in langchain(url).astream([HumanMessage(BLUE)])]

    assert "Alto men blue cotton shirt" in "".join(asyncio.run(gather()))


class Wanted(BaseModel):
    colour: str


@pytest.mark.parametrize(
    ("method", "said"),
    [("json_schema", "the answer is text"), ("json_mode", "the answer is text"),
     ("function_calling", "decided here")],
)  # fmt: skip
def test_langchain_is_told_that_answers_are_text(url, method, said):
    chat = langchain(url).with_structured_output(Wanted, method=method)
    with pytest.raises(openai.BadRequestError, match=said):
        chat.invoke([HumanMessage(f"{BLUE}, as json")])


def test_langchain_uses_tools(serve):
    with serve(parts={"desk": ScriptedDesk()}) as url:
        chat = langchain(f"{url}/v1").bind_tools([TOOL])
        first = chat.invoke([HumanMessage(ASK)])
        (call,) = first.tool_calls
        assert (call["name"], call["args"]) == ("order_status", {"order": "17"})
        result = ToolMessage("On Monday.", tool_call_id=call["id"])
        assert chat.invoke([HumanMessage(ASK), first, result]).text == "On Monday."


def curl(*arguments):
    done = subprocess.run(
        ["curl", "-sS", *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_asks_and_streams(url):
    body = {"model": "attune", "messages": [user("ein blaues Hemd für 40 € 👕")]}
    answer = json.loads(curl("--json", json.dumps(body), f"{url}/chat/completions"))
    assert answer["attune"]["utterance"] == "ein blaues Hemd für 40 € 👕"
    streamed = curl("-N", "--json", json.dumps(body | {"stream": True}), f"{url}/chat/completions")
    assert streamed.endswith("data: [DONE]\n\n")
    lines = [line for line in streamed.splitlines() if line]
    assert all(line.startswith("data: ") for line in lines)
    wrong = json.loads(curl("--json", '{"messages": []}', f"{url}/chat/completions"))
    assert wrong["error"]["param"] == "messages"
