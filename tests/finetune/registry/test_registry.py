import json
import re
import shutil

import pytest

from agent.routes import ROUTES, read_routes
from finetune.errors import AdapterError, RegistryError
from finetune.events.audit import Audit
from finetune.registry import Registry
from tests.finetune import tiny
from tests.finetune.registry.conftest import damage


def statuses(registry):
    return {entry.name.split("-")[1]: entry.status for entry in registry.list()}


def test_added_adapter_is_a_candidate_under_its_content(registry, added, make):
    name = added(1)
    entry = registry.get(name)
    assert name == f"round-1-{entry.card.weights_hash[:8]}"
    assert (entry.status, entry.share, entry.judgement) == ("candidate", 0.0, None)
    assert entry.folder == registry.folder / name
    assert entry.card.data["rows"] == 36
    assert read_routes(registry.folder).named == ()


def test_same_adapter_is_added_once(registry, added, make, base):
    name = added(1)
    again = shutil.copytree(registry.get(name).folder, registry.folder.parent / "again")
    assert registry.add(again, str(base)) == name
    assert [change.action for change in registry.history()] == ["add"]


def test_adapter_of_another_base_is_refused(registry, make, tmp_path):
    other = tiny.make_base(tmp_path / "other", seed=2)
    with pytest.raises(AdapterError, match="fingerprint"):
        registry.add(make(1), str(other))
    assert registry.list() == []
    assert not list(registry.folder.glob("round*"))


def test_unknown_names_list_those_there_are(registry, added):
    with pytest.raises(RegistryError, match="no adapter 'x' here; there are: none yet"):
        registry.get("x")
    name = added(1)
    with pytest.raises(RegistryError, match=re.escape(f"there are: {name!r}")):
        registry.promote("x")


def test_gate_decides_who_is_promoted(registry, added, report):
    name = added(1)
    with pytest.raises(RegistryError, match="no gate has judged it"):
        registry.promote(name)
    with pytest.raises(RegistryError, match=r"the gate refused it \(reports/round-1"):
        registry.promote(name, report(name, passed=False))
    assert registry.get(name).status == "refused"
    assert registry.live() is None
    registry.promote(name, report(name))
    assert registry.live() == registry.get(name)
    assert (registry.get(name).status, registry.get(name).share) == ("live", 1.0)
    with pytest.raises(RegistryError, match="live already"):
        registry.promote(name)


def test_report_counts_for_what_it_measured(registry, added, promoted, report, tmp_path):
    one, two, three = promoted(1), added(2), added(3)
    with pytest.raises(RegistryError, match=f"is about {three!r}, not {two!r}"):
        registry.promote(two, report(three))
    stale = report(two)
    registry.promote(three, report(three))
    with pytest.raises(RegistryError, match=f"compared it with {one!r}, but {three!r} answers now"):
        registry.promote(two, stale)
    assert registry.get(two).status == "candidate"
    assert statuses(registry) == {"1": "retired", "2": "candidate", "3": "live"}
    assert registry.get(one).judgement.baseline == "base"


@pytest.mark.parametrize(
    "text", ["", "[]", '{"verdict": "promote"}', '{"verdict": "maybe", "config": {}}',
             '{"verdict": "promote", "config": {"candidate": 3, "baseline": "base"}}']
)  # fmt: skip
def test_file_that_is_no_report_is_told(registry, added, tmp_path, text):
    path = tmp_path / "gate.json"
    path.write_text(text)
    with pytest.raises(RegistryError, match=r"gate.json' is no gate report .*expected JSON"):
        registry.judge(added(1), path)


def test_forced_promotion_is_on_record(registry, added):
    name = added(1)
    registry.promote(name, force=True, why="demo")
    last = registry.history(name)[-1]
    assert (last.who, last.action, last.before, last.after) == (
        "ann", "promote", "candidate", "live"
    )  # fmt: skip
    assert (last.why, last.facts["forced"]) == ("demo", True)


def test_rollback_goes_back_step_by_step(registry, promoted):
    one, _two, three = promoted(1), promoted(2), promoted(3)
    registry.retire(registry.list()[1].name, "not liked")
    assert registry.rollback("complaints") == one
    assert statuses(registry) == {"1": "live", "2": "retired", "3": "retired"}
    assert three not in registry.routes().adapters, "sessions that have it move on"
    assert registry.rollback() is None
    assert registry.live() is None
    with pytest.raises(RegistryError, match="nothing to roll back to"):
        registry.rollback()


def test_rollback_passes_over_what_may_not_serve(registry, promoted):
    one, two, _three = promoted(1), promoted(2), promoted(3)
    damage(registry.get(two).folder)
    assert registry.rollback() == one
    assert registry.history()[-1].facts["passed_over"] == [two]


