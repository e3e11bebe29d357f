"""Chat completions as a stream: OpenAI's chunks, the items before any words."""

import json

import pytest

from agent.server.completions_answer import Worder, in_markdown
from tests.agent.server.asking import URL, chunks_of, messages_of, streamed_words, thread, words

BLUE = "blue shirts under 40"


@pytest.fixture
def stream(client):
    """Ask for a stream and return its chunks."""

    def stream(*said, **fields):
        body = {"model": "attune", "messages": messages_of(*said), "stream": True, **fields}
        response = client.post(URL, json=body)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"].startswith("text/event-stream")
        return chunks_of(response.text)

    return stream


def test_stream_says_what_the_whole_answer_says(ask, stream):
    for text in (BLUE, "compare the first two", "👗 something blue", "what is your return policy?"):
        whole, chunks = ask("shirts", "?", text), stream("shirts", "?", text)
        assert streamed_words(chunks) == words(whole)
        last = chunks[-1]
        assert last["choices"][0]["finish_reason"] == "stop"
        assert last["attune"].keys() == whole["attune"].keys()
        assert last["attune"]["items"] == whole["attune"]["items"]


def test_chunks_have_the_shape(stream):
    chunks = stream(BLUE)
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    for chunk in chunks:
        assert chunk["object"] == "chat.completion.chunk"
        assert "usage" not in chunk
        assert [one["index"] for one in chunk["choices"]] == [0]
    assert len({(one["id"], one["created"], one["model"]) for one in chunks}) == 1
    reasons = [one["choices"][0]["finish_reason"] for one in chunks]
    assert reasons == [None] * (len(chunks) - 1) + ["stop"]


def test_items_come_before_any_words(stream):
    chunks = stream(BLUE)
    at = next(i for i, one in enumerate(chunks) if "attune" in one)
    assert not streamed_words(chunks[: at + 1])
    early, last = chunks[at]["attune"], chunks[-1]["attune"]
    assert early == {"slate_id": last["slate_id"], "items": last["items"]}
    assert [item["id"] for item in early["items"]] == ["1", "7"]


def test_usage_comes_last_where_asked_for(ask, stream):
    chunks = stream(BLUE, stream_options={"include_usage": True})
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == ask(BLUE)["usage"]
    assert all(chunk["usage"] is None for chunk in chunks[:-1])
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"


def test_streamed_conversation_is_followed(ask, stream):
    first = streamed_words(stream(BLUE))
    assert thread(ask(BLUE, first, "under 34.50")) == "continued"
    chunks = stream(BLUE, first, "under 34.50")
    assert thread({"attune": chunks[-1]["attune"]}) == "again"


def test_errors_before_the_stream_are_answers(client):
    for fields, status in (
        ({"model": "nope"}, 404),
        ({"attune": {"session_id": "nope"}}, 404),
        ({"messages": []}, 400),
        ({"n": 3}, 400),
    ):
        body = {"messages": messages_of(BLUE), "stream": True, **fields}
        response = client.post(URL, json=body)
        assert response.status_code == status
        assert set(response.json()["error"]) == {"message", "type", "param", "code"}


def test_chunks_are_single_lines(client):
    body = {"messages": messages_of("blue\u2028red\u2029x"), "stream": True}
    text = client.post(URL, json=body).text
    assert "\u2028" not in text
    last = json.loads([line for line in text.splitlines() if line][-2].removeprefix("data: "))
    assert last["attune"]["utterance"] == "blue\u2028red\u2029x"


def test_error_in_the_stream_ends_it(client, store):
    first = client.post(URL, json={"messages": messages_of(BLUE)}).json()
    with store._database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    text = "red shirts " + "x" * 15_000
    body = {"stream": True, "attune": {"session_id": first["attune"]["session_id"]}}
    response = client.post(URL, json=body | {"messages": messages_of(text)})
    blocks = [block for block in response.text.split("\n\n") if block]
    error = json.loads(blocks[-1].removeprefix("data: "))["error"]
    assert (error["type"], error["code"]) == ("server_error", "store_unavailable")
    assert "[DONE]" not in response.text


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("Plain words, €5.", "Plain words, €5."),
        ("a *star* and [x](y)", r"a \*star\* and \[x\](y)"),
        ("Look:\n      1. A   2. B\nsize  5      6\nA is best.",
         "Look:\n```\n      1. A   2. B\nsize  5      6\n```\nA is best."),
        ("One  line only.", "One\u00a0\u00a0line only."),
        ("a  ```\nb  c", "````\na  ```\nb  c\n````"),
        ("", ""),
    ],
)  # fmt: skip
def test_words_become_markdown(words, shown):
    assert in_markdown(words) == shown


PIECES = (
    ["Hello *there", "*, see ", "http:", "//evil", ".example now"],
    ["Look:", "\n      1. A   2. B\nsize  5      6", "\nA is ", "best."],
    ["- one\n", "- ", "two\n", "# head\n", "1. *x*"],
    ["\n", "a", " ", "b", "_c", "_ d"],
)


@pytest.mark.parametrize("pieces", PIECES)
def test_pieces_make_the_same_markdown(pieces):
    worder = Worder()
    said = "".join([worder.more(piece) for piece in pieces] + [worder.rest()])
    assert said == worder.said == in_markdown("".join(pieces))


def test_words_are_not_held_back(client):
    worder = Worder()
    assert worder.more("Here are ") == "Here are "
    assert worder.more("two sh") == "two "
    assert worder.rest() == "sh"
