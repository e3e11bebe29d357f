"""Rows as tokens: the chat template applied, and the loss on what the model is to answer.

The prompt is rendered by the tokenizer's own template, just as it will be when the model is
served; its tokens are masked. This module does not know where rows come from or how training runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from finetune.errors import BaseModelError, DataError
from finetune.training_data import Message, Reject, Row, Text

Tokenizer: TypeAlias = Any
MASKED = -100
"""The label that PyTorch's cross-entropy leaves out."""
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Example:
    """One answer to learn: the tokens, and the same tokens with the prompt masked."""

    input_ids: list[int]
    labels: list[int]

    @property
    def tokens(self) -> int:
        """Number of tokens."""
        return len(self.input_ids)

    @property
    def longest(self) -> int:
        """Number of tokens of the longest sequence: there is one."""
        return self.tokens

    @property
    def learned(self) -> int:
        """Number of tokens that count for the loss."""
        return sum(label != MASKED for label in self.labels)


def load_tokenizer(folder: Path, rows: Sequence[Row]) -> Tokenizer:
    """Return the tokenizer of a base, checked for what the rows need.

    Raises:
        BaseModelError: If it can't be loaded, or rows are messages and it has no chat template.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise BaseModelError(
            f"the tokenizer in {str(folder)!r} can't be loaded: {error}"
        ) from error
    if tokenizer.eos_token is None:
        raise BaseModelError(f"the tokenizer in {str(folder)!r} has no end-of-text token")
    if tokenizer.chat_template is None and any(row.conversational for row in rows):
        raise BaseModelError(
            f"the tokenizer in {str(folder)!r} has no chat template, and the data holds messages:"
            " choose an instruction-tuned base, or write prompt and completion as text"
        )
    return tokenizer


def encode(
    rows: Sequence[Row], tokenizer: Tokenizer, max_length: int
) -> tuple[list[Example], list[Reject]]:
    """Return the examples of rows, and the rows that do not fit.

    A row of messages gives one example for each answer of the assistant in it. A row is never cut:
    half an answer teaches to stop halfway.

    Raises:
        DataError: If none fits.
    """
    examples: list[Example] = []
    rejects: list[Reject] = []
    for row in rows:
        try:
            examples += _fitting(row, tokenizer, max_length)
        except ValueError as error:
            rejects.append(Reject(row.file, row.line, str(error), row.text))
    if not examples:
        told = "; ".join(str(reject) for reject in rejects[:SHOWN])
        raise DataError(f"no row can be learned with this base: {told}")
    return examples, rejects


def _fitting(row: Row, tokenizer: Tokenizer, max_length: int) -> list[Example]:
    examples = [example(*exchange, tokenizer, row.template) for exchange in row.exchanges]
    longest = max(one.tokens for one in examples)
    if longest > max_length:
        raise ValueError(f"{longest} tokens, more than the maximum length of {max_length}")
    return examples


def example(
    prompt: Text, answer: Text, tokenizer: Tokenizer, template: dict[str, Any] | None = None
) -> Example:
    """Return a prompt and an answer to it as tokens.

    Args:
        template: What the chat template is given besides messages.

    Raises:
        ValueError: If the chat template refuses them, or drops the answer.
    """
    template = template or {}
    if isinstance(prompt, str) or isinstance(answer, str):
        shown = tokenizer(prompt)["input_ids"]
        ended = f"{prompt}{answer}".removesuffix(tokenizer.eos_token) + tokenizer.eos_token
        whole = tokenizer(ended)["input_ids"]
    else:
        shown = _render(tokenizer, prompt, template, add_generation_prompt=True)
        whole = _render(tokenizer, [*prompt, *answer], template)
    start = _shared(shown, whole)
    if start == len(whole):
        raise ValueError("the chat template leaves nothing of the answer")
    return Example(whole, [MASKED] * start + whole[start:])


def _render(
    tokenizer: Tokenizer, messages: Sequence[Message], template: dict[str, Any], **options: bool
) -> list[int]:
    from jinja2 import TemplateError

    try:
        rendered = tokenizer.apply_chat_template(
            list(messages), tokenize=True, return_dict=True, **template, **options
        )
    except (TemplateError, TypeError) as error:
        raise ValueError(f"the chat template refuses it: {error}") from error
    return list(rendered["input_ids"])


def _shared(shown: list[int], whole: list[int]) -> int:
    """Return how many tokens both start with: a template may end a bare prompt differently."""
    for place, (one, other) in enumerate(zip(shown, whole, strict=False)):
        if one != other:
            return place
    return min(len(shown), len(whole))
