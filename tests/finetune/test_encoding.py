import re

import pytest

from finetune.encoding import MASKED, encode, load_tokenizer
from finetune.errors import BaseModelError, DataError
from finetune.training_data import Row
from tests.finetune import tiny

ASK, ANSWER = {"role": "user", "content": "hi"}, {"role": "assistant", "content": "ok"}


@pytest.fixture(scope="module")
def tokenizer(base):
    return load_tokenizer(base, [])


def rows(*contents):
    return [Row(content, "rows.jsonl", line) for line, content in enumerate(contents, start=1)]


def shown_and_learned(example, tokenizer):
    """Return the text that is masked and the text that is learned."""
    masked = [token for token, label in zip(*pair(example), strict=True) if label == MASKED]
    learned = [label for label in example.labels if label != MASKED]
    assert example.input_ids == masked + learned
    return tokenizer.decode(masked), tokenizer.decode(learned)


def pair(example):
    return example.input_ids, example.labels


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ({"messages": [ASK, ANSWER]}, [("<|user|>hi<|end|><|assistant|>", "ok<|end|>")]),
        (
            {"prompt": [ASK], "completion": [ANSWER]},
            [("<|user|>hi<|end|><|assistant|>", "ok<|end|>")],
        ),
        ({"prompt": "hi ", "completion": "ok"}, [("hi ", "ok<|end|>")]),
        ({"prompt": "hi ", "completion": "ok<|end|>"}, [("hi ", "ok<|end|>")]),
        (
            {"messages": [ASK, ANSWER, ASK, ANSWER]},
            [
                ("<|user|>hi<|end|><|assistant|>", "ok<|end|>"),
                (
                    "<|user|>hi<|end|><|assistant|>ok<|end|><|user|>hi<|end|><|assistant|>",
                    "ok<|end|>",
                ),
            ],
        ),
    ],
)
def test_only_answers_are_learned(tokenizer, content, parts):
    examples, rejects = encode(rows(content), tokenizer, 64)
    assert [shown_and_learned(example, tokenizer) for example in examples] == parts
    assert rejects == []


def test_labels_are_masked_literally(tokenizer):
    [example], _ = encode(rows({"messages": [ASK, ANSWER]}), tokenizer, 64)
    user, end, says = (
        tokenizer.convert_tokens_to_ids(f"<|{name}|>") for name in ("user", "end", "assistant")
    )
    letters = tokenizer.convert_tokens_to_ids
    assert example.input_ids == [
        user, letters("h"), letters("i"), end, says, letters("o"), letters("k"), end
    ]  # fmt: skip
    assert example.labels == [-100] * 5 + [letters("o"), letters("k"), end]
    assert example.learned == 3


def test_labels_are_those_that_trl_makes(base, config, tokenizer, tmp_path):
    from datasets import Dataset
    from transformers import AutoModelForCausalLM
    from trl import SFTConfig, SFTTrainer

    contents = tiny.pairs(3)
    texts = [{"prompt": "hi ", "completion": "ok"}]
    arguments = SFTConfig(output_dir=str(tmp_path), use_cpu=True, bf16=False, report_to="none")
    for given in (contents, texts):
        theirs = SFTTrainer(
            model=AutoModelForCausalLM.from_pretrained(base),
            args=arguments,
            train_dataset=Dataset.from_list(given),
            processing_class=tokenizer,
        ).train_dataset
        ours, _ = encode(rows(*given), tokenizer, 64)
        assert [example.input_ids for example in ours] == list(theirs["input_ids"])
        assert [example.labels for example in ours] == list(theirs["labels"])


def test_row_that_is_too_long_is_refused_not_cut(tokenizer):
    long = {"prompt": "a" * 99, "completion": "b"}
    examples, [reject] = encode(rows(long, *tiny.pairs(1)), tokenizer, 64)
    assert len(examples) == 1
    assert str(reject) == "rows.jsonl:1: 101 tokens, more than the maximum length of 64"
    assert '"completion": "b"' in reject.text


def test_data_of_which_nothing_fits_is_an_error(tokenizer):
    with pytest.raises(DataError, match=r"no row can be learned .*rows\.jsonl:1: 22 tokens, more"):
        encode(rows(*tiny.pairs(2)), tokenizer, 16)


def test_template_that_refuses_a_row_is_told(tokenizer):
    strict = tiny.make_tokenizer(
        "{% if messages[0]['role'] != 'user' %}{{ raise_exception('user first') }}{% endif %}"
        + tiny.TEMPLATE
    )
    examples, rejects = encode(rows({"messages": [ASK, ANSWER]}, *tiny.pairs(1)), strict, 64)
    assert len(examples) == 1
    assert [reject.reason for reject in rejects] == ["the chat template refuses it: user first"]


def test_template_without_the_answer_is_told():
    deaf = tiny.make_tokenizer("{{ messages[0]['content'] }}")
    with pytest.raises(DataError, match="the chat template leaves nothing of the answer"):
        encode(rows({"messages": [ASK, ANSWER]}), deaf, 64)


def test_template_that_ends_a_bare_prompt_otherwise_masks_what_both_share():
    thinks = tiny.make_tokenizer(tiny.TEMPLATE.replace("<|assistant|>{% endif", "<|tool|>{% endif"))
    [example], _ = encode(rows({"messages": [ASK, ANSWER]}), thinks, 64)
    parts = shown_and_learned(example, thinks)
    assert parts == ("<|user|>hi<|end|>", "<|assistant|>ok<|end|>")


def test_template_is_given_tools_and_its_own_options():
    template = "{{ tools | length }}{{ mood }}" + tiny.TEMPLATE
    content = {
        "messages": [ASK, ANSWER],
        "tools": [{"type": "function"}, {"type": "function"}],
        "chat_template_kwargs": {"mood": "!"},
    }
    tokenizer = tiny.make_tokenizer(template)
    [example], _ = encode(rows(content), tokenizer, 64)
    assert shown_and_learned(example, tokenizer)[0] == "2!<|user|>hi<|end|><|assistant|>"


def test_messages_need_a_chat_template(tmp_path):
    tiny.make_tokenizer(None).save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    texts = rows({"prompt": "a", "completion": "b"})
    assert load_tokenizer(tmp_path, texts).chat_template is None
    with pytest.raises(BaseModelError, match="has no chat template, and the data holds messages"):
        load_tokenizer(tmp_path, [*texts, *rows({"messages": [ASK, ANSWER]})])


def test_broken_tokenizer_is_told(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{")
    (tmp_path / "tokenizer_config.json").write_text("{}")
    with pytest.raises(BaseModelError, match=re.escape(f"tokenizer in {str(tmp_path)!r} can't")):
        load_tokenizer(tmp_path, [])
