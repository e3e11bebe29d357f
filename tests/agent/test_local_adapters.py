"""Adapters beside one base in this process, and how likely each finds an answer."""

import math
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from agent.errors import (
    AdapterExists,
    BadModelFolder,
    ContextOverflow,
    ModelUnavailable,
    UnknownAdapter,
)
from agent.local_chat import LocalChat
from agent.local_model import LocalModel
from agent.reward import ImplicitReward
from tests.tiny_llama import GREET, MORE, RECOMMEND, write_adapter, write_base

ASK = ({"role": "user", "content": "something nice"},)
STATIC = ({"role": "system", "content": "static " * 50}, *ASK)
ANSWERS = (RECOMMEND, MORE, GREET, "hm", "")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_base(tmp_path_factory.mktemp("models") / "tiny", context=3000)


@pytest.fixture(scope="module")
def folders(base):
    return {
        "more": write_adapter(base.parent / "more", base, MORE),
        "greet": write_adapter(base.parent / "greet", base, GREET),
    }


@pytest.fixture(scope="module")
def chat(base, folders):
    """The base with both adapters."""
    with LocalChat(base) as chat:
        for name, folder in folders.items():
            chat.load_adapter(name, folder)
        yield chat


@pytest.fixture
def own(base):
    with LocalChat(base) as chat:
        yield chat


# Answering


def test_each_adapter_answers_for_itself(chat):
    more, greet = chat.with_adapter("more"), chat.with_adapter("greet")
    for _ in range(2):
        told = [(one.text, one.model) for one in (m.complete(ASK) for m in (more, chat, greet))]
        assert told == [(MORE, "more"), (RECOMMEND, "tiny"), (GREET, "greet")]
    assert "".join(greet.stream(ASK)) == GREET
    assert chat.adapters == ("more", "greet")


def test_adapters_take_turns_side_by_side(chat):
    asked = {"more": MORE, "greet": GREET, None: RECOMMEND}
    names = [*asked] * 6

    def ask(name):
        return (chat.with_adapter(name) if name else chat).complete(ASK).text

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, names)) == [asked[name] for name in names]


def test_kept_computations_are_each_ones_own(chat):
    more = chat.with_adapter("more")
    fresh = {one.name: one.complete(STATIC) for one in (chat, more)}
    again = {one.name: one.complete(STATIC) for one in (chat, more, chat, more)}
    for name, answer in again.items():
        assert answer.text == fresh[name].text
        assert answer.confidence == pytest.approx(fresh[name].confidence, rel=1e-3)
    local = chat._thread.loaded(0)
    prompt = local.encode(STATIC)
    local.use("more")
    assert local._reuse(prompt) == len(prompt) - 1, "its own prompt is still there"
    local.use(None)
    assert local._kept[: len(prompt)] == prompt


def test_schema_holds_an_adapter_too(chat):
    schema = {
        "type": "object", "properties": {"act": {"enum": ["undo"]}},
        "required": ["act"], "additionalProperties": False,
    }  # fmt: skip
    answer = chat.with_adapter("more").complete(ASK, schema=schema)
    assert (answer.text, answer.model) == ('{"act":"undo"}', "more")


# Coming and going


def test_base_is_untouched_until_an_adapter_comes(own, folders):
    from transformers import LlamaForCausalLM

    own.wait(60)
    assert own.adapters == ()
    before, scored = own.complete(ASK), own.score(ASK, ANSWERS)
    for _ in range(2):
        assert kinds(own) == {"torch"}
        own.load_adapter("more", folders["more"])
        assert kinds(own) == {"peft"}
        assert own.complete(ASK).text == RECOMMEND
        own.unload_adapter("more")
    assert kinds(own) == {"torch"}
    assert own.score(ASK, ANSWERS) == scored
    assert own.complete(ASK).confidence == before.confidence
    assert type(own._thread.loaded(0)._model) is LlamaForCausalLM


