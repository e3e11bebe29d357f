"""Dates of birth go where words announce them; other dates stay."""

import pytest

from agent.privacy.masking import PersonalDataMasker

MASKER = PersonalDataMasker()

MASKED = [
    ("born 12 May 1987", "born [birth]"),
    ("my date of birth is 1987-05-12", "my date of birth is [birth]"),
    ("DOB: 05/12/87, size 40", "DOB: [birth], size 40"),
    ("dob 12051987", "dob [birth]"),
    ("i was born on May 12th, 1987 in Kent", "i was born on [birth] in Kent"),
    ("I'm born in 1987", "I'm born in [birth]"),
    ("she was born in May 2019", "she was born in [birth]"),
    ("my daughter was born on the 3rd of March 2019", "my daughter was born on the [birth]"),
    ("my birthday is May 12", "my birthday is [birth]"),
    ("birthday: 12.05.1987", "birthday: [birth]"),
    ("her birthday, 12 May 2015, is soon", "her birthday, [birth], is soon"),
    ("12/05/1987 is my date of birth", "[birth] is my date of birth"),
    ("geboren am 12.5.1987", "geboren am [birth]"),
    ("mein Geburtsdatum ist der 12. Mai 1987", "mein Geburtsdatum ist der [birth]"),
    ("née le 12 mai 1987", "née le [birth]"),
    ("nacido el 12 de mayo de 1987", "nacido el [birth]"),
    ("data di nascita: 12/05/1987", "data di nascita: [birth]"),
    ("urodzona 12 maja 1987", "urodzona [birth]"),
    ("我的生日是1987年5月12日", "我的生日是[birth]"),
    ("出生日期：1987-05-12", "出生日期：[birth]"),
    ("1987年5月12日出生", "[birth]出生"),
]

KEPT = [
    "books from 1987", "published 12 May 1987", "released on 2020-05-12", "delivery by 12 May",
    "born in the USA", "A Star Is Born (2018)", "Born 1900 on dvd", "for my newborn 3 months",
    "a film born in 1987", "a birthday card for the 12th of May", "for her birthday on 12 May",
    "birthday gift under 50", "a cake for 12 people by 3 March 2026", "natural rubber 12 05 1987",
    "生日礼物，5月12日前送到", "1990年出版的书", "in 2019 or 2020",
]  # fmt: skip


@pytest.mark.parametrize(("said", "stored"), MASKED)
def test_date_of_birth_is_masked(said, stored):
    assert MASKER.mask(said) == stored
    assert MASKER.mask(stored) == stored


@pytest.mark.parametrize("said", KEPT)
def test_other_dates_are_kept(said):
    assert MASKER.mask(said) == said
