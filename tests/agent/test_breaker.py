import threading

import pytest

from agent.breaker import Breaker, CircuitOpen


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(failures=2, reset_s=30, clock=clock)


def fail():
    raise OSError("down")


def fail_times(breaker, times):
    for _ in range(times):
        with pytest.raises(OSError, match="down"):
            breaker.call(fail)


def test_failures_in_a_row_open_it(breaker):
    fail_times(breaker, 2)
    assert breaker.state == "open"
    with pytest.raises(CircuitOpen, match="not asked after 2 failures; again in 30 s"):
        breaker.call(lambda: pytest.fail("must not be called"))


def test_success_between_failures_keeps_it_closed(breaker):
    fail_times(breaker, 1)
    assert breaker.call(lambda: 7) == 7
    fail_times(breaker, 1)
    assert breaker.state == "closed"


def test_good_trial_closes_it(breaker, clock):
    fail_times(breaker, 2)
    clock.now += 30
    assert breaker.state == "half-open"
    assert breaker.call(lambda: 7) == 7
    assert breaker.state == "closed"
    fail_times(breaker, 1)
    assert breaker.state == "closed"


def test_failed_trial_opens_it_again(breaker, clock):
    fail_times(breaker, 2)
    clock.now += 31
    fail_times(breaker, 1)
    assert breaker.state == "open"
    clock.now += 29
    with pytest.raises(CircuitOpen, match="again in 1 s"):
        breaker.call(lambda: 7)


def test_only_one_trial_at_a_time(breaker, clock):
    fail_times(breaker, 2)
    clock.now += 30

    def trial():
        with pytest.raises(CircuitOpen, match="another turn is trying"):
            breaker.call(lambda: pytest.fail("must not be called"))
        return 7

    assert breaker.call(trial) == 7


def test_straggler_does_not_prolong_the_pause(breaker, clock):
    def straggler():
        fail_times(breaker, 2)
        clock.now += 20
        fail()

    with pytest.raises(OSError, match="down"):
        breaker.call(straggler)
    clock.now += 10
    assert breaker.call(lambda: 7) == 7


def test_interrupted_trial_can_be_repeated(breaker, clock):
    fail_times(breaker, 2)
    clock.now += 30

    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        breaker.call(interrupted)
    clock.now += 30
    assert breaker.call(lambda: 7) == 7


def test_calls_run_side_by_side(breaker):
    both_inside = threading.Barrier(2, timeout=10)
    threads = [
        threading.Thread(target=breaker.call, args=(both_inside.wait,), daemon=True)
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not both_inside.broken


@pytest.mark.parametrize("failures", [0, -1])
def test_needs_at_least_one_failure(failures):
    with pytest.raises(ValueError, match="1 or more"):
        Breaker(failures=failures)
