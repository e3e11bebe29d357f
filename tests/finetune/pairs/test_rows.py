import json
from dataclasses import replace
from hashlib import sha256

import pytest

from finetune.errors import DataError
from finetune.pairs.keys import key_of
from finetune.pairs.rows import (
    Pair,
    Unpaired,
    parse_pair,
    parse_unpaired,
    read_pairs,
    read_unpaired,
    write_made,
)

PROMPT = ({"role": "system", "content": "plan"}, {"role": "user", "content": "say: not red"})
PAIR = Pair(
    prompt=PROMPT, chosen="a", rejected="b", others=("c",), kind="plan", weight=0.5,
    session=key_of("s1"), user=key_of("u1"), events=("e1", "e2"),
)  # fmt: skip
LABEL = Unpaired(prompt=PROMPT, completion="a", label=False, kind="plan", session=key_of("s1"))


def changed(row, **update):
    """Return the line of a row with some of its columns changed, and no id."""
    data = {**row.row(), **update}
    return json.dumps({key: value for key, value in data.items() if key != "id"}).encode()


def test_key_is_fixed_and_short():
    assert key_of("u1") == sha256(b"u1").hexdigest()[:32]
    assert len(key_of("u1")) == 32
    assert key_of("u1") != key_of("u2")


@pytest.mark.parametrize("text", ["é", "", "\ud800"])
def test_any_id_has_a_key(text):
    assert len(key_of(text)) == 32


def test_pair_is_in_columns_of_trl():
    row = PAIR.row()
    assert row["prompt"] == list(PROMPT)
    assert row["chosen"] == [{"role": "assistant", "content": "a"}]
    assert row["rejected"] == [{"role": "assistant", "content": "b"}]
    assert row["others"] == [[{"role": "assistant", "content": "c"}]]
    assert (row["kind"], row["weight"], row["events"]) == ("plan", 0.5, ["e1", "e2"])


def test_rows_survive_the_file(tmp_path):
    path = tmp_path / "rows.jsonl"
    assert write_made(path, [PAIR, replace(PAIR, chosen="ü\u2028")]) == 2
    assert read_pairs(path) == [PAIR, replace(PAIR, chosen="ü\u2028")]
    assert write_made(path, [LABEL]) == 1
    assert read_unpaired(path) == [LABEL]
    assert [one.name for one in tmp_path.iterdir()] == ["rows.jsonl"]


def test_id_is_of_content_alone():
    assert replace(PAIR, weight=2.0, session="x", user=None, events=()).id == PAIR.id
    others = [replace(PAIR, chosen="z"), replace(PAIR, rejected="z"), replace(PAIR, others=()),
              replace(PAIR, kind="choice"), replace(PAIR, prompt=PROMPT[1:])]  # fmt: skip
    assert len({PAIR.id, *(one.id for one in others)}) == 6


BAD = [
    (b"nope", "not JSON"),
    (b"[1]", "expected a JSON object, got list"),
    (changed(PAIR, chosen=[]), "'chosen' is an empty list"),
    (changed(PAIR, chosen=[{"role": "user", "content": "a"}]), "'chosen' has role 'user'"),
    (changed(PAIR, chosen=PAIR.row()["chosen"] * 2), "'chosen' is not one message"),
    (changed(PAIR, prompt="a", chosen="b"), "'chosen' is not one message"),
    (changed(PAIR, prompt=None), "'prompt' is null"),
    (changed(PAIR, others="a"), "'others' is no list"),
    (changed(PAIR, others=["a"]), "'others' is text"),
    (changed(PAIR, rejected=PAIR.row()["chosen"]), "the chosen answer is also a rejected one"),
    (changed(PAIR, others=[PAIR.row()["chosen"]]), "the chosen answer is also a rejected one"),
    (changed(PAIR, kind="other"), "'kind' is 'other': expected one of plan, choice, explanation"),
    (changed(PAIR, weight=0), "'weight' is 0: expected a number above 0"),
    (changed(PAIR, weight=True), "'weight' is True"),
    (changed(PAIR, weight=float("nan")), "'weight' is nan"),
    (changed(PAIR, session=None), "'session' or 'user' is no text"),
    (changed(PAIR, user=3), "'session' or 'user' is no text"),
    (changed(PAIR, events=[3]), "'events' is no list of ids"),
    (json.dumps({**PAIR.row(), "weight": 3, "chosen": PAIR.row()["prompt"][1:]}).encode(), "role"),
    (json.dumps({**PAIR.row(), "kind": "choice"}).encode(), "'id' is not the hash of its content"),
]


@pytest.mark.parametrize(("line", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_bad_pair_says_why(line, reason):
    with pytest.raises(ValueError, match=reason.replace("(", r"\(")):
        parse_pair(line)


def test_pair_lacking_a_column_says_which():
    with pytest.raises(ValueError, match="has no 'rejected'; it has 'prompt', 'chosen'"):
        parse_pair(json.dumps({"prompt": list(PROMPT), "chosen": PAIR.row()["chosen"]}).encode())


@pytest.mark.parametrize("label", [None, 1, "true"])
def test_label_must_be_true_or_false(label):
    with pytest.raises(ValueError, match=r"'label' is .*: expected true or false"):
        parse_unpaired(changed(LABEL, label=label))


def test_bad_lines_are_kept_aside(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(changed(PAIR) + b"\n\nnope\n" + changed(PAIR, weight=-1) + b"\n")
    aside = []
    assert read_pairs(path, aside) == [PAIR]
    assert [(one.line, one.reason[:8]) for one in aside] == [(3, "not JSON"), (4, "'weight'")]
    with pytest.raises(DataError, match=r"1 usable and 2 unusable rows in .*rows.jsonl:3: not"):
        read_pairs(path)


@pytest.mark.parametrize(("content", "told"), [("", "it is empty"), ("nope", "not JSON")])
def test_file_without_rows_is_refused(tmp_path, content, told):
    path = tmp_path / "rows.jsonl"
    path.write_text(content)
    with pytest.raises(DataError, match=f"0 usable .*{told}"):
        read_pairs(path, [])


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*none.jsonl"):
        read_pairs(tmp_path / "none.jsonl")
