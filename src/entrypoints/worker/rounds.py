"""The worker's rounds: events as they come, and a few duties by the clock."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from domain.shared.errors import Unavailable
from entrypoints.worker.delivery import Deliver

log = structlog.get_logger("worker")


class Rest(Protocol):
    """What the worker waits at."""

    async def rest(self, seconds: float) -> None:
        """Until there is something to do, at most that long."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Something to do again and again, that many seconds apart."""

    name: str
    every: float
    do: Callable[[], Awaitable[object]]


@dataclass(slots=True, kw_only=True)
class Worker:
    """Delivers events and does its duties until told to stop; what is under way is finished."""

    deliver: Deliver
    bell: Rest
    duties: Sequence[Duty] = ()
    poll: float = 1.0
    last_beat: float = 0.0
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Work until `stop`."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._events())
            for duty in self.duties:
                group.create_task(self._duty(duty))

    def stop(self) -> None:
        """Take nothing new."""
        self._stopping.set()

    async def _events(self) -> None:
        while not self._stopping.is_set():
            self.last_beat = asyncio.get_running_loop().time()
            if not await self._safely("events", self.deliver.some):
                await self._either(self.bell.rest(self.poll))

    async def _duty(self, duty: Duty) -> None:
        while not self._stopping.is_set():
            await self._safely(duty.name, duty.do)
            await self._either(asyncio.sleep(duty.every))

    async def _safely(self, name: str, do: Callable[[], Awaitable[object]]) -> object:
        """Whatever goes wrong is logged and tried again on the next round."""
        try:
            return await do()
        except Unavailable as away:
            log.warning("cannot work now", duty=name, error=str(away))
        except Exception:
            log.exception("a round failed", duty=name)
        return None

    async def _either(self, waiting: Awaitable[None]) -> None:
        """Wait for that, or for being told to stop."""
        tasks = [asyncio.ensure_future(waiting), asyncio.ensure_future(self._stopping.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
