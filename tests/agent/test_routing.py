import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count

import pytest

from agent.dialogue import Parts, respond
from agent.linking import Linker
from agent.planner import RulePlanner
from agent.routes import ROUTES, Arm, Canary, Experiment, Routes, write_routes
from agent.routing import RETRY_S, STICKY_S, AdapterRouter
from agent.store import Store
from tests.agent.hosting import ScriptedHost
from tests.agent.shop import open_shop

HALF = Canary("b", 0.5, "salt")


@pytest.fixture
def host():
    return ScriptedHost()


@pytest.fixture
def now():
    return [100.0]


@pytest.fixture
def folder(tmp_path):
    for name in "abc":
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def write(folder):
    """Write routes to these adapters, the named ones and others that may go on."""
    version = count(1)

    def write(live, *others, **changes):
        names = {name for name in (live, *others) if name}
        routes = Routes(next(version), live, adapters={name: folder / name for name in names})
        write_routes(folder, replace(routes, **changes))

    return write


@pytest.fixture
def router(folder, host, now):
    return AdapterRouter(folder, host, clock=lambda: now[0])


def answered_by(router, session="s"):
    with router.lease(session) as voice:
        return voice.name


def test_base_answers_without_routes(router, host):
    router.follow()
    assert answered_by(router) == "base"
    assert (router.status().live, router.status().problems, host.asked) == (None, {}, [])


def test_nobody_is_sent_to_what_is_not_loaded(router, host, write):
    write("a")
    assert answered_by(router) == "base"
    router.follow()
    assert host.asked == ["load a"]
    assert answered_by(router) == "a", "what answered in its place is not kept"


def test_session_keeps_the_adapter_it_began_with(router, host, write):
    write("a")
    router.follow()
    assert answered_by(router, "old") == "a"
    write("b", "a")
    router.follow()
    assert (answered_by(router, "old"), answered_by(router, "new")) == ("a", "b")
    assert router.status().held == {"a": 0, "b": 0}
    write("b", "a", canary=Canary("c", 0.99, "x"), adapters={n: router.folder / n for n in "abc"})
    router.follow()
    assert answered_by(router, "old") == "a"


def test_session_of_the_base_keeps_the_base(router, write):
    write(None)
    router.follow()
    assert answered_by(router, "old") == "base"
    write("a")
    router.follow()
    assert (answered_by(router, "old"), answered_by(router, "new")) == ("base", "a")


def test_withdrawn_adapter_answers_nobody(router, host, write):
    write("b", "a")
    router.follow()
    assert answered_by(router) == "b"
    write("a")
    router.follow()
    assert answered_by(router) == "a"
    assert host.asked == ["load b", "load a", "unload b"]


def test_idle_sessions_let_their_adapter_go(router, host, write, now):
    write("a")
    router.follow()
    assert answered_by(router) == "a"
    write("b", "a")
    router.follow()
    now[0] += STICKY_S - 1
    assert answered_by(router) == "a"
    now[0] += STICKY_S - 1
    router.follow()
    assert host.names == {"a", "b"}
    now[0] += 2
    router.follow()
    assert host.names == {"b"}
    assert answered_by(router) == "b"


def test_adapter_stays_until_its_last_turn_ends(router, host, write):
    write("b", "a")
    router.follow()
    with router.lease("long") as voice:
        write("a")
        router.follow()
        assert (voice.name, host.names) == ("b", {"a", "b"})
        assert router.status().held == {"a": 0, "b": 1}
        assert answered_by(router, "long") == "a", "its next turn is another's"
    router.follow()
    assert host.names == {"a"}


def test_refused_adapter_leaves_the_old_one_answering(router, host, write, now, caplog):
    write("a")
    router.follow()
    host.refused["b"] = "rank 512 is too much"
    write("b", "a")
    for _ in range(3):
        router.follow()
    assert answered_by(router, "new") == "a"
    assert host.asked == ["load a", "load b"], "it is not asked again at once"
    assert router.status().problems == {"b": "it cannot be loaded: rank 512 is too much"}
    assert len([one for one in caplog.records if one.levelno == logging.ERROR]) == 1

    host.refused.clear()
    now[0] += RETRY_S
    router.follow()
    assert answered_by(router, "newer") == "b"
    assert router.status().problems == {}