def test_rolled_back_adapter_needs_a_new_judgement(registry, promoted, report, tmp_path):
    name = promoted(1)
    registry.rollback()
    old = report(name)
    with pytest.raises(RegistryError, match="it was taken out of use"):
        registry.promote(name, old)
    old.write_text(json.dumps({**json.loads(old.read_text()), "seed": 2}))
    registry.promote(name, old)
    assert registry.live() == registry.get(name)


def test_sessions_may_end_with_what_they_began(registry, promoted):
    one, two, three = promoted(1), promoted(2), promoted(3)
    routes = read_routes(registry.folder)
    assert (routes.live, set(routes.adapters)) == (three, {one, two, three})
    assert routes.adapters[two] == registry.folder / two
    registry.retire(two)
    assert set(read_routes(registry.folder).adapters) == {one, three}


def test_canary_answers_a_share_of_sessions(registry, promoted, added, report):
    one, two, three = promoted(1), added(2), added(3)
    with pytest.raises(RegistryError, match="no gate has judged it"):
        registry.canary(two, 0.1)
    with pytest.raises(RegistryError, match="share 1: expected more than 0 and less than 1"):
        registry.canary(two, 1)
    registry.canary(two, 0.1, report(two))
    routes = read_routes(registry.folder)
    met = [routes.assign(f"session {n}") for n in range(2000)]
    assert 0.07 < met.count(two) / 2000 < 0.13
    assert set(met) == {one, two}
    assert [registry.get(name).share for name in (one, two)] == [0.9, 0.1]

    registry.canary(two, 0.5)
    wider = read_routes(registry.folder)
    assert all(wider.assign(f"session {n}") == two for n in range(2000) if met[n] == two)
    registry.canary(three, 0.1, report(three))
    assert statuses(registry) == {"1": "live", "2": "retired", "3": "canary"}
    assert read_routes(registry.folder).canary.salt != wider.canary.salt
    registry.end_trial("enough seen")
    assert (read_routes(registry.folder).canary, registry.get(three).status) == (None, "retired")
    with pytest.raises(RegistryError, match="no canary or experiment"):
        registry.end_trial()


def test_canary_that_did_well_is_promoted(registry, promoted, added, report):
    one, two = promoted(1), added(2)
    registry.canary(two, 0.1, report(two))
    with pytest.raises(RegistryError, match=f"{one!r} is live already"):
        registry.canary(one, 0.1)
    registry.promote(two)
    routes = registry.routes()
    assert (routes.live, routes.canary, set(routes.adapters)) == (two, None, {one, two})


def test_rollback_ends_a_canary_too(registry, promoted, added, report):
    one, two, three = promoted(1), promoted(2), added(3)
    registry.canary(three, 0.2, report(three))
    assert registry.rollback() == one
    assert statuses(registry) == {"1": "live", "2": "retired", "3": "retired"}
    assert set(registry.routes().adapters) == {one}
    assert registry.history()[-1].facts["ended"] == [three]
    assert registry.history()[-1].adapter == two


def test_experiment_shares_sessions_among_arms(registry, promoted, added, report):
    one, two = promoted(1), added(2)
    arms = {one: 0.5, two: 0.3, "base": 0.2}
    with pytest.raises(RegistryError, match="no gate has judged it"):
        registry.experiment("words", arms)
    registry.judge(two, report(two))
    registry.experiment("words", arms)
    routes = read_routes(registry.folder)
    met = [routes.assign(f"user {n}") for n in range(4000)]
    for name, share in ((one, 0.5), (two, 0.3), (None, 0.2)):
        assert abs(met.count(name) / 4000 - share) < 0.03
    with pytest.raises(RegistryError, match="experiment 'words' is under way"):
        registry.canary(two, 0.1)
    registry.promote(two)
    assert registry.routes().experiment is None


def test_interleaved_experiment_is_kept(registry, promoted, added, report):
    one, two = promoted(1), added(2)
    registry.judge(two, report(two))
    registry.experiment("taste", {one: 0.5, two: 0.5}, interleaved=True)
    trial = read_routes(registry.folder).experiment
    assert trial == registry.routes().experiment
    assert (trial.interleaved, trial.rival.adapter) == (True, two)
    assert registry.history()[-1].facts["interleaved"] is True
    assert {entry.name: entry.share for entry in registry.list()} == {one: 0.5, two: 0.5}
    registry.close()
    with Registry(registry.folder) as again:
        assert again.routes().experiment == trial


