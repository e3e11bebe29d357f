"""Forgetting somebody: their data and what was made of it go, everybody else's stays as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.keys import key_of
from agent.store import Store
from finetune.errors import DataError
from finetune.events.audit import Audit
from finetune.events.forgetting import (
    FILES,
    LINEAGE,
    REPORT,
    Forgotten,
    forget,
    forget_deleted,
    hash_of,
)
from finetune.pairs import make
from finetune.pairs.merging import merged_pairs, merged_unpaired
from finetune.pairs.rows import Pair, Unpaired
from tests.finetune.events.making import event, session


def row(id, session, user, events=(), **fields):
    """Return a row as `finetune.pairs` writes it; `session` and `user` are ids."""
    said = {"prompt": [{"role": "user", "content": f"asked {id} ü"}],
            "chosen": [{"role": "assistant", "content": "yes"}],
            "rejected": [{"role": "assistant", "content": "no"}], "others": []}  # fmt: skip
    return {**said, "kind": "plan", "weight": 1.0, "session": key_of(session),
            "user": user and key_of(user), "events": list(events), "id": id, **fields}  # fmt: skip


def source(id, session, user, events=()):
    return {"id": id, "file": "train.jsonl", "session": key_of(session),
            "user": user and key_of(user), "events": list(events)}  # fmt: skip


def write(path, rows):
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows), "utf-8")


def read(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Rows of ann, of bob, of both (ann first), of a session without a user, and held out ones."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    train = [row("r1", "a1", "ann", ["e1"]), row("r2", "b1", "bob", ["e2"]),
             row("r3", "a1", "ann", ["e3", "e4"]), row("r4", "n1", None)]  # fmt: skip
    write(folder / "train.jsonl", train)
    write(folder / "held.jsonl", [row("r5", "a2", "ann")])
    write(folder / "kto_train.jsonl", [row("r6", "a2", "ann", label=True), row("r7", "b1", "bob")])
    write(folder / "lineage.jsonl",
          [source("r1", "a1", "ann", ["e1"]), source("r2", "b1", "bob", ["e2"]),
           source("r3", "a1", "ann", ["e3"]), source("r3", "b1", "bob", ["e4"]),
           source("r4", "n1", None), source("r5", "a2", "ann"), source("r6", "a2", "ann"),
           source("r7", "b1", "bob")])  # fmt: skip
    report = {"sessions": 4, "hash": hash_of(folder)}
    (folder / "report.json").write_text(json.dumps(report))
    return folder


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(f"sqlite:///{tmp_path}/a.db")
    for id, user in (("a1", "ann"), ("a2", "ann"), ("b1", "bob"), ("n1", None)):
        opened.add_session(session(id, user, events=[event(id)]))
    yield opened
    opened.close()


class Adapters:
    """A registry of one adapter trained on everything of the fixture."""

    def __init__(self):
        self.asked = []

    def mark_forgotten(self, session_keys, user_key=None):
        self.asked.append((set(session_keys), user_key))
        known = {key_of(one) for one in ("a1", "a2", "b1", "n1")}
        return ["taste-1"] if known & set(session_keys) or user_key == key_of("ann") else []


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_user_goes_from_store_and_rows(store, pairs, tmp_path):
    registry, audit = Adapters(), Audit(tmp_path)
    done = forget("ann", store, pairs=[pairs], registry=registry, audit=audit)
    assert done == Forgotten(2, 2, 2, {str(pairs): 3}, 1, ("taste-1",))
    assert {one.id for one in store.logged()} == {"b1", "n1"}
    assert [one["id"] for one in read(pairs / "train.jsonl")] == ["r2", "r3", "r4"]
    assert [one["id"] for one in read(pairs / "kto_train.jsonl")] == ["r7"]
    assert not (pairs / "held.jsonl").exists()
    assert registry.asked == [({key_of("a1"), key_of("a2")}, key_of("ann"))]
    everything = b"".join(content(pairs).values())
    assert not any(key_of(one).encode() in everything for one in ("ann", "a1", "a2"))


def test_row_of_several_stays_with_the_others(store, pairs):
    forget("ann", store, pairs=[pairs])
    (shared,) = [one for one in read(pairs / "train.jsonl") if one["id"] == "r3"]
    assert (shared["session"], shared["user"]) == (key_of("b1"), key_of("bob"))
    assert shared["events"] == ["e4"]


def test_second_name_of_a_row_goes_too(store, pairs):
    done = forget("bob", store, pairs=[pairs])
    assert (done.rows, done.changed) == ({str(pairs): 2}, 1)
    (shared,) = [one for one in read(pairs / "train.jsonl") if one["id"] == "r3"]
    assert (shared["session"], shared["events"]) == (key_of("a1"), ["e3"])
    assert key_of("bob").encode() not in b"".join(content(pairs).values())


def test_rows_of_others_stay_byte_for_byte(store, pairs):
    before = (pairs / "train.jsonl").read_bytes().splitlines()
    forget("ann", store, pairs=[pairs])
    after = (pairs / "train.jsonl").read_bytes().splitlines()
    assert [after[0], after[2]] == [before[1], before[3]]


def test_report_and_audit_say_what_went(store, pairs, tmp_path):
    forget("ann", store, pairs=[pairs], audit=Audit(tmp_path))
    report = json.loads((pairs / "report.json").read_text())
    (told,) = report["forgotten"]
    assert told["rows"] == {"held.jsonl": 1, "kto_train.jsonl": 1, "train.jsonl": 1}
    assert told["changed"] == 1
    assert report["hash"] == hash_of(pairs)
    (line,) = Audit(tmp_path).entries()
    assert line.kind == "forget"
    assert line.facts == {"users": [key_of("ann")], "sessions": 2, "slates": 2, "events": 2,
                          "rows": 3, "changed": 1, "adapters": []}  # fmt: skip


def test_forgetting_again_changes_nothing(store, pairs):
    forget("ann", store, pairs=[pairs])
    before = content(pairs)
    assert forget("ann", store, pairs=[pairs]) == Forgotten()
    assert content(pairs) == before


def test_unknown_user_changes_nothing(store, pairs):
    before = content(pairs)
    assert forget("nobody", store, pairs=[pairs]) == Forgotten()
    assert content(pairs) == before


def test_deleted_over_http_is_caught_up(store, pairs, tmp_path):
    store.delete_user("ann")
    audit, registry = Audit(tmp_path), Adapters()
    done = forget_deleted(store, pairs=[pairs], registry=registry, audit=audit)
    assert (done.rows, done.changed, done.adapters) == ({str(pairs): 3}, 1, ("taste-1",))
    assert registry.asked == [({key_of("a1"), key_of("a2")}, None)]
    assert audit.entries()[0].facts["users"] == [key_of("ann")]
    assert forget_deleted(store, pairs=[pairs], audit=audit).rows == {}
    assert len(audit.entries()) == 1


def test_who_came_back_keeps_new_rows(store, pairs):
    store.delete_user("ann")
    write(pairs / "held.jsonl", [row("r8", "a3", "ann")])
    forget_deleted(store, pairs=[pairs])
    assert [one["id"] for one in read(pairs / "held.jsonl")] == ["r8"]
    forget("ann", store, pairs=[pairs])
    assert not (pairs / "held.jsonl").exists()


def test_crash_half_way_is_finished(store, pairs, monkeypatch):
    from finetune.events import forgetting

    put, calls = forgetting._put, []

    def crash(path, lines):
        calls.append(path.name)
        if len(calls) == 2:
            raise OSError("power cut")
        put(path, lines)

    monkeypatch.setattr(forgetting, "_put", crash)
    with pytest.raises(OSError, match="power cut"):
        forget("ann", store, pairs=[pairs])
    monkeypatch.undo()
    forget("ann", store, pairs=[pairs])
    assert key_of("ann").encode() not in b"".join(content(pairs).values())
    assert [one["id"] for one in read(pairs / "train.jsonl")] == ["r2", "r3", "r4"]


def test_lines_that_are_no_rows_go_if_they_name_them(store, pairs):
    broken = json.dumps(row("r9", "a1", "ann"))[:-2]
    other = json.dumps({"line": 3, "reason": "x", "row": json.dumps(row("r9", "a1", "ann"))})
    (pairs / "train.rejects.jsonl").write_text(f"{broken}\n{other}\nnot JSON\n")
    forget("ann", store, pairs=[pairs])
    assert (pairs / "train.rejects.jsonl").read_text() == "not JSON\n"


def test_rows_without_lineage_go_by_their_own_keys(store, pairs):
    (pairs / "lineage.jsonl").unlink()
    forget("ann", store, pairs=[pairs])
    assert [one["id"] for one in read(pairs / "train.jsonl")] == ["r2", "r4"]


def test_wrong_folder_removes_nothing(store, pairs, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"is no folder of pairs: it has no report\.json"):
        forget("ann", store, pairs=[pairs, tmp_path / "empty"])
    assert len(list(store.logged())) == 4
    assert len(read(pairs / "train.jsonl")) == 4


def test_hash_is_that_of_the_pairs(tmp_path):
    said = {"prompt": ({"role": "user", "content": "asked ü"},), "session": key_of("s")}
    pair = Pair(**said, kind="choice", chosen="yes", rejected="no", weight=0.3)
    verdict = Unpaired(**said, kind="plan", completion="yes", label=False, events=("e1",))
    side = make.Side(merged_pairs([pair]), merged_unpaired([verdict]))
    none = make.Side(merged_pairs([]), merged_unpaired([]))
    made = make.Made(side, none, {"hash": make._hash(side, none)})
    make.write_folder(tmp_path / "pairs", made)
    assert hash_of(tmp_path / "pairs") == made.report["hash"]
    assert (FILES, LINEAGE, REPORT) == (make.FILES, make.LINEAGE, make.REPORT)


def test_hash_is_of_all_rows(pairs):
    before = hash_of(pairs)
    for name in FILES[:3]:
        rows = read(pairs / name)
        write(pairs / name, [dict(reversed(one.items())) for one in rows])
        assert hash_of(pairs) == before
        write(pairs / name, rows[1:])
        assert hash_of(pairs) != before
        write(pairs / name, rows)
