import pytest

from agent.asking import Instructed, Tagged
from agent.errors import BadModelFolder
from agent.llm_planner import LLMPlanner
from agent.local_chat import LocalChat
from agent.openai_chat import OpenAIChat
from agent.planner import PlanRequest
from agent.reward import Scorer
from agent.state import State
from agent.voices import SURE
from prompts import load
from tests.agent.test_voices import write_untrained
from tests.tiny_llama import RECOMMEND, write_base
from ui import chat_models, wiring
from ui.chat_models import chat_model, model_name
from ui.errors import UIError
from ui.settings import Settings

URL = "http://localhost:1/v1"
ASK = ({"role": "user", "content": "something nice"},)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write_base(tmp_path_factory.mktemp("models") / "tiny", context=3000)


@pytest.fixture
def unset(monkeypatch):
    monkeypatch.delenv("ATTUNE_LLM")


@pytest.fixture
def house(tiny, monkeypatch, unset):
    """The stand-in is this installation's house model."""
    monkeypatch.setattr(chat_models, "house_folder", lambda: tiny)


@pytest.fixture
def houseless(tmp_path, monkeypatch, unset):
    monkeypatch.setattr(chat_models, "house_folder", lambda: tmp_path / "none")


def test_house_model_is_the_default(house):
    assert model_name(Settings()) == "house"
    with chat_model(Settings()) as chat:
        assert isinstance(chat, LocalChat)
        assert chat.complete(ASK).model == "house"


def test_rules_plan_where_there_is_no_house_model(houseless):
    assert (chat_model(Settings()), model_name(Settings())) == (None, None)


def test_none_means_rules_even_with_a_house_model(house):
    settings = Settings(llm="none")
    assert (chat_model(settings), model_name(settings)) == (None, None)


def test_folder_is_a_model_too(tiny):
    settings = Settings(llm=str(tiny), llm_threads=1)
    assert model_name(settings) == "tiny"
    with chat_model(settings) as chat:
        assert chat.complete(ASK).text == RECOMMEND


def test_url_is_a_server():
    settings = Settings(llm=URL, model="m", llm_key="k")
    assert model_name(settings) == "m"
    with chat_model(settings) as chat:
        assert isinstance(chat, OpenAIChat)
        assert (chat.name, chat.logprobs) == ("m", True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"llm": URL}, "add --model NAME"),
        ({"model": "m"}, "add --llm URL"),
        ({"llm": "none", "model": "m"}, "add --llm URL"),
        ({"llm": "house", "model": "m"}, "add --llm URL"),
        ({"llm": "house"}, "'house': this installation has no house model; expected a server's"),
        ({"llm": "no/where"}, "'no/where': there is no such folder; expected a server's URL"),
    ],
)
def test_wrong_settings_are_told(houseless, settings, message):
    with pytest.raises(UIError, match=message):
        chat_model(Settings(**settings))


def test_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(BadModelFolder, match=r"has no config\.json"):
        chat_model(Settings(llm=str(tmp_path)))


def test_command_loads_only_when_it_asks(tiny):
    with chat_model(Settings(llm=str(tiny))) as chat:
        assert chat._thread.started is None
    with chat_model(Settings(llm=str(tiny)), serving=True) as chat:
        assert chat._thread.started is not None


def test_house_model_plans_a_turn(folder, house):
    project = wiring.open_project(folder, Settings(deadline_s=60))
    assert isinstance(project.parts.planner, LLMPlanner)
    done = wiring.turn(project, wiring.session(project, None), "hmm something for a rainy walk?")
    project.close()
    assert (done.planner, done.plan.model) == ("llm", "house")


def test_api_names_the_model(folder, house):
    from fastapi.testclient import TestClient

    with TestClient(wiring.make_app(folder, Settings())) as client:
        assert "house" in client.get("/v1/models").text


@pytest.mark.parametrize(
    ("name", "set_to", "prompt"),
    [
        ("house", "auto", "plan@2"),
        ("house-shoes-3", "auto", "plan@2"),
        ("Qwen/Qwen3-4B-Instruct-2507", "auto", "plan@1"),
        ("house", "plan@1", "plan@1"),
        ("my-adapter", "plan@2", "plan@2"),
    ],
)
def test_a_model_is_asked_as_it_was_trained(name, set_to, prompt):
    assert chat_models.prompt_of(name, Settings(llm_prompt=set_to)) == prompt


def test_models_are_asked_in_the_owners_words(tmp_path):
    released = load("plan@1").text
    (tmp_path / "plan.v1.md").write_text(released.replace("a shop's", "our shop's"))
    given = Settings(prompts=tmp_path)
    asking = chat_models.asking_of("Qwen/Qwen3-4B", given)
    request = PlanRequest("blue", (), State(), (), ())
    assert "our shop's recommender" in asking.messages(request)[0]["content"]
    assert asking.prompt.startswith("plan@1+")
    assert asking.shorter().prompt == asking.prompt
    # A trained model is asked as it was trained, whatever the owner would rather say.
    assert chat_models.asking_of("house", given) == Tagged()
    assert chat_models.wording_of("explain@2", given) is None
    assert chat_models.asking_of("Qwen/Qwen3-4B", Settings()) == Instructed()


def test_folder_of_wordings_must_be_there(tmp_path):
    with pytest.raises(UIError, match="is no folder"):
        chat_models.wording_of("plan@1", Settings(prompts=tmp_path / "none"))


def test_only_a_trained_model_has_to_be_sure():
    assert chat_models.sure_of(Tagged(), Settings()) == SURE
    assert chat_models.sure_of(Instructed(), Settings()) == 0.0
    assert chat_models.sure_of(Instructed(), Settings(llm_sure=0.7)) == 0.7


# Adapters


@pytest.fixture(scope="module")
def untrained(tiny):
    return write_untrained(tiny.parent / "round-1", tiny)


def test_adapter_of_a_folder_answers(folder, house, untrained):
    settings = Settings(adapter=str(untrained), deadline_s=60, explore=0.25)
    project = wiring.open_project(folder, settings)
    parts = project.parts
    assert (parts.router, parts.policy.name) == (None, "explore:0.25")
    assert parts.chooser.name == parts.voice
    done = wiring.turn(project, wiring.session(project, None), "hmm something for a rainy walk?")
    project.close()
    assert done.voice == done.plan.model
    assert done.voice.startswith("round-1-")


def test_adapter_of_a_server_goes_by_its_name():
    settings = Settings(llm=URL, model="house", adapter="house-shop")
    base = chat_model(settings)
    adapter = chat_models.adapter_model(settings, base)
    assert (base.name, adapter.name, isinstance(adapter, Scorer)) == ("house", "house-shop", True)


def test_without_an_adapter_there_is_none(tiny):
    assert chat_models.adapter_model(Settings(), None) is None
    with pytest.raises(UIError, match="'x' needs its base: name it with --llm"):
        chat_models.adapter_model(Settings(adapter="x"), None)
    with (
        chat_model(Settings(llm=str(tiny))) as chat,
        pytest.raises(BadModelFolder, match="does not exist"),
    ):
        chat_models.adapter_model(Settings(adapter="no/where"), chat)


def test_project_follows_its_routes_unless_told(folder, house):
    project = wiring.open_project(folder, Settings())
    assert project.parts.router is project.router is not None
    assert (project.parts.policy.name, project.parts.voice) == ("greedy", "house")
    project.close()