def kinds(chat):
    """Return whose layers the projections of the model are."""
    modules = chat._thread.loaded(0)._model.named_modules()
    found = [module for name, module in modules if name.endswith("q_proj")]
    return {type(module).__module__.partition(".")[0] for module in found}


def test_unloaded_adapter_answers_no_more(own, folders):
    more, greet = (own.load_adapter(name, folder) for name, folder in folders.items())
    more.complete(ASK)
    own.unload_adapter("more")
    with pytest.raises(UnknownAdapter, match="no adapter 'more' is loaded; loaded: 'greet'"):
        more.complete(ASK)
    with pytest.raises(ModelUnavailable, match="'more'"):
        list(more.stream(ASK))
    with pytest.raises(ModelUnavailable, match="'more'"):
        more.score(ASK, ["a"])
    assert (greet.complete(ASK).text, own.complete(ASK).text) == (GREET, RECOMMEND)
    assert own.load_adapter("more", folders["greet"]).complete(ASK).text == GREET
    assert own.adapters == ("greet", "more")


def test_answers_under_way_are_finished_first(own, folders):
    more = own.load_adapter("more", folders["more"])
    held, go, waiting = Event(), Event(), own._thread._worker._work_queue.qsize
    own._thread.submit(lambda: held.set() or go.wait(60))
    assert held.wait(60)
    with ThreadPoolExecutor(5) as pool:
        answers = [pool.submit(more.complete, ASK) for _ in range(4)]
        while waiting() < 4:
            pass
        gone = pool.submit(own.unload_adapter, "more")
        go.set()
    assert [answer.result().text for answer in answers] == [MORE] * 4
    assert (gone.result(), own.adapters) == (None, ())


@pytest.mark.parametrize("name", ["v1.2", "shop/7", "base_model.model", "lora_A", "ünï cödé"])
def test_any_name_will_do(own, folders, name):
    assert own.load_adapter(name, folders["more"]).complete(ASK).model == name
    own.unload_adapter(name)
    assert own.adapters == ()


def test_name_in_use_is_refused(chat, folders):
    with pytest.raises(AdapterExists, match="'more' is loaded already; take another name"):
        chat.load_adapter("more", folders["greet"])
    assert chat.with_adapter("more").complete(ASK).text == MORE


def test_unknown_names_are_told(own):
    for ask in (own.with_adapter, own.unload_adapter):
        with pytest.raises(UnknownAdapter, match="no adapter 'x' is loaded; loaded: none"):
            ask("x")


def test_adapter_of_another_base_is_refused(chat, tmp_path, folders):
    from safetensors.torch import load_file, save_file

    with pytest.raises(BadModelFolder, match=r"it has no adapter_config\.json"):
        chat.load_adapter("x", chat.folder)
    other = tmp_path / "other"
    other.mkdir()
    for file in folders["more"].iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    weights = load_file(other / "adapter_model.safetensors")
    cut = {key: one[:, :-1].clone() if "lora_A" in key else one for key, one in weights.items()}
    save_file(cut, other / "adapter_model.safetensors")
    with pytest.raises(BadModelFolder, match="was trained on another base"):
        chat.load_adapter("x", other)
    assert chat.adapters == ("more", "greet")


@pytest.mark.parametrize("others", [0, 1])
def test_adapter_that_does_not_load_leaves_no_trace(own, folders, monkeypatch, others):
    for name in [*folders][:others]:
        own.load_adapter(name, folders[name])
    own.wait(60)

    def broken(*args, **kwargs):
        raise OSError("disk on fire")

    with monkeypatch.context() as patch:
        patch.setattr("peft.peft_model.load_peft_weights", broken)
        with pytest.raises(ModelUnavailable, match="the model failed with OSError"):
            own.load_adapter("x", folders["greet"])
    assert own.adapters == tuple([*folders][:others])
    assert own.complete(ASK).text == RECOMMEND
    assert own.load_adapter("x", folders["greet"]).complete(ASK).text == GREET


