"""Sessions in files: come back equal, readable by others, and one bad line costs one line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from finetune.errors import DataError
from finetune.events.files import BATCH, read_sessions, write_sessions
from tests.finetune.events.making import event, session, slate

NAMES = ("a.jsonl", "a.jsonl.gz", "a.parquet")
ODD = session(
    "odd", None, ("ünïcode 🙂 \"quoted\"\nnew line, \\u0041",),
    [event("odd", kind="critique", value="zu röd\t🙂", item=None, consent=False)],
)  # fmt: skip
FEED = session("feed").model_copy(
    update={"slates": (slate("feed-x", None, session().created),), "turns": ()}
)
SESSIONS = [session("s1", events=[event("s1", kind="rating", value=4)]), ODD, FEED, session("e")]


@pytest.fixture(params=NAMES)
def path(request, tmp_path):
    return tmp_path / request.param


def test_sessions_come_back_equal(path):
    assert write_sessions(path, SESSIONS) == 4
    read = read_sessions(path)
    assert read.sessions == tuple(SESSIONS)
    assert read.rejects == ()


def test_no_sessions_are_a_file_too(path):
    assert write_sessions(path, []) == 0
    assert read_sessions(path).sessions == ()


def test_more_than_a_batch_comes_back(path):
    many = [session(f"s{n}") for n in range(BATCH + 3)]
    write_sessions(path, iter(many))
    assert [one.id for one in read_sessions(path).sessions] == [one.id for one in many]


def test_same_sessions_give_the_same_file(path):
    write_sessions(path, SESSIONS)
    first = path.read_bytes()
    write_sessions(path, SESSIONS)
    assert path.read_bytes() == first


def test_failed_write_keeps_the_old_file(path):
    write_sessions(path, SESSIONS)

    def broken():
        yield session("x")
        raise RuntimeError("the store is gone")

    with pytest.raises(RuntimeError, match="the store is gone"):
        write_sessions(path, broken())
    assert len(read_sessions(path).sessions) == 4
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_pandas_reads_parquet(tmp_path):
    import pandas

    write_sessions(tmp_path / "a.parquet", SESSIONS)
    table = pandas.read_parquet(tmp_path / "a.parquet")
    assert table["id"].tolist() == ["s1", "odd", "feed", "e"]
    assert table["user"].isna().tolist() == [False, True, False, False]
    assert table["events_count"].sum() == 2
    assert table["consented_count"].tolist() == [1, 0, 0, 0]
    assert str(table["created"].dtype).endswith("UTC]")
    assert json.loads(table["turns"][1])[0]["utterance"].endswith("\\u0041")


def test_datasets_reads_both(tmp_path):
    import datasets

    for name, kind in (("a.jsonl", "json"), ("a.parquet", "parquet")):
        write_sessions(tmp_path / name, SESSIONS[:2])
        rows = datasets.load_dataset(kind, data_files=str(tmp_path / name), split="train",
                                     cache_dir=str(tmp_path / "cache"))  # fmt: skip
        assert rows["id"][:] == ["s1", "odd"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"5", "expected a session or a feedback event, got '5'"),
        (b"{}", "id: Field required"),
        (b'{"slate_id": "x", "kind": "stare"}', "kind: Input should be 'impression'"),
        (event("s1").model_dump_json().encode(), "a feedback event, expected a session"),
        (session("s1", "bob").model_dump_json().encode(), "'s1' was given before, with other"),
        (b'{"id": "\\ud800"}', "Invalid JSON: unexpected end of hex escape"),
    ],
)
def test_bad_line_costs_one_line(tmp_path, line, reason):
    path = tmp_path / "a.jsonl"
    good = [one.model_dump_json().encode() for one in (session("s1"), session("s2"))]
    path.write_bytes(b"\n".join([good[0], b"", line, good[1]]) + b"\n")
    read = read_sessions(path)
    assert [one.id for one in read.sessions] == ["s1", "s2"]
    (reject,) = read.rejects
    assert (reject.line, reject.file) == (3, str(path))
    assert reason in reject.reason


def test_session_given_twice_counts_once(path):
    write_sessions(path, [session("s1"), session("s2"), session("s1")])
    read = read_sessions(path)
    assert ([one.id for one in read.sessions], read.rejects) == (["s1", "s2"], ())


def test_broken_part_of_a_parquet_row_is_told(tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    path = tmp_path / "a.parquet"
    write_sessions(path, SESSIONS[:2])
    rows = parquet.read_table(path).to_pylist()
    rows[0]["slates"] = '[{"id": 5}]'
    rows.append({**rows[1], "id": "cut", "turns": rows[1]["turns"][:-5]})
    parquet.write_table(pa.Table.from_pylist(rows), path)
    read = read_sessions(path)
    assert [one.id for one in read.sessions] == ["odd"]
    assert [one.line for one in read.rejects] == [1, 3]
    assert read.rejects[0].reason.startswith("slates.0.id: Input should be a valid string")
    assert read.rejects[1].reason.startswith("not JSON")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", r"expected a name that ends in \.jsonl, "),
        ("a.parquet", b"PAR1 not really", "expected Parquet"),
        ("a.parquet", b"", "expected Parquet"),
        ("a.jsonl.gz", b"plain", "expected a JSONL file"),
        ("a.jsonl.gz", gzip.compress(b"{}\n" * 999)[:-12], "expected"),
        ("a.jsonl.gz", gzip.compress(b"{}\n" * 9)[:12] + b"\xff" * 40, "expected"),
    ],
)
def test_unreadable_file_is_named(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_sessions(tmp_path / name)


def test_missing_file_is_named(path):
    with pytest.raises(DataError, match="cannot read"):
        read_sessions(path)


def test_parquet_of_something_else_is_named(tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({"id": ["1"], "price": [2.0]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"no column 'user', .*; it has 'id', 'price': no sessions"):
        read_sessions(tmp_path / "a.parquet")


def test_unwritable_place_is_named(tmp_path):
    with pytest.raises(DataError, match="cannot write"):
        write_sessions(tmp_path / "no" / "a.jsonl", SESSIONS)


def test_unknown_ending_writes_nothing(tmp_path):
    with pytest.raises(DataError, match=r"a\.txt.* expected a name that ends in"):
        write_sessions(Path(tmp_path / "a.txt"), SESSIONS)
    assert list(tmp_path.iterdir()) == []
