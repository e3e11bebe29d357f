import gzip
import json
import re

import pytest

from finetune.errors import DataError
from finetune.training_data import parse_row, read_rows, split, write_rejects, write_rows
from tests.finetune import tiny

ASK, ANSWER = {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}

GOOD = [
    {"messages": [ASK, ANSWER]},
    {"messages": [ASK, ANSWER, ASK, ANSWER]},
    {"prompt": "a", "completion": "b"},
    {"prompt": [ASK], "completion": [ANSWER]},
    {"prompt": [ASK], "completion": [ANSWER], "tools": [{"type": "function"}]},
    {"prompt": [ASK], "completion": [ANSWER], "chat_template_kwargs": {"enable_thinking": False}},
    {"messages": [ASK, {"role": "assistant", "content": None, "tool_calls": [{}]},
                  {"role": "tool", "content": "3"}, ANSWER]},
]  # fmt: skip

BAD = [
    (b"nope", "not JSON: Expecting value"),
    (b"[" * 100_000, "not JSON"),
    (b'{"prompt": "\xff"}', "not UTF-8 at byte 12"),
    (b"[1]", "expected a JSON object, got a list"),
    (b"3", "expected a JSON object, got a number"),
    (b"{}", "has no 'prompt' and no 'completion'; it has nothing"),
    ({"text": "a"}, "has no 'prompt' and no 'completion'; it has 'text'"),
    ({"prompt": "a"}, "has no 'completion'; it has 'prompt'"),
    ({"prompt": "a", "completion": ""}, "'completion' is empty"),
    ({"prompt": " ", "completion": "b"}, "'prompt' is empty"),
    ({"prompt": "a", "completion": None}, "'prompt' is text and 'completion' is null"),
    ({"prompt": "a", "completion": [ANSWER]}, "'prompt' is text and 'completion' is a list"),
    ({"prompt": [ASK], "completion": [ASK]}, "'completion' has role 'user': expected only"),
    ({"prompt": [], "completion": [ANSWER]}, "'prompt' is an empty list: expected a list of"),
    ({"prompt": 3, "completion": [ANSWER]}, "'prompt' is a number: expected a list of messages"),
    ({"messages": [ASK, ANSWER], "prompt": "a"}, "has both 'messages' and 'prompt'"),
    ({"messages": []}, "'messages' is an empty list: expected a list of messages"),
    ({"messages": [ASK]}, "the last of 'messages' has role 'user': expected 'assistant'"),
    ({"messages": [ANSWER]}, "'messages' starts with the assistant"),
    ({"messages": ["a", ANSWER]}, "messages[0] is text: expected an object with role and content"),
    ({"messages": [{"role": "bot", "content": "a"}, ANSWER]}, "messages[0].role is 'bot': exp"),
    ({"messages": [{"role": "user", "content": 3}, ANSWER]}, "messages[0].content is a number"),
    ({"messages": [{"role": ["user"], "content": "a"}]}, "messages[0].role is ['user']"),
    ({"messages": [ASK, {"role": "assistant", "content": " "}]}, "messages[1].content is empty"),
    ({"prompt": "a", "completion": "b", "tools": {}}, "'tools' is an object: expected a list"),
    (b'{"prompt": "a", "completion": "\\ud800"}', "has half of a surrogate pair"),
]


@pytest.mark.parametrize("row", GOOD, ids=str)
def test_row_of_each_format_is_kept_as_it_is(row):
    assert parse_row(json.dumps(row).encode()) == row