# Scoring


def by_hand(local, text):
    """Return the log-likelihood of an answer, computed over the whole sequence at once."""
    import torch

    tokenizer, prompt = local.tokenizer, local.encode(ASK)
    row = tokenizer(text + "<|end|>", add_special_tokens=False)["input_ids"]
    with torch.inference_mode():
        logits = local._model(input_ids=torch.tensor([prompt + row])).logits[0]
    own = logits.log_softmax(-1)
    return sum(float(own[len(prompt) + at - 1, id]) for at, id in enumerate(row))


@pytest.mark.parametrize("name", [None, "more", "greet"])
def test_scores_equal_those_by_hand(chat, name):
    found = (chat.with_adapter(name) if name else chat).score(ASK, ANSWERS)
    local = chat._thread.loaded(0)
    local.use(name)
    assert found == pytest.approx([by_hand(local, text) for text in ANSWERS], abs=1e-3)


def test_packs_change_no_score(chat, monkeypatch):
    local = chat._thread.loaded(0)
    whole = chat.score(STATIC, ANSWERS)
    assert local._packs
    monkeypatch.setattr("agent.local_model.SCORED_LOGITS", 80 * local._vocabulary)
    assert chat.score(STATIC, ANSWERS) == pytest.approx(whole, abs=1e-3)
    monkeypatch.setattr(local, "_packs", False)
    assert chat.score(STATIC, ANSWERS) == pytest.approx(whole, abs=1e-3)


def test_model_that_takes_no_mask_is_noticed(own, chat, monkeypatch):
    own.wait(60)
    local = own._thread.loaded(0)
    forward = local._model.forward
    monkeypatch.setattr(
        local._model, "forward", lambda *a, attention_mask=None, **more: forward(*a, **more)
    )
    assert own.score(ASK, ANSWERS) == pytest.approx(chat.score(ASK, ANSWERS), abs=1e-3)
    assert local._packs is False


def test_score_is_what_confidence_tells(chat):
    answer = chat.complete(ASK)
    (score,) = chat.score(ASK, [answer.text])
    assert score == pytest.approx(math.log(answer.confidence), abs=0.05), "but for the turn's end"


def test_taught_answer_scores_best(chat):
    for name, taught in {"more": MORE, "greet": GREET}.items():
        scores = chat.with_adapter(name).score(ASK, ANSWERS)
        assert max(zip(scores, ANSWERS, strict=True))[1] == taught
    assert chat.score(ASK, ()) == ()


def test_implicit_reward_is_what_was_taught(chat):
    rewards = ImplicitReward(chat.with_adapter("more"), chat).rewards(ASK, (RECOMMEND, MORE))
    assert rewards[0] < -2 < 2 < rewards[1]


def test_scoring_disturbs_no_answer(chat):
    fresh = chat.complete(STATIC)
    chat.score(ASK, ANSWERS)
    again = chat.complete(STATIC)
    assert (again.text, again.confidence) == (fresh.text, pytest.approx(fresh.confidence, rel=1e-3))


def test_scoring_stops_at_its_deadline(chat, monkeypatch):
    import time

    slow = LocalModel._scores
    monkeypatch.setattr(chat._thread.loaded(0), "_packs", False)
    seen = []

    def wait(self, *args):
        seen.append(args)
        time.sleep(0.2)
        return slow(self, *args)

    monkeypatch.setattr(LocalModel, "_scores", wait)
    with pytest.raises(ModelUnavailable, match=r"no answer within 0\.3 s"):
        chat.score(ASK, ANSWERS * 4, deadline_s=0.3)
    monkeypatch.undo()
    assert chat.complete(ASK).text == RECOMMEND
    assert len(seen) < 6


def test_too_long_answer_is_told(chat):
    with pytest.raises(ContextOverflow, match="the model takes 3000"):
        chat.score(ASK, ["a", "word " * 4000])
