import json
import logging
import math
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from agent import model_thread
from agent.errors import BadModelFolder, ContextOverflow, ModelUnavailable
from agent.llm_planner import LLMPlanner
from agent.local_chat import LocalChat
from tests.agent.planning import FixedRules, request
from tests.tiny_llama import RECOMMEND, write_base

ASK = ({"role": "user", "content": "something nice"},)
ACT = {
    "type": "object",
    "properties": {"act": {"enum": ["undo", "reset"]}, "sure": {"type": "boolean"}},
    "required": ["act", "sure"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_base(tmp_path_factory.mktemp("models") / "tiny", context=3000)


@pytest.fixture(scope="module")
def model(base):
    with LocalChat(base) as model:
        model.wait(60)
        yield model


@pytest.fixture
def slow_load(monkeypatch):
    """Loading waits until the event is set."""
    go, load = Event(), model_thread.load
    monkeypatch.setattr(model_thread, "load", lambda *args: go.wait(60) and load(*args))
    yield go
    go.set()


def test_answer_is_what_the_model_was_taught(model):
    answer = model.complete(ASK)
    assert (answer.text, answer.model, answer.truncated) == (RECOMMEND, "tiny", False)
    assert 0.8 < answer.confidence <= 1.0
    assert (answer.prompt_tokens, answer.completion_tokens) == (7, 7)
    assert answer.seconds > 0


def test_schema_holds_the_model_to_compact_json(model):
    answer = model.complete(ASK, schema=ACT)
    assert answer.text in [
        f'{{"act":"{act}","sure":{sure}}}'
        for act in ("undo", "reset")
        for sure in ("true", "false")
    ]
    assert answer.confidence < 0.1, "the model would not say this by itself"
    assert not answer.truncated


@pytest.mark.parametrize("schema", [None, ACT], ids=["free", "schema"])
def test_guessing_ahead_changes_nothing(model, monkeypatch, schema):
    guessed = model.complete(ASK, schema=schema)
    monkeypatch.setattr(model._thread.loaded(0), "_guess", lambda matcher: [])
    plain = model.complete(({"role": "user", "content": "another start"}, *ASK), schema=schema)
    plain = model.complete(ASK, schema=schema)
    assert plain.text == guessed.text
    assert math.isclose(plain.confidence, guessed.confidence, rel_tol=1e-3)


def test_confidence_is_the_product_of_free_probabilities(model):
    import torch

    local = model._thread.loaded(0)
    answer = model.complete(ASK, schema=ACT)
    prompt = local.encode(ASK)
    tokens = list(local.generate(prompt, ACT, 50))
    assert local.decode([token.id for token in tokens]) == answer.text
    with torch.inference_mode():
        ids = prompt + [token.id for token in tokens]
        logits = local._model(input_ids=torch.tensor([ids])).logits[0]
    own = logits.log_softmax(-1)
    total = sum(own[len(prompt) + at - 1, t.id] for at, t in enumerate(tokens))
    assert math.isclose(answer.confidence, math.exp(total), rel_tol=1e-3)


def test_prompt_that_was_begun_before_is_continued(model):
    first = ({"role": "system", "content": "static " * 50}, *ASK)
    other = ({"role": "system", "content": "static " * 50}, {"role": "user", "content": "other"})
    fresh = model.complete(first)
    local = model._thread.loaded(0)
    kept = len(local.encode(first))
    assert local._reuse(local.encode(other)) > kept // 2
    assert model.complete(other).text == RECOMMEND
    assert model.complete(first).text == fresh.text


def test_answer_cut_at_limit_is_marked(model):
    answer = model.complete(ASK, max_tokens=3)
    assert (answer.completion_tokens, answer.truncated) == (3, True)
    assert RECOMMEND.startswith(answer.text)


def test_stream_yields_the_same_text_in_pieces(model):
    pieces = list(model.stream(ASK))
    assert len(pieces) > 1
    assert "".join(pieces) == model.complete(ASK).text


def test_characters_of_several_tokens_stay_whole(model):
    local = model._thread.loaded(0)
    text = "né 🙂 日本"
    ids = local.tokenizer(text, add_special_tokens=False)["input_ids"]
    pieces = list(local.pieces(ids))
    assert len(ids) > len(text)
    assert "".join(pieces) == text
    assert not any("\ufffd" in piece for piece in pieces)


def test_stream_left_early_frees_the_model(model, monkeypatch):
    go = Event()
    seen = before_steps(model, monkeypatch, lambda: len(seen) < 3 or go.wait(60))
    pieces = model.stream(ASK, deadline_s=60)
    next(pieces)
    pieces.close()
    go.set()
    assert model.complete(ASK, max_tokens=1, deadline_s=60).completion_tokens == 1
    assert len(seen) < 6


def test_slow_reader_holds_nobody_up(model):
    pieces = model.stream(ASK, deadline_s=60)
    next(pieces)
    assert model.complete(ASK, deadline_s=60).text == RECOMMEND
    assert "".join(pieces)


def before_steps(model, monkeypatch, wait):
    """Have every step of the model wait first; return the list of steps."""
    local, seen = model._thread.loaded(0), []
    forward = local._forward

    def step(feed):
        seen.append(feed)
        wait()
        return forward(feed)

    monkeypatch.setattr(local, "_forward", step)
    return seen


@pytest.mark.parametrize("ask", ["complete", "stream"])
def test_deadline_stops_between_tokens(model, monkeypatch, ask):
    seen = before_steps(model, monkeypatch, lambda: time.sleep(0.15))
    with pytest.raises(ModelUnavailable, match=r"no answer within 0\.4 s"):
        list(getattr(model, ask)(ASK, deadline_s=0.4))
    monkeypatch.undo()
    assert model.complete(ASK).text == RECOMMEND
    assert len(seen) <= 5


def test_caller_leaves_a_hanging_model_on_time(model, monkeypatch):
    go = Event()
    before_steps(model, monkeypatch, lambda: go.wait(60))
    with pytest.raises(ModelUnavailable, match=r"no answer within 0\.1 s"):
        model.complete(ASK, deadline_s=0.1)
    assert not go.is_set(), "the model hangs still"
    go.set()


def test_calls_wait_for_loading_until_their_deadline(base, slow_load):
    with LocalChat(base) as model:
        for ask in (model.complete, model.stream):
            with pytest.raises(ModelUnavailable, match="tiny is still loading"):
                list(ask(ASK, deadline_s=0.05))
        with pytest.raises(ModelUnavailable, match="tiny is still loading"):
            model.wait(0.01)
        slow_load.set()
        assert model.complete(ASK, deadline_s=60).text == RECOMMEND


def test_turns_side_by_side_get_their_own_answers(model):
    def ask(at):
        wish = ({"role": "user", "content": f"wish {at}"},)
        return model.complete(wish, schema=ACT if at % 2 else None)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(12)))
    assert [answer.text for answer in answers[::2]] == [RECOMMEND] * 6
    assert all(json.loads(answer.text)["act"] in ("undo", "reset") for answer in answers[1::2])


