import pytest

from agent.asking import Tagged
from agent.errors import BadModelFolder
from agent.llm import ScriptedModel
from agent.local_chat import LocalChat
from agent.voices import Speaking, adapted, house_voice
from tests.agent.planning import GOOD, request
from tests.agent.talking import say, shown
from tests.tiny_llama import write_base


class Both(ScriptedModel):
    """Answers, and scores answers by how often a word is in them."""

    def __init__(self, name, word=None):
        super().__init__(lambda messages: GOOD, name)
        self._word = word

    def score(self, messages, completions, *, deadline_s=30.0):
        return tuple(50.0 * text.count(self._word) if self._word else 0.0 for text in completions)


@pytest.fixture
def speaking(store_shop):
    return Speaking(store_shop, Tagged(), 0.0, explains="explain@1", plan_s=9.0, explain_s=8.0)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_base(tmp_path_factory.mktemp("models") / "tiny")


def write_untrained(folder, base, seed=0):
    """Write an adapter whose weights change nothing yet."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    config = LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM")
    get_peft_model(AutoModelForCausalLM.from_pretrained(base), config).save_pretrained(folder)
    return folder


def test_model_alone_plans_and_explains(speaking):
    voice = speaking.voice(Both("house"))
    assert (voice.name, voice.chooser) == ("house", None)
    assert voice.planner.plan(request()).model == "house"
    assert (voice.explainer.prompt, voice.explainer.deadline_s) == ("explain@1", 8.0)


def test_model_with_its_base_chooses_too(speaking, parts):
    voice = speaking.voice(Both("shop-7", word="puma"), Both("house"))
    assert voice.chooser.name == "shop-7"
    session = parts.store.create_session()
    plain = shown(say(parts, session, "shoes"))
    chosen = voice.chooser.rewards(
        parts.store.load(session).state.need,
        parts.retriever.get_many(plain),
        parts.retriever.facets,
    )
    assert {id for id, reward in zip(plain, chosen, strict=True) if reward} == {"c1", "c2"}


def test_models_that_score_nothing_do_not_choose(speaking):
    assert speaking.voice(ScriptedModel([], "a"), Both("house")).chooser is None
    assert speaking.voice(Both("a"), ScriptedModel([], "house")).chooser is None


def test_voices_of_one_model_share_it(base, store_shop, parts, tmp_path):
    folders = [write_untrained(tmp_path / str(n) / "round", base, seed=n) for n in range(2)]
    with LocalChat(base) as chat:
        plain = house_voice(chat, store_shop)
        tuned = [house_voice(chat, store_shop, folder) for folder in (*folders, folders[0])]
        assert plain.name == "tiny"
        assert tuned[0].name == tuned[2].name != tuned[1].name
        assert all(voice.name.startswith("round-") for voice in tuned)
        assert chat.adapters == (tuned[0].name, tuned[1].name)
        assert (plain.chooser, plain.explainer) == (None, None)
        assert house_voice(chat, store_shop, explains=True).explainer.prompt == "explain@1"
        items = store_shop.get_many(["s1", "s2", "c1"])
        need = parts.store.load(parts.store.create_session()).state.need
        rewards = tuned[0].chooser.rewards(need, items, store_shop.facets)
        assert rewards == pytest.approx((0.0,) * 3, abs=1e-4), "nothing was trained yet"


def test_folder_without_an_adapter_is_refused(base, store_shop, tmp_path):
    with (
        LocalChat(base, preload=False) as chat,
        pytest.raises(BadModelFolder, match=r"has no adapter_config\.json"),
    ):
        adapted(chat, base)
