"""What rounds are reminded of: fair to rounds and kinds, without what was taken out."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from finetune.loop.replay import earlier_pairs, kinds, ordinary_rows, write_replay
from finetune.pairs.rows import Kind, Pair, read_pairs
from finetune.training_data import parse_row
from retrieval.retriever import Retriever


def pair(number: int, kind: Kind = "choice") -> Pair:
    prompt = ({"role": "user", "content": f"need {number}"},)
    return Pair(prompt=prompt, chosen="wool", rejected="nylon", kind=kind)  # type: ignore[arg-type]


def folder(path: Path, pairs: list[Pair]) -> Path:
    path.mkdir(parents=True)
    lines = [json.dumps(one.row()) + "\n" for one in pairs]
    (path / "train.jsonl").write_text("".join(lines), "utf-8")
    return path


def test_rounds_and_kinds_have_their_share(tmp_path: Path) -> None:
    first = folder(tmp_path / "1", [pair(n) for n in range(100)])
    second = folder(tmp_path / "2", [pair(100 + n, "plan") for n in range(10)])
    found = earlier_pairs([first, second], 30, seed=0)
    assert kinds(found) == {"choice": 20, "plan": 10}


def test_same_pair_counts_once(tmp_path: Path) -> None:
    folders = [folder(tmp_path / name, [pair(1), pair(2)]) for name in "ab"]
    assert Counter(one.id for one in earlier_pairs(folders, 10, seed=0)).most_common(1)[0][1] == 1


def test_choice_is_stable_as_rounds_are_added(tmp_path: Path) -> None:
    first = folder(tmp_path / "1", [pair(n) for n in range(50)])
    alone = earlier_pairs([first], 20, seed=3)
    assert earlier_pairs([first], 20, seed=3) == alone
    assert earlier_pairs([first], 20, seed=4) != alone
    second = folder(tmp_path / "2", [pair(100 + n) for n in range(50)])
    both = earlier_pairs([first, second], 20, seed=3)
    assert {one.id for one in both if one in alone} == {one.id for one in alone[:10]}


def test_what_was_taken_out_is_not_remembered(tmp_path: Path) -> None:
    path = folder(tmp_path / "1", [pair(1), pair(2)])
    (path / "train.jsonl").write_text(json.dumps(pair(2).row()) + "\n", "utf-8")
    assert [one.id for one in earlier_pairs([path, tmp_path / "gone"], 10, 0)] == [pair(2).id]


def test_ordinary_rows_are_plans_over_the_catalog(demo: Retriever) -> None:
    rows = ordinary_rows(demo, 40, seed=1)
    assert len(rows) == 40
    assert rows == ordinary_rows(demo, 40, seed=1)
    for row in rows:
        assert parse_row(json.dumps(row).encode())
        assert row["prompt"][-1]["content"].startswith("plan")
        assert json.loads(row["completion"][0]["content"])["acts"]


def test_replay_file_holds_both(demo: Retriever, tmp_path: Path) -> None:
    path = folder(tmp_path / "1", [pair(n) for n in range(30)])
    made = write_replay(tmp_path / "r" / "replay.jsonl", demo, [path], pairs=20, seed=0)
    assert (made.earlier, made.ordinary) == (20, 10)
    lines = made.path.read_text("utf-8").splitlines()
    assert len(lines) == 30
    (tmp_path / "pairs.jsonl").write_text("\n".join(lines[:20]), "utf-8")
    assert len(read_pairs(tmp_path / "pairs.jsonl")) == 20


def test_nothing_earlier_and_nothing_asked(demo: Retriever, tmp_path: Path) -> None:
    made = write_replay(tmp_path / "replay.jsonl", demo, [], pairs=0, seed=0)
    assert (made.earlier, made.ordinary, made.path.read_text("utf-8")) == (0, 0, "")
