"""The loop: virtual time, chance that a seed decides, and processes whose death is final."""

import asyncio
from contextvars import copy_context
from typing import Any

import pytest

from adapters.simulation.chance import stream
from adapters.simulation.loop import Endless, SimulatedLoop, Stuck
from adapters.simulation.processes import PROCESS, ConnectionLost, Process


def played(seed: int, main: Any) -> Any:
    """The result of that coroutine on a loop of that seed."""
    loop = SimulatedLoop(stream(seed))
    try:
        return loop.run_until_complete(main)
    finally:
        loop.bury([])
        loop.close()


async def order_of(tasks: int) -> list[int]:
    """The order in which so many tasks, all ready at once, pass three points each."""
    seen: list[int] = []

    async def walk(number: int) -> None:
        for _ in range(3):
            seen.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(walk(number) for number in range(tasks)))
    return seen


def test_a_week_passes_in_no_time() -> None:
    async def week() -> float:
        await asyncio.sleep(7 * 86_400)
        return asyncio.get_running_loop().time()

    assert played(1, week()) == 7 * 86_400


def test_timers_fire_in_their_order_and_timeouts_work() -> None:
    async def main() -> list[str]:
        seen: list[str] = []
        loop = asyncio.get_running_loop()
        loop.call_later(2, seen.append, "second")
        loop.call_later(1, seen.append, "first")
        loop.call_later(1.5, seen.append, "never").cancel()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await asyncio.Event().wait()
        return [*seen, str(loop.time())]

    assert played(1, main()) == ["first", "second", "3.0"]


def test_the_same_seed_gives_the_same_order_and_another_one_another() -> None:
    orders = {seed: played(seed, order_of(5)) for seed in range(10)}
    assert all(played(seed, order_of(5)) == order for seed, order in orders.items())
    assert len({tuple(order) for order in orders.values()}) > 5


def test_every_task_gets_its_turns() -> None:
    assert sorted(played(3, order_of(4))) == sorted([*range(4)] * 3)


def test_waiting_for_what_never_comes_is_told() -> None:
    with pytest.raises(Stuck):
        played(1, asyncio.Event().wait())


def test_spinning_is_told() -> None:
    async def spin() -> None:
        while True:  # noqa: ASYNC110 - it waits for nothing
            await asyncio.sleep(0)

    loop = SimulatedLoop(stream(1), most_turns=1000)
    with pytest.raises(Endless):
        loop.run_until_complete(spin())
    loop.bury([])


def test_errors_nobody_caught_are_kept() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_exception_handler({"message": "lost"})

    loop = SimulatedLoop(stream(1))
    loop.run_until_complete(main())
    assert [each["message"] for each in loop.complaints] == ["lost"]
    loop.bury([])


def test_nothing_of_a_dead_process_runs_again_not_even_its_tidying_up() -> None:
    seen: list[str] = []

    async def work() -> None:
        try:
            seen.append("began")
            await asyncio.sleep(1)
            seen.append("went on")
        finally:
            seen.append("tidied up")

    async def main() -> list[str]:
        process = Process("api")
        inside = copy_context()
        inside.run(PROCESS.set, process)
        loop = asyncio.get_running_loop()
        task = loop.create_task(work(), context=inside)
        waiting = loop.create_future()
        process.connections[waiting] = None
        await asyncio.sleep(0.5)
        process.crash()
        with pytest.raises(ConnectionLost):
            await waiting
        await asyncio.sleep(10)
        assert not task.done()
        kept.extend(process.tasks)
        return list(seen)

    kept: list[asyncio.Task[Any]] = []
    loop = SimulatedLoop(stream(1))
    assert loop.run_until_complete(main()) == ["began"]
    loop.bury(kept)
    assert all(task.done() for task in kept)


def test_threads_are_played_at_once() -> None:
    async def main() -> int:
        return await asyncio.get_running_loop().run_in_executor(None, lambda: 7)

    assert played(1, main()) == 7