@pytest.mark.parametrize("shares", [(0.5, 0.3, 0.2), (0.6, 0.4)])
def test_only_two_halves_are_interleaved(registry, shares):
    arms = dict(zip(("base", "x", "y"), shares, strict=False))
    with pytest.raises(RegistryError, match=r"expected two of 0.5"):
        registry.experiment("taste", arms, interleaved=True)


@pytest.mark.parametrize(
    ("arms", "told"),
    [({"base": 1.0}, "two or more"), ({"base": 0.5, "x": 0.0}, "above 0"),
     ({"base": 0.5, "x": 0.6}, "add up to 1.1")],
)  # fmt: skip
def test_shares_of_arms_make_a_whole(registry, arms, told):
    with pytest.raises(RegistryError, match=told):
        registry.experiment("words", arms)


def test_retiring_withdraws_an_adapter(registry, promoted, added, report):
    one, two = promoted(1), added(2)
    registry.canary(two, 0.2, report(two))
    registry.retire(two)
    assert (registry.routes().canary, registry.get(two).status) == (None, "retired")
    with pytest.raises(RegistryError, match="is live: promote another one, or roll back"):
        registry.retire(one)


def test_deleted_data_marks_what_was_made_from_it(registry, promoted, added, report, make, base):
    one = promoted(1, [{"id": "a", "session": "s1", "user": "u1", "events": ["e"]}])
    two = added(2, [{"id": "b", "session": "s2", "sessions": ["s2", "s3"], "user": None}])
    three = registry.add(make(3), str(base), parent=two)
    other = added(4, [{"id": "c", "session": "s9", "user": "u9"}])
    assert registry.mark_forgotten(["s7"], "u7") == []
    assert registry.mark_forgotten(["s3"]) == [two, three]
    assert registry.mark_forgotten([], "u1") == [one]
    assert statuses(registry) == {
        "1": "live", "2": "forgotten", "3": "forgotten", "4": "candidate"
    }  # fmt: skip
    assert registry.get(one).marked is not None
    with pytest.raises(RegistryError, match="made from data that was deleted on 2"):
        registry.promote(two, force=True)
    registry.promote(other, report(other))
    assert registry.get(one).status == "forgotten"
    assert set(registry.routes().adapters) == {other}, "its sessions move on at once"
    assert registry.rollback() is None, "what holds deleted data does not come back"
    assert registry.mark_forgotten(["s3"]) == [two, three], "told again, marked once"
    assert [change.action for change in registry.history(two)] == ["add", "forget"]


def test_deleted_data_may_be_out_at_once(registry, promoted, added, report):
    one, two = promoted(1), promoted(2, [{"session": "s2"}])
    assert registry.mark_forgotten(["s2"], retire=True) == [two]
    assert registry.live() == registry.get(one)
    assert registry.get(two).status == "forgotten"
    three = added(3, [{"session": "s3"}])
    registry.canary(three, 0.2, report(three))
    assert registry.mark_forgotten(["s3"], retire=True) == [three]
    assert (registry.routes().canary, registry.get(three).status) == (None, "forgotten")


def test_damaged_lineage_is_refused(registry, make, base):
    with pytest.raises(AdapterError, match=r"lineage.jsonl', line 1"):
        registry.add(make(1, ["no object"]), str(base))


def test_damaged_adapter_is_not_promoted(registry, added):
    name = added(1)
    damage(registry.get(name).folder)
    with pytest.raises(AdapterError, match="damaged"):
        registry.promote(name, force=True)
    assert registry.live() is None


def test_damaged_routes_are_written_anew(registry, promoted):
    name = promoted(1)
    (registry.folder / ROUTES).write_text("{")
    with Registry(registry.folder) as again:
        assert again.routes() == read_routes(again.folder)
        assert read_routes(again.folder).live == name


def test_every_change_is_in_the_audit_trail(registry, promoted, added):
    promoted(1)
    added(2)
    registry.rollback("x")
    entries = Audit(registry.folder).entries()
    assert [entry.kind for entry in entries] == [
        f"adapter.{change.action}" for change in registry.history()
    ]
    assert entries[-1].facts["why"] == "x"
    assert entries[-1].facts["who"] == "ann"


def test_file_that_is_no_registry_is_told(tmp_path):
    (tmp_path / "registry.db").write_bytes(b"nonsense" * 200)
    with pytest.raises(RegistryError, match=r"registry.db' cannot be used: file is not a database"):
        Registry(tmp_path)


def test_registry_of_a_newer_version_is_told(registry):
    registry._book._connection.execute("PRAGMA user_version = 99")
    with pytest.raises(RegistryError, match="written by a newer version"):
        Registry(registry.folder)
