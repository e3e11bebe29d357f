import logging
import math
import threading

import pytest

from agent import openai_chat
from agent.errors import ContextOverflow, ModelUnavailable
from agent.openai_chat import OpenAIChat
from tests.agent.chat_server import (
    ChatServer,
    completion,
    cut_off,
    drip,
    drip_headers,
    flood,
    hang_up,
    page,
    redirect,
    reply,
    silence,
    status,
    stream,
    without_schemas,
)

KEY = "sk-secret-123"
ASK = ({"role": "user", "content": "a private wish"},)
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


@pytest.fixture
def server():
    server = ChatServer()
    yield server
    server.stop()


@pytest.fixture
def model(server):
    with OpenAIChat(server.url, "m", KEY) as model:
        yield model


def test_complete_returns_text_and_counts(server, model):
    server.behave(reply("hello"))
    answer = model.complete(ASK, max_tokens=7, deadline_s=60)
    assert (answer.text, answer.prompt_tokens, answer.completion_tokens) == ("hello", 12, 3)
    assert (answer.model, answer.truncated) == ("served-model", False)
    assert answer.seconds > 0
    [request] = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "a private wish"}],
        "temperature": 0.0,
        "max_tokens": 7,
    }


def test_extra_fields_reach_the_server(server):
    server.behave(reply("hello"))
    extra = {"chat_template_kwargs": {"enable_thinking": False}}
    with OpenAIChat(
        server.url, "m", temperature=None, token_limit="max_completion_tokens", extra=extra
    ) as model:
        model.complete(ASK, max_tokens=7, deadline_s=60)
    body = server.requests[0].body
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert body["max_completion_tokens"] == 7
    assert "temperature" not in body
    assert "max_tokens" not in body


def test_keys_of_environment_are_not_sent(server, monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, KEY)
    server.behave(reply("hello"))
    with OpenAIChat(server.url, "m") as model:
        model.complete(ASK, deadline_s=60)
    assert KEY not in str(server.requests[0].headers)


def test_answer_cut_at_limit_is_marked(server, model):
    server.behave(reply('{"a":', finish="length"))
    assert model.complete(ASK, deadline_s=60).truncated


def test_answer_without_text_is_empty(server, model):
    server.behave(reply(None))
    assert model.complete(ASK, deadline_s=60).text == ""


def test_half_surrogates_can_be_sent(server, model):
    server.behave(reply("hello"))
    model.complete(({"role": "user", "content": "half \ud83d emoji"},), deadline_s=60)
    assert server.requests[0].text == "half ? emoji"


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        (silence, "no answer within 0.3 s"),
        (drip, "no answer within 0.3 s"),
        (drip_headers, "no answer within 0.3 s"),
        (stream("a", then=drip), "no answer within 0.3 s"),
        (cut_off, "no connection to the server, or it broke off"),
        (hang_up, "no connection to the server, or it broke off"),
        (page, "the server's answer is not a chat completion"),
        (lambda handler: handler.send(200, {"choices": []}), "without choices"),
        (lambda handler: handler.send(200, {"choices": 3}), "not a chat completion"),
        (lambda handler: handler.send(200, b"", "application/json"), "not a chat completion"),
        (redirect, "the server answered HTTP 307"),
        (status(500), "the server answered HTTP 500: see the server's log"),
        (status(401), "HTTP 401: check the API key"),
        (status(404), "HTTP 404: check the model name and the base URL, which usually ends in /v1"),
        (status(429), "HTTP 429: too many requests"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_bad_servers_make_model_unavailable(server, model, behaviour, message):
    server.behave(behaviour)
    with pytest.raises(ModelUnavailable, match=message):
        model.complete(ASK, deadline_s=0.3 if "0.3 s" in message else 60)
    assert len(server.requests) == 1


def test_endless_garbage_is_cut(server, model, monkeypatch):
    monkeypatch.setattr(openai_chat, "MAX_ANSWER_BYTES", 1_000_000)
    server.behave(flood)
    with pytest.raises(ModelUnavailable, match="sent more than 1000000 bytes"):
        model.complete(ASK, deadline_s=60)


@pytest.mark.parametrize("ask", ["complete", "stream"])
def test_deadline_hangs_up_on_the_server(server, model, ask):
    noticed = threading.Event()

    def drip_until_gone(handler):
        try:
            drip(handler)
        except OSError:
            noticed.set()

    server.behave(drip_until_gone)
    with pytest.raises(ModelUnavailable, match="no answer within"):
        list(getattr(model, ask)(ASK, deadline_s=0.5))
    assert noticed.wait(10), "the server would go on writing for nobody"


def test_dead_server_is_unavailable(server):
    dead = ChatServer()
    dead.stop()
    with OpenAIChat(dead.url, "m") as model, pytest.raises(ModelUnavailable, match="no connection"):
        model.complete(ASK, deadline_s=60)


def test_model_works_again_after_failures(server, model):
    server.behave(drip, cut_off, status(500), reply("hello"))
    for deadline_s in (0.2, 60, 60):
        with pytest.raises(ModelUnavailable):
            model.complete(ASK, deadline_s=deadline_s)
    assert model.complete(ASK, deadline_s=60).text == "hello"


def test_schema_is_sent_strict(server, model):
    server.behave(reply('{"a": 1}'))
    model.complete(ASK, schema=SCHEMA, deadline_s=60)
    assert server.requests[0].body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
    }


