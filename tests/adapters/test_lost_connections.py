"""A database that goes down in the middle of an answer: nobody gets that connection any more."""

import asyncpg
import pytest

from adapters.postgres.pools import Pool
from domain.shared.errors import Unavailable


async def test_a_connection_whose_server_took_its_leave_is_not_lent_again(database: str) -> None:
    """The server's farewell arrives as an answer, and the connection's end a moment later. Lent in between it would
    fail with the driver's own complaint, which is no refusal but a fault (found by killing the postmaster)."""
    pool = Pool(database, role="service_role", size=1)
    await pool.open()
    with pytest.raises(Unavailable):
        async with pool.reading() as connection:
            first = await connection.fetchval("select pg_backend_pid()")
            raise asyncpg.AdminShutdownError("terminating connection due to unexpected postmaster exit")
    async with pool.reading() as connection:
        assert await connection.fetchval("select pg_backend_pid()") != first
    await pool.close()
