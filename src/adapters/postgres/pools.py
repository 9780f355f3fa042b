"""Connection pools that have one role for life.

They are our own because most of what we ask takes the database less time than the driver's pool takes to lend a
connection: a time limit, a task and a shielded release each time (ADR 15)."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeAlias

import asyncpg

from adapters.postgres.errors import GONE, refused, unreadable
from adapters.postgres.values import use_json
from domain.shared.errors import Refusal, Unavailable

Connection: TypeAlias = Any
"""An asyncpg connection; the library has no types that hold."""

_Waiter: TypeAlias = "asyncio.Future[Connection | None]"
"""Whoever waits for a connection, or for room to make one."""

PATIENCE = 10.0
"""Seconds to wait for a connection while all are lent."""
IDLE = 300.0
"""Seconds after which an idle connection is not trusted any more: what lies between us and it may have forgotten it."""
_ANSWERS = (asyncpg.PostgresError, ValueError, OverflowError)
"""What a connection survives: the database's own no, and values that were never sent."""


class Pool:
    """At most `size` connections in one role, opened when first needed and again after the database was away. Nothing
    is reset between two uses, because no session state is ever set."""

    def __init__(self, dsn: str, *, role: str, size: int, **settings: str) -> None:
        self._dsn, self._size = dsn, size
        self._settings = {
            "role": role,
            "search_path": "public",
            "timezone": "UTC",
            "jit": "off",
            "application_name": f"guildhall {role}",
            **settings,
        }
        self._made = 0
        self._free: list[tuple[Connection, float]] = []
        self._waiting: deque[_Waiter] = deque()
        self._committing: deque[_Waiter] = deque()
        self._closed = False

    async def close(self) -> None:
        """Let the connections go, those in use when they come back."""
        self._closed = True
        while self._free:
            connection, _ = self._free.pop()
            self._made -= 1
            await connection.close(timeout=5)

    def connection(self) -> "Lease":
        """One connection for a block; `Unavailable` when the database cannot be reached."""
        return Lease(self)

    def reading(self) -> "Lease":
        """The same for questions: what goes wrong in the block is told as a refusal, where it is one."""
        return Lease(self, told=unreadable)

    def writing(self) -> "Lease":
        """The same for commits, of which the outcome may be unknown. Whoever commits goes before whoever asks: of fifty
        at one slot the others then read that it is taken, instead of finding out in a commit of their own."""
        return Lease(self, told=refused, first=True)

    async def lend(self, *, first: bool = False) -> Connection:
        """A connection, as soon as there is one; who is to be `first` waits only for others who are."""
        while True:
            while self._free:
                connection, since = self._free.pop()
                if not connection.is_closed() and asyncio.get_running_loop().time() - since < IDLE:
                    return connection
                self._drop(connection)
            if self._made < self._size:
                return await self._connected()
            if (connection := await self._turn(self._committing if first else self._waiting)) is not None:
                return connection

    def take_back(self, connection: Connection, *, sound: bool) -> None:
        """After its use; one that may still be at something is not lent again."""
        if not sound or self._closed or connection.is_closed():
            self._drop(connection)
        elif not self._hand(connection):
            self._free.append((connection, asyncio.get_running_loop().time()))

    async def _connected(self) -> Connection:
        self._made += 1
        try:
            connection = await asyncpg.connect(
                self._dsn,
                timeout=5,
                command_timeout=30,
                statement_cache_size=1024,
                max_cached_statement_lifetime=0,
                max_cacheable_statement_size=0,
                server_settings=self._settings,
            )
            await use_json(connection)
        except BaseException as error:
            self._made -= 1
            self._hand(None)
            if isinstance(error, GONE):
                raise Unavailable("the database does not answer") from error
            raise
        return connection

    async def _turn(self, line: "deque[_Waiter]") -> Connection | None:
        """Wait for a connection somebody gives back, or for room to make one."""
        loop = asyncio.get_running_loop()
        waiter: _Waiter = loop.create_future()
        line.append(waiter)
        patience = loop.call_later(PATIENCE, _give_up, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._pass_on(waiter.result())
            raise
        finally:
            patience.cancel()

    def _pass_on(self, connection: Connection | None) -> None:
        """Whoever it was meant for has gone."""
        if connection is None:
            self._hand(None)
        else:
            self.take_back(connection, sound=True)

    def _hand(self, connection: Connection | None) -> bool:
        """Give it, or the room for one, to whoever waits longest."""
        for line in (self._committing, self._waiting):
            while line:
                waiter = line.popleft()
                if not waiter.done():
                    waiter.set_result(connection)
                    return True
        return False

    def _drop(self, connection: Connection) -> None:
        self._made -= 1
        connection.terminate()
        self._hand(None)


def _give_up(waiter: _Waiter) -> None:
    """Nobody gave a connection back for that long."""
    if not waiter.done():
        waiter.set_exception(Unavailable("the database is too busy"))


class Lease:
    """One connection of a pool, for the length of a block."""

    __slots__ = ("_connection", "_first", "_pool", "_told")

    def __init__(
        self, pool: Pool, *, told: Callable[[Exception], Refusal | None] | None = None, first: bool = False
    ) -> None:
        self._pool, self._told, self._first = pool, told, first

    async def __aenter__(self) -> Connection:
        self._connection = await self._pool.lend(first=self._first)
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        # A server that goes says so in an answer too, and leaves the connection in the middle of it.
        sound = error is None or (isinstance(error, _ANSWERS) and not isinstance(error, GONE))
        self._pool.take_back(self._connection, sound=sound)
        if self._told and isinstance(error, Exception) and (refusal := self._told(error)):
            raise refusal from error


@dataclass(frozen=True, slots=True)
class Pools:
    """The three ways we speak to the database: as the house, as anybody, and for a signed-in user. Only the house
    writes."""

    house: Pool
    public: Pool
    users: Pool

    @classmethod
    def of(cls, dsn: str, *, house: int, public: int, users: int) -> "Pools":
        """Pools of these sizes on one database."""
        # Commits and loads by key have one good plan, and planning them took a third of their time.
        reads = {"default_transaction_read_only": "on"}
        return cls(
            Pool(dsn, role="service_role", size=house, plan_cache_mode="force_generic_plan"),
            Pool(dsn, role="anon", size=public, **reads),
            Pool(dsn, role="authenticated", size=users, **reads),
        )

    async def close(self) -> None:
        """Close all three."""
        for pool in (self.house, self.public, self.users):
            await pool.close()