def test_new_routes_are_tried_at_once(router, host, write):
    host.refused["a"] = "no"
    write("a")
    router.follow()
    assert answered_by(router) == "base"
    host.refused.clear()
    write("a")
    router.follow()
    assert answered_by(router) == "a"


def test_folder_that_is_gone_leaves_the_old_one_answering(router, write, folder):
    write("a")
    router.follow()
    (folder / "b").rmdir()
    write("b", "a")
    router.follow()
    assert answered_by(router) == "a"
    assert router.status().problems == {"b": "it cannot be loaded: b is not there"}


def test_withdrawn_adapter_does_not_stand_in(router, host, write):
    write("b")
    router.follow()
    host.refused["a"] = "no"
    write("a")
    router.follow()
    assert answered_by(router) == "base"


def test_damaged_routes_change_nothing(router, write, folder):
    write("a")
    router.follow()
    (folder / ROUTES).write_text("{")
    router.follow()
    assert answered_by(router) == "a"
    assert "cannot be read" in router.status().problems["routes"]
    write("a")
    router.follow()
    assert router.status().problems == {}


def test_adapters_are_loaded_again_after_a_restart(router, host, write):
    write("a")
    router.follow()
    host.names.clear()
    router.follow()
    assert host.asked == ["load a", "load a"]
    assert answered_by(router) == "a"


def test_restart_without_adapters_leaves_the_base(router, host, write):
    write("a")
    router.follow()
    assert answered_by(router) == "a"
    host.names.clear()
    host.refused["a"] = "it takes no adapters while it runs"
    router.follow()
    assert answered_by(router) == "base"
    assert "takes no adapters" in router.status().problems["a"]


def test_server_that_is_down_changes_nothing(router, host, write):
    write("a")
    router.follow()
    host.down = True
    write("b", "a")
    router.follow()
    assert answered_by(router) == "a"
    assert router.status().problems == {"host": "no answer"}
    host.down = False
    router.follow()
    assert answered_by(router, "new") == "b"


def test_canary_answers_its_share(router, host, write, folder):
    write("a", "b", canary=HALF)
    router.follow()
    met = [answered_by(router, str(number)) for number in range(400)]
    assert 150 < met.count("b") < 250
    assert router.status().canary == "b"
    assert met == [answered_by(router, str(number)) for number in range(400)]


def test_canary_that_fails_leaves_all_to_the_live(router, host, write):
    host.refused["b"] = "no"
    write("a", "b", canary=HALF)
    router.follow()
    assert {answered_by(router, str(number)) for number in range(50)} == {"a"}
    assert (router.status().live, router.status().canary) == ("a", None)


def test_experiment_waits_for_all_its_arms(router, host, write):
    arms = Experiment("words", "x", (Arm("a", 0.5), Arm("b", 0.5)))
    host.refused["b"] = "no"
    write(None, "a", "b", experiment=arms)
    router.follow()
    router.follow()
    assert {answered_by(router, str(number)) for number in range(50)} == {"base"}
    assert host.asked == ["load a", "load b"], "the arm that is there waits for the other"
    host.refused.clear()
    write(None, "a", "b", experiment=arms)
    router.follow()
    assert {answered_by(router, str(number)) for number in range(50)} == {"a", "b"}
    assert router.status().experiment == "words"


def mixed(*names):
    return Experiment("taste", "x", tuple(Arm(name, 0.5) for name in names), interleaved=True)


@pytest.mark.parametrize(
    ("names", "told"),
    [(("b", "c"), ("b", "c")), ((None, "b"), ("base", "b")), (("b", None), ("b", "base"))],
)
def test_rankings_of_both_arms_are_held(router, write, names, told):
    write("a", "b", "c", experiment=mixed(*names))
    router.follow()
    for number in range(20):
        with router.lease(str(number)) as voice:
            assert (voice.name, voice.rival.name, voice.rival.rival) == (*told, None)


