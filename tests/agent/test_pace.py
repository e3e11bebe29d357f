import threading

import pytest

from agent import background, pace
from agent.pace import PLACES, Line, Ticket, computing, paced, waited_s, waiting


def until(check):
    """Wait for other threads to get somewhere."""
    for _ in range(6000):
        if check():
            return
        threading.Event().wait(0.01)
    raise AssertionError("the other threads did not get there")


def free_places():
    """How many places nobody has."""
    with pace._line._guard:
        return pace._line._free


@pytest.fixture(autouse=True)
def nobody_computes():
    """Threads that other tests left have ended what they computed."""
    until(lambda: free_places() == PLACES)


def test_no_more_compute_than_have_places():
    inside, most, all_in = [], [], threading.Barrier(PLACES + 1)
    leave = threading.Event()

    def work():
        with computing():
            inside.append(1)
            most.append(len(inside))
            if len(most) <= PLACES:
                all_in.wait(60)
            assert leave.wait(60)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(PLACES * 3)]
    for thread in threads:
        thread.start()
    all_in.wait(60)
    assert len(most) == PLACES
    leave.set()
    for thread in threads:
        thread.join()
    assert (max(most), len(most), inside) == (PLACES, PLACES * 3, [])


def test_who_began_first_goes_first():
    line, went = Line(1), []
    tickets = [Ticket() for _ in range(5)]
    line.take(tickets[0])

    def work(number):
        line.take(tickets[number])
        went.append(number)
        line.leave()

    threads = []
    for number in (3, 1, 4, 2):
        threads.append(threading.Thread(target=work, args=(number,)))
        threads[-1].start()
        until(lambda: len(line) == len(threads))
    line.leave()
    for thread in threads:
        thread.join()
    assert went == [1, 2, 3, 4]
    assert all(ticket.waited_s > 0 for ticket in tickets[1:])
    assert tickets[0].waited_s == 0


def test_place_is_taken_once_by_a_thread():
    with computing(), computing(), computing():
        assert free_places() == PLACES - 1
    assert free_places() == PLACES


def test_who_waits_has_no_place():
    with computing():
        with waiting():
            assert free_places() == PLACES
            with waiting():
                assert free_places() == PLACES
        assert free_places() == PLACES - 1
    with waiting():
        assert free_places() == PLACES


def test_calls_elsewhere_keep_no_place():
    async def look():
        return free_places()

    with computing():
        assert background.call(look(), 10) == PLACES


@pytest.mark.parametrize("wait", [computing, waiting], ids=["computing", "waiting"])
def test_failed_stage_frees_its_place(wait):
    for _ in range(PLACES * 2):
        with pytest.raises(ValueError, match="broken"), computing(), wait():
            raise ValueError("broken")
    assert free_places() == PLACES


def test_events_have_a_place_only_while_made():
    seen, ended = [], []

    def events():
        try:
            for number in range(3):
                seen.append(free_places())
                yield number
        finally:
            ended.append(True)

    made = paced(events())
    assert [(number, free_places()) for number in made] == [(n, PLACES) for n in range(3)]
    assert seen == [PLACES - 1] * 3
    left = paced(events())
    next(left)
    left.close()
    assert (len(ended), free_places()) == (2, PLACES)


def test_wait_in_line_is_told():
    assert waited_s() == 0
    with computing(Ticket(1.5)):
        assert waited_s() == 1.5
