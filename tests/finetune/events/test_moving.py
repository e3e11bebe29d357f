"""From one store into another, through a file: nothing lost, nothing twice, refusals respected."""

from __future__ import annotations

import json

import pytest

from agent.errors import StoreError
from agent.store import Store
from finetune.errors import DataError
from finetune.events.files import read_sessions, write_sessions
from finetune.events.moving import export_sessions, import_file, sessions_of
from tests.finetune.events.making import START, event, session

GOOD = session("good", events=[event("good"), event("good", kind="select", at=40)])
REFUSING = session("no", "bob", events=[event("no"), event("no", kind="select", consent=False)])
SILENT = session("silent", None)


@pytest.fixture
def store_of(tmp_path):
    opened = []

    def make(name, sessions=()):
        store = Store(f"sqlite:///{tmp_path}/{name}.db")
        opened.append(store)
        for one in sessions:
            store.add_session(one)
        return store

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(store_of):
    return store_of("store", [GOOD, REFUSING, SILENT])


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.parquet"])
def test_store_moves_through_a_file(store, store_of, tmp_path, name):
    path = tmp_path / name
    done = export_sessions(store, path, everything=True)
    assert (done.sessions, done.withheld) == (3, 0)
    other = store_of("other")
    got = import_file(other, path)
    assert (got.sessions, got.known, got.rejects, got.aside) == (3, 0, [], None)
    assert list(other.logged()) == list(store.logged())
    again = import_file(other, path)
    assert (again.sessions, again.known) == (0, 3)


def test_refused_sessions_are_withheld(store, tmp_path):
    done = export_sessions(store, tmp_path / "a.jsonl")
    assert (done.sessions, done.withheld) == (2, 1)
    assert {one.id for one in read_sessions(tmp_path / "a.jsonl").sessions} == {"good", "silent"}
    assert "bob" not in (tmp_path / "a.jsonl").read_text("utf-8")


def test_since_limits_an_export(store, tmp_path):
    assert export_sessions(store, tmp_path / "a.jsonl", since=START).sessions == 2
    later = START.replace(year=2027)
    assert export_sessions(store, tmp_path / "a.jsonl", since=later).sessions == 0


def test_sources_give_the_same_sessions(store, tmp_path):
    export_sessions(store, tmp_path / "a.jsonl", everything=True)
    for source in (store, tmp_path / "a.jsonl"):
        assert {one.id for one in sessions_of(source)} == {"good", "silent"}
        assert {one.id for one in sessions_of(source, everything=True)} == {"good", "silent", "no"}


def test_source_with_bad_lines_is_refused(tmp_path):
    (tmp_path / "a.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match=r"1 lines of .* hold no session: .*a\.jsonl:1: id"):
        list(sessions_of(tmp_path / "a.jsonl"))


def test_bad_lines_are_kept_aside(store_of, tmp_path):
    store, path = store_of("store"), tmp_path / "a.jsonl"
    future = GOOD.model_copy(update={"id": "future", "created": START.replace(year=2999)})
    other = GOOD.model_copy(update={"user": "eve"})
    rows = [GOOD.model_dump_json(), "nonsense", future.model_dump_json(), other.model_dump_json(),
            SILENT.model_dump_json()]  # fmt: skip
    path.write_text("\n".join(rows), "utf-8")
    got = import_file(store, path)
    assert (got.sessions, got.aside) == (2, tmp_path / "a.jsonl.rejects.jsonl")
    kept = lines(got.aside)
    assert [one["line"] for one in kept] == [2, 3, 4]
    for row, reason in zip(kept, ("not JSON", "from the future", "stored already"), strict=True):
        assert reason in row["reason"]
    assert kept[0]["row"] == "nonsense"


def test_rejects_put_right_can_be_imported(store_of, tmp_path):
    store, path = store_of("store"), tmp_path / "a.jsonl"
    path.write_text("nonsense\n")
    aside = import_file(store, path).aside
    write_sessions(path, [GOOD])
    assert import_file(store, path).rejects == []
    assert not aside.exists()


def test_events_of_a_shop_are_taken(store_of, tmp_path):
    store, path = store_of("store", [SILENT]), tmp_path / "log.jsonl"
    events = [event("silent", item=item, name=f"e-{item}") for item in "abz"]
    extra = [event("gone"), event("silent", item="b", name="e-a"), event("silent", name="e-a")]
    path.write_text("\n".join(one.model_dump_json() for one in [*events, *extra]), "utf-8")
    got = import_file(store, path)
    assert (got.sessions, got.events, got.known) == (0, 2, 1)
    assert [(one.line, one.reason.split(";")[0]) for one in got.rejects] == [
        (3, "item 'z' was not on slate 'silent-l1'"),
        (4, "no slate 'gone-l1'"),
        (5, "feedback id 'e-a' was used for another event"),
    ]
    assert [one.id for one in store.feedback("silent")] == ["e-a", "e-b"]


def test_sessions_and_events_may_be_mixed(store_of, tmp_path):
    store, path = store_of("store"), tmp_path / "a.jsonl"
    rows = [event("silent"), SILENT, event("silent", kind="select")]
    path.write_text("\n".join(one.model_dump_json() for one in rows), "utf-8")
    got = import_file(store, path)
    assert (got.sessions, got.events, got.rejects) == (1, 2, [])


def test_full_disk_is_not_the_lines_fault(store_of, tmp_path):
    store, path = store_of("store"), tmp_path / "a.jsonl"
    write_sessions(path, [GOOD, *(session(f"s{n}") for n in range(200))])
    with store._database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 4}")
    with pytest.raises(StoreError, match="the disk is full"):
        import_file(store, path)
    with store._database.read() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=100000")
    got = import_file(store, path)
    assert got.sessions + got.known == 201
    assert got.rejects == []
