"""Processes that live on one loop: what a task belongs to is in its context, and dies with it."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any


@dataclass(eq=False, slots=True)
class Process:
    """One run of one program. After `crash` nothing of it ever runs again: what it awaits does not come back, and what
    was not committed is gone. `ports` are its own adapters, by the names use cases know them by."""

    name: str
    alive: bool = True
    ports: dict[str, Any] = field(default_factory=dict)
    tasks: list["asyncio.Task[Any]"] = field(default_factory=list)
    """Everything that was ever started in it: a dead one's tasks are kept, so that nothing tidies up after them."""
    connections: dict["asyncio.Future[Any]", None] = field(default_factory=dict)
    """Whoever waits for an answer from it."""
    on_death: list[Callable[["Process"], None]] = field(default_factory=list)

    def crash(self) -> None:
        """Die here and now; those who wait for an answer lose their connection."""
        if not self.alive:
            return
        self.alive = False
        waiting, self.connections = self.connections, {}
        for connection in waiting:
            if not connection.done():
                connection.set_exception(ConnectionLost(self.name))
        for told in self.on_death:
            told(self)


class ConnectionLost(Exception):
    """Nobody answers any more: what was asked may have been done or not."""


PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)
"""The process that is running; None for the world outside."""


class PerProcess:
    """Stands where one port is wired, and is that port of whichever process asks. So one wired application serves
    every process of every simulated world."""

    def __init__(self, port: str) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        process = PROCESS.get()
        if process is None:
            # Somebody wires a method of it; which process calls it is known when it is called.
            return partial(self._call, name)
        return getattr(process.ports[self._port], name)

    def _call(self, name: str, *args: Any, **named: Any) -> Any:
        process = PROCESS.get()
        if process is None:
            raise LookupError(f"{self._port} was asked for outside of any process")
        return getattr(process.ports[self._port], name)(*args, **named)
