import threading

from agent import pace
from agent.pace import PLACES, computing


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


def test_failed_stage_frees_its_place():
    for _ in range(PLACES * 2):
        try:
            with computing():
                raise ValueError("broken")
        except ValueError:
            pass
    assert pace._places.acquire(blocking=False)
    pace._places.release()
