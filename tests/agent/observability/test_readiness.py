from collections import namedtuple
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text, update

from agent.errors import ModelUnavailable
from agent.jobs import NewJob
from agent.llm import ScriptedModel
from agent.llm_planner import LLMPlanner
from agent.observability.readiness import LOW_BYTES, standing_of
from agent.observability.schema import standing
from agent.planner import RulePlanner
from agent.tables import jobs

Usage = namedtuple("Usage", "total used free")


def test_sound_tenant_has_nothing_to_say(parts):
    found = standing_of(parts)
    assert (found.reasons, found.warnings) == ([], [])


def test_catalog_that_fails_is_a_reason(parts, monkeypatch):
    def broken(*args, **options):
        raise RuntimeError("secret path")

    monkeypatch.setattr(parts.retriever, "search", broken)
    assert standing_of(parts).reasons == [
        "the catalog cannot be searched (RuntimeError); see the log"
    ]


def test_store_that_fails_is_a_reason_without_its_place(parts, tmp_path):
    parts.store.close()
    for file in tmp_path.glob("sessions.db*"):
        file.unlink()
    (tmp_path / "sessions.db").write_bytes(b"garbage" * 2000)
    [reason] = standing_of(parts).reasons
    assert "not a session store" in reason
    assert str(tmp_path) not in reason


def test_low_disk_is_a_warning(parts, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(1e12, 1e12, LOW_BYTES - 1))
    found = standing_of(parts)
    assert found.reasons == []
    assert found.warnings == ["500 MB are free on the store's disk"]


def test_work_left_lying_is_a_warning(parts):
    long_ago = datetime.now(UTC) - timedelta(minutes=30)
    for status in ("waiting", "dead", "dead"):
        job = NewJob("handover", {})
        parts.store.work.add(job)
        with parts.store.database.write() as connection:
            own = update(jobs).where(jobs.c.id == job.id)
            connection.execute(own.values(status=status, due=long_ago))
    warnings = standing_of(parts).warnings
    assert warnings[0] == "a job has been due for 30 min; does a worker run?"
    assert warnings[1].startswith("2 jobs were given up")


def test_model_that_is_down_is_a_warning(parts):
    planner = LLMPlanner(
        ScriptedModel([ModelUnavailable("no")]), RulePlanner(), fast_path=False, breaker_failures=1
    )
    with pytest.raises(ModelUnavailable):
        planner.breaker.call(lambda: planner._model.complete([]))
    found = standing_of(replace(parts, planner=planner))
    assert found.reasons == []
    assert found.warnings == ["the language model does not answer; turns are planned by rules"]


@pytest.mark.parametrize(
    ("revision", "stands"), [("0001", "older"), ("9999", "newer")], ids=["older", "newer"]
)
def test_tables_of_another_version_are_told(parts, revision, stands):
    database = parts.store.database
    assert standing(database) == "same"
    with database.write() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{revision}'"))
    assert standing(database) == stands
    found = standing_of(parts)
    assert bool(found.reasons) is (stands == "older")
    assert bool(found.warnings) is (stands == "newer")
