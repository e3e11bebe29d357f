"""The audit trail: what was changed, taken out or put in is found, and a crash leaves it whole."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from finetune.errors import DataError
from finetune.events.audit import START, Audit

ROOT = Path(__file__).parents[3]


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    trail = Audit(tmp_path / "registry")
    trail.append("pairs", rows=12)
    trail.append("gate", adapter="taste-1", accepted=True)
    trail.append("promote", adapter="taste-1")
    return trail


def lines(audit: Audit) -> list[bytes]:
    return audit.path.read_bytes().splitlines()


def write(audit: Audit, rows: list[bytes]) -> None:
    audit.path.write_bytes(b"".join(row + b"\n" for row in rows))


def test_entries_come_back_in_order(audit):
    entries = audit.entries()
    assert [(one.number, one.kind) for one in entries] == [(1, "pairs"), (2, "gate"),
                                                           (3, "promote")]  # fmt: skip
    assert entries[1].facts == {"adapter": "taste-1", "accepted": True}
    assert entries[0].before == START
    assert entries[2].before == hashlib.sha256(lines(audit)[1]).hexdigest()
    assert all(one.time.utcoffset() is not None for one in entries)


def test_append_returns_the_stored_entry(audit):
    assert audit.append("rollback", to="base") == audit.entries()[-1]


def test_whole_trail_checks_out(audit):
    checked = audit.check()
    assert (checked.lines, checked.broken) == (3, None)
    assert checked.head == hashlib.sha256(lines(audit)[-1]).hexdigest()


def test_empty_trail_checks_out(tmp_path):
    audit = Audit(tmp_path)
    assert audit.entries() == []
    assert (audit.check().lines, audit.check().head) == (0, START)


def test_changed_fact_is_found(audit):
    first, second, third = lines(audit)
    write(audit, [first, second.replace(b"true", b"false"), third])
    assert audit.check().broken.line == 3


@pytest.mark.parametrize("out", [0, 1])
def test_removed_line_is_found(audit, out):
    kept = lines(audit)
    del kept[out]
    write(audit, kept)
    assert audit.check().broken.line == out + 1


def test_forged_line_is_found(audit):
    first, second, third = lines(audit)
    forged = json.dumps({**json.loads(second), "facts": {"accepted": False}}).encode()
    write(audit, [first, forged, third])
    broken = audit.check().broken
    assert broken.line == 3
    assert "changed, added or taken out" in broken.reason


def test_swapped_lines_are_found(audit):
    first, second, third = lines(audit)
    write(audit, [second, first, third])
    assert audit.check().broken.line == 1


@pytest.mark.parametrize("line", [b"\xff", b"{", b"[]", b'{"number": 2}'])
def test_unreadable_line_is_found(audit, line):
    first, _, third = lines(audit)
    write(audit, [first, line, third])
    assert audit.check().broken.line == 2
    with pytest.raises(DataError, match="line 2"):
        audit.entries()


def test_cut_end_needs_the_head(audit):
    head = audit.check().head
    write(audit, lines(audit)[:2])
    assert audit.check().broken is None
    broken = audit.check(head).broken
    assert broken.line == 3
    assert "taken off the end" in broken.reason


def test_older_head_is_still_known(audit):
    head = audit.check().head
    audit.append("rollback")
    assert audit.check(head).broken is None


def test_torn_line_is_told_and_mended(audit):
    with audit.path.open("ab") as file:
        file.write(b'{"number": 4, "ti')
    audit.append("rollback", to="base")
    assert [one.kind for one in audit.entries()][3:] == ["torn", "rollback"]
    assert audit.entries()[3].facts == {"bytes": 17}
    assert audit.check().broken is None


@pytest.mark.parametrize("fact", [Path("x"), {1, 2}, float("nan")])
def test_fact_that_is_no_json_writes_nothing(audit, fact):
    before = audit.path.read_bytes()
    with pytest.raises((TypeError, ValueError), match="JSON"):
        audit.append("gate", fact=fact)
    assert audit.path.read_bytes() == before


def test_text_stays_on_one_line(audit):
    audit.append("note", text="a\nb\x85c\u2028d 🙂")
    assert audit.entries()[-1].facts == {"text": "a\nb\x85c\u2028d 🙂"}
    assert audit.check().broken is None


def test_processes_append_side_by_side(tmp_path):
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from pathlib import Path\n"
        "from finetune.events.audit import Audit\n"
        f"for n in range(10): Audit(Path({str(tmp_path)!r})).append('step', n=n)\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(3)]
    assert [one.wait() for one in running] == [0, 0, 0]
    assert (Audit(tmp_path).check().lines, Audit(tmp_path).check().broken) == (30, None)
