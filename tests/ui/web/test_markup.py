"""The pieces of the page: escaped, named, and with what they do in them."""

import json
from html.parser import HTMLParser

import pytest

from ui.web.cards import Shelf, shelf
from ui.web.panels import (
    because,
    comparison,
    conversations,
    details,
    missing,
    picked,
    picker,
    profile,
    saved_list,
    wrong,
)
from ui.web.rows import reply_row, wish_row
from ui.web.words import Words, languages

EN = Words()
EVIL = "\"><img src=x onerror=alert(1)><script>alert(1)</script>' javascript:"
FACETS = [
    {"name": "colour", "label": "colour", "kind": "categorical", "role": "colour", "coverage": 1.0,
     "values": [{"value": v, "count": 3} for v in ("Blue", "Red", EVIL)]},
    {"name": "cut", "label": "cut", "kind": "categorical", "role": None, "coverage": 0.4,
     "values": [{"value": v, "count": 1} for v in ("slim", "wide")]},
    {"name": "price", "label": "price", "kind": "numeric", "role": "price", "coverage": 1.0,
     "values": []},
]  # fmt: skip


def item(**more):
    plain = {
        "id": "7", "title": "Blue dress", "price": 40.95, "currency": "EUR", "brand": "Alto",
        "category": "Dresses", "availability": 3, "image": "images/a b.svg", "url": None, "rank": 1,
        "attributes": {"colour": "Blue", "cut": "slim", "rating": 4.4, "reviews": 31.0},
        "reasons": ["Blue, as asked (colour)"], "evidence": [{"facet": "colour", "value": "Blue",
                                                              "reason": 0}],
    }  # fmt: skip
    return {**plain, **more}


class Reader(HTMLParser):
    """Collects tags, actions and words."""

    def __init__(self, markup):
        super().__init__()
        self.tags, self.does, self.said, self.attributes = [], [], [], []
        self.inside, self.buttons = None, []
        self.feed(markup)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        known = dict(attributes)
        if tag == "button":
            self.inside = [known.get("aria-label") or ""]
        self.attributes.append((tag, known))
        if "data-do" in known:
            self.does.append(json.loads(known["data-do"]))

    def handle_data(self, data):
        self.said.append(data)
        if self.inside is not None:
            self.inside.append(data)

    def handle_endtag(self, tag):
        if tag == "button":
            self.buttons.append("".join(self.inside).strip())
            self.inside = None

    def all(self, tag):
        return [known for name, known in self.attributes if name == tag]


def read(*items, **shown):
    return Reader(shelf(Shelf(items, "s1", **shown), EN))


def test_card_says_what_the_item_is():
    page = read(item())
    said = " ".join(page.said)
    for words in ("Blue dress", "€40.95", "Only 3 left", "4.4 of 5 stars, 31 reviews", "Blue, as"):
        assert words in said
    assert page.all("img")[0]["src"] == "pictures/images/a%20b.svg"
    assert page.all("img")[0]["alt"] == "Blue dress"


def test_every_button_knows_its_item():
    does = read(item()).does
    assert {one["do"] for one in does} == {
        "detail", "save", "because", "more_like", "like_but", "why", "compare", "judge"
    }  # fmt: skip
    assert all((one["item"], one["slate"]) == ("7", "s1") for one in does)


def test_every_button_has_a_name():
    for markup in (shelf(Shelf([item()], "s1"), EN), picker(item(), FACETS, EN),
                   profile({"talks": [talk("x")], "done": {}, "adapters": []}, True, EN),
                   details(item(), FACETS, Shelf(), EN), saved_list([item()], EN)):  # fmt: skip
        names = Reader(markup).buttons
        assert names
        assert all(any(letter.isalpha() for letter in name) for name in names), names


def test_details_offer_what_a_card_does():
    reader = Reader(details(item(), FACETS, Shelf(slate_id="s1", compared={"7"}), EN))
    ways = {one["do"] for one in reader.does} - {"close"}
    assert ways == {"more_like", "like_but", "why", "compare", "save"}
    assert [known["aria-pressed"] for known in reader.all("button") if "aria-pressed" in known] == [
        "true", "false"]  # fmt: skip
    assert {one["slate"] for one in reader.does if one["do"] != "close"} == {"s1"}


def test_first_items_have_no_numbers_and_few_buttons():
    page = read(item(), feed=True)
    assert [one["do"] for one in page.does] == [
        "save",
        "detail",
        "more_like",
        "like_but",
        "compare",
    ]
    assert "To begin with" in page.said
    assert not page.all("ol")
    assert not any("rank" in (known.get("class") or "") for known in page.all("span"))


def test_tile_is_low_only_where_no_item_has_a_picture():
    def style(*items):
        return read(*items).all("ol")[0]["class"]

    assert "at-plain" in style(item(image=None), item(image=None))
    assert "at-plain" not in style(item(image=None), item())


