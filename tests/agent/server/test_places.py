"""The line of turns: who comes first goes first, and who would wait too long is told at once."""

import asyncio

import pytest

from agent.access.errors import Busy
from agent.server.places import Places


class Clock:
    """A clock that is set."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


async def settled():
    """Let every task go as far as it gets."""
    for _ in range(5):
        await asyncio.sleep(0)


def refusal(error):
    return str(error.value), error.value.headers["Retry-After"]


def test_first_come_is_first_served():
    async def check():
        places, came = Places(10, 1, 60.0), []

        async def turn(number):
            await places.take()
            came.append(number)

        assert await places.take() == 0.0
        tasks = [asyncio.create_task(turn(number)) for number in range(4)]
        await settled()
        assert (came, places.waiting) == ([], 4)
        for number in range(4):
            places.leave()
            await settled()
            assert came == list(range(number + 1))
        await asyncio.gather(*tasks)
        places.leave()
        assert await places.take() == 0.0

    asyncio.run(check())


def test_wait_is_told():
    async def check():
        clock = Clock()
        places = Places(10, 1, 60.0, clock)
        await places.take()
        task = asyncio.create_task(places.take())
        await settled()
        clock.now = 2.5
        places.leave()
        assert await task == 2.5

    asyncio.run(check())


def test_more_than_there_are_places_for_come_back():
    async def check():
        places = Places(2, 1, 60.0)
        await places.take()
        task = asyncio.create_task(places.take())
        await settled()
        with pytest.raises(Busy) as error:
            await places.take()
        assert refusal(error) == ("2 turns are under way here already", "1")
        places.leave()
        await task

    asyncio.run(check())


def test_line_that_moves_slowly_refuses_at_once():
    async def check():
        clock = Clock()
        places = Places(100, 1, 10.0, clock)
        await places.take()
        tasks = [asyncio.create_task(places.take()) for _ in range(6)]
        await settled()
        for _ in range(3):  # a turn ends every two seconds
            clock.now += 2.0
            places.leave()
        await settled()
        tasks.append(asyncio.create_task(places.take()))  # the fourth: 8 s
        await settled()
        tasks.append(asyncio.create_task(places.take()))  # the fifth: 10 s
        await settled()
        with pytest.raises(Busy) as error:
            await places.take()
        assert refusal(error) == ("the line is 5 turns long, about 12 s", "2")
        assert places.waiting == 5
        for task in tasks:
            task.cancel()

    asyncio.run(check())


def test_line_that_stands_still_is_given_up():
    async def check():
        places = Places(10, 1, 0.01)
        await places.take()
        with pytest.raises(Busy, match="no turn ended in time"):
            await places.take()
        assert places.waiting == 0
        places.leave()
        assert await places.take() == 0.0

    asyncio.run(check())


@pytest.mark.parametrize("given", [False, True], ids=["in line", "just given a place"])
def test_who_leaves_the_line_keeps_no_place(given):
    async def check():
        places = Places(10, 1, 60.0)
        await places.take()
        tasks = [asyncio.create_task(places.take()) for _ in range(2)]
        await settled()
        if given:
            places.leave()
        tasks[0].cancel()
        await settled()
        if not given:
            places.leave()
        await tasks[1]
        places.leave()
        assert await places.take() == 0.0

    asyncio.run(check())
