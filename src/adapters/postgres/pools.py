"""Connection pools that have one role for life."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg

from adapters.postgres.values import use_json
from domain.shared.errors import Unavailable

Connection: TypeAlias = Any
"""An asyncpg connection of a pool; the library has no types that hold."""
_GONE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
)
"""How a database that is away, starting or stopping shows itself."""


async def _keep_as_it_is(_: Any) -> None:
    """No reset on release: no session state is ever set, and the reset query costs more than most reads."""


class Pool:
    """At most `size` connections in one role, opened when first needed and again after the database was away."""

    def __init__(self, dsn: str, *, role: str, size: int) -> None:
        self._pool = asyncpg.create_pool(
            dsn,
            min_size=0,
            max_size=size,
            init=use_json,
            reset=_keep_as_it_is,
            max_inactive_connection_lifetime=300,
            statement_cache_size=1024,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=0,
            command_timeout=30,
            timeout=5,
            server_settings={
                "role": role,
                "search_path": "public",
                "timezone": "UTC",
                "jit": "off",
                "application_name": f"guildhall {role}",
            },
        )

    async def open(self) -> None:
        """Get ready; connections themselves are made when they are needed."""
        await self._pool

    async def close(self) -> None:
        """Let the connections go, those in use when they come back."""
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One connection for a moment; `Unavailable` when the database cannot be reached."""
        try:
            connection = await self._pool.acquire(timeout=10)
        except _GONE as gone:
            raise Unavailable("the database does not answer") from gone
        try:
            yield connection
        finally:
            await self._pool.release(connection)


@dataclass(frozen=True, slots=True)
class Pools:
    """The three ways we speak to the database: as the house, as anybody, and for a signed-in user."""

    house: Pool
    public: Pool
    users: Pool

    @classmethod
    def of(cls, dsn: str, *, house: int, public: int, users: int) -> "Pools":
        """Pools of these sizes on one database."""
        return cls(
            Pool(dsn, role="service_role", size=house),
            Pool(dsn, role="anon", size=public),
            Pool(dsn, role="authenticated", size=users),
        )

    async def open(self) -> None:
        """Get all three ready."""
        for pool in (self.house, self.public, self.users):
            await pool.open()

    async def close(self) -> None:
        """Close all three."""
        for pool in (self.house, self.public, self.users):
            await pool.close()


def is_gone(error: BaseException) -> bool:
    """Whether this error says that the database is away, rather than that it refuses."""
    return isinstance(error, _GONE)
