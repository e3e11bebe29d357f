"""Reasons as chips, and what they rest on."""

import pytest

from tests.ui.web.test_markup import Reader, item
from ui.web.evidence import reasons, rest
from ui.web.words import Words

EN = Words()
FACETS = {
    "colour": {"name": "colour", "label": "colour", "kind": "categorical", "role": "colour",
               "unit": None},
    "price": {"name": "price", "label": "price", "kind": "numeric", "role": "price",
              "unit": "EUR"},
    "width": {"name": "width", "label": "width", "kind": "numeric", "role": None, "unit": "cm"},
}  # fmt: skip
ANCHOR = {"id": "1", "title": "Red dress", "price": 60.0, "attributes": {"colour": "Red"}}


def evidence(kind, facet=None, value=None, wish=None, other=None):
    return {"kind": kind, "item_id": "7", "facet": facet, "value": value, "wish": wish,
            "other_id": other, "reason": 0}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        (evidence("field", "width", 40.0), ["In the catalog: width is 40 cm"]),
        (
            evidence("constraint", "price", 40.95, "under €60"),
            ["In the catalog: price is €40.95", "You asked for: under €60"],
        ),
        (
            evidence("constraint", "colour", None, "Blue"),
            ["The catalog does not say: colour", "You asked for: Blue"],
        ),
        (evidence("text", value="soft to the skin"), ["In its text: “soft to the skin”"]),
        (evidence("behaviour", value="12 chose it"), ["Other people: 12 chose it"]),
        (
            evidence("relation", "colour", "different", other="1"),
            ["In the catalog: colour is Blue", "That of Red dress: Red"],
        ),
        (
            evidence("relation", "price", "lower", other="1"),
            ["In the catalog: price is €40.95", "That of Red dress: €60"],
        ),
        (
            evidence("relation", "colour", "different", other="gone"),
            ["In the catalog: colour is Blue"],
        ),
    ],
    ids=lambda one: one.get("kind") if isinstance(one, dict) else "",
)
def test_evidence_is_told_in_the_catalogs_words(given, lines):
    assert rest(given, item(), FACETS, {"1": ANCHOR}, EN) == lines


def test_chip_is_a_button_that_names_its_evidence():
    page = Reader(reasons(item(), FACETS, {}, EN, "at-s1-1"))
    (chip,) = page.all("button")
    (tip,) = [known for known in page.all("div") if known.get("role") == "tooltip"]
    assert chip["aria-describedby"] == tip["id"] == "at-s1-1-e0"
    assert page.said == ["Blue, as asked (colour)", "In the catalog: colour is Blue"]


def test_reason_without_evidence_is_only_words():
    page = Reader(reasons(item(evidence=[]), FACETS, {}, EN, "x"))
    assert "aria-describedby" not in page.all("button")[0]
    assert reasons(item(reasons=[]), FACETS, {}, EN, "x") == ""


def test_at_most_three_reasons_are_chips():
    page = Reader(reasons(item(reasons=list("abcde"), evidence=[]), FACETS, {}, EN, "x"))
    assert page.said == ["a", "b", "c"]