@pytest.mark.parametrize("code", [400, 422, 501])
def test_server_without_schemas_is_remembered(server, model, code):
    server.behave(without_schemas('{"a": 1}', code=code))
    assert model.complete(ASK, schema=SCHEMA, deadline_s=60).text == '{"a": 1}'
    assert model.complete(ASK, schema=SCHEMA, deadline_s=60).text == '{"a": 1}'
    sent = ["response_format" in request.body for request in server.requests]
    assert sent == [True, True, False, False]
    assert '"required":["a"]' in server.requests[-1].text


def test_server_without_strict_gets_schema(server, model):
    server.behave(without_schemas("{}", refuses=lambda form: form["json_schema"]["strict"]))
    model.complete(ASK, schema=SCHEMA, deadline_s=60)
    model.complete(ASK, schema=SCHEMA, deadline_s=60)
    strict = [
        request.body["response_format"]["json_schema"]["strict"] for request in server.requests
    ]
    assert strict == [True, False, False]


def test_other_refusals_are_not_remembered(server, model):
    server.behave(status(400), status(400), status(400), reply("{}"))
    with pytest.raises(ModelUnavailable, match="HTTP 400"):
        model.complete(ASK, schema=SCHEMA, deadline_s=60)
    model.complete(ASK, schema=SCHEMA, deadline_s=60)
    assert server.requests[-1].body["response_format"]["json_schema"]["strict"] is True


def sure_of(*logprobs):
    """Answer with log probabilities, as servers send them when asked to."""
    answer = completion('{"a": 1}')
    answer["choices"][0]["logprobs"] = {"content": [{"logprob": one} for one in logprobs]}
    return lambda handler: handler.send(200, answer)


def test_confidence_is_the_product_of_probabilities(server):
    server.behave(sure_of(math.log(0.5), math.log(0.8), 0.0))
    with OpenAIChat(server.url, "m", logprobs=True) as model:
        assert model.complete(ASK, deadline_s=60).confidence == pytest.approx(0.4)
    assert server.requests[0].body["logprobs"] is True


def test_confidence_is_unknown_unless_asked_for(server, model):
    server.behave(reply("hello"))
    assert model.complete(ASK, deadline_s=60).confidence == 0.0
    assert "logprobs" not in server.requests[0].body


@pytest.mark.parametrize("sent", [None, {}, {"content": None}, {"content": [{"logprob": "x"}]}, 3])
def test_odd_logprobs_leave_confidence_unknown(server, sent):
    answer = completion("hello")
    answer["choices"][0]["logprobs"] = sent
    server.behave(lambda handler: handler.send(200, answer))
    with OpenAIChat(server.url, "m", logprobs=True) as model:
        assert model.complete(ASK, deadline_s=60).confidence == 0.0


def test_server_without_logprobs_is_remembered(server):
    def refuse(handler):
        if "logprobs" in handler.body:
            handler.send(400, {"error": {"message": "logprobs are not supported"}})
        else:
            handler.send(200, completion('{"a": 1}'))

    server.behave(refuse)
    with OpenAIChat(server.url, "m", logprobs=True) as model:
        assert model.complete(ASK, schema=SCHEMA, deadline_s=60).text == '{"a": 1}'
        asked = len(server.requests)
        assert model.complete(ASK, schema=SCHEMA, deadline_s=60).confidence == 0.0
        assert (model.structured, len(server.requests)) == ("strict", asked + 1)


def test_refusal_of_one_request_ends_neither_logprobs_nor_schema(server):
    no = status(400, "Out of range float values are not JSON compliant")
    server.behave(sure_of(0.0), no, no, sure_of(0.0), no, no, no, sure_of(0.0))
    with OpenAIChat(server.url, "m", logprobs=True) as model:
        for _ in range(4):
            model.complete(ASK, schema=SCHEMA, deadline_s=60)
        assert (model.structured, model.logprobs) == ("strict", True)
    forms = [(request.body.get("response_format") or {}).get("json_schema", {}).get("strict")
             for request in server.requests]  # fmt: skip
    tries = [True, False, None]
    assert forms == [True, *tries, *tries, True, True]
    assert "logprobs" not in server.requests[7].body


