"""The benchmark of swaps, over a host without models: what it counts, and what it would notice."""

import json

import pytest

from agent.adapter_hosts import LocalHost
from agent.errors import ModelUnavailable
from agent.linking import Linker
from agent.llm import ScriptedModel
from benchmarks import swap
from benchmarks.swap import Asked, Timing, random_adapter, requests_of, speak, table, under_load
from finetune.adapters import open_adapter
from finetune.bases import resolve
from finetune.registry import Registry
from tests.finetune import tiny
from tests.ui.test_adapters import write_adapter

SHORT = Timing(steady=0.2, dwell=0.1, cycles=1)


class Base(ScriptedModel):
    """A model whose adapters all plan the same; those in `broken` never answer once loaded."""

    def __init__(self, broken=()):
        super().__init__(lambda messages: '{"acts":[{"act":"chitchat"}]}', name="house")
        self.models = {}
        self.broken = broken

    @property
    def adapters(self):
        return tuple(self.models)

    def load_adapter(self, name, folder):
        warm = iter(["{}"])

        def answer(messages):
            if name.startswith(self.broken) and not next(warm, None):
                raise ModelUnavailable("gone")
            return '{"acts":[{"act":"chitchat"}]}'

        self.models[name] = ScriptedModel(answer, name=name)
        return self.models[name]

    def unload_adapter(self, name):
        del self.models[name]

    def with_adapter(self, name):
        return self.models[name]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    shop = swap.open_shop("no category", tmp_path_factory.mktemp("shop"))
    yield shop.retriever
    shop.close()


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny.make_base(tmp_path_factory.mktemp("tiny") / "base")


@pytest.fixture
def registry(tmp_path):
    with Registry(tmp_path / "adapters") as registry:
        yield registry


@pytest.fixture
def names(registry, base, tmp_path):
    made = [write_adapter(tmp_path / name, base, seed) for seed, name in enumerate(("one", "two"))]
    one, two = (registry.add(folder, str(base)) for folder in made)
    return one, two


def run(registry, names, shop, broken=("none",)):
    requests = requests_of(shop, Linker.build(shop))
    host = LocalHost(Base(broken), speak(shop))
    return under_load(host, registry, names, requests, SHORT, threads=2)


def test_every_request_is_answered_while_adapters_change(registry, names, shop):
    found = run(registry, names, shop)
    assert (found["failed"], found["unknown_voices"], found["problems"]) == (0, 0, {})
    assert set(found["by_voice"]) == {"house", *names}
    assert sum(found["by_voice"].values()) == found["requests"]
    assert found["swaps"] == 4
    assert registry.live() is None
    assert f"{found['requests']} requests, 0 failed" in table({"local": found})
    json.dumps(found)


def test_failed_requests_are_counted(registry, names, shop):
    found = run(registry, names, shop, broken=("two",))
    assert found["failed"] == found["by_voice"][names[1]] > 0
    assert next(iter(found["reasons"])) == "gone"


def test_times_are_told_by_part():
    swaps = [(10.0, 11.0), (20.0, 21.0)]
    times = [(8.0, 9.0), (9.5, 10.5), (12.0, 13.0), (20.5, 20.6), (22.0, 23.0)]
    asked = [Asked(began, ended, "house", "house", "") for began, ended in times]
    parts = [swap._part(one, swaps, 10.0, 21.0) for one in asked]
    assert parts == ["before", "during", "between", "during", "after"]


def test_what_is_missing_is_told():
    assert table({"server": {"left_out": "no vLLM"}}) == "server: left out, no vLLM"


def test_random_adapter_is_a_whole_one(tmp_path, base):
    own = resolve(str(base))
    folder = random_adapter(tmp_path / "first", own, 0)
    assert open_adapter(folder, own).card.method == "random"
