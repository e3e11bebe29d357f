"""Every example of docs/api.md is run, and its answer must be the documented one."""

import json
import re
import shlex
from pathlib import Path

from agent.server import errors

PAGE = (Path(__file__).parents[3] / "docs/api.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(
    r"```console\n(?P<curl>.*?)\n```\n(?:```(?:json|text)\n(?P<answer>.*?)\n```)?", re.S
)


def fits(shown, actual):
    """Return whether an answer is as documented; "…" stands for anything."""
    if shown == "…":
        return True
    if isinstance(shown, dict) and isinstance(actual, dict):
        named = {key: value for key, value in shown.items() if key != "…"}
        complete = "…" in shown or shown.keys() == actual.keys()
        return complete and all(k in actual and fits(v, actual[k]) for k, v in named.items())
    if isinstance(shown, list) and isinstance(actual, list):
        named = [value for value in shown if value != "…"]
        enough = len(actual) >= len(named) if "…" in shown else len(actual) == len(named)
        return enough and all(map(fits, named, actual))
    return type(shown) is type(actual) and shown == actual


def read_curl(line, variables):
    """Return method, path and body of a curl command."""
    for name, value in variables.items():
        line = line.replace(f"${name}", value)
    words = shlex.split(line)
    url = words[-1]
    assert words[0] == "curl"
    assert url.startswith("localhost:8000/")
    body = json.loads(words[words.index("--json") + 1]) if "--json" in words else None
    method = words[words.index("-X") + 1] if "-X" in words else "POST" if body else "GET"
    return method, url.removeprefix("localhost:8000"), body


def test_documented_answers_are_given(client, events_of):
    variables = {}
    examples = list(EXAMPLE.finditer(PAGE))
    for example in examples:
        method, path, body = read_curl(example["curl"], variables)
        response = client.request(method, path, json=body)
        if example["answer"] is None:
            assert response.status_code == 204
        elif example["answer"].startswith("event:"):
            check_stream(events_of(example["answer"]), events_of(response.text))
        else:
            answer = response.json()
            assert fits(json.loads(example["answer"]), answer), (example["curl"], answer)
            variables |= {"SESSION": answer["id"]} if path == "/v1/sessions" else {}
            variables |= {"SLATE": answer["slate_id"]} if path.endswith("/turns") and (
                "slate_id" in answer) else {}  # fmt: skip
    assert len(examples) == PAGE.count("```console")


def check_stream(shown, actual):
    names = [name for name, _ in actual]
    assert list(dict.fromkeys(names)) == [name for name, _ in shown]
    for name, data in shown:
        assert fits(data, dict(actual)[name]), (name, dict(actual)[name])


def test_every_route_is_documented(client):
    for path in client.get("/openapi.json").json()["paths"]:
        assert path.replace("session_id", "id").replace("item_id", "id") in PAGE, path


def test_every_error_type_is_documented():
    types = {kind for _, _, kind, _ in errors.KINDS} - {"invalid_item"}
    for kind in (*types, errors.INTERNAL.type, "invalid_json", "invalid_request"):
        assert f"`{kind}`" in PAGE, kind


def test_examples_are_really_compared():
    assert fits({"a": "…", "…": "…"}, {"a": 1, "b": 2})
    assert fits(["x", "…"], ["x", "y"])
    assert not fits({"a": 1}, {"a": 1, "b": 2})
    assert not fits({"a": 1, "…": "…"}, {"b": 1})
    assert not fits(["x"], ["x", "y"])
    assert not fits([], [1])
    assert not fits(1.0, 1)
