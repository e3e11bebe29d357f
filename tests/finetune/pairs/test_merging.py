from dataclasses import replace

import pytest

from finetune.pairs.merging import LATER, MOST_WEIGHT, OTHERS, TWICE, merged_pairs, merged_unpaired
from finetune.pairs.rows import Pair, Unpaired

ASK = ({"role": "user", "content": "need: dress"},)


def pair(chosen, rejected, user="ann", weight=1.0, others=(), **more) -> Pair:
    return Pair(prompt=ASK, chosen=chosen, rejected=rejected, others=others, kind="choice",
                weight=weight, session=f"s-{user}", user=user, **more)  # fmt: skip


def label(answer, good, user="ann", weight=1.0) -> Unpaired:
    return Unpaired(prompt=ASK, completion=answer, label=good, kind="choice", weight=weight,
                    session=f"s-{user}", user=user)  # fmt: skip


def left(*rows):
    """Return what is preferred to what with its weight, and what was dropped."""
    out = merged_pairs(rows)
    kept = [one.row for one in out.rows]
    return (
        sorted((p.chosen, (p.rejected, *p.others), p.weight) for p in kept),
        {reason: n for (_, reason), n in out.dropped.items() if n},
    )


def test_same_by_several_weighs_as_all_of_them():
    rows = [pair("a", "b", user, 0.4) for user in ("ann", "bob", "cem")]
    assert left(*rows) == ([("a", ("b",), pytest.approx(1.2))], {TWICE: 2})


def test_same_by_one_user_counts_once():
    assert left(pair("a", "b"), pair("a", "b", weight=0.4)) == ([("a", ("b",), 1.0)], {TWICE: 1})


def test_weight_is_capped():
    rows = [pair("a", "b", f"u{n}") for n in range(20)]
    assert left(*rows)[0] == [("a", ("b",), MOST_WEIGHT)]


def test_heavier_side_of_a_contradiction_stays():
    rows = [pair("a", "b", "ann"), pair("b", "a", "bob"), pair("a", "b", "cem", 0.4)]
    assert left(*rows) == ([("a", ("b",), 1.4)], {TWICE: 1, OTHERS: 1})


def test_even_contradiction_leaves_neither():
    rows = [pair("a", "b", "ann", 0.1), pair("b", "a", "bob", 0.3), pair("a", "b", "cem", 0.2)]
    assert left(*rows) == ([], {OTHERS: 3})


def test_one_user_says_otherwise_later():
    rows = [pair("a", "b"), pair("b", "a", weight=0.2)]
    assert left(*rows) == ([("b", ("a",), 0.2)], {LATER: 1})
    assert left(*reversed(rows)) == ([("a", ("b",), 1.0)], {LATER: 1})


def test_shouting_does_not_outvote_others():
    rows = [pair("a", "b", "ann") for _ in range(50)]
    rows += [pair("b", "a", "bob"), pair("b", "a", "cem")]
    assert left(*rows)[0] == [("b", ("a",), 2.0)]


def test_session_stands_for_an_unknown_user():
    rows = [replace(pair("a", "b"), user=None, session=f"s{n}") for n in range(3)]
    assert left(*rows)[0] == [("a", ("b",), 3.0)]


def test_row_keeps_the_losers_that_stay():
    rows = [pair("a", "b", "ann", others=("c", "d")), pair("b", "a", "bob"), pair("d", "a", "bob"),
            pair("d", "a", "cem")]  # fmt: skip
    assert left(*rows)[0] == [("a", ("c",), 1.0), ("d", ("a",), 2.0)]


def test_other_prompts_do_not_contradict():
    elsewhere = replace(pair("b", "a", "bob"), prompt=({"role": "user", "content": "need: lamp"},))
    assert len(left(pair("a", "b"), elsewhere)[0]) == 2


def test_all_sources_of_a_row_are_kept():
    rows = [pair("a", "b", "ann", events=("e1",)), pair("a", "b", "bob", events=("e2", "e1"))]
    (one,) = merged_pairs(rows).rows
    assert one.row.events == ("e1", "e2")
    assert [source.user for source in one.sources] == ["ann", "bob"]


def test_order_of_users_does_not_matter():
    rows = [pair("a", "b", "ann"), pair("b", "c", "bob"), pair("a", "b", "cem"), pair("c", "b")]
    merged = {(p.row.id, p.row.weight) for p in merged_pairs(rows).rows}
    assert merged == {(p.row.id, p.row.weight) for p in merged_pairs(rows[::-1]).rows}
    assert [p.row.id for p in merged_pairs(rows).rows] == sorted(id for id, _ in merged)


UNPAIRED = [
    ([("a", True, "ann"), ("a", True, "bob")], [("a", True, 2.0)]),
    ([("a", True, "ann"), ("a", False, "bob")], []),
    ([("a", True, "ann"), ("a", False, "bob"), ("a", False, "cem")], [("a", False, 2.0)]),
    ([("a", True, "ann"), ("a", False, "ann")], [("a", False, 1.0)]),
    ([("a", True, "ann"), ("b", False, "ann")], [("a", True, 1.0), ("b", False, 1.0)]),
]


@pytest.mark.parametrize(("said", "kept"), UNPAIRED, ids=str)
def test_unpaired_verdicts_are_settled_alike(said, kept):
    out = merged_unpaired([label(*one) for one in said])
    assert sorted((r.row.completion, r.row.label, r.row.weight) for r in out.rows) == kept
