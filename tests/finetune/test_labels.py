"""Label files: what is read, what is refused, and what a label accepts."""

import json
from pathlib import Path

import pytest

from finetune.errors import LabelError
from finetune.extension import Extension
from finetune.labels import Dialogue, Wish, facet_named, gold_filters, read_dialogues
from retrieval.catalog import Facet, Item

FACETS = (
    Facet("base_colour", "categorical", "base colour", role="colour"),
    Facet("price", "numeric", "price", role="price"),
    Facet("colour_count", "numeric", "colour count"),
)

ITEMS = [
    Item("1", "Shirt", fields={"base_colour": "Blue", "price": 10.0}),
    Item("2", "Shirt", "of leather", fields={"base_colour": "Navy Blue", "price": 20.0}),
    Item("3", "Shirt", fields={"base_colour": "Teal", "price": 30.0}),
    Item("4", "Shirt", fields={"price": 20.0}),
]


def passing(wish: dict) -> tuple[str, str]:
    masks = gold_filters([Wish.model_validate(wish)], FACETS)
    extension = Extension(ITEMS)
    found = [extension.mask(mask) for mask in masks]
    narrow, wide = ("".join(i.id for i, hit in zip(ITEMS, m, strict=True) if hit) for m in found)
    return narrow, wide


def write(path: Path, *lines: object) -> Path:
    rows = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("wish", "narrow", "wide"),
    [
        ({"facet": "base_colour", "in": ["Blue"]}, "1", "1"),
        ({"facet": "colour", "in": ["blue"]}, "1", "1"),
        ({"facet": "base_colour", "in": ["Blue"], "in_ok": ["Navy Blue"]}, "1", "12"),
        ({"facet": "base_colour", "not_in": ["Blue"]}, "234", "234"),
        ({"facet": "base_colour", "not_in": ["Blue"], "not_in_ok": ["Teal"]}, "24", "234"),
        ({"facet": "price", "max": 20}, "1", "124"),
        ({"facet": "price", "min": 20}, "3", "234"),
        ({"facet": "price", "min": 10, "max": 30}, "24", "1234"),
        ({"facet": "price", "min": 20, "max": 20}, "24", "24"),
        ({"facet": "text", "in": ["leather"]}, "2", "2"),
        ({"facet": "text", "not_in": ["leather"]}, "134", "134"),
    ],
)
def test_label_accepts_between_masks(wish: dict, narrow: str, wide: str):
    assert passing(wish) == (narrow, wide)


def test_facet_found_by_role():
    assert facet_named("colour", FACETS) == "base_colour"
    assert facet_named("colour_count", FACETS) == "colour_count"
    assert facet_named("text", FACETS) == "text"


def test_absent_role_is_left_out():
    assert facet_named("brand", FACETS) is None
    assert passing({"facet": "brand", "in": ["Acme"]}) == ("1234", "1234")


def test_unknown_facet_is_named():
    with pytest.raises(LabelError, match=r"no facet .tail length.*base_colour, price"):
        facet_named("tail length", FACETS)


def test_read_keeps_all_fields(tmp_path: Path):
    turn = {
        "text": "something like the second but blue",
        "slate": ["1", "2"],
        "expect": {
            "acts": ["like", ["more", "refine"]],
            "constraints": [{"facet": "price", "max": 60, "strict": True}],
            "refs": ["2"],
            "like": "2",
            "order": {"facet": "price", "direction": "down"},
            "rejected": [],
            "soft": ["comfy"],
        },
        "or": [{"acts": ["refine"]}],
    }
    lines = {"id": "d1", "catalog": "tiny", "turns": [turn]}, ""
    (dialogue,) = read_dialogues(write(tmp_path / "l.jsonl", *lines))
    assert dialogue == Dialogue.model_validate(lines[0])
    first, second = dialogue.turns[0].readings
    assert (first.acts, first.rejected) == (("like", ("more", "refine")), ())
    assert (second.like, second.rejected, second.constraints) == (None, None, ())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("not json", "l.jsonl:2: expected one JSON object a line"),
        ({"id": "x", "catalog": "c"}, "l.jsonl:2: Field required at turns"),
        (
            {"id": "x", "catalog": "c", "turns": [{"text": "a", "expect": {"act": ["more"]}}]},
            "at turns.0.expect.acts",
        ),
        (
            {
                "id": "x",
                "catalog": "c",
                "turns": [
                    {"text": "a", "expect": {"acts": [], "order": {"facet": "p", "direction": "?"}}}
                ],
            },
            "at turns.0.expect.order.direction, got '?'",
        ),
    ],
)
def test_bad_line_is_located(tmp_path: Path, line: object, message: str):
    good = {"id": "d1", "catalog": "tiny", "turns": []}
    with pytest.raises(LabelError) as error:
        read_dialogues(write(tmp_path / "l.jsonl", good, line))
    assert message in str(error.value)


def test_empty_file_is_refused(tmp_path: Path):
    with pytest.raises(LabelError, match=r"l\.jsonl: expected at least one dialogue"):
        read_dialogues(write(tmp_path / "l.jsonl", ""))