def test_marked_cards_say_so():
    page = read(item(), compared={"7"}, saved={"7"}, judged={"7": "up"})
    pressed = [known.get("aria-pressed") for known in page.all("button")]
    assert pressed.count("true") == 3


@pytest.mark.parametrize(
    ("lack", "words"),
    [({"price": None}, "Price on request"), ({"image": None}, "Dresses"),
     ({"attributes": {}}, "€40.95"), ({"availability": None}, "€40.95"),
     ({"availability": 0}, "Not available now"),
     ({"availability": "preorder"}, "preorder"), ({"reasons": [], "evidence": []}, "€40.95")],
)  # fmt: skip
def test_what_is_missing_leaves_a_whole_card(lack, words):
    assert words in " ".join(read(item(**lack)).said)


def test_shop_without_prices_says_nothing_of_them():
    unpriced = [facet for facet in FACETS if facet["role"] != "price"]
    page = read(item(price=None), facets={one["name"]: one for one in unpriced})
    assert "Price on request" not in " ".join(page.said)


def test_maker_stands_on_the_card_unless_its_title_has_it():
    assert "Alto" in read(item()).said
    assert "Alto" not in read(item(title="Blue dress by ALTO")).said


def test_shapes_of_cards_stand_in_while_looking():
    page = read(busy=True)
    assert [known["aria-busy"] for known in page.all("ol")] == ["true"]
    assert len(page.all("li")) == 5
    assert "What fits will be shown here." in read().said


def talk(text):
    """What a profile knows of a conversation."""
    return {"id": text, "title": text, "day": text,
            "wishes": [{"label": text, "drop": {"facet": text}}]}  # fmt: skip


def hostile():
    return item(
        title=EVIL, brand=EVIL, category=EVIL, image=f"images/{EVIL}.svg", reasons=[EVIL],
        availability=EVIL, description=EVIL, attributes={EVIL: EVIL, "colour": EVIL, "cut": "slim"},
        evidence=[{"facet": EVIL, "value": EVIL, "reason": 0}],
    )  # fmt: skip


def test_nothing_written_elsewhere_is_markup():
    one = hostile()
    wish = {"label": EVIL, "kind": "want", "press": {"act": "refine"}}
    reply = {"label": EVIL, "text": EVIL, "press": None, "count": 3}
    pieces = [
        shelf(Shelf([one], EVIL), EN), picker(one, FACETS, EN), because(one, EVIL, EN),
        comparison([one, item()], FACETS, "p/", EN), details(one, FACETS, Shelf(), EN),
        missing([one], EN),
        saved_list([one], EN), wrong({"content": EVIL}, EN),
        conversations([{"id": EVIL, "title": EVIL}], "x", EN),
        profile({"talks": [talk(EVIL)], "done": {EVIL: [EVIL]}, "adapters": [EVIL]}, False, EN),
        wish_row([wish], EN), reply_row([reply], EN),
    ]  # fmt: skip
    for markup in pieces:
        reader = Reader(markup)
        assert "script" not in reader.tags
        for _, known in reader.attributes:
            assert not [name for name in known if name.startswith("on")]
        assert all(not src.startswith("x") for src in (i["src"] for i in reader.all("img")))
        assert EVIL in "".join(reader.said) or EVIL in json.dumps(reader.does, ensure_ascii=False)


def test_picker_offers_what_the_item_has():
    assert [facet["name"] for facet in picked(FACETS, item())] == ["colour", "cut"]
    reader = Reader(picker(item(), FACETS, EN))
    assert {known["name"] for known in reader.all("select")} == {"colour", "cut", "price"}
    values = [known["value"] for known in reader.all("option")]
    assert "=Red" in values
    assert "!Blue" in values
    assert "=Blue" not in values


def test_chip_carries_its_press():
    press = {"act": "refine", "drop": [{"facet": "colour"}]}
    reader = Reader(wish_row([{"label": "Blue", "kind": "want", "press": press}], EN))
    assert reader.does == [{"do": "press", "text": "without Blue", "press": press}]
    assert reader.all("button")[0]["aria-label"] == "Remove the wish Blue"


def test_reply_without_press_is_said():
    reader = Reader(reply_row([{"label": "A", "text": "a", "press": None, "count": 1200}], EN))
    assert reader.does == [{"do": "say", "text": "a", "press": None}]
    assert "A (1,200)" in reader.said


def test_reply_can_be_an_action_of_the_page():
    reply = {"label": "See A", "do": "detail", "item": "7"}
    assert Reader(reply_row([reply], EN)).does == [{"do": "detail", "item": "7"}]


def test_every_language_has_every_word():
    assert languages()[:2] == ["en", "zh"]
    from ui.web.words import _table

    for language in languages():
        assert set(_table(language)) == set(_table("en")), language


def test_words_take_the_same_values():
    import string

    from ui.web.words import _table

    def fields(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for key, text in _table("zh").items():
        assert fields(text) == fields(_table("en")[key]), key


def test_unknown_word_is_an_error():
    with pytest.raises(KeyError):
        EN("shop.nothing_of_the_kind")
