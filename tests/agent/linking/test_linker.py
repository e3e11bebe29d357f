"""The linker as a whole: which mentions an utterance has."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.linking.linker import MAX_TOKENS, Linker
from agent.plan import PREFIX
from agent.state import State
from retrieval.catalog import Item
from tests.agent.shop import BY_NAME, ITEMS, SHOWN, items_of, open_shop, state_of, wish

SLATE = State(slate=SHOWN, shown=SHOWN)


@pytest.fixture
def values(mind):
    """Return facet to values of the value mentions of an utterance."""

    def values(text, state=None):
        return {m.facet: set(m.values) for m in mind.link(text, state) if m.kind == "value"}

    return values


SHOES = {"Casual Shoes", "Sports Shoes"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a blue thing", {"colour": {"Blue"}}),
        ("a navy t-shirt", {"colour": {"Navy Blue"}, "kind": {"T-Shirts"}}),
        ("navy blue tees for men", {"colour": {"Navy Blue"}, "kind": {"T-Shirts"},
                                    "gender": {"Men"}}),
        ("Nike Shoes", {"brand": {"Nike"}, "kind": SHOES}),
        ("sport shoe", {"kind": {"Sports Shoes"}}),
        ("sneakers", {"kind": {"Sports Shoes"}}),
        ("a maroon linen dress", {"colour": {"Maroon"}, "material": {"Linen"},
                                  "kind": {"Dresses"}}),
        ("body mist for my wife", {"kind": {"Perfume & Body Mist"}, "gender": {"Women"}}),
        ("a novel by terry pratchett", {"kind": {"Novels"}, "authors": {"Terry Pratchett"}}),
        ("anything by le guin", {"authors": {"Ursula Le Guin"}}),
        ("drses in lether", {"kind": {"Dresses"}, "material": {"Leather"}}),
        ("GREY LAPTOPS!!!", {"colour": {"Grey"}, "kind": {"Laptops"}}),
        ("gray notebook", {"colour": {"Grey"}, "kind": {"Laptops"}}),
        ("women’s dresses", {"gender": {"Women"}, "kind": {"Dresses"}}),
        ("hello there", {}),
        ("🙂🙂", {}),
    ],
)  # fmt: skip
def test_values_are_linked(values, text, expected):
    assert values(text) == expected


def test_wishes_get_typed_ids(mind):
    mentions = mind.link("like the second one but blue, under 60, not leather, cheaper", SLATE)
    found = {m.id: (m.facet, m.text) for m in mentions}
    assert found["R1"] == (None, "the second one")
    assert found["V1"] == ("colour", "blue")
    assert found["N1"] == ("price", "under 60")
    assert found["V2"] == ("material", "leather")
    assert found["D1"] == ("price", "cheaper")


@pytest.mark.parametrize(
    ("text", "kind", "word"),
    [
        ("waterproof shoes", "keyword", "waterproof"),
        ("floral dress", "keyword", "floral"),
        ("a zorbling dress", "unknown", "zorbling"),
        ("glow-in-the-dark shoes", "unknown", "glow"),
    ],
)
def test_other_words_are_kept(mind, text, kind, word):
    found = [" ".join(m.values) for m in mind.link(text) if m.kind == kind]
    assert any(word in said for said in found)


def test_family_stands_beside_the_colour(mind):
    (mention,) = mind.link("blue")
    assert (mention.values, mention.family) == (("Blue",), ("Navy Blue",))


def test_typos_are_less_sure(mind):
    (right,), (wrong,) = mind.link("leather"), mind.link("lether")
    assert right.values == wrong.values
    assert right.score > wrong.score
    assert wrong.text == "lether"


def test_ambiguity_is_kept(tmp_path):
    odd = Item("o1", "Coral mug", fields={"kind": "Mugs", "brand": "Coral", "price": 5.0})
    tint = Item("o2", "Mug", fields={"kind": "Mugs", "colour": "Coral", "price": 5.0})
    with open_shop(tmp_path, (*ITEMS, odd, tint)) as shop:
        found = Linker(shop).link("a coral mug", State(), ())
    coral = [m for m in found if m.text == "coral"]
    assert {m.facet for m in coral} == {"brand", "colour"}
    assert len({(m.start, m.end) for m in coral}) == 1
    assert len({m.id for m in coral}) == 2


@pytest.mark.parametrize(
    ("text", "facet"),
    [("brand coral", "brand"), ("coral as the colour", "colour"), ("a colour other than coral",
     "colour")],
)  # fmt: skip
def test_named_facet_settles_a_value(tmp_path, text, facet):
    odd = Item("o1", "Coral mug", fields={"kind": "Mugs", "brand": "Coral", "price": 5.0})
    tint = Item("o2", "Mug", fields={"kind": "Mugs", "colour": "Coral", "price": 5.0})
    with open_shop(tmp_path, (*ITEMS, odd, tint)) as shop:
        found = Linker(shop).link(text, State(), ())
    assert [m.facet for m in found if m.kind == "value"] == [facet]


@pytest.mark.parametrize(
    "text",
    ["by C. S. Marlow", "not by c.s. marlow please", "from Fresh 1st", "no fresh 1st",
     "by the mug shop", "not from dr. marlow", "by Tiger Mug"],
)  # fmt: skip
def test_parts_of_names_are_nothing_else(tmp_path, text):
    names = {"o1": "C.S. Marlow", "o2": "Fresh 1st", "o3": "The Mug Shop", "o4": "Dr. Marlow",
             "o5": "Tiger Mug"}  # fmt: skip
    made = [Item(id, "S", fields={"kind": "Mugs", "brand": name}) for id, name in names.items()]
    made[0] = replace(made[0], title="Mug")
    with open_shop(tmp_path, (*ITEMS, *made)) as shop:
        found = Linker(shop).link(text, state_of(slate=("o1", *SHOWN)), made[:1])
    assert [(m.facet, m.values) for m in found] in [[("brand", (n,))] for n in names.values()]


def test_numbers_follow_the_recent_facet(mind):
    asked = state_of(wish("width_cm", high=90.0, turn=1))
    (mention,) = [m for m in mind.link("make it 110", asked) if m.kind == "number"]
    assert mention.facet == "width_cm"


def test_prices_need_no_words(mind):
    (mention,) = [m for m in mind.link("shoes between 50 and 100") if m.kind == "number"]
    assert (mention.facet, mention.low, mention.high) == ("price", 50.0, 100.0)


@pytest.mark.parametrize(
    "text", ["my sister's wedding", "my boss's party"], ids=["relative", "colleague"]
)
def test_owners_are_no_audience(values, text):
    assert "gender" not in values(f"a dress for {text}")


def test_linker_follows_the_catalog(tmp_path):
    with open_shop(tmp_path) as shop:
        linker = Linker(shop)
        assert not [m for m in linker.link("a violet kimono", State(), ()) if m.kind == "value"
                    and m.score >= 0.9]  # fmt: skip
        shop.upsert([Item("n1", "Violet Kimono", fields={"kind": "Kimonos", "colour": "Violet",
                                                         "price": 30.0})])  # fmt: skip
        found = {m.facet: m.values for m in linker.link("a violet kimono", State(), ())}
    assert found == {"colour": ("Violet",), "kind": ("Kimonos",)}


def test_long_text_is_cut_not_refused(mind):
    words = "blue " * (MAX_TOKENS + 50) + "leather"
    mentions = mind.link(words)
    assert {m.facet for m in mentions} == {"colour"}
    assert len(mentions) <= MAX_TOKENS


def check(utterance, mentions, state):
    """Assert what holds for the mentions of any utterance."""
    letters = {letter: kind for kind, letter in PREFIX.items()}
    assert len({m.id for m in mentions}) == len(mentions)
    starts = [m.start for m in mentions]
    assert starts == sorted(starts)
    for m in mentions:
        assert letters[m.id[0]] == m.kind
        assert 0 <= m.start < m.end <= len(utterance)
        assert m.text == " ".join(utterance[m.start : m.end].split()) or "\xa0" in utterance
        assert 0 < m.score <= 1
        assert set(m.items) <= set(state.slate) | {item.id for item in ITEMS}
        if m.kind in ("value", "number", "relative"):
            assert m.facet in BY_NAME
        if m.kind in ("relative", "order"):
            assert m.direction in ("up", "down")
    spans = sorted({(m.start, m.end) for m in mentions})
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))


_TALK = """blue navy shoes t-shirt dresses nike puma leather not no without under over 60 € and
between 40 cm wide the second one #3 first last it this these cheaper cheapest best rated more any
colour price free terry pratchett or but like zephyr 2 vs 4 stars , . ? ! - ' wife's"""
SAID = _TALK.split()
SLOW = settings(max_examples=120)


@SLOW
@given(words=st.lists(st.sampled_from(SAID), max_size=25), shown=st.booleans(), glue=st.booleans())
def test_any_words_link_soundly(mind, words, shown, glue):
    text = ("" if glue and len(words) < 6 else " ").join(words)
    state = SLATE if shown else State()
    check(text, mind.linker.link(text, state, items_of(*state.slate)), state)


@SLOW
@given(text=st.text(max_size=2000))
@example(text="² under ½, #²")
@example(text="under ५० or Ⅷ")
@example(text="İstanbul ﬁne ŉ")
@example(text="#፩ or the ፩st one, ፩ vs 2")
@example(text="the " + "9" * 5000 + "th one")
@example(text="under " + "9" * 5000)
def test_any_unicode_links_soundly(mind, text):
    check(text, mind.linker.link(text, SLATE, items_of(*SHOWN)), SLATE)


@SLOW
@given(words=st.lists(st.sampled_from(SAID), max_size=12))
def test_linking_twice_is_same(mind, words):
    text = " ".join(words)
    assert mind.link(text, SLATE) == mind.link(text, SLATE)


def test_known_words_are_in_texts(mind):
    assert mind.linker.knows("waterproof")
    assert not mind.linker.knows("zorbling")
    assert not mind.linker.knows("")
