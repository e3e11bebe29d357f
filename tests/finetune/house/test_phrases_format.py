from pathlib import Path
from random import Random

import pytest

from finetune.errors import LabelError
from finetune.house.make import PHRASES, written_phrases
from finetune.house.phrases_format import Slot, parse_phrase, read_phrases


def test_a_line_has_acts_slots_and_alternatives():
    phrase = parse_phrase("[need] reset+refine:add | (ok|fine), {V:colour@2} or {-K}")
    assert [(act.name, act.add) for act in phrase.acts] == [("reset", False), ("refine", True)]
    assert phrase.context == "need"
    parts = phrase.expand(Random(1))
    assert parts[0] in ("ok, ", "fine, ")
    assert parts[1:] == [Slot("V", "want", "colour", 1), " or ", Slot("K", "avoid")]


def test_alternatives_may_hold_slots_or_nothing():
    phrase = parse_phrase("refine | {V}( please|)( under {n}|)")
    said = {len(phrase.expand(Random(seed))) for seed in range(20)}
    assert said == {1, 2, 3}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("refine {V}", "expected 'acts | text'"),
        ("buy | {V}", "'buy' is no act"),
        ("refine:or | {V}", "'refine:or' is no act"),
        ("refine | {Z}", "a slot is misspelt"),
        ("refine | {V", "a slot is misspelt"),
        ("refine | (a|(b|c))", "brackets do not match"),
        ("refine | {V@2}", "names act 2 of 1"),
        ("[shop] refine | {V}", "none of"),
    ],
)
def test_a_line_that_is_none_says_why(line, why):
    with pytest.raises(LabelError, match=why.replace("|", r"\|")) as raised:
        parse_phrase(line, "needs:7")
    assert str(raised.value).startswith("needs:7: ")


def test_comments_are_skipped_and_bad_lines_where_not_strict(tmp_path: Path):
    file = tmp_path / "some.txt"
    file.write_text("# words\n\nundo | go back\nnonsense\n", encoding="utf-8")
    assert [phrase.source for phrase in read_phrases([file], strict=False)] == ["some"]
    with pytest.raises(LabelError, match="some:4"):
        list(read_phrases([file]))


def test_every_shipped_phrase_is_well_formed():
    phrases = written_phrases()
    assert len(phrases) > 7000
    acts = {act.name for phrase in phrases for act in phrase.acts}
    assert len(acts) == 15
    assert (PHRASES / "needs.txt").exists()