@pytest.mark.parametrize(("row", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_malformed_row_says_why(row, reason):
    line = row if isinstance(row, bytes) else json.dumps(row).encode()
    with pytest.raises(ValueError, match=re.escape(reason)):
        parse_row(line)


def test_other_keys_are_left_alone():
    row = {"prompt": "a", "completion": "b", "source": "shop 3"}
    assert parse_row(json.dumps(row).encode()) == {"prompt": "a", "completion": "b"}


def test_malformed_rows_are_listed_with_line_and_kept_aside(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"prompt": "a", "completion": "b"}\r\n\n{"prompt": 1}\n\xff\n')
    data = read_rows([path])
    assert [row.content for row in data.rows] == [{"prompt": "a", "completion": "b"}]
    assert [str(reject) for reject in data.rejects] == [
        f"{path}:3: has no 'completion'; it has 'prompt'",
        f"{path}:4: not UTF-8 at byte 0",
    ]
    [kept] = write_rejects(tmp_path / "out", data.rejects)
    assert kept == tmp_path / "out" / "rows.rejects.jsonl"
    assert [json.loads(line) for line in kept.read_text("utf-8").splitlines()] == [
        {"line": 3, "reason": "has no 'completion'; it has 'prompt'", "row": '{"prompt": 1}'},
        {"line": 4, "reason": "not UTF-8 at byte 0", "row": "\\xff"},
    ]


def test_rejects_of_two_files_with_one_name_are_both_kept(tmp_path):
    paths = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        paths.append(tiny.write(tmp_path / folder / "rows.jsonl", [*tiny.pairs(1), {"of": folder}]))
    kept = write_rejects(tmp_path, read_rows(paths).rejects)
    rows = [json.loads(json.loads(path.read_text("utf-8"))["row"]) for path in kept]
    assert rows == [{"of": "a"}, {"of": "b"}]


def test_line_separators_inside_text_do_not_split_a_row(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "a\u2028\x85b", "completion": "c"}\n', "utf-8")
    data = read_rows([path])
    assert data.rows[0].content["prompt"] == "a\u2028\x85b"
    assert data.rejects == ()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.jsonl", None, "cannot read '{path}': No such file or directory"),
        ("empty.jsonl", b"", "no usable row in '{path}': expected JSON lines with 'messages'"),
        ("bad.jsonl", b"{}", "'completion'; {path}:1: has no 'prompt' and no 'completion'"),
        ("cut.jsonl.gz", gzip.compress(b'{"a": 1}\n' * 99)[:-9], "cannot read '{path}'"),
        ("fake.jsonl.gz", b"{}", "cannot read '{path}': Not a gzipped file"),
    ],
)
def test_unusable_file_says_what_was_expected(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=re.escape(message.format(path=path))):
        read_rows([path])


def test_written_rows_read_back(tmp_path):
    assert write_rows(tmp_path / "rows.jsonl", GOOD) == len(GOOD)
    assert [row.content for row in read_rows([tmp_path / "rows.jsonl"]).rows] == GOOD


def test_row_that_reading_would_refuse_is_not_written(tmp_path):
    with pytest.raises(DataError, match=r"row 2 for '.*rows.jsonl': has no 'completion'"):
        write_rows(tmp_path / "rows.jsonl", [{"prompt": "a", "completion": "b"}, {"prompt": "a"}])


def test_hash_depends_on_content_alone(tmp_path):
    plain = tiny.write(tmp_path / "rows.jsonl", tiny.pairs(3))
    packed = tmp_path / "same.jsonl.gz"
    lines = [json.dumps(dict(reversed(row.items())), indent=None) for row in tiny.pairs(3)]
    packed.write_bytes(gzip.compress("\n\n".join(lines).encode()))
    other = tiny.write(tmp_path / "other.jsonl", tiny.pairs(3)[::-1])
    assert read_rows([plain]).hash == read_rows([packed]).hash
    assert read_rows([plain]).hash != read_rows([other]).hash


def test_split_holds_out_about_a_share_and_keeps_prompts_together(tmp_path):
    rows = tiny.pairs(50) + tiny.pairs(50)
    data = read_rows([tiny.write(tmp_path / "rows.jsonl", rows)])
    train, held = split(data.rows, 0.2, seed=1)
    assert (len(train), len(held)) == (80, 20)
    prompts = [{json.dumps(row.content["prompt"]) for row in side} for side in (train, held)]
    assert prompts[0] & prompts[1] == set()
    assert {row.line for row in train} | {row.line for row in held} == set(range(1, 101))


def test_split_of_a_row_does_not_depend_on_its_place(tmp_path):
    rows = tiny.pairs(30)
    sides = []
    for name, order in (("a", rows), ("b", rows[::-1])):
        data = read_rows([tiny.write(tmp_path / name, order)])
        held = split(data.rows, 0.3, seed=1)[1]
        sides.append({row.text for row in held})
    assert sides[0] == sides[1]
    assert {row.text for row in split(data.rows, 0.3, seed=2)[1]} != sides[0]


@pytest.mark.parametrize(("count", "share", "held"), [(1, 0.5, 0), (2, 0.01, 1), (9, 0.0, 0)])
def test_split_of_few_rows_always_leaves_some_to_train_on(tmp_path, count, share, held):
    data = read_rows([tiny.write(tmp_path / "rows.jsonl", tiny.pairs(count))])
    train, rest = split(data.rows, share, seed=1)
    assert (len(train), len(rest)) == (count - held, held)
