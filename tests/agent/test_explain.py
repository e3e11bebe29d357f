from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.explain import compare, detail, reasons, verify, why, why_not
from agent.recommend import recommend
from agent.state import Constraint, Likeness, Need, Preference, State
from agent.turn import Evidence, Reason
from agent.wording import ordinal

SHIRTS = Constraint(facet="type", role="category", values=("Shirts",))
BLUE = Constraint(facet="colour", role="colour", values=("Blue",), turn=2)
RED = Constraint(facet="colour", role="colour", values=("Red",), turn=2)
NOT_COTTON = Constraint(facet="material", role="material", excluded=("Cotton",))
UNDER_60 = Constraint(facet="price", role="price", high=60.0, high_strict=True, turn=1)
FROM_50 = Constraint(facet="price", role="price", low=50.0)
NOT_FORMAL = Constraint(facet="text", excluded=("formal",))


def state(*constraints: Constraint, **need) -> State:
    return State(need=Need(constraints=constraints, **need))


def texts(found) -> list[str]:
    return [reason.text for reason in found]


@pytest.mark.parametrize(
    ("id", "wishes", "expected"),
    [
        ("1", (BLUE,), "Blue, as asked (colour)"),
        ("1", (UNDER_60,), "€35, under your €60"),
        ("8", (UNDER_60,), "€60, right at your €60 limit"),
        ("14", (UNDER_60,), "€150, €90 over your €60"),
        ("1", (FROM_50,), "€35, €15 below your €50"),
        ("5", (FROM_50,), "€55, above your €50"),
        ("2", (BLUE,), "colour: Red, not the Blue you asked for"),
        ("3", (NOT_COTTON,), "material: Linen, not Cotton"),
        ("2", (NOT_COTTON,), "material: Cotton, which you ruled out"),
        ("10", (NOT_FORMAL,), "doesn't mention 'formal'"),
        ("9", (NOT_FORMAL,), "mentions 'formal', which you ruled out"),
        ("6", (BLUE,), "not rated yet"),
        ("1", (), "rated 4.5 by 120"),
        ("7", (BLUE,), "not available right now"),
    ],
)
def test_reasons_name_wish_and_field(clothes, id, wishes, expected):
    item = clothes.items[id]
    found = reasons(item, state(*wishes), clothes.facets, "EUR")
    assert expected in texts(found)
    assert 1 <= len(found) <= 4


def test_likeness_says_same_and_instead(clothes):
    wanted = state(RED, like=Likeness(item_id="1", changed=("colour",)))
    found = texts(
        reasons(clothes.items["2"], wanted, clothes.facets, "EUR", {"1": clothes.items["1"]})
    )
    assert "same Shirts, Men and Alto as Alto men blue cotton shirt" in found
    assert "Red instead of Blue" in found


def test_cheaper_likeness_gives_difference(clothes):
    bound = Constraint(facet="price", high=90.0, high_strict=True)
    wanted = state(bound, like=Likeness(item_id="9", changed=("price",)))
    found = reasons(clothes.items["10"], wanted, clothes.facets, "EUR", clothes.items)
    assert "€10 cheaper than Alto men black leather shoes" in texts(found)


def test_soft_words_are_quoted(clothes):
    wanted = state(preferences=(Preference(text="breathable unicorn"),))
    found = reasons(clothes.items["3"], wanted, clothes.facets, "EUR")
    assert "mentions 'breathable'" in texts(found)


def test_item_without_fields_has_no_claims(clothes):
    bare = replace(clothes.items["1"], fields={})
    assert texts(reasons(bare, State(), clothes.facets, "EUR")) == ["not rated yet"]
    assert reasons(bare, State(), (), "EUR") == ()


def field(facet: str, value, id: str = "1") -> Evidence:
    return Evidence(kind="field", item_id=id, facet=facet, value=value)


def asked(facet: str, value, wish: str) -> Evidence:
    return Evidence(kind="constraint", item_id="1", facet=facet, value=value, wish=wish)


def versus(facet: str, how: str, other: str) -> Evidence:
    return Evidence(kind="relation", item_id="1", facet=facet, value=how, other_id=other)


