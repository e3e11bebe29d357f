import json

import pytest

from finetune.encoding import MASKED
from finetune.errors import DataError
from finetune.pairs.rows import write_made
from finetune.preference.data import (
    Sources,
    answer_groups,
    collect_pairs,
    collect_unpaired,
    hash_rows,
    pair_groups,
    unpaired_groups,
)
from tests.finetune import tiny
from tests.finetune.preference.conftest import pair, verdict


def lines(path, *rows):
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n"
                            for row in rows))  # fmt: skip
    return path


@pytest.fixture
def many(tmp_path):
    path = tmp_path / "many.jsonl"
    write_made(path, [pair(n, kind="plan" if n % 2 else "choice") for n in range(50)])
    return path


def test_folder_stands_for_its_files(folder):
    found = collect_pairs(Sources((folder,)))
    assert (len(found.train), len(found.held), found.rejects) == (40, 20, [])
    found = collect_unpaired(Sources((folder,)))
    assert (len(found.train), len(found.held)) == (40, 20)


def test_only_rows_of_the_kinds_asked_for(many):
    found = collect_pairs(Sources((many,), kinds=("plan",)))
    assert {placed.row.kind for placed in found.train} == {"plan"}
    assert len(found.train) == 25


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"chosen": [{"role": "assistant", "content": " "}]}, "chosen[0].content is empty"),
        ({"chosen": [{"role": "assistant", "content": "ale 3"}]}, "is also a rejected one"),
        ({"others": [[{"role": "assistant", "content": "tea 3"}]]}, "is also a rejected one"),
        ({"kind": "verse"}, "'kind' is 'verse': expected one of plan, choice, explanation"),
        ({"weight": float("nan")}, "'weight' is nan: expected a number above 0"),
        ({"rejected": None}, "expected"),
    ],
)
def test_unusable_rows_are_told_and_left_out(tmp_path, many, change, reason):
    row = {key: value for key, value in pair(3).row().items() if key != "id"} | change
    bad = lines(tmp_path / "bad.jsonl", row)
    found = collect_pairs(Sources((many, bad)))
    assert len(found.train) == 50
    [reject] = found.rejects
    assert (reject.file, reject.line) == (str(bad), 1)
    assert reason in reject.reason
    with pytest.raises(DataError, match="1 rows can't be used: "):
        collect_pairs(Sources((many, bad), strict=True))


def test_unpaired_rows_are_no_pairs(tmp_path, many):
    write_made(tmp_path / "kto.jsonl", [verdict(1, True)])
    [reject] = collect_pairs(Sources((many, tmp_path / "kto.jsonl"))).rejects
    assert reject.reason.startswith("has no 'chosen'; it has 'prompt', 'completion'")


def test_too_few_pairs_say_how_many_are_needed(tmp_path):
    write_made(tmp_path / "few.jsonl", [pair(n) for n in range(19)])
    expected = r"19 usable rows of kind choice in '.*few\.jsonl': at least 20 are needed"
    with pytest.raises(DataError, match=expected):
        collect_pairs(Sources((tmp_path / "few.jsonl",), kinds=("choice",)))


def test_folder_without_pairs_is_told(tmp_path):
    with pytest.raises(DataError, match=r"holds no kto_train\.jsonl: expected a folder that"):
        collect_unpaired(Sources((tmp_path,)))


def test_replay_takes_preferences_and_answers(tmp_path, many):
    earlier = lines(
        tmp_path / "earlier.jsonl", pair(99).row(), *tiny.pairs(3), "{", {"prompt": "only"}
    )
    found = collect_pairs(Sources((many,), replay=(earlier,)))
    assert [placed.row for placed in found.replay] == [pair(99)]
    assert len(found.answers) == 3
    assert [(reject.line, reject.reason[:8]) for reject in found.rejects] == [
        (5, "not JSON"), (6, "has no '"),
    ]  # fmt: skip


def test_hash_tells_rows_weights_and_replay(tmp_path, many):
    earlier = lines(tmp_path / "earlier.jsonl", *tiny.pairs(3))
    write_made(tmp_path / "heavy.jsonl", [pair(n, weight=2.0) for n in range(50)])
    write_made(tmp_path / "light.jsonl", [pair(n) for n in range(50)])
    hashes = {
        hash_rows(collect_pairs(Sources((path,), replay=replay)))
        for path in (many, tmp_path / "heavy.jsonl", tmp_path / "light.jsonl")
        for replay in ((), (earlier,))
    }
    assert len(hashes) == 6


def said(example, tokenizer):
    return tokenizer.decode([token for token in example.labels if token != MASKED])


def test_pairs_keep_their_prompt_whole_or_are_left_out():
    tokenizer, rejects = tiny.make_tokenizer(), []
    turns = tuple({"role": role, "content": f"turn {n}"} for n in range(4)
                  for role in ("user", "assistant"))  # fmt: skip
    asked = (*turns, {"role": "user", "content": "now"})
    placed = collect_rows([pair(1, prompt=asked), pair(2), pair(3, chosen="x" * 115)])
    groups = pair_groups(placed, tokenizer, 120, 1, rejects)
    assert [len(group.answers) for group in groups] == [2, 2]
    shown = tokenizer.decode(groups[0].answers[0].input_ids)
    assert shown.count("turn") == 8
    assert said(groups[0].answers[0], tokenizer) == "tea 1<|end|>"
    assert groups[0].answers[1].input_ids[:60] == groups[0].answers[0].input_ids[:60]
    [reject] = rejects
    assert reject.line == 3
    assert reject.reason.endswith("more than the maximum length of 120; it is not cut")


def collect_rows(rows):
    from finetune.preference.data import Placed

    return [Placed(row, "rows.jsonl", at) for at, row in enumerate(rows, start=1)]


def test_only_so_many_rejected_answers_are_kept():
    placed = collect_rows([pair(1, others=("ale 8", "ale 9"))])
    tokenizer = tiny.make_tokenizer()
    for most, expected in ((1, ["tea 1", "ale 1"]), (9, ["tea 1", "ale 1", "ale 8", "ale 9"])):
        [group] = pair_groups(placed, tokenizer, 64, most, [])
        told = [said(one, tokenizer).removesuffix("<|end|>") for one in group.answers]
        assert told == expected
    assert group.tokens == sum(one.tokens for one in group.answers)
    assert group.owner == "u1"


def test_unpaired_rows_get_an_answer_of_their_batch():
    tokenizer = tiny.make_tokenizer()
    placed = collect_rows([verdict(n, True) for n in range(5)])
    groups = unpaired_groups(placed, tokenizer, 64, 3, [])
    told = [said(group.answers[1], tokenizer).split("<")[0] for group in groups]
    assert told == ["tea 2", "tea 0", "tea 1", "tea 4", "tea 3"]


def test_answers_of_earlier_rounds_stand_alone(tmp_path):
    from finetune.training_data import read_rows

    rows = read_rows((lines(tmp_path / "rows.jsonl", *tiny.pairs(2)),)).rows
    rejects = []
    groups = answer_groups(rows, tiny.make_tokenizer(), 64, rejects)
    assert [(len(group.answers), group.kind) for group in groups] == [(1, "replay")] * 2
    assert answer_groups(rows, tiny.make_tokenizer(), 10, rejects) == []
    assert len(rejects) == 2