def test_too_long_prompt_is_told_with_figures(model):
    long = ({"role": "user", "content": "word " * 5000},)
    with pytest.raises(ContextOverflow, match=r"has \d+ tokens: the model takes 3000") as raised:
        model.complete(long)
    assert raised.value.given > raised.value.allowed == 3000
    with pytest.raises(ContextOverflow):
        list(model.stream(long))


def test_prompt_that_nearly_fills_the_context_is_cut_off(model):
    local = model._thread.loaded(0)
    words = 2900
    while len(local.encode(({"role": "user", "content": "a" * words},))) < local.context - 3:
        words += 1
    answer = model.complete(({"role": "user", "content": "a" * words},))
    assert answer.truncated
    assert answer.prompt_tokens + answer.completion_tokens == local.context


def test_impossible_schema_makes_model_unavailable(model):
    with pytest.raises(ModelUnavailable, match="the model failed with") as raised:
        model.complete(ASK, schema={"type": "no such type"})
    assert "no such type" not in str(raised.value)
    assert model.complete(ASK).text == RECOMMEND


def test_closed_model_is_unavailable(base):
    model = LocalChat(base)
    model.close()
    with pytest.raises(ModelUnavailable, match="closed"):
        model.complete(ASK)


def test_planner_plans_with_it(model):
    plan = LLMPlanner(model, FixedRules(), fast_path=False, deadline_s=60).plan(request())
    assert (plan.planner, plan.model, [act.act for act in plan.acts]) == (
        "llm", "tiny", ["recommend"],
    )  # fmt: skip


def test_logs_hold_no_words(model, caplog):
    caplog.set_level(logging.DEBUG)
    model.complete(({"role": "user", "content": "a private wish"},), schema=ACT)
    assert "private" not in caplog.text


def test_missing_folder_is_told_at_once(tmp_path):
    with pytest.raises(BadModelFolder, match=r"does not exist, so there is no config\.json"):
        LocalChat(tmp_path / "nowhere")


def test_model_that_does_not_load_is_unavailable(base, tmp_path, caplog):
    folder = copy(base, tmp_path)
    (folder / "tokenizer.json").write_text("{}")
    with LocalChat(folder) as model, pytest.raises(ModelUnavailable, match="cannot be loaded"):
        model.complete(ASK, deadline_s=60)
    assert "cannot be loaded" in caplog.text


def test_model_without_chat_template_is_told(base, tmp_path):
    folder = copy(base, tmp_path)
    (folder / "chat_template.jinja").unlink()
    with LocalChat(folder) as model, pytest.raises(ModelUnavailable, match="no chat template"):
        model.complete(ASK, deadline_s=60)


def copy(base, tmp_path):
    import shutil

    return shutil.copytree(base, tmp_path / "copy")
