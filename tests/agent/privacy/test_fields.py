"""Answers of other systems are masked by words and by what their fields are called."""

import pytest

from agent.privacy.fields import masked_answer
from agent.privacy.masking import PersonalDataMasker
from agent.privacy.port import MASKS_NOTHING

MASKER = PersonalDataMasker()


@pytest.mark.parametrize(
    ("answer", "stored"),
    [
        ({"recipient": "Zebulon Vance", "status": "sent"},
         {"recipient": "[name]", "status": "sent"}),
        ({"customer": {"name": "Zebulon", "phone": 447911123456, "vip": True}},
         {"customer": {"name": "[name]", "phone": "[phone]", "vip": True}}),
        ({"shippingAddress": {"line1": "The Old Mill", "city": "Bath", "postal_code": "BA1 1AA"}},
         {"shippingAddress": {"line1": "[address]", "city": "Bath", "postal_code": "[address]"}}),
        ({"date_of_birth": "1961-05-12", "iban": ""}, {"date_of_birth": "[birth]", "iban": ""}),
        ({"contacts": [{"firstName": "Zeb"}], "note": "call +44 7911 123456"},
         {"contacts": [{"firstName": "[name]"}], "note": "call [phone]"}),
        ({"name": "Blue shirt", "price": 35, "id": 4155552671, "total": None},
         {"name": "Blue shirt", "price": 35, "id": 4155552671, "total": None}),
        (["to Zebulon Vance, 12 Mill Lane, Bath BA1 1AA"], ["to [name], [address]"]),
    ],
    ids=["field", "of a person", "address", "birth", "list", "of the shop", "letter"],
)  # fmt: skip
def test_answer_is_masked(answer, stored):
    assert masked_answer(answer, MASKER) == stored


def test_answer_stays_by_choice():
    answer = {"recipient": "Zebulon Vance"}
    assert masked_answer(answer, MASKS_NOTHING) == answer
