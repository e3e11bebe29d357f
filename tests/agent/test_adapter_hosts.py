import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.adapter_hosts import LocalHost, ServerHost
from agent.adapters_admin import AdaptersAdmin
from agent.errors import AgentError, BadModelFolder, ModelUnavailable, ServerError
from agent.llm import ScriptedModel
from agent.planner import RulePlanner
from agent.vllm_server import Serving, VLLMServer, find_vllm
from agent.voice import Voice
from tests.agent import fake_vllm
from tests.agent.test_model_folder import adapter_folder, model_folder
from tests.agent.test_vllm_server import SMALL, configured


def speak(model, base, taught):
    return Voice(f"{model.name} on {base and base.name}", RulePlanner())


class Base(ScriptedModel):
    """A model that takes adapters; one called "mute" never answers."""

    def __init__(self):
        super().__init__([], name="base")
        self.models = {}

    @property
    def adapters(self):
        return tuple(self.models)

    def load_adapter(self, name, folder):
        if not folder.is_dir():
            raise BadModelFolder(f"{folder} does not exist")
        said = ModelUnavailable("no answer") if name == "mute" else "well"
        self.models[name] = ScriptedModel([said], name=name)
        return self.models[name]

    def unload_adapter(self, name):
        del self.models[name]

    def with_adapter(self, name):
        return self.models[name]


@pytest.fixture
def local():
    return LocalHost(Base(), speak)


def test_local_adapter_has_answered_when_it_is_loaded(local, tmp_path):
    local.load("a", tmp_path)
    [call] = local._base.models["a"].history
    assert call.max_tokens == 1
    local.load("a", tmp_path)
    assert (local.loaded(), local.voice("a").name) == ({"a"}, "a on base")
    assert local.voice(None).name == "base on None"
    local.unload("a")
    assert local.loaded() == frozenset()


def test_local_adapter_that_does_not_answer_is_let_go(local, tmp_path):
    with pytest.raises(ModelUnavailable):
        local.load("mute", tmp_path)
    with pytest.raises(BadModelFolder):
        local.load("a", tmp_path / "none")
    assert local.loaded() == frozenset()


@dataclass
class Served:
    """A server that can be started with and without adapters at runtime, and a host on it."""

    vllm: object
    serving: Serving
    environ: dict[str, str]
    host: ServerHost
    clients: list[str] = field(default_factory=list)
    server: VLLMServer | None = None

    def start(self, **more):
        self.server = VLLMServer(self.vllm, self.serving, {**self.environ, **more})
        self.server.wait_ready(60)


@pytest.fixture
def served(tmp_path, port):
    base = configured(model_folder(tmp_path / "base"), SMALL)
    serving = Serving(base, "base", port=port)
    environ = {**os.environ, "FAKE_VLLM_SEEN": str(tmp_path / "seen.json")}
    vllm = find_vllm([fake_vllm.write(tmp_path)])
    with AdaptersAdmin(serving.url) as admin:
        host = ServerHost(
            admin, ScriptedModel([], "base"), lambda name: ScriptedModel([], name), speak
        )
        served = Served(vllm, serving, environ, host)
        served.start()
        yield served
        served.server.stop()


@pytest.fixture
def adapter(tmp_path) -> Path:
    return adapter_folder(tmp_path / "adapter")


def test_served_adapter_comes_and_goes(served, adapter):
    served.host.load("a", adapter)
    served.host.load("a", adapter)
    assert (served.host.loaded(), served.host.voice("a").name) == ({"a"}, "a on base")
    served.host.unload("a")
    assert served.host.loaded() == frozenset()


def test_server_with_another_of_that_name_is_told(served, adapter, tmp_path):
    served.host.load("a", adapter)
    other = adapter_folder(tmp_path / "other")
    with pytest.raises(ServerError, match="has another adapter called 'a', from"):
        served.host.load("a", other)


def test_folder_that_is_gone_is_told_before_the_server_is_asked(served, tmp_path):
    with pytest.raises(BadModelFolder, match="does not exist"):
        served.host.load("a", tmp_path / "gone")


def test_restarted_server_has_lost_them(served, adapter):
    served.host.load("a", adapter)
    served.server.stop()
    with pytest.raises(ServerError, match="is it running"):
        served.host.loaded()
    served.start()
    assert served.host.loaded() == frozenset()


def test_server_without_runtime_adapters_says_so(served, adapter):
    served.server.stop()
    served.start(VLLM_ALLOW_RUNTIME_LORA_UPDATING="False")
    with pytest.raises(ServerError, match="takes no adapters while it runs"):
        served.host.load("a", adapter)


def test_adapter_that_does_not_answer_is_not_left_behind(served, adapter, monkeypatch):
    def silent(name):
        raise ServerError("HTTP 500")

    monkeypatch.setattr(served.host._admin, "warm_up", silent)
    with pytest.raises(AgentError, match="HTTP 500"):
        served.host.load("a", adapter)
    assert served.host.loaded() == frozenset()
