"""The house model's shape, and how one is made, saved and loaded.

A Llama of a few layers over MiniLM's token embeddings (frozen, tied to the output): what a word
means need not be learnt again from a few million tokens of shop talk.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.house.tokens import embedding_rows, minilm_folder, save_tokenizer, vocabulary

HIDDEN = 384
"""MiniLM's embedding size, which the model's hidden size must equal."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Size of the model; `context` in tokens."""

    layers: int = 4
    heads: int = 6
    key_value_heads: int = 2
    intermediate: int = 1024
    context: int = 1024


@dataclass(slots=True)
class House:
    """A model with its tokenizer, and how many rows of the embedding table are trained: the
    first ones, of the tokens that MiniLM does not have."""

    model: Any
    tokenizer: Any
    trained_rows: int


def new_house(shape: Shape, folder: Path, seed: int) -> House:
    """Make an untrained model; its tokenizer is written to a folder."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    vocab = vocabulary(minilm_folder() / "vocab.txt")
    save_tokenizer(vocab, folder, shape.context)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(vocab.pieces), hidden_size=HIDDEN, num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads, num_key_value_heads=shape.key_value_heads,
        head_dim=HIDDEN // shape.heads, intermediate_size=shape.intermediate,
        max_position_embeddings=shape.context, tie_word_embeddings=True, rms_norm_eps=1e-5,
        bos_token_id=None, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        model.get_input_embeddings().weight.copy_(torch.from_numpy(embedding_rows(vocab, seed)))
    return House(model, tokenizer, vocab.own)


def save_house(house: House, folder: Path, dtype: str = "bfloat16") -> None:
    """Write model and tokenizer as transformers and vLLM load them."""
    import torch
    from transformers import LlamaForCausalLM

    half = LlamaForCausalLM(house.model.config)
    half.load_state_dict(house.model.state_dict())
    half.to(getattr(torch, dtype)).save_pretrained(folder)
    house.tokenizer.save_pretrained(folder)
