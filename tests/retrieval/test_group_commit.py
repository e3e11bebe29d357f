"""Group commit: calls wait together, in order, and fail alone."""

import threading
import time

import pytest

from retrieval.group_commit import GroupCommit


class Disk:
    """Remembers what was committed in which group; refuses groups with a negative number."""

    def __init__(self):
        self.groups = []
        self.opened = threading.Event()
        self.opened.set()
        self.entered = threading.Event()

    def commit(self, calls):
        self.entered.set()
        assert self.opened.wait(10)
        if min(calls) < 0:
            raise ValueError(f"cannot take {list(calls)}")
        self.groups.append(list(calls))
        return [call * 10 for call in calls]


@pytest.fixture
def disk():
    return Disk()


@pytest.fixture
def group(disk):
    return GroupCommit(disk.commit)


def submitted(group, *calls):
    """Start a thread per call, each queued before the next; results by call when all are done."""
    found = {}

    def submit(call):
        try:
            found[call] = group.submit(call)
        except (ValueError, KeyboardInterrupt) as error:
            found[call] = error

    threads = []
    for call in calls:
        threads.append(threading.Thread(target=submit, args=(call,)))
        threads[-1].start()
        end = time.monotonic() + 10
        while len(group._waiting) < len(threads) and time.monotonic() < end:
            time.sleep(0.001)
    return found, threads


def behind(disk, group, *calls):
    """Let calls queue while another is being committed, then finish all."""
    disk.opened.clear()
    first = threading.Thread(target=group.submit, args=(1,))
    first.start()
    assert disk.entered.wait(10)
    found, threads = submitted(group, *calls)
    disk.opened.set()
    for thread in [first, *threads]:
        thread.join(10)
        assert not thread.is_alive()
    return found


def test_one_caller_commits_alone(disk, group):
    assert [group.submit(n) for n in (1, 2, 3)] == [10, 20, 30]
    assert disk.groups == [[1], [2], [3]]


def test_waiting_calls_share_a_commit(disk, group):
    assert behind(disk, group, 2, 3, 4) == {2: 20, 3: 30, 4: 40}
    assert disk.groups == [[1], [2, 3, 4]]
    assert group.submit(5) == 50


def test_bad_call_fails_alone(disk, group):
    found = behind(disk, group, 2, -3, 4)
    assert (found[2], found[4]) == (20, 40)
    assert "cannot take [-3]" in str(found[-3])
    assert disk.groups == [[1], [2], [4]]


def test_interrupt_reaches_every_caller(group, disk):
    calls = []

    def interrupted(group):
        calls.append(len(group))
        raise KeyboardInterrupt

    disk.opened.clear()
    first = threading.Thread(target=group.submit, args=(1,))
    first.start()
    assert disk.entered.wait(10)
    found, threads = submitted(group, 2, 3)
    group._commit = interrupted
    disk.opened.set()
    for thread in [first, *threads]:
        thread.join(10)
    assert calls == [2]
    assert {type(found[2]), type(found[3])} == {KeyboardInterrupt}
    group._commit = disk.commit
    assert group.submit(4) == 40


@pytest.mark.parametrize("promoted", [False, True])
def test_interrupted_follower_holds_up_nobody(disk, group, monkeypatch, promoted):
    """A thread that is interrupted while it waits: before, and after it is told to lead."""
    wait = threading.Event.wait

    def interrupted(self, timeout=None):
        if threading.current_thread().name == "unlucky" and self is not disk.opened:
            if promoted:
                wait(self)
            raise KeyboardInterrupt
        return wait(self, timeout)

    disk.opened.clear()
    first = threading.Thread(target=group.submit, args=(1,))
    first.start()
    assert disk.entered.wait(10)
    monkeypatch.setattr(threading.Event, "wait", interrupted)
    ended = []

    def unlucky():
        try:
            group.submit(2)
        except KeyboardInterrupt:
            ended.append(2)

    thread = threading.Thread(target=unlucky, name="unlucky")
    thread.start()
    if not promoted:
        thread.join(10)
    else:
        while not group._waiting:
            time.sleep(0.001)
    disk.opened.set()
    first.join(10)
    thread.join(10)
    assert group.submit(3) == 30
    assert ended == [2]
    assert disk.groups == ([[1], [2], [3]] if promoted else [[1], [3]])
