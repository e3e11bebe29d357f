import pytest

from agent.errors import BadModelOutput, ModelUnavailable
from agent.llm import ScriptedModel, first_json

ASK = ({"role": "user", "content": "hi"},)


def test_scripted_answers_come_in_order():
    model = ScriptedModel(["one", ModelUnavailable("away"), "three"])
    assert model.complete(ASK, schema={"type": "object"}, max_tokens=9, deadline_s=2).text == "one"
    with pytest.raises(ModelUnavailable, match="away"):
        model.complete(ASK)
    assert model.complete(ASK).text == "three"
    first = model.history[0]
    assert (first.messages, first.schema, first.max_tokens, first.deadline_s) == (
        ASK,
        {"type": "object"},
        9,
        2,
    )


def test_scripted_function_sees_messages():
    model = ScriptedModel(lambda messages: messages[-1]["content"].upper(), name="loud")
    answer = model.complete(ASK)
    assert (answer.text, answer.model) == ("HI", "loud")


def test_scripted_queue_that_runs_out_says_so():
    model = ScriptedModel([])
    with pytest.raises(LookupError, match="the script is over: this is call 1"):
        model.complete(ASK)


def test_scripted_stream_joins_to_answer():
    pieces = list(ScriptedModel(["one two  three"]).stream(ASK))
    assert len(pieces) > 1
    assert "".join(pieces) == "one two  three"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', {"a": 1}),
        ('Sure!\n```json\n{"a": {"b": 2}}\n```\nAnything else?', {"a": {"b": 2}}),
        ('<think>maybe {"a": 0}</think>\n{"a": 1}', {"a": 1}),
        ('{"a": 1}{"a": 2}', {"a": 1}),
        ('a { brace, then {"a": "}"}', {"a": "}"}),
    ],
)
def test_first_json_finds_the_object(text, expected):
    assert first_json(text) == expected


@pytest.mark.parametrize("text", ["", "no", '{"a": 1', "[1, 2]", '{"a":' * 3000, "{" * 3000])
def test_text_without_object_is_bad(text):
    with pytest.raises(BadModelOutput, match="expected one JSON object"):
        first_json(text)
