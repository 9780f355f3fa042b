"""An event loop without a machine under it: time is a number, and chance picks who runs next.

No sockets, no threads, no real time. Whatever is ready may run next, in an order drawn from a seed; when nothing is
ready, time jumps to the next timer. The same seed and the same program give the same run, to the last callback."""

import asyncio
import heapq
from asyncio import AbstractEventLoop, Future, Task
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar, cast

from adapters.simulation.processes import PROCESS

T = TypeVar("T")


class Stuck(Exception):
    """Nobody is ready and no timer runs: what is waited for will never come."""


class Endless(Exception):
    """More turns were taken than any run needs: somebody spins."""


class Turn:
    """A callback that waits for its turn, at `when` if it is a timer."""

    __slots__ = ("args", "callback", "context", "gone", "when")

    def __init__(self, callback: Callable[..., object], args: tuple[Any, ...], context: Context, when: float) -> None:
        self.callback, self.args, self.context, self.when, self.gone = callback, args, context, when, False

    def cancel(self) -> None:
        """Never run."""
        self.gone = True

    def cancelled(self) -> bool:
        """Whether it was called off."""
        return self.gone


if TYPE_CHECKING:
    # Of an event loop's many methods, those of a machine with sockets and processes are missing on purpose.
    _Loop = object
else:
    _Loop = AbstractEventLoop


class SimulatedLoop(_Loop):
    """Runs coroutines in virtual time. `complaints` collects what nobody caught."""

    def __init__(self, chance: Random, *, most_turns: int = 20_000_000) -> None:
        self._draw = chance.random
        self._ready: list[Turn] = []
        self._timers: list[tuple[float, int, Turn]] = []
        self._now = 0.0
        self._serial = 0
        self._turns_left = most_turns
        self._closed = self._running = False
        self._burying = False
        self._outside: list[Task[Any]] = []
        self._unlived: list[Turn] = []
        """Turns that dead processes would have had next."""
        self.complaints: list[dict[str, Any]] = []

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> Any:
        """Ready now: it runs when chance picks it."""
        turn = Turn(callback, args, context if context is not None else copy_context(), 0.0)
        self._ready.append(turn)
        return turn

    call_soon_threadsafe = call_soon

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Any:
        """Ready after that many virtual seconds."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None) -> Any:
        """Ready at that virtual time."""
        turn = Turn(callback, args, context if context is not None else copy_context(), when)
        self._serial += 1
        heapq.heappush(self._timers, (when, self._serial, turn))
        return turn

    def create_future(self) -> "Future[Any]":
        """A future of this loop."""
        return Future(loop=cast(Any, self))

    def create_task(self, coro: Any, *, name: Any = None, context: Context | None = None, **_: Any) -> "Task[Any]":
        """A task, which belongs to the process it is started in."""
        context = context if context is not None else copy_context()
        task: Task[Any] = Task(coro, loop=cast(Any, self), name=name, context=context)
        process = context.get(PROCESS)
        (self._outside if process is None else process.tasks).append(task)
        return task

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> "Future[T]":
        """There are no threads: it is done at once."""
        future: Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def run_until_complete(self, future: Any) -> Any:
        """Run until this is done; `Stuck` when it never will be."""
        done: Future[Any] = self.create_task(future) if isinstance(future, Coroutine) else future
        self._run(done.done)
        return done.result()

    def bury(self, tasks: "list[Task[Any]]") -> None:
        """Let go of tasks that will never be done, of dead processes too, now that nobody looks any more."""
        self._burying = True
        self._ready += self._unlived
        left = [*self._outside, *tasks]
        for _ in range(50):
            left = [task for task in left if not task.done()]
            if not left:
                break
            for task in left:
                task.cancel()
            self._run(lambda: not self._ready, patience=100_000)
        self._timers.clear()
        self._outside.clear()
        self._unlived.clear()
        self.complaints.clear()

    def _run(self, done: Callable[[], bool], *, patience: int | None = None) -> None:
        previous = asyncio._get_running_loop()
        asyncio._set_running_loop(cast(Any, self))
        self._running = True
        left = self._turns_left if patience is None else patience
        take, draw, ready, timers = self._take_due, self._draw, self._ready, self._timers
        try:
            while not done():
                count = len(ready)
                if not count:
                    take()
                    continue
                if timers and timers[0][0] <= self._now:
                    take()
                    count = len(ready)
                turn = ready.pop()
                if count > 1 and (place := int(draw() * count)) < count - 1:
                    turn, ready[place] = ready[place], turn
                if turn.gone:
                    continue
                process = turn.context.get(PROCESS)
                if process is not None and not process.alive and not self._burying:
                    self._unlived.append(turn)
                    continue
                left -= 1
                if left < 0:
                    raise Endless
                turn.context.run(turn.callback, *turn.args)
        finally:
            self._running = False
            asyncio._set_running_loop(previous)
            if patience is None:
                self._turns_left = left

    def _take_due(self) -> None:
        """Move timers whose time has come among the ready; if none is ready at all, go to the time of the next."""
        timers = self._timers
        while timers and timers[0][2].gone:
            heapq.heappop(timers)
        if not timers:
            if self._ready:
                return
            raise Stuck
        if not self._ready and timers[0][0] > self._now:
            self._now = timers[0][0]
        while timers and timers[0][0] <= self._now:
            self._ready.append(heapq.heappop(timers)[2])

    def is_running(self) -> bool:
        """Whether it runs."""
        return self._running

    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def close(self) -> None:
        """Nothing runs any more."""
        self._closed = True
        self._ready.clear()
        self._timers.clear()

    def get_debug(self) -> bool:
        """Never."""
        return False

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """What nobody caught is kept for the report."""
        self.complaints.append(context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """The same."""
        if not self._burying:
            self.complaints.append(context)
