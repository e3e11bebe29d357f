"""Asking the completions route, as OpenAI's clients do."""

import json

URL = "/v1/chat/completions"


def messages_of(*said):
    """Return messages: texts are the user's and the assistant's in turn, others as they are."""
    messages = []
    for one in said:
        if not isinstance(one, str):
            messages.append(one)
            continue
        last = next((m["role"] for m in reversed(messages) if m["role"] in ROLES), "assistant")
        messages.append({"role": "user" if last == "assistant" else "assistant", "content": one})
    return messages


ROLES = ("user", "assistant")


def words(answer):
    return answer["choices"][0]["message"]["content"]


def thread(answer):
    return answer["attune"]["history"]["thread"]


def ids(answer):
    return [item["id"] for item in answer["attune"]["items"]]


def chunks_of(text):
    """Return the chunks of a stream, which must end as OpenAI's do."""
    blocks = text.split("\n\n")
    assert blocks[-2:] == ["data: [DONE]", ""]
    assert all(block.startswith("data: ") for block in blocks[:-1])
    return [json.loads(block.removeprefix("data: ")) for block in blocks[:-2]]


def streamed_words(chunks):
    deltas = (one["choices"][0]["delta"] for one in chunks if one["choices"])
    return "".join(delta.get("content") or "" for delta in deltas)
