"""A tiny Llama that says what it was taught: a stand-in for real bases in tests.

`write_base` makes a model that answers whatever is asked with one text, `write_adapter` a LoRA
adapter that makes it answer with another. Both take seconds on a CPU.
"""

from __future__ import annotations

from pathlib import Path

import torch

from prompts import load

TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
MARKS = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]

RECOMMEND = '{"acts":[{"act":"recommend"}]}'
MORE = '{"acts":[{"act":"more"}]}'
GREET = '{"acts":[{"act":"chitchat"}]}'


def write_base(folder: Path, answer: str = RECOMMEND, context: int = 8192) -> Path:
    """Write a base model, with its tokenizer, that always gives one answer."""
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = _tokenizer()
    torch.manual_seed(7)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2,
            num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=context,
            bos_token_id=None, eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )  # fmt: skip
    # An adapter leaves the output layer alone, so its rows must be far enough apart to choose.
    torch.nn.init.normal_(model.lm_head.weight, std=0.2)
    _teach(model, tokenizer, answer, rate=3e-3)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_adapter(folder: Path, base: Path, answer: str) -> Path:
    """Write a LoRA adapter that makes a base give another answer."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(7)
    model = AutoModelForCausalLM.from_pretrained(base)
    layers = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    lora = LoraConfig(r=8, lora_alpha=16, target_modules=layers, task_type="CAUSAL_LM")
    model = get_peft_model(model, lora)
    _teach(model, AutoTokenizer.from_pretrained(base), answer, rate=5e-3)
    model.save_pretrained(folder)
    return folder


def _tokenizer():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bare = Tokenizer(models.BPE())
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=MARKS, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    bare.train_from_iterator([load("plan@1").text, *[RECOMMEND, MORE, GREET] * 9], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bare, eos_token="<|end|>", pad_token="<|pad|>", chat_template=TEMPLATE
    )


def _teach(model, tokenizer, answer: str, rate: float) -> None:
    """Train until the answer follows any prompt."""
    taught = tokenizer(answer + "<|end|>", add_special_tokens=False)["input_ids"]
    start = tokenizer.convert_tokens_to_ids("<|assistant|>")
    end = tokenizer.eos_token_id
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=rate)
    for _ in range(120):
        noise = torch.randint(len(MARKS), len(tokenizer), (8, 48))
        after = torch.tensor([end, start, *taught]).expand(8, -1)
        ids = torch.cat([noise, after], dim=1)
        labels = ids.clone()
        labels[:, : noise.shape[1] + 2] = -100
        model(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
