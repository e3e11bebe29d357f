"""A random Llama of two layers, with a byte tokenizer and a chat template, and rows for it."""

from __future__ import annotations

import json

ROLES = ("system", "user", "assistant", "tool")
TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SHAPE = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 1, "max_position_embeddings": 256,
}  # fmt: skip


def make_tokenizer(template: str | None = TEMPLATE):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bytes_only = Tokenizer(models.BPE({token: at for at, token in enumerate(alphabet)}, []))
    bytes_only.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_only.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bytes_only,
        eos_token="<|end|>",
        pad_token="<|pad|>",
        extra_special_tokens=[f"<|{role}|>" for role in ROLES],
    )
    tokenizer.chat_template = template
    return tokenizer


def make_base(folder, seed: int = 1, **shape):
    """Save a base under a folder and return it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = make_tokenizer()
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        **{**SHAPE, **shape},
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def asks(number: int) -> list[dict[str, str]]:
    return [
        {"role": "system", "content": "plan"},
        {"role": "user", "content": f"say {number}"},
    ]


def answer(number: int) -> dict[str, str]:
    return {"role": "assistant", "content": f"it is {number}"}


def pairs(count: int) -> list[dict]:
    return [{"prompt": asks(n), "completion": [answer(n)]} for n in range(count)]


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path
