import json

import pytest

from agent.plan import Act
from agent.plan_answer import answer_schema
from agent.tagged_prompt import written
from finetune.house.tokens import (
    embedding_rows,
    minilm_folder,
    plan_tokens,
    save_tokenizer,
    vocabulary,
)
from tests.agent.planning import MENTIONS

ACTS = (
    Act(act="like", want=("V1", "N1"), avoid=("V2",), refs=("R1",), join="add"),
    Act(act="explain", why_not=True),
)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    save_tokenizer(vocabulary(minilm_folder() / "vocab.txt"), folder, 128)
    return AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize(
    "text",
    ["something like [R1 item 3] but [V1 colour other] , please", "dont wanna... 60€!", "日本 ok",
     "need: category+ price( . slate 5", written(ACTS, MENTIONS), "{T} is {F1}, over your {W1}."],
)  # fmt: skip
def test_text_comes_back_as_it_was(tokenizer, text):
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(ids) == text


def test_accents_and_capitals_go_and_nothing_else(tokenizer):
    ids = tokenizer(" Über Größe", add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(ids) == " uber große"


def test_a_plan_takes_few_tokens(tokenizer):
    text = written(ACTS[:1], MENTIONS)
    assert len(tokenizer(text, add_special_tokens=False)["input_ids"]) <= 16
    assert len(json.loads(text)["acts"]) == 1


def test_every_field_of_an_act_has_its_tokens():
    fields = answer_schema()["$defs"]["Act"]["properties"]
    lists = [name for name, field in fields.items() if field.get("type") == "array"]
    assert {f',"{name}":["' for name in lists} <= set(plan_tokens())


def test_the_chat_template_marks_who_speaks(tokenizer):
    messages = [{"role": "user", "content": "plan"}, {"role": "assistant", "content": "{}"}]
    asked = tokenizer.apply_chat_template(messages[:1], add_generation_prompt=True, tokenize=False)
    whole = tokenizer.apply_chat_template(messages, tokenize=False)
    assert asked == "<|user|> plan<|assistant|>"
    assert whole == asked + "{}<|end|>"


def test_words_keep_their_meaning_and_own_tokens_come_first():
    vocab = vocabulary(minilm_folder() / "vocab.txt")
    assert all(row >= 0 for row in vocab.rows[vocab.own :])
    assert vocab.pieces.index("V1") < vocab.own < vocab.pieces.index("▁cheap")
    table = embedding_rows(vocab, 0)
    assert table.shape == (len(vocab.pieces), 384)

    def alike(one, other):
        a, b = (table[vocab.pieces.index("▁" + word)] for word in (one, other))
        return a @ b / (a @ a * (b @ b)) ** 0.5

    assert alike("cheap", "inexpensive") > alike("cheap", "tuesday") + 0.1


def test_marks_after_words_can_be_told_from_marks_after_blanks():
    vocab = vocabulary(minilm_folder() / "vocab.txt")
    table = embedding_rows(vocab, 0)
    after_word, after_blank = (vocab.pieces.index(mark) for mark in (".", "▁."))
    assert after_word < vocab.own <= after_blank
    assert (table[after_word] != table[after_blank]).any()