BLUE_EVIDENCE = asked("colour", "Blue", "Blue")
PRICE_EVIDENCE = asked("price", 35.0, "under €60")
FALSE_CLAIMS = [
    ("Blue, as asked (colour)", ()),
    ("Red, as asked (colour)", (BLUE_EVIDENCE,)),
    ("Red, as asked (colour)", (asked("colour", "Red", "Blue"),)),
    ("Blue, as asked (colour)", (asked("colour", "Blue", "Red"),)),
    ("Blue and waterproof, as asked (colour)", (BLUE_EVIDENCE,)),
    ("colour: Blue, not the Blue you asked for", (BLUE_EVIDENCE,)),
    ("€30, under your €60", (PRICE_EVIDENCE,)),
    ("€60, under your €35", (PRICE_EVIDENCE,)),
    ("€35, under your €80", (PRICE_EVIDENCE,)),
    ("€35, €25 over your €60", (PRICE_EVIDENCE,)),
    ("€35, above your €60", (PRICE_EVIDENCE,)),
    ("€35, under your €60 and in stock", (PRICE_EVIDENCE,)),
    ("costs €34", (field("price", 35.0),)),
    ("costs €34", (field("price", 34.0),)),
    ("costs €35", (field("price", 35.0, id="2"),)),
    ("not rated yet", (field("rating", 4.5),)),
    ("not rated yet", (field("rating", None),)),
    ("rated 4.9", (field("rating", 4.5),)),
    ("rated 4.5 by 500", (field("rating", 4.5), field("reviews", 120.0))),
    ("rated 120 by 4.5", (field("rating", 4.5), field("reviews", 120.0))),
    ("rated 35", (field("price", 35.0),)),
    ("not available right now", (field("in_stock", True),)),
    ("in stock", (field("colour", "Blue"),)),
    ("not in stock", (field("in_stock", True),)),
    ("the catalog doesn't say its colour", (field("colour", "Blue"),)),
    ("mentions 'waterproof'", (Evidence(kind="text", item_id="1", value="waterproof"),)),
    ("mentions 'waterproof'", (Evidence(kind="text", item_id="1", value="soft"),)),
    ("same Red as Alto men red cotton shirt", (versus("colour", "same", "2"),)),
    ("same Blue as Alto men red cotton shirt", (versus("brand", "same", "2"),)),
    ("Red instead of Blue", (versus("colour", "different", "2"),)),
    ("Blue instead of Navy", (versus("colour", "different", "2"),)),
    ("€10 cheaper than Alto men red cotton shirt", (versus("price", "lower", "2"),)),
    ("€35 cheaper than Alto men red cotton shirt", (versus("price", "lower", "2"),)),
    ("€1 cheaper than Alto men red cotton shirt", (versus("price", "lower", "99"),)),
    ("€1 dearer than Alto men red cotton shirt", (versus("price", "lower", "2"),)),
    ("the best shirt ever", (field("colour", "Blue"),)),
    ("colour: Blue, which you ruled out", (BLUE_EVIDENCE,)),
    ("loved by many", (Evidence(kind="behaviour", item_id="1", value="loved by many"),)),
]


@pytest.mark.parametrize(("text", "evidence"), FALSE_CLAIMS)
def test_false_claims_fail_verify(clothes, text, evidence):
    claim = Reason(text=text, evidence=evidence)
    wanted = state(BLUE, UNDER_60)
    assert not verify(claim, clothes.items["1"], wanted, clothes.items, clothes.facets)


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("Blue, as asked (colour)", (BLUE_EVIDENCE,)),
        ("€35, under your €60", (PRICE_EVIDENCE,)),
        ("costs €35", (field("price", 35.0),)),
        ("€1 cheaper than Alto men red cotton shirt", (versus("price", "lower", "2"),)),
        ("Blue instead of Red", (versus("colour", "different", "2"),)),
        ("same Cotton as Alto men red cotton shirt", (versus("material", "same", "2"),)),
        ("mentions 'soft'", (Evidence(kind="text", item_id="1", value="soft"),)),
    ],
)
def test_true_claims_pass_verify(clothes, text, evidence):
    claim = Reason(text=text, evidence=evidence)
    assert verify(claim, clothes.items["1"], state(BLUE, UNDER_60), clothes.items, clothes.facets)


