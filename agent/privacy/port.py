"""What a turn needs of privacy: a text with personal data masked."""

from __future__ import annotations

import re
from typing import Protocol

MARK = re.compile(r"(?i)\[(?:mail|phone|card|iban|address|name|birth|id|ip)\]")

_ANNOUNCED = re.compile(
    r"(?:(?<!\w)(?:and |or |so |please |you can |you may |i(?:'ll| will) |to )?(?:"
    r"my (?:\w+ ){0,2}?(?:name|e-?mail|phone|mobile|cell|number|address|postcode|zip|card|iban|"
    r"account|ssn|passport|id|birthday|birth|dob)(?: (?:address|number|code|no))?(?:'s| is|:)?|"
    r"i(?:'m| am|m)(?: called| named)?|this is|call me|"
    r"(?:e-?mail|mail|write|call|text|ring|phone|reach|contact|message|whatsapp)(?: me| us| to)?"
    r"(?: back)?(?: at| on| under| via)?|(?:pay|paid|refund|charge|transfer)(?: me| it| them)?"
    r"(?: with| by| to| from)?|(?:ship|send|deliver|post)(?: it| them| this| that)?(?: to)?|"
    r"i(?:'m| am| was)? (?:live|living|born)(?: at| in| on)?|(?:e-?mail|phone|tel|iban|card|cvv|"
    r"dob|ssn|name|address|date of birth|born|regards|thanks|yours)(?: is| on|:|,)?"
    r")|(?:我的?|你可以)?(?:叫|是|姓|名字|姓名|电话|手机号?码?|邮箱|地址|住址|住在?|卡号|"
    r"生日|身份证号?|寄到|送到|收[件货]人|联系我?|打给我?|账号)(?:是|为|叫|在)?)\s?[:,]?\s?(?=\[(?:mail|phone|card|iban|address|name|birth|id|ip)\])",
    re.IGNORECASE,
)
"""Words that only announce what was masked: they are no wishes either."""
_WITH_THANKS = re.compile(
    rf"{MARK.pattern}(?:[ ,]{{0,2}}(?:please|thanks|thank you|here|speaking|谢谢)(?!\w))?"
)


class Masker(Protocol):
    """Masks personal data."""

    def mask(self, text: str) -> str:
        """Return the text with each mail address, card number… replaced by its kind: "[mail]".

        A text without any comes back as it is.
        """
        ...


class NoMasker:
    """Leaves texts as they are."""

    def mask(self, text: str) -> str:
        """Return the text."""
        return text


MASKS_NOTHING = NoMasker()


def without_marks(text: str) -> str:
    """Return a masked text with blanks for what was masked and for the words that announce it.

    "My phone is [phone]" asks for no phone.
    """
    if "[" not in text:
        return text
    for pattern in (_ANNOUNCED, _WITH_THANKS):
        text = pattern.sub(lambda found: " " * len(found[0]), text)
    return text
