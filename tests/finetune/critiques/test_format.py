from __future__ import annotations

import json
from dataclasses import replace

import pytest

from finetune.critiques.format import Header, catalog_hash, read_answers, read_cases, write_cases
from finetune.errors import LabelError
from tests.finetune.critiques.crockery import ITEMS, case

CASES = [
    case(),
    case(id="c2", kind="relative", change={}, relative={"price": "down"}, text="günstiger “so”"),
]


def header(cases: int = 2) -> Header:
    return Header(catalog="crockery", items=12, hash=catalog_hash(ITEMS), seed=3, cases=cases)


@pytest.fixture
def path(tmp_path):
    write_cases(tmp_path / "new" / "cases.jsonl", header(), CASES)
    return tmp_path / "new" / "cases.jsonl"


def rewrite(path, line: int, text: str) -> None:
    lines = path.read_text("utf-8").splitlines()
    lines[line - 1] = text
    path.write_text("\n".join(lines), "utf-8")


def test_what_is_written_is_read(path):
    assert read_cases(path) == (header(), CASES)


def test_first_line_names_the_format(path):
    first = json.loads(path.read_text("utf-8").splitlines()[0])
    assert (first["format"], first["version"]) == ("attune-critiques", 1)


@pytest.mark.parametrize(
    ("line", "text", "told"),
    [
        (3, "{not json", r"cases\.jsonl:3: expected one JSON object a line"),
        (3, "[1]", r"cases\.jsonl:3: expected a JSON object, got '\[1\]'"),
        (2, case(id="c9").model_dump_json().replace('"red"', "7"), r":2: .*change\.colour\.0.*7"),
        (2, '{"id": "c1"}', r":2: Field required at kind"),
        (3, case().model_dump_json(), r":3: case 'c1' is there twice"),
        (3, "", r"the header says 2 cases, the file has 1"),
        (1, '{"format": "coco"}', r":1: expected a header .*got format 'coco', version None"),
        (1, header().model_dump_json().replace('"version":1', '"version":2'), "version 2"),
    ],
)
def test_broken_line_is_named(path, line, text, told):
    rewrite(path, line, text)
    with pytest.raises(LabelError, match=told):
        read_cases(path)


def test_empty_file_is_refused(tmp_path):
    (tmp_path / "cases.jsonl").touch()
    with pytest.raises(LabelError, match=r"cases\.jsonl is empty"):
        read_cases(tmp_path / "cases.jsonl")


@pytest.mark.parametrize(
    ("given", "told"),
    [({"change": {}}, "no change, negate or relative"), ({"gold": ()}, "no gold")],
)
def test_case_without_meaning_is_refused(given, told):
    with pytest.raises(ValueError, match=told):
        case(**given)


def test_hash_follows_content_not_order():
    changed = [replace(ITEMS[0], fields={**ITEMS[0].fields, "price": 11.0}), *ITEMS[1:]]
    assert catalog_hash(ITEMS) == catalog_hash(reversed(ITEMS))
    assert catalog_hash(ITEMS) != catalog_hash(changed)


def test_answers_are_read_by_case(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text('{"id": "c2", "items": []}\n\n{"id": "c1", "items": ["m2", "m6"]}\n', "utf-8")
    assert read_answers(path, CASES) == {"c1": ("m2", "m6"), "c2": ()}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"id": "c1", "items": ["m2"]}', "no answer to 'c2' and 0 other cases"),
        ('{"id": "c1", "items": "m2"}', r"answers\.jsonl:1: .* at items, got 'm2'"),
        ("oops", r"answers\.jsonl:1: expected one JSON object"),
    ],
)
def test_unusable_answers_are_named(tmp_path, text, told):
    (tmp_path / "answers.jsonl").write_text(text, "utf-8")
    with pytest.raises(LabelError, match=told):
        read_answers(tmp_path / "answers.jsonl", CASES)