def test_stock_claim_needs_stock(clothes):
    claim = Reason(text="in stock", evidence=(field("in_stock", False, id="7"),))
    assert not verify(claim, clothes.items["7"], State(), {}, clothes.facets)


def test_claim_fails_when_catalog_changes(clothes):
    item, wanted = clothes.items["1"], state(BLUE, UNDER_60)
    found = reasons(item, wanted, clothes.facets, "EUR")
    dearer = replace(item, fields={**item.fields, "price": 36.0, "colour": "Red"})
    kept = [r.text for r in found if verify(r, dearer, wanted, {}, clothes.facets)]
    assert kept == ["rated 4.5 by 120", "in stock"][: len(kept)]


WISHES = [SHIRTS, BLUE, RED, NOT_COTTON, UNDER_60, FROM_50, NOT_FORMAL,
          Constraint(facet="in_stock", values=("true",)),
          Constraint(facet="rating", role="rating", low=4.0),
          Constraint(facet="price", role="price", low=20.0, high=40.0),
          Constraint(facet="colour", values=("Blue", "Red"), excluded=("Navy",)),
          Constraint(facet="text", values=("waterproof", "soft"))]  # fmt: skip
wish_sets = st.lists(st.sampled_from(WISHES), max_size=4, unique_by=lambda c: c.facet)


@given(
    wishes=wish_sets,
    soft=st.sampled_from([(), (Preference(text="waterproof formal"),),
                          (Preference(text="linen", facet="material", values=("Linen",)),)]),
    anchor=st.sampled_from([None, "1", "9", "14"]),
    id=st.integers(1, 14).map(str),
)  # fmt: skip
@settings(max_examples=400)
def test_every_produced_claim_passes_verify(clothes, wishes, soft, anchor, id):
    like = Likeness(item_id=anchor, changed=("price",)) if anchor else None
    wanted, item = state(*wishes, preferences=soft, like=like), clothes.items[id]
    for reason in reasons(item, wanted, clothes.facets, "EUR", clothes.items):
        assert verify(reason, item, wanted, clothes.items, clothes.facets), reason
        for other in clothes.items.values():
            moved = [e.model_copy(update={"item_id": other.id}) for e in reason.evidence]
            if other.fields | {"in_stock": 0} == item.fields | {"in_stock": 0}:
                continue
            claim = reason.model_copy(update={"evidence": tuple(moved)})
            if verify(claim, other, wanted, clothes.items, clothes.facets):
                assert all(
                    e.facet is None or e.kind == "relation" or e.facet == "text"
                    or other.fields.get(e.facet) == item.fields.get(e.facet)
                    for e in reason.evidence
                )  # fmt: skip


def test_why_lists_verified_reasons(clothes):
    answer = why(clothes.items["1"], state(BLUE, UNDER_60), clothes.facets, "EUR")
    assert answer.text.startswith("Alto men blue cotton shirt: Blue, as asked (colour), €35, under")
    assert len(answer.claims) == 4


@pytest.mark.parametrize(
    ("id", "update", "expected"),
    [
        ("8", {}, "colour: Red, not the Blue you asked for and €60, right at your €60 limit"),
        ("1", {"slate": ("9", "1")}, "is on the list, at number 2"),
        ("2", {"need": Need(rejected=("2",))}, "You hid Alto men red cotton shirt"),
        ("7", {}, "others came closer"),
    ],
)
def test_why_not_names_what_breaks(clothes, id, update, expected):
    wanted = state(BLUE, UNDER_60).model_copy(update=update)
    assert expected in why_not(clothes.items[id], wanted, clothes.facets, "EUR").text


def test_why_not_gives_rank(clothes):
    answer = why_not(clothes.items["7"], state(BLUE), clothes.facets, "EUR", rank=14)
    assert "ranks 14th" in answer.text


