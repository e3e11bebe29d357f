"""Masking: what is personal goes, by kind; what a shop is about stays."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.privacy.catalog import CatalogNames
from agent.privacy.masking import PersonalDataMasker
from agent.privacy.port import MASKS_NOTHING, without_marks

MASKER = PersonalDataMasker()

MASKED = [
    ("mail me at ann.lee+shop@web.de", "mail me at [mail]"),
    ("ANN@EXAMPLE.CO.UK, please", "[mail], please"),
    ("it is ann at gmail dot com", "it is [mail]"),
    ("jürgen@müller.de", "[mail]"),
    ("call (415) 555-2671 or +44 7911 123456", "call [phone] or [phone]"),
    ("my number is 07911123456", "my number is [phone]"),
    ("415.555.2671 x12", "[phone]"),
    ("tel: 98765 43210", "tel: [phone]"),
    ("01.42.68.53.00", "[phone]"),
    ("+49 (0)30 901820", "[phone]"),
    ("tel 07911 123456", "tel [phone]"),
    ("my card is 4111 1111 1111 1111, cvv 123", "my card is [card], cvv [card]"),
    ("378282246310005", "[card]"),
    ("card 4111 1111 1111 1112 (mistyped)", "card [card] (mistyped)"),
    ("4111111111111111 12/27", "[card] 12/27"),
    ("DE89370400440532013000", "[iban]"),
    ("iban gb82 west 1234 5698 7654 32 thanks", "iban [iban] thanks"),
    ("refund to DE89 3704 0044 0532 0130 01", "refund to [iban]"),
    ("42 Baker Street, London NW1 6XE", "[address]"),
    ("Hauptstraße 12a, 10115 Berlin", "[address]"),
    ("12 rue de la Paix, 75002 Paris", "[address]"),
    ("send it to Calle Mayor 5, 28013 Madrid please", "send it to [address] please"),
    ("i live at 12 willow way, flat 3", "i live at [address]"),
    ("my zip code is 90210", "my zip code is [address]"),
    ("my name is priya raghunathan and i like red", "my name is [name] and i like red"),
    ("My name is Jean-Luc van der Berg.", "My name is [name]."),
    ("I'm Sarah, after a coat", "I'm [name], after a coat"),
    ("this is Tom Baker speaking", "this is [name] speaking"),
    ("my wife Anna likes green", "my wife [name] likes green"),
    ("a parcel for Mrs. Okonkwo", "a parcel for Mrs. [name]"),
    ("thanks, Anna", "thanks, [name]"),
    ("ich heiße Jürgen Müller", "ich heiße [name]"),
    ("ssn 536-22-1234", "ssn [id]"),
    ("passport number X1234567", "passport number [id]"),
    ("12345678Z", "[id]"),
    ("from 192.168.10.12", "from [ip]"),
    ("４１１１ １１１１ １１１１ １１１１", "[card]"),
    ("＋44 7911 123456 or ann＠example.com", "[phone] or [mail]"),
    ("+44\u200b7911\u200b123456", "[phone]"),
    ("4111  1111  1111  1111", "[card]"),
    ("4111/1111/1111/1111", "[card]"),
    ("4111\n1111\n1111\n1111", "[card]"),
    ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "[card]"),
    ("cvv code is 123", "cvv code is [card]"),
    ("sort code 12-34-56, account number 12345678", "sort code [iban], account number [iban]"),
    ("ann AT gmail DOT com", "[mail]"),
    ("ann(at)firma.de", "[mail]"),
    ("my email is ann at example.com", "my email is [mail]"),
    ("8 (912) 345-67-89", "[phone]"),
    ("Mannerheimintie 5, 00100 Helsinki", "[address]"),
    ("Damrak 1, 1012 LG Amsterdam", "[address]"),
    ("ул. Ленина, д. 5, кв. 10", "[address]"),
    ("меня зовут Анна Иванова", "меня зовут [name]"),
    ("you are speaking with Anna", "you are speaking with [name]"),
    ("2001:db8::1", "[ip]"),
    ("my name is Anna Smith, anna@web.de, +44 7911 123456",
     "my name is [name], [mail], [phone]"),
]  # fmt: skip

KEPT = [
    "a blue shirt under 60", "between 10000 and 20000", "phones 10000-20000 rupees", "size 42",
    "item 4155552671", "order 4155552671 has not come", "ean 4006381333931", "9780140449136",
    "isbn 0140449132", "my order number is 07911123456", "gtin 00012345600012",
    "Lexmark 4480, 4490, 4580, 4597 Feed", "Toner for Phaser 3117, 3122 Original",
    "orders 4155552671, 4155552672 and 4155552673", "sizes 36 37 38 39 40 41 42 43",
    "4 5 6 7 8 9 10 11 12 13", "buy shirts @ nike.com", "I'd order at zalando.de",
    "2024-01-15 to 2024-02-15", "1920x1080 at 144 Hz", "version 1.2.3.4",
    "1/2 inch, 3-4 pieces", "a 2 way speaker and a 4 door wardrobe", "2 road bikes",
    "10 inch court shoes", "a 3 drawer desk in 100 square feet", "HP 16x DVD-ROM Drive",
    "a shirt by Calvin Klein or Tommy Hilfiger", "Paul Smith socks", "anything by Stephen King",
    "Dr. Martens boots", "Mr Coffee machine", "looking for Dr Pepper", "I'm looking for a coat",
    "I'm German and I'm vegan", "I'm not sure", "this is great", "it's perfect", "call me back",
    "thanks a lot", "thank you so much", "dear team,", "My Name Is Khan", "I Am Legend",
    "Love, Simon (2018)", "films with Tom Hanks", "my son is 12", "my wife likes red",
    "who is Henry Cavill?", "available at amazon dot com", "3 @ 20 each", "see you at 5",
    "4 for 100 and 6 for 120", "M12 x 1.5", "serial 12345678", "in 2019 or 2020", "12:30:15",
    "4K TV 3840 2160 60", "A4 80 g/m2 500", "call of duty for ps5", "phone case",
]  # fmt: skip


@pytest.mark.parametrize(("said", "stored"), MASKED)
def test_personal_data_is_masked(said, stored):
    assert MASKER.mask(said) == stored


@pytest.mark.parametrize("said", KEPT)
def test_shopping_talk_is_kept(said):
    assert MASKER.mask(said) == said


@pytest.mark.parametrize(("said", "stored"), MASKED)
def test_masking_again_changes_nothing(said, stored):
    assert MASKER.mask(stored) == stored


PIECES = st.sampled_from(
    ["my name is", "Anna", "smith", "4111 1111", "1111 1111", "+44", "7911", "123456", "ann@x.de",
     "ship it to", "12 Mill Lane", ",", "Berlin 10115", "DE89", "3704 0044 0532 0130 00", "card",
     "call me at", "\n", "dear", "I'm", "[name]", "at", "gmail dot com", "0", "-", "passport"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES | st.text(max_size=6), max_size=12).map(" ".join))
def test_masked_text_stays_as_it_is(text):
    once = MASKER.mask(text)
    assert MASKER.mask(once) == once


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_taken(text):
    assert isinstance(MASKER.mask(text), str)


@pytest.mark.parametrize(
    "said",
    ["1" * 20_000, "4111 " * 2_000, "a@" * 10_000, "my name is " * 1_800, "(" * 20_000,
     "路1号" * 6_000, "0-0 " * 5_000, "我叫王" * 6_000, "order 1 and " * 1_600,
     "born on 1 " * 1_800,
     "ship it to Aa 12, " * 900, "1 a street " * 1_800, "passport a1 " * 1_600],
)  # fmt: skip
def test_hostile_text_is_taken(said):
    once = MASKER.mask(said)
    assert len(once) <= len(said) * 2


def test_catalog_keeps_its_names(store_shop, mind):
    masker = PersonalDataMasker(CatalogNames(mind.linker, store_shop))
    kept = "I'm Neil Gaiman"
    assert MASKER.mask(kept) == "I'm [name]"
    assert masker.mask(kept) == kept
    assert masker.mask("my name is Neil Gaiman") == "my name is [name]"
    assert masker.mask("I'm Neil, and my wife Sony likes red") == (
        "I'm [name], and my wife Sony likes red"
    )


def test_catalog_keeps_its_ids(shop_of, clothes):
    item = clothes.items["1"]
    shop = shop_of(clothes.facets, [type(item)("4155552671", *vars_of(item))])
    is_other = CatalogNames(_NoLinks(), shop)
    assert PersonalDataMasker(is_other).mask("call me about 4155552671") == (
        "call me about 4155552671"
    )


class _NoLinks:
    def link(self, utterance, state, slate):
        return ()


def vars_of(item):
    return (item.title, item.description, item.fields, item.currency)


@pytest.mark.parametrize(
    ("masked", "left"),
    [
        ("my name is [name] and I want blue shirts", "and I want blue shirts"),
        ("mail me at [mail] or call [phone]", ""),
        ("pay with [card], refund to [iban]", ","),
        ("where is my order A-1? i am [name]", "where is my order A-1?"),
        ("i was born on [birth], ship it to [address]", ","),
        ("a [mail] and [blue] for my wife [name]", "a and [blue] for my wife"),
        ("我叫[name]，电话是[phone]，想买衬衫", "， ，想买衬衫"),
        ("my name is on it", "my name is on it"),
    ],
)  # fmt: skip
def test_marks_and_what_announces_them_are_blanks(masked, left):
    blanked = without_marks(masked)
    assert len(blanked) == len(masked)
    assert " ".join(blanked.split()) == left


def test_nothing_masked_by_choice():
    assert MASKS_NOTHING.mask("ann@web.de") == "ann@web.de"
