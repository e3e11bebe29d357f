"""Arguments told in a sentence, by their schema."""

from datetime import date

import pytest

from agent.tools.dates import find_date
from agent.tools.filling import fill, read, read_answer
from agent.tools.spec import Argument, client_tool

TODAY = date(2026, 11, 23)  # a Monday

PATTERN = {"type": "string", "pattern": "^[A-Z]-\\d{4}$"}
LIKE = {"type": "string", "examples": ["12345"]}
LETTERS = {"type": "string", "examples": ["RX-2024-17"]}
MAIL = {"type": "string", "format": "email"}
DAY = {"type": "string", "format": "date"}
SIZE = {"type": "string", "enum": ["small", "large", "extra large", "toBeDecided"]}
COUNT = {"type": "integer", "minimum": 1, "maximum": 20}
FREE = {"type": "string", "maxLength": 100}

TOLD = [
    ("order_id", PATTERN, "where is order A-1234?", "A-1234"),
    ("order_id", PATTERN, "a-1234 please", "A-1234"),
    ("order_id", PATTERN, "it is A 1234", None),
    ("order_id", PATTERN, "XA-12345", None),
    ("order_id", PATTERN, "no idea", None),
    ("order", LIKE, "where is my order 99881?", "99881"),
    ("order", LIKE, "order 7", None),
    ("case", LETTERS, "about rx-2025-3041", "RX-2025-3041"),
    ("case", LETTERS, "about RX-2025-304", "RX-2025-304"),
    ("email", MAIL, "write to ann.b@shop.example.", "ann.b@shop.example"),
    ("email", MAIL, "write to ann at shop", None),
    ("day", DAY, "on 24 December please", "2026-12-24"),
    ("size", SIZE, "the extra large one", "extra large"),
    ("size", SIZE, "small or large", None),
    ("size", SIZE, "to be decided", "toBeDecided"),
    ("quantity", COUNT, "take 3 of them", 3),
    ("quantity", COUNT, "three please", 3),
    ("quantity", COUNT, "about 500", None),
    ("postcode", FREE, "my postcode is 10115, thanks", "10115"),
    ("reason", FREE, "I return it because it is too small.", "it is too small"),
    ("note", FREE, "leave it at the door", None),
    ("confirmed", {"type": "boolean"}, "yes", None),
]


@pytest.mark.parametrize(("name", "schema", "text", "value"), TOLD)
def test_argument_is_read_from_a_sentence(name, schema, text, value):
    assert read(Argument(name, "body", True, schema, label=name), text, TODAY) == value


ANSWERED = [
    (FREE, "It's because it is too small.", "too small"),
    (FREE, "at the door", "at the door"),
    (FREE, "x" * 600, None),
    (PATTERN, "a 1234", None),
    (PATTERN, "A-1234 thanks", "A-1234"),
    (COUNT, "none", None),
    ({"type": "boolean"}, "yes please", True),
    ({"type": "boolean"}, "no", False),
    ({"type": "boolean"}, "the blue one", None),
    (SIZE, "whatever", None),
    (DAY, "soon", None),
]


@pytest.mark.parametrize(("schema", "text", "value"), ANSWERED)
def test_argument_is_read_from_an_answer(schema, text, value):
    assert read_answer(Argument("note", "body", True, schema), text, TODAY) == value


DATES = [
    ("2026-12-24", "2026-12-24"),
    ("am 24.12.", "2026-12-24"),
    ("24.12.2027", "2027-12-24"),
    ("24/12/27", "2027-12-24"),
    ("12/24/2026", "2026-12-24"),
    ("the 3rd of May", "2027-05-03"),
    ("May 3rd, 2026", "2026-05-03"),
    ("1 March", "2027-03-01"),
    ("today", "2026-11-23"),
    ("the day after tomorrow", "2026-11-25"),
    ("yesterday", "2026-11-22"),
    ("next Friday", "2026-11-27"),
    ("on monday", "2026-11-30"),
    ("last monday", "2026-11-16"),
    ("last sunday", "2026-11-22"),
    ("31.02.2026", None),
    ("version 3.14", None),
    ("may I see it", None),
    ("no date", None),
]


@pytest.mark.parametrize(("text", "day"), DATES)
def test_dates_are_read_as_people_say_them(text, day):
    found = find_date(text, TODAY)
    assert (found.isoformat() if found else None) == day


def tool(**properties):
    return client_tool("t", "does", {"type": "object", "properties": properties,
                                     "required": list(properties)})  # fmt: skip


def filled(made, text, known=None, context=None, items=()):
    return fill(made, text, known=known or {}, context=context or {}, items=items, today=TODAY)


def test_context_and_items_fill_arguments():
    made = tool(item_id={"type": "string"}, customer={"type": "string"}, n=COUNT)
    values = filled(made, "3 of them", context={"customer": "c-7", "n": "x"}, items=["17"])
    assert values == {"item_id": "17", "customer": "c-7", "n": 3}


def test_known_arguments_stay_and_defaults_fill():
    made = tool(order=PATTERN, lang={"type": "string", "default": "en"})
    assert filled(made, "A-9999", known={"order": "A-1111"}) == {"order": "A-1111", "lang": "en"}


def test_one_text_is_not_two_arguments():
    made = tool(order=LIKE, other=LIKE)
    assert filled(made, "order 12345") == {"order": "12345"}


def test_context_of_another_type_is_not_taken():
    made = tool(n=COUNT, fast={"type": "boolean"})
    assert filled(made, "", context={"n": "40", "fast": "maybe"}) == {}
    assert filled(made, "", context={"n": "4", "fast": "true"}) == {"n": 4, "fast": True}


REASON = {"type": "string", "enum": ["damaged", "wrong_item", "changed_mind"]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("it's broken", "damaged"),
        ("because I changed my mind", "changed_mind"),
        ("you sent the wrong one", "wrong_item"),
        ("the second one", "wrong_item"),
        ("3", "changed_mind"),
        ("broken and the wrong one", None),
        ("the fourth", None),
        ("no idea", None),
    ],
)
def test_choices_are_read_in_other_words(text, value):
    asked = Argument("reason", "body", True, REASON)
    assert read_answer(asked, text, TODAY) == value