@pytest.mark.parametrize(("n", "text"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th")])
def test_ordinals_read_as_english(n, text):
    assert ordinal(n) == text


def test_compare_puts_differences_first(clothes):
    items = [clothes.items["1"], clothes.items["2"]]
    answer = compare(items, State(), clothes.facets, "EUR")
    rows = {row.facet: row for row in answer.table.rows}
    assert [row.differs for row in answer.table.rows] == sorted(
        [row.differs for row in answer.table.rows], reverse=True
    )
    assert [cell.best for cell in rows["price"].cells] == [True, False]
    assert [cell.best for cell in rows["colour"].cells] == [False, False]
    assert not rows["brand"].differs
    assert "Alto men blue cotton shirt is the cheapest at €35" in answer.text


def test_compare_says_its_subject_once(clothes):
    ahead = replace(
        clothes.items["1"], fields={**clothes.items["1"].fields, "price": 20.0, "rating": 4.9}
    )
    answer = compare([ahead, clothes.items["2"]], State(), clothes.facets, "EUR")
    assert answer.text.count("Alto men blue cotton shirt") == 1
    assert " is the cheapest at €20 and the best rated at 4.9" in answer.text
    assert len(answer.claims) == 2


def test_compare_without_a_leader_says_so(clothes):
    twin = replace(clothes.items["1"], id="1b")
    answer = compare([clothes.items["1"], twin], State(), clothes.facets, "EUR")
    assert answer.claims == ()
    assert "same of both" in answer.text


@pytest.mark.parametrize(
    ("facet", "asked_for", "expected"),
    [
        ("material", "", "Alto men blue cotton shirt – material: Cotton."),
        ("price", "", "Alto men blue cotton shirt – price: €35."),
        (None, "the washing advice", "doesn't say the washing advice for"),
        (None, "", "colour: Blue, material: Cotton"),
    ],
)
def test_detail_answers_from_fields(clothes, facet, asked_for, expected):
    answer = detail(clothes.items["1"], facet, clothes.facets, "EUR", asked_for)
    assert expected in answer.text


def test_detail_admits_a_missing_field(clothes):
    answer = detail(clothes.items["6"], "rating", clothes.facets, "EUR")
    assert answer.text == "The catalog doesn't say the rating of Alto women white cotton shirt."
    assert verify(answer.claims[0], clothes.items["6"], State(), {}, clothes.facets)


@pytest.mark.parametrize(
    ("facet", "currency", "said"),
    [("reviews", "EUR", "reviews: -431"), ("price", "EUR", "price: -€431"),
     ("price", "CHF", "price: -CHF 431"), ("price", None, "price: -€431")],
)  # fmt: skip
def test_negative_numbers_verify(clothes, facet, currency, said):
    item = replace(clothes.items["1"], fields={facet: -431.0}, currency=currency)
    claim = detail(item, facet, clothes.facets, currency).claims[0]
    assert claim.text.replace("\u00a0", " ") == said
    assert verify(claim, item, State(), {}, clothes.facets)
    positive = claim.model_copy(update={"text": claim.text.replace("-", "")})
    assert not verify(positive, item, State(), {}, clothes.facets)


CUT = (
    "200.130.73 The cushion can be turned over and therefore has two sides for even wear",
    ("804.046.72 You sit comfortably thanks to the restful seat", "1.5 x 2"),
)


@pytest.mark.parametrize("value", CUT)
def test_numbers_in_long_texts_verify(clothes, value):
    item = replace(clothes.items["1"], fields={"material": value})
    answer = detail(item, "material", clothes.facets, "EUR")
    assert "…" in answer.text
    assert verify(answer.claims[0], item, State(), {}, clothes.facets)
    more = answer.claims[0].model_copy(update={"text": f"{answer.claims[0].text} and 7 more"})
    assert not verify(more, item, State(), {}, clothes.facets)


def test_every_slate_item_can_be_explained(clothes):
    wanted = state(SHIRTS, UNDER_60)
    for item in recommend(clothes, wanted).items:
        assert why(item, wanted, clothes.facets, "EUR").claims


def test_silence_about_a_text_is_checked(clothes):
    """A passage that the text has cannot be said to be missing from it."""
    item = next(one for one in clothes.items.values() if one.description)
    word = item.description.split()[0].strip(".,")
    said = Evidence(kind="text", item_id=item.id, value=word)
    claims = {
        text: verify(Reason(text=text, evidence=(said,)), item, state(), {}, clothes.facets)
        for text in (f"mentions '{word}'", f"doesn't mention '{word}'")
    }
    assert list(claims.values()) == [True, False]