def test_other_failures_do_not_end_logprobs(server):
    server.behave(status(500), sure_of(0.0))
    with OpenAIChat(server.url, "m", logprobs=True) as model:
        with pytest.raises(ModelUnavailable, match="HTTP 500"):
            model.complete(ASK, deadline_s=60)
        assert model.complete(ASK, deadline_s=60).confidence == 1.0


@pytest.mark.parametrize(
    ("said", "given"),
    [
        ("This model's maximum context length is 512 tokens. However, your prompt contains at "
         "least 513 input tokens, which exceeds this limit", 513),
        ("This model's maximum context length is 512 tokens. However, your messages resulted in "
         "600 tokens. Please reduce the length", 600),
        ("maximum context length is 512 tokens. However, your prompt contains 9000 characters",
         None),
    ],
)  # fmt: skip
def test_context_overflow_is_told_with_figures(server, model, said, given):
    server.behave(lambda handler: handler.send(400, {"error": {"message": said}}))
    with pytest.raises(ContextOverflow) as raised:
        model.complete(ASK, schema=SCHEMA, deadline_s=60)
    assert (raised.value.given, raised.value.allowed) == (given, 512)
    assert len(server.requests) == 1, "asking without a schema would not make it shorter"


def test_stream_yields_pieces_in_order(server, model):
    server.behave(stream("one ", "two ", "three"))
    assert list(model.stream(ASK, max_tokens=9, deadline_s=60)) == ["one ", "two ", "three"]
    assert server.requests[0].body["stream"] is True
    assert server.requests[0].body["max_tokens"] == 9


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        (stream("one ", then=silence), "no answer within 1 s"),
        (stream("one ", then=drip), "no answer within 1 s"),
        (stream("one ", finish=None), "broke off in the middle"),
    ],
)
def test_stream_that_breaks_off_raises(server, model, behaviour, message):
    server.behave(behaviour)
    pieces = model.stream(ASK, deadline_s=1 if "1 s" in message else 60)
    assert next(pieces) == "one "
    with pytest.raises(ModelUnavailable, match=message):
        list(pieces)


@pytest.mark.parametrize("behaviour", [silence, status(500), hang_up])
def test_stream_that_never_starts_raises(server, model, behaviour):
    server.behave(behaviour)
    with pytest.raises(ModelUnavailable):
        list(model.stream(ASK, deadline_s=0.3 if behaviour is silence else 60))


def test_stream_can_be_left_early(server, model):
    server.behave(stream("one ", then=drip), reply("hello"))
    pieces = model.stream(ASK, deadline_s=60)
    assert next(pieces) == "one "
    pieces.close()
    assert model.complete(ASK, deadline_s=60).text == "hello"


def test_logs_and_errors_carry_no_secrets(server, model, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("openai").setLevel(logging.DEBUG)
    with OpenAIChat(server.url, "m", KEY) as fresh:
        server.behave(status(400), status(400), status(400), status(401), reply("a private answer"))
        for _ in range(2):
            with pytest.raises(ModelUnavailable) as raised:
                fresh.complete(ASK, schema=SCHEMA, deadline_s=60)
            assert raised.value.__cause__ is None
            assert raised.value.__suppress_context__
            assert KEY not in str(raised.value)
            assert "private" not in str(raised.value)
        fresh.complete(ASK, deadline_s=60)
        assert KEY not in repr(fresh)
    assert caplog.records
    assert KEY not in caplog.text
    assert "private" not in caplog.text


def test_foreign_hosts_are_refused_in_tests():
    with OpenAIChat("https://api.example.com/v1", "m", KEY) as model:
        for ask in (model.complete, model.stream):
            with pytest.raises(RuntimeError, match="model requests are switched off") as raised:
                ask(ASK)
            assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "key", "message"),
    [
        ("localhost:8000/v1", None, "expected a base URL such as"),
        ("ftp://host/v1", None, "expected a base URL such as"),
        ("http://user:word@host/v1", None, "pass a key as api_key"),
        ("http://host/v1", "two\nlines", "characters that no HTTP header can carry"),
        ("http://host/v1", "schlüssel", "characters that no HTTP header can carry"),
    ],
)
def test_bad_settings_are_refused_early(url, key, message):
    with pytest.raises(ValueError, match=message) as raised:
        OpenAIChat(url, "m", key)
    assert "word@" not in str(raised.value)
