import pytest

from agent.telemetry import NoTimings, Timings


def test_span_measures_each_stage():
    timings = Timings()
    with timings.span("link"), timings.span("plan"):
        pass
    assert set(timings.ms) == {"link", "plan"}
    assert all(ms >= 0 for ms in timings.ms.values())


def test_same_stage_twice_adds(monkeypatch):
    ticks = iter([0.0, 0.002, 1.0, 1.003])
    monkeypatch.setattr("agent.telemetry.perf_counter", lambda: next(ticks))
    timings = Timings()
    for _ in range(2):
        with timings.span("retrieve"):
            pass
    assert timings.ms == {"retrieve": 5.0}


def test_failed_stage_is_measured():
    timings = Timings()
    with pytest.raises(ValueError, match="broken"), timings.span("plan"):
        raise ValueError("broken")
    assert "plan" in timings.ms


def test_off_switch_measures_nothing():
    timings = NoTimings()
    with timings.span("link"):
        pass
    assert timings.ms == {}
