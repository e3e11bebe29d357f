import json
from pathlib import Path

import pytest

from agent.errors import BadRoutes
from agent.routes import (
    ROUTES,
    Arm,
    Canary,
    Experiment,
    Routes,
    position,
    read_routes,
    write_routes,
)

EXPERIMENT = Experiment("words", "salt", (Arm("a", 0.5), Arm("b", 0.3), Arm(None, 0.2)))
MIXED = Experiment("taste", "salt", (Arm("b", 0.5), Arm("c", 0.5)), interleaved=True)


def routes(folder, **changes):
    folders = {name: folder / name for name in "abc"}
    return Routes(**{"version": 3, "live": "a", "adapters": folders, **changes})


@pytest.mark.parametrize(
    "changes",
    [{}, {"live": None}, {"canary": Canary("b", 0.1, "x")}, {"experiment": EXPERIMENT},
     {"experiment": MIXED}, {"adapters": {"a": Path("/elsewhere/a"), "b": Path("/b")}}],
)  # fmt: skip
def test_written_routes_are_read_again(tmp_path, changes):
    given = routes(tmp_path, **changes)
    write_routes(tmp_path, given)
    assert read_routes(tmp_path) == given
    assert [path.name for path in tmp_path.iterdir()] == [ROUTES]


def test_folders_move_with_the_project(tmp_path):
    write_routes(tmp_path, routes(tmp_path))
    assert json.loads((tmp_path / ROUTES).read_text())["adapters"]["a"] == "a"
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    assert read_routes(moved).adapters["a"] == moved / "a"


def test_without_a_file_the_base_answers(tmp_path):
    assert read_routes(tmp_path) == Routes()
    assert Routes().assign("anybody") is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"version": 1, "live": "a", "canary": null, "experiment": null,'
             ' "adapters": {}}']
)  # fmt: skip
def test_damaged_file_is_told(tmp_path, text):
    (tmp_path / ROUTES).write_text(text)
    with pytest.raises(BadRoutes, match=r"routes.json' cannot be read: "):
        read_routes(tmp_path)


def test_position_is_a_stable_hash():
    assert position("salt", "session") == pytest.approx(0.5578485879, abs=1e-9)
    spots = [position("salt", str(number)) for number in range(2000)]
    assert all(0 <= spot < 1 for spot in spots)
    assert abs(sum(spots) / len(spots) - 0.5) < 0.02
    assert position("salt", "session") != position("other", "session")


def test_canary_share_grows_without_moving_anybody(tmp_path):
    small = routes(tmp_path, canary=Canary("b", 0.1, "x"))
    large = routes(tmp_path, canary=Canary("b", 0.4, "x"))
    units = [str(number) for number in range(3000)]
    met = {unit for unit in units if small.assign(unit) == "b"}
    assert 0.08 < len(met) / len(units) < 0.12
    assert all(large.assign(unit) == "b" for unit in met)
    assert {small.assign(unit) for unit in units} == {"a", "b"}


def test_new_canary_meets_other_people(tmp_path):
    one, two = (routes(tmp_path, canary=Canary("b", 0.1, salt)) for salt in "xy")
    units = [str(number) for number in range(3000)]
    both = [unit for unit in units if one.assign(unit) == two.assign(unit) == "b"]
    assert len(both) / len(units) < 0.02


def test_experiment_shares_by_arms(tmp_path):
    given = routes(tmp_path, experiment=EXPERIMENT)
    met = [given.assign(str(number)) for number in range(5000)]
    shares = [met.count(name) / len(met) for name in ("a", "b", None)]
    assert shares == pytest.approx([0.5, 0.3, 0.2], abs=0.03)


def test_first_arm_answers_everybody_where_slates_are_mixed(tmp_path):
    given = routes(tmp_path, experiment=MIXED)
    assert {given.assign(str(number)) for number in range(50)} == {"b"}
    assert given.named == ("a", "b", "c")
    assert given.without(["c"]).experiment is None
    assert (MIXED.rival, EXPERIMENT.rival) == (Arm("c", 0.5), None)


def test_experiments_of_before_share_sessions(tmp_path):
    write_routes(tmp_path, routes(tmp_path, experiment=EXPERIMENT))
    data = json.loads((tmp_path / ROUTES).read_text())
    del data["experiment"]["interleaved"]
    (tmp_path / ROUTES).write_text(json.dumps(data))
    assert read_routes(tmp_path).experiment == EXPERIMENT


def test_three_arms_cannot_be_mixed(tmp_path):
    three = Experiment("words", "salt", EXPERIMENT.arms, interleaved=True)
    write_routes(tmp_path, routes(tmp_path, experiment=three))
    with pytest.raises(BadRoutes, match="3 arms are interleaved, expected 2"):
        read_routes(tmp_path)


def test_missing_adapters_get_nobody_new(tmp_path):
    given = routes(tmp_path, canary=Canary("b", 0.1, "x"))
    assert given.named == ("a", "b")
    assert given.without(["b"]).named == ("a",)
    assert given.without(["a"]).live is None
    tried = routes(tmp_path, experiment=EXPERIMENT)
    assert tried.without(["b"]).experiment is None
    assert tried.without(["c"]) == tried
