"""Postings: built, merged, thinned out and saved, against counting by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import postings, tiers
from retrieval.postings import Tokens
from retrieval.renumber import places
from retrieval.tiers import Tiers

documents = st.lists(st.lists(st.integers(0, 6), max_size=8), max_size=9)


def part_of(rows, first=0):
    """Postings of some rows, each a list of stems."""
    places = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    stems = np.array([stem for row in rows for stem in row], dtype=np.int32)
    return postings.build(Tokens(places, stems, len(rows)), first)


def read(part):
    """Stem to {row: count}, with the rows' lengths: what the arrays say."""
    found = {}
    for stem in part.stems.tolist():
        span = part.span(stem)
        found[stem] = dict(zip(part.rows[span].tolist(), part.counts[span].tolist(), strict=True))
    assert part.tokens == part.lengths.sum()
    return found, part.lengths.tolist(), part.first


def counted(rows, first=0):
    stems = sorted({stem for row in rows for stem in row})
    having = {
        stem: {n: row.count(stem) for n, row in enumerate(rows, first) if stem in row}
        for stem in stems
    }
    return having, [len(row) for row in rows], first


@given(documents, st.integers(0, 3))
@settings(deadline=None)
def test_built_postings_count_stems(rows, first):
    assert read(part_of(rows, first)) == counted(rows, first)


@given(st.lists(documents, min_size=1, max_size=4), st.sampled_from([1, 3, 1000]))
@settings(deadline=None)
def test_merged_parts_equal_one(groups, at_once):
    parts, first = [], 0
    for rows in groups:
        parts.append(part_of(rows, first))
        first += len(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postings, "AT_ONCE", at_once)
        merged = postings.merge(parts)
    assert read(merged) == counted([row for rows in groups for row in rows])


@given(documents, documents, st.data())
@settings(deadline=None)
def test_kept_rows_are_renumbered(first, second, data):
    rows = first + second
    kept = sorted(data.draw(st.sets(st.integers(0, max(len(rows) - 1, 0)))))
    kept = [row for row in kept if row < len(rows)]
    place = places(np.array(kept, np.int64), len(rows))
    parts = [part_of(first), part_of(second, len(first))]
    thinned = postings.merge([postings.keep(part, place) for part in parts])
    assert read(thinned) == counted([rows[row] for row in kept])


def test_unknown_stem_has_no_span():
    part = part_of([[2], [4, 4]])
    assert [part.span(stem) for stem in (1, 3, 9)] == [slice(0, 0)] * 3
    assert part.counts.dtype == np.uint8


def test_large_counts_are_kept():
    part = postings.merge([part_of([[1]]), part_of([[1] * 70_000], 1)])
    assert part.counts.tolist() == [1, 70_000]


def test_saved_postings_are_the_same(tmp_path):
    part = part_of([[1, 2, 2], [], [2]])
    for _ in range(2):
        postings.save(part, {"generation": 3}, tmp_path / "bm25")
    loaded, note = postings.load(tmp_path / "bm25")
    assert read(loaded) == read(part)
    assert note["generation"] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["bm25"]


@pytest.mark.parametrize("name", ["rows.npy", "starts.npy", "postings.json"])
@pytest.mark.parametrize("damage", [b"", b"garbage"])
def test_damaged_postings_are_ignored(tmp_path, caplog, name, damage):
    postings.save(part_of([[1, 2]]), {}, tmp_path / "bm25")
    (tmp_path / "bm25" / name).write_bytes(damage)
    assert postings.load(tmp_path / "bm25") is None
    assert "built anew" in caplog.text


def test_arrays_that_do_not_fit_are_ignored(tmp_path, caplog):
    postings.save(part_of([[1, 2]]), {}, tmp_path / "bm25")
    np.save(tmp_path / "bm25/counts.npy", np.zeros(7, np.uint8))
    assert postings.load(tmp_path / "bm25") is None
    assert "do not fit" in caplog.text
    assert postings.load(tmp_path / "nowhere") is None


@given(st.lists(st.lists(st.lists(st.integers(0, 4), max_size=3), max_size=5), max_size=30))
@settings(deadline=None, max_examples=50)
def test_tiers_hold_every_row(groups):
    rows = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiers, "TAIL_ROWS", 6)
        grown = Tiers()
        for group in groups:
            grown.add(part_of(group, len(rows)))
            rows += group
            parts = grown.parts()
            assert parts[-1].end == grown.rows == len(rows)
        grown.settle()
    whole = grown.whole()
    assert (whole is None) == (not groups)
    assert whole is None or read(whole) == counted(rows)


def test_large_parts_are_merged_aside(monkeypatch):
    monkeypatch.setattr(tiers, "TAIL_ROWS", 2)
    grown = Tiers([part_of([[1]] * 64)])
    for first in range(64, 128, 2):
        grown.add(part_of([[1], [2]], first))
    grown.settle()
    sizes = [len(part.lengths) for part in grown.parts()]
    assert sum(sizes) == 128
    assert len(sizes) < 8
    assert read(grown.whole()) == counted([[1]] * 64 + [[1], [2]] * 32)