def test_rival_stays_until_its_last_turn_ends(router, host, write):
    write("a", "b", "c", experiment=mixed("b", "c"))
    router.follow()
    with router.lease("long") as voice:
        assert router.status().held == {"a": 0, "b": 1, "c": 1}
        write("a")
        router.follow()
        assert (voice.rival.name, host.names) == ("c", {"a", "b", "c"})
    router.follow()
    assert host.names == {"a"}
    with router.lease("long") as voice:
        assert (voice.name, voice.rival) == ("a", None)


def test_sessions_of_other_adapters_have_no_rival(router, write):
    write("a")
    router.follow()
    assert answered_by(router, "old") == "a"
    write("a", "b", "c", experiment=mixed("b", "c"))
    router.follow()
    with router.lease("old") as voice:
        assert (voice.name, voice.rival) == ("a", None)


def test_lost_rival_leaves_the_ranking_alone(router, host, write):
    write("a", "b", experiment=mixed("a", "b"))
    router.follow()
    assert answered_by(router, "old") == "a"
    host.refused["b"] = "no memory left"
    host.names.remove("b")
    router.follow()
    for session in ("old", "new"):
        with router.lease(session) as voice:
            assert (voice.name, voice.rival) == ("a", None)


def test_users_are_the_unit_where_they_are_known(folder, host, write):
    users = {"s1": "ann", "s2": "ann", "s3": "ann", "s4": "ann"}
    router = AdapterRouter(folder, host, unit=users.__getitem__)
    write("a", "b", canary=HALF)
    router.follow()
    assert len({answered_by(router, session) for session in users}) == 1


def test_unloading_that_fails_is_no_matter(router, host, write, caplog):
    write("a")
    router.follow()
    write(None)
    host.unload = lambda name: host.load(name, router.folder / "gone")
    router.follow()
    assert answered_by(router) == "base"
    assert "adapter a stays loaded" in caplog.text


def test_turns_go_on_while_an_adapter_loads(router, host, write):
    write("a")
    router.follow()
    host.go.clear()
    write("b", "a")
    with router:
        waited_for(lambda: host.asked[-1] == "load b")
        assert [answered_by(router, f"early {n}") for n in range(20)] == ["a"] * 20
        host.go.set()
        waited_for(lambda: router.status().live == "b")
        assert answered_by(router, "late") == "b"


def test_thread_goes_on_after_what_nobody_foresaw(router, host, write, caplog):
    def broken():
        raise ZeroDivisionError

    host.loaded = broken
    write("a")
    with router:
        waited_for(lambda: "following the routes failed" in caplog.text)
        assert answered_by(router) == "base"
        del host.loaded
        router.wake()
        waited_for(lambda: router.status().live == "a")


def waited_for(happened):
    ends = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < ends
        time.sleep(0.005)


def test_no_turn_fails_while_adapters_are_swapped(router, host, write):
    """Voices are only ever those of adapters that are loaded, at any moment of a turn."""
    ended, wrong, taken = threading.Event(), [], []
    begun = threading.Barrier(5, timeout=60)

    def talk(number):
        turn = 0
        begun.wait()
        while not (ended.is_set() and turn):
            with router.lease(f"{number}-{turn // 3}") as voice:
                if voice.name != "base" and voice.name not in host.names:
                    wrong.append(voice.name)
            turn += 1
            time.sleep(0.001)
        taken.append(turn)

    with ThreadPoolExecutor(4) as pool:
        for number in range(4):
            pool.submit(talk, number)
        begun.wait()
        try:
            for live, *others in 8 * (("a",), ("b", "a"), ("c", "a", "b"), ("a",), (None,)):
                write(live, *others)
                router.follow()
        finally:
            ended.set()
    assert not wrong
    assert len(taken) == 4
    assert min(taken) > 0


def test_turn_is_stored_with_the_voice_that_took_it(tmp_path, router, write):
    write("a")
    router.follow()
    store = Store(f"sqlite:///{tmp_path}/sessions.db")
    with open_shop(tmp_path / "shop") as shop:
        parts = Parts(store, shop, Linker.build(shop), RulePlanner(shop.facets), router=router)
        session = store.create_session()
        *_, done = respond(parts, session, "blue shoes")
    assert (done.voice, store.turns(session)[0].voice) == ("a", "a")
    assert router.status().held == {"a": 0}
    store.close()
