"""Answers of other systems with what is personal masked: by words, and by the names of fields.

`{"recipient": "Anna Lund", "phone": 4479111}` is personal by what it is called, whatever it looks
like. Fields that may as well be a shop's own (name, street) count only inside those of a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agent.privacy.found import Kind
from agent.privacy.port import MASKS_NOTHING, Masker

_KINDS: Mapping[Kind, str] = {
    "name": "customername recipient recipientname addressee receivername firstname lastname "
    "fullname givenname familyname middlename surname contactname contactperson cardholder "
    "cardholdername accountholder accountname billingname shippingname signedby",
    "mail": "email emailaddress mailaddress customeremail contactemail",
    "phone": "phone phonenumber mobile mobilenumber mobilephone telephone customerphone",
    "address": "shippingaddress billingaddress deliveryaddress homeaddress addressline "
    "addressline1 addressline2",
    "birth": "dateofbirth birthdate birthday dob",
    "card": "cardnumber",
    "iban": "iban accountnumber bankaccount",
    "id": "ssn passportnumber taxid nationalid socialsecuritynumber",
}
_OWN: Mapping[str, Kind] = {
    "name": "name", "first": "name", "last": "name", "street": "address", "street1": "address",
    "street2": "address", "line1": "address", "line2": "address", "address": "address",
    "address1": "address", "address2": "address", "zip": "address", "zipcode": "address",
    "postcode": "address", "postalcode": "address",
}  # fmt: skip
"""What counts inside the fields of a person."""
_PERSONS = frozenset((
    "customer", "recipient", "receiver", "contact", "person", "user", "buyer", "client", "guest",
    "owner", "shippingaddress", "billingaddress", "deliveryaddress", "homeaddress", "shipto",
    "billto", "deliverto",
))  # fmt: skip


def _by_field() -> Iterator[tuple[str, Kind]]:
    for kind, fields in _KINDS.items():
        yield from ((field, kind) for field in fields.split())


_NAMED = dict(_by_field())


def masked_answer(value: Any, masker: Masker) -> Any:
    """Return JSON with what is personal masked; as it is where nothing is to be."""
    return value if masker is MASKS_NOTHING else _masked(value, masker, None, of_person=False)


def _masked(value: Any, masker: Masker, kind: Kind | None, *, of_person: bool) -> Any:
    if isinstance(value, Mapping):
        return {name: _field(name, one, masker, of_person) for name, one in value.items()}
    if isinstance(value, list):
        return [_masked(one, masker, kind, of_person=of_person) for one in value]
    if value is None or isinstance(value, bool):
        return value
    if kind is not None and str(value).strip():
        return f"[{kind}]"
    return masker.mask(value) if isinstance(value, str) else value


def _field(name: Any, value: Any, masker: Masker, of_person: bool) -> Any:
    plain = re.sub(r"[\W_]", "", str(name)).casefold()
    kind = _NAMED.get(plain) or (_OWN.get(plain) if of_person else None)
    return _masked(value, masker, kind, of_person=of_person or plain in _PERSONS)
