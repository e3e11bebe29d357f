"""The benchmark of masking: its marks, its counting, and that masking is as good as it says."""

from __future__ import annotations

import pytest

from agent.privacy.masking import PersonalDataMasker
from benchmarks.privacy import recall
from benchmarks.privacy_texts import Said, generated, marked, written

MASKER = PersonalDataMasker()


def test_marks_give_text_and_spans():
    said = marked("call {phone} or {mail|a@b.de}", {"phone": "123"}, "phone")
    assert said.text == "call 123 or a@b.de"
    assert [(said.text[a:b], kind) for a, b, kind in said.spans] == [
        ("123", "phone"), ("a@b.de", "mail"),
    ]  # fmt: skip


def test_what_is_left_counts_as_missed():
    half = Said("mail a@b.de now", ((0, 11, "mail"),), "mail")
    report, failures = recall(MASKER, [half])
    assert report["kinds"]["mail"] == {"n": 1, "recall": 0.0, "right_kind": 0.0}
    assert failures[0].startswith("missed mail")


def test_what_is_masked_too_much_is_counted():
    report, failures = recall(MASKER, [Said("write to a@b.de", (), "none")])
    assert report["extra"] == 1
    assert failures == ["extra mail: 'write to a@b.de' -> 'write to [mail]'"]


@pytest.mark.parametrize(("which", "least"), [("dev", 1.0), ("heldout", 0.85)])
def test_written_utterances_are_masked(which, least):
    report, failures = recall(MASKER, written(which))
    assert report["utterances"] >= 50
    low = {kind: one for kind, one in report["kinds"].items() if one["recall"] < least}
    assert low == {}, failures
    assert report["extra"] == 0


@pytest.mark.parametrize(("which", "least"), [("dev", 0.95), ("heldout", 0.88)])
def test_generated_utterances_are_masked(which, least):
    report, failures = recall(MASKER, generated(which, 60))
    low = {kind: one for kind, one in report["kinds"].items() if one["recall"] < least}
    assert low == {}, failures
    assert report["extra"] == 0
